/**
 * The host and the runner of emulation cases, with hand-made emulators: what each callback answers, what the transcript
 * holds, and that the contexts arrive as the case says.
 */
import {
  E_FAIL,
  type EmulationResult,
  type Emulator,
  type EmulatorCallbacks,
  EmulatorIoAccess,
  EmulatorMemoryAccess,
  EmulatorTranslation,
  type IoPortAccessContextView,
  type MemoryAccessContextView,
  RegisterValues,
  type VpExitContextView,
  WHV_REGISTER_NAME,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { type EmulationOutcome, EmulationRunner, readEmulationCase, runEmulationCase } from "../src/index.ts";

const cs = { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" };
const vp = {
  executionState: { cpl: 3, cr0Pe: true, eferLma: true, interruptShadow: true },
  instructionLength: 4,
  cr8: 5,
  cs,
  rip: "0xffffffff80001000",
  rflags: "0x246",
};

/** The five callbacks with the context filled in, the way an emulator calls them. */
class Host<Context> {
  readonly callbacks: EmulatorCallbacks<Context>;
  readonly context: Context;
  constructor(callbacks: EmulatorCallbacks<Context>, context: Context) {
    this.callbacks = callbacks;
    this.context = context;
  }
  get(...names: number[]): bigint[] {
    const values = new RegisterValues(names.length);
    this.callbacks.getVirtualProcessorRegisters(this.context, Uint32Array.from(names), names.length, values);
    return names.map((_, i) => values.get128(i));
  }
  set(registers: readonly (readonly [number, bigint])[]): number {
    const values = new RegisterValues(registers.length);
    for (const [i, [, value]] of registers.entries()) values.set128(i, value);
    const names = Uint32Array.from(registers, ([name]) => name);
    return this.callbacks.setVirtualProcessorRegisters(this.context, names, names.length, values);
  }
  memory(direction: 0 | 1, gpa: number, size: number, value = 0n): bigint {
    const access = new EmulatorMemoryAccess();
    Object.assign(access, { direction, gpaAddress: gpa, accessSize: size });
    access.value = value;
    const hresult = this.callbacks.memory(this.context, access);
    return hresult === 0 ? access.value : -BigInt(hresult);
  }
  port(direction: 0 | 1, port: number, accessSize: 1 | 2 | 4, data = 0): number {
    const access = new EmulatorIoAccess();
    Object.assign(access, { direction, port, accessSize, data });
    this.callbacks.ioPort(this.context, access);
    return access.data;
  }
  translate(gvaPage: bigint, flags: number): [number, number] {
    const translation = new EmulatorTranslation();
    translation.gvaPageLow = Number(gvaPage & 0xffff_ffffn) | 0;
    translation.gvaPageHigh = Number(gvaPage >> 32n) | 0;
    translation.flags = flags;
    this.callbacks.translateGvaPage(this.context, translation);
    return [translation.resultCode, translation.gpaPage];
  }
}

type Script = (
  host: Host<unknown>,
  vpContext: VpExitContextView,
  exit: MemoryAccessContextView | IoPortAccessContextView,
) => void;

/** Runs a case on an emulator that does what `script` does and answers success. */
function run(json: Record<string, unknown>, script: Script, answer: Partial<EmulationResult> = {}): EmulationOutcome {
  const result = { hresult: 0, statusBits: 1, diagnostic: null, ...answer } as EmulationResult;
  const createEmulator = <Context>(callbacks: EmulatorCallbacks<Context>): Emulator<Context> => {
    const emulate = (
      context: Context,
      state: VpExitContextView,
      exit: MemoryAccessContextView | IoPortAccessContextView,
    ) => {
      script(new Host(callbacks, context) as Host<unknown>, state, exit);
      return result;
    };
    return { tryIoEmulation: emulate, tryMmioEmulation: emulate, destroy: () => {} };
  };
  return runEmulationCase(readEmulationCase(json), { createEmulator });
}

const mmio = {
  id: 1,
  kind: "mmio",
  vp,
  exit: { accessType: "write", gpa: "0xfee00020", gva: "0x7fff00000020", instructionBytes: "8b0790" },
};

describe("contexts", () => {
  test("of a memory access", () => {
    run(mmio, (_, state, exit) => {
      const access = exit as MemoryAccessContextView;
      expect(state.toObject()).toMatchObject({
        instructionLength: 4,
        cr8: 5,
        rip: 0xffff_ffff_8000_1000n,
        rflags: 0x246n,
      });
      expect(state.executionState.toObject()).toMatchObject({
        cpl: 3,
        cr0Pe: true,
        cr0Am: false,
        eferLma: true,
        interruptShadow: true,
      });
      expect(state.cs.toObject()).toEqual({ base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xa09b });
      expect(access.toObject()).toMatchObject({ instructionByteCount: 3, gpa: 0xfee0_0020, gva: 0x7fff_0000_0020n });
      expect(access.accessInfo.toObject()).toMatchObject({ accessType: 1, gpaUnmapped: true, gvaValid: true });
      expect([...access.instructionBytes.subarray(0, 4)]).toEqual([0x8b, 0x07, 0x90, 0]);
    });
    expect.assertions(6);
  });

  test("17 instruction bytes: the count says 17, the array holds the first 16", () => {
    run({ ...mmio, exit: { accessType: 3, gpa: 0, instructionBytes: `${"11".repeat(16)}22` } }, (_, __, exit) => {
      expect(exit.instructionByteCount).toBe(17);
      expect([...exit.instructionBytes]).toEqual(new Array(16).fill(0x11));
    });
    expect.assertions(2);
  });

  test("of a port access", () => {
    const exit = {
      isWrite: true,
      accessSize: 2,
      stringOp: true,
      repPrefix: true,
      port: 0x3f8,
      rcx: 3,
      rsi: "0x100",
      ds: { attributes: "0x93", limit: 65535, selector: 7, base: 112 },
    };
    run({ kind: "io", vp, exit }, (_, __, context) => {
      const port = context as IoPortAccessContextView;
      expect(port.accessInfo.toObject()).toMatchObject({
        isWrite: true,
        accessSize: 2,
        stringOp: true,
        repPrefix: true,
      });
      expect(port.toObject()).toMatchObject({ portNumber: 0x3f8, rax: 0n, rcx: 3n, rsi: 0x100n });
      expect(port.ds.toObject()).toEqual({ base: 112n, limit: 65535, selector: 7, attributes: 0x93 });
      expect(port.es.toObject()).toMatchObject({ base: 0n, limit: 0xffff_ffff });
    });
    expect.assertions(4);
  });
});

describe("registers", () => {
  test("what the case does not give: 0, flat segments, Rip and Rflags of the exit, XCr0 1", () => {
    const name = WHV_REGISTER_NAME;
    run({ ...mmio, registers: { Rdi: 5 } }, (host) => {
      expect(host.get(name.WHvX64RegisterRdi, name.WHvX64RegisterRsi, name.WHvX64RegisterXCr0)).toEqual([5n, 0n, 1n]);
      expect(host.get(name.WHvX64RegisterRip, name.WHvX64RegisterRflags)).toEqual([0xffff_ffff_8000_1000n, 0x246n]);
      expect(host.get(name.WHvX64RegisterGs)).toEqual([0xc0f3_0013_ffff_ffff_0000_0000_0000_0000n]);
      expect(host.get(name.WHvX64RegisterXmm5)).toEqual([0n]);
    });
    expect.assertions(4);
  });

  test("what the one set call carried", () => {
    const outcome = run(mmio, (host) => {
      host.set([
        [WHV_REGISTER_NAME.WHvX64RegisterRax, 0xffff_ffff_ffff_fff0n],
        [WHV_REGISTER_NAME.WHvX64RegisterXmm0, 1n << 127n],
        [WHV_REGISTER_NAME.WHvX64RegisterSs, 0x0093_0008_0000_ffff_0000_0000_0000_0080n],
        [WHV_REGISTER_NAME.WHvRegisterInterruptState, 0n],
      ]);
    });
    expect(outcome.set).toEqual({
      Rax: "0xfffffffffffffff0",
      Xmm0: "0x80000000000000000000000000000000",
      Ss: { base: "0x80", limit: "0xffff", selector: 8, attributes: "0x93" },
      InterruptState: "0x0",
    });
    expect(outcome.calls).toEqual([{ callback: "setRegisters", names: ["Rax", "Xmm0", "Ss", "InterruptState"] }]);
  });

  test("null when nothing was set", () => {
    expect(run(mmio, () => {}).set).toBeNull();
  });
});

describe("memory", () => {
  const withMemory = {
    ...mmio,
    memory: [
      { gpa: "0xffe", bytes: "1122" },
      { gpa: "0x1000", bytes: "3344" },
    ],
    deviceReads: "a1a2a3",
  };

  test("RAM, device memory, and one access over both", () => {
    const outcome = run(withMemory, (host) => {
      expect(host.memory(0, 0xffe, 4)).toBe(0x4433_2211n);
      expect(host.memory(0, 0x1001, 4)).toBe(0xa3a2_a144n);
      expect(host.memory(0, 0xfee0_0000, 2)).toBe(0xffffn);
    });
    expect(outcome.calls[1]).toEqual({
      callback: "memory",
      direction: "read",
      gpa: "0x1001",
      size: 4,
      data: "44a1a2a3",
    });
    expect(outcome.memory).toEqual([]);
  });

  test("writes change RAM only; unchanged bytes split the runs", () => {
    const outcome = run(withMemory, (host) => {
      host.memory(1, 0xffe, 4, 0x5544_2299n);
      host.memory(1, 0x1001, 2, 0x7766n);
    });
    // 0xffe 11->99, 0xfff 22->22, 0x1000 33->44, 0x1001 44->55->66, 0x1002 is a device's.
    expect(outcome.memory).toEqual([
      { gpa: "0xffe", bytes: "99" },
      { gpa: "0x1000", bytes: "4466" },
    ]);
  });

  test("runs that touch are one piece of RAM", () => {
    const outcome = run(withMemory, (host) => host.memory(1, 0xffe, 4, 0x8877_6655n));
    expect(outcome.memory).toEqual([{ gpa: "0xffe", bytes: "55667788" }]);
  });

  test("of overlapping runs the later one holds", () => {
    const overlapping = {
      ...mmio,
      memory: [
        { gpa: 0, bytes: "11111111" },
        { gpa: 1, bytes: "2222" },
      ],
    };
    run(overlapping, (host) => expect(host.memory(0, 0, 4)).toBe(0x1122_2211n));
    expect.assertions(1);
  });
});

test("port reads come from the list, then all ones", () => {
  const outcome = run({ ...mmio, portReads: ["0x42", 7] }, (host) => {
    host.port(0, 0x60, 1);
    host.port(1, 0x61, 2, 0xbeef);
    host.port(0, 0x62, 4);
    host.port(0, 0x63, 2);
  });
  expect(outcome.calls.map((call) => ("data" in call ? call.data : ""))).toEqual(["0x42", "0xbeef", "0x7", "0xffff"]);
  expect(outcome.calls[1]).toEqual({ callback: "ioPort", direction: "out", port: 0x61, size: 2, data: "0xbeef" });
});

describe("translation", () => {
  test("identity, within the 52 bits that guest-physical addresses have", () => {
    const outcome = run(mmio, (host) => {
      expect(host.translate(0xfee0_0000n, 17)).toEqual([0, 0xfee0_0000]);
      expect(host.translate(0xffff_8000_0000_0000n, 17)).toEqual([1, 0]);
    });
    expect(outcome.calls[0]).toEqual({
      callback: "translate",
      gvaPage: "0xfee00000",
      flags: 17,
      result: 0,
      gpaPage: "0xfee00000",
    });
  });

  test("a list, answering also what no hypervisor should", () => {
    const pages = [
      { gvaPage: "0xffff800000000000", gpaPage: "0x1001" },
      { gvaPage: 0x2000, result: 8 },
    ];
    run({ ...mmio, translate: pages }, (host) => {
      expect(host.translate(0xffff_8000_0000_0000n, 1)).toEqual([0, 0x1001]);
      expect(host.translate(0x2000n, 1)).toEqual([8, 0]);
      expect(host.translate(0x3000n, 1)).toEqual([1, 0]);
    });
    expect.assertions(3);
  });

  test("a walk from the case's control registers, with the exit's privilege level", () => {
    const registers = { Cr0: "0x80000001", Cr3: "0x1000", Cr4: "0x20", Efer: "0x500" };
    const entry = (value: string) => ({ bytes: value });
    const memory = [
      { gpa: 0x1000, ...entry("0720000000000000") },
      { gpa: 0x2000, ...entry("0730000000000000") },
      { gpa: 0x3000, ...entry("8700200000000000") },
      { gpa: 0x3008, ...entry("8300400000000000") },
    ];
    const outcome = run({ ...mmio, translate: "walk", registers, memory }, (host) => {
      expect(host.translate(0x5000n, 1 | 2 | 16)).toEqual([0, 0x20_5000]);
      expect(host.translate(0x20_5000n, 1)).toEqual([2, 0]);
    });
    expect(outcome.memory.map(({ gpa }) => gpa)).toEqual(["0x1000", "0x2000", "0x3000"]);
  });
});

describe("staged failures", () => {
  test.each([
    ["memory", { callback: "memory", direction: "read", gpa: "0x1", size: 1, data: "" }],
    ["ioPort", { callback: "ioPort", direction: "in", port: 1, size: 1, data: "" }],
    ["getRegisters", { callback: "getRegisters", names: ["Rax"] }],
    ["setRegisters", { callback: "setRegisters", names: ["Rax"] }],
    ["translate", { callback: "translate", gvaPage: "0x1000", flags: 1, result: 0, gpaPage: "0x0" }],
  ])("of %s, at the call asked for and no other", (callback, record) => {
    const outcome = run({ ...mmio, fail: { callback, at: 1, hresult: "0x80070005" } }, (host) => {
      for (let i = 0; i < 3; i++) {
        host.memory(0, 1, 1);
        host.port(0, 1, 1);
        host.get(WHV_REGISTER_NAME.WHvX64RegisterRax);
        host.set([[WHV_REGISTER_NAME.WHvX64RegisterRax, 0n]]);
        host.translate(0x1000n, 1);
      }
    });
    const failed = outcome.calls.filter((call) => call.hresult !== undefined);
    expect(failed).toEqual([{ ...record, hresult: "0x80070005" }]);
    expect(outcome.calls.filter((call) => call.callback === callback).indexOf(failed[0]!)).toBe(1);
  });

  test("a read that fails takes nothing from the devices' answers", () => {
    run({ ...mmio, deviceReads: "a1a2", fail: { callback: "memory" } }, (host) => {
      expect(host.memory(0, 1, 1)).toBe(-BigInt(E_FAIL));
      expect(host.memory(0, 1, 1)).toBe(0xa1n);
    });
    expect.assertions(2);
  });
});

test("the emulator's answer, as it is", () => {
  const outcome = run(mmio, () => {}, {
    hresult: 0x8007_0057,
    statusBits: 0x22,
    diagnostic: {
      reason: "malformed-context",
      message: "text",
      phase: "check",
      bytes: Uint8Array.of(0x8b, 0x07),
      text: null,
      rip: 1n << 63n,
      mode: 64,
      repCompleted: 2,
      callback: "translateGvaPage",
      callbackHresult: -2147467259 as number,
      thrown: new Error("no"),
      exception: { vector: 14, errorCode: 2, cr2: 0x1000n },
    },
  });
  expect(outcome).toMatchObject({ format: 1, id: 1, hresult: "0x80070057", statusBits: 0x22 });
  expect(outcome.status).toEqual(["InternalEmulationFailure", "TranslateGvaPageCallbackGpaIsNotAligned"]);
  expect(outcome.diagnostic).toMatchObject({
    bytes: "8b07",
    rip: "0x8000000000000000",
    callback: "translate",
    callbackHresult: "0x80004005",
    thrown: "Error: no",
    exception: { vector: 14, errorCode: "0x2", cr2: "0x1000" },
  });
});

test("a runner keeps one emulator while the options stay the same, and destroys every one", () => {
  const events: string[] = [];
  const createEmulator = <Context>(
    callbacks: EmulatorCallbacks<Context>,
    options: Readonly<Record<string, unknown>> = {},
  ): Emulator<Context> => {
    const name = JSON.stringify(options);
    events.push(`create ${name}`);
    const emulate = (context: Context): EmulationResult => {
      new Host(callbacks, context).memory(0, 0x10, 1);
      events.push("run");
      return { hresult: 0, statusBits: 1, diagnostic: null } as EmulationResult;
    };
    return { tryIoEmulation: emulate, tryMmioEmulation: emulate, destroy: () => events.push(`destroy ${name}`) };
  };
  const runner = new EmulationRunner({ createEmulator });
  const withLimit = { ...mmio, options: { maxRepIterations: "0x10" } };
  const outcomes = [mmio, mmio, withLimit].map((json) => runner.run(readEmulationCase(json)));
  runner.dispose();
  expect(events).toEqual([
    "create {}",
    "run",
    "run",
    "destroy {}",
    'create {"maxRepIterations":16}',
    "run",
    'destroy {"maxRepIterations":16}',
  ]);
  expect(outcomes.map(({ calls }) => calls.length)).toEqual([1, 1, 1]);
});
