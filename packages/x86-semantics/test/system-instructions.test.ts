/**
 * Instructions that no process can run for real: ports, helpers with their arguments and results, loads of segments and tables,
 * privileged checks. Judged by the manuals (Intel SDM volume 2, the page of each).
 */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { beforeEach, describe, expect, it } from "vitest";
import {
  Abort,
  DEFAULT_OPTIONS,
  Evaluator,
  Helper,
  Intent,
  type Program,
  programFor,
  RegisterOffset,
  Segment,
  type SemanticOptions,
  Vector,
} from "../src/index.ts";
import { FlatMachine } from "./machine/flat-machine.ts";

const DATA = 0x1000;

/** Records helper calls in full, and answers what the test says. */
class SystemMachine extends FlatMachine {
  calls: { helper: number; a: bigint; b: bigint; c: [number, number] }[] = [];
  answer: [number, number, number, number] = [0, 0, 0, 0];
  abort: number = Abort.none;

  override helper(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number {
    const join = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const c: [number, number] = [this.data[2] as number, this.data[3] as number];
    this.calls.push({ helper: id, a: join(aLow, aHigh), b: join(bLow, bHigh), c });
    this.data.set(this.answer);
    return this.abort;
  }
}

let machine: SystemMachine;
const instruction = new Instruction();

function programOf(mode: 16 | 32 | 64, text: string, options: SemanticOptions = DEFAULT_OPTIONS): Program {
  const bytes = Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
  expect(new Decoder(mode).decode(bytes, 0, instruction)).toBe(DecodeStatus.ok);
  expect(instruction.length).toBe(bytes.length);
  return programFor(instruction, options);
}

const run = (mode: 16 | 32 | 64, text: string): number => new Evaluator(machine).evaluate(programOf(mode, text));
const get = (register: number): bigint => machine.registers.get64(8 * register);
const set = (register: number, value: bigint): void => machine.registers.set64(8 * register, value);
const [RAX, RCX, RDX, RBX, RSP, , RSI, RDI] = [0, 1, 2, 3, 4, 5, 6, 7];

beforeEach(() => {
  machine = new SystemMachine();
  machine.logging = true;
  for (let i = 0; i < 16; i++) set(i, 0x1111_1111_1111_1111n * BigInt(i));
  set(RDI, BigInt(DATA));
  set(RSI, BigInt(DATA + 0x100));
  set(RSP, BigInt(DATA + 0x800));
  machine.registers.set64(RegisterOffset.rflags, 2n);
});

describe("ports", () => {
  it("reads 8 and 16 bits into part of RAX, 32 bits into all of it", () => {
    for (const [text, kept, size] of [
      ["ec", 0xffff_ffff_ffff_ff00n, 1],
      ["66 ed", 0xffff_ffff_ffff_0000n, 2],
      ["ed", 0n, 4],
    ] as const) {
      set(RAX, 0xffff_ffff_ffff_ffffn);
      set(RDX, 0xabcd_03f8n);
      machine.input = 0x1234_5678;
      machine.log.length = 0;
      expect(run(64, text)).toBe(Abort.none);
      expect(machine.log).toEqual([`in 3f8 ${size}`]);
      expect(get(RAX)).toBe(kept | (0x1234_5678n & ((1n << BigInt(8 * size)) - 1n)));
    }
  });

  it("writes AL, AX or EAX to DX or an immediate port", () => {
    set(RAX, 0xffff_ffff_8765_4321n);
    set(RDX, 0xffff_0070n);
    expect([run(64, "ee"), run(32, "66 ef"), run(64, "ef"), run(16, "e6 80"), run(16, "e7 81")]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(machine.log).toEqual(["out 70 1 21", "out 70 2 4321", "out 70 4 87654321", "out 80 1 21", "out 81 2 4321"]);
  });

  it("checks the target of INS before it reads the port", () => {
    set(RDI, 0xffff_0000n);
    expect(run(64, "6c")).toBe(Abort.fault);
    expect(machine.log.some((line) => line.startsWith("in "))).toBe(false);
    expect(programOf(64, "6c").accessesPort).toBe(true);
  });
});

describe("locked accesses", () => {
  const intents = (): string[] => machine.log.map((line) => line.split(" ").at(-1) as string);

  it("come from LOCK, and from XCHG with memory without it", () => {
    expect(run(64, "f0 01 0f")).toBe(Abort.none);
    expect(run(64, "87 0f")).toBe(Abort.none);
    const locked = [Intent.modify | Intent.locked, Intent.write | Intent.locked].map(String);
    expect(intents()).toEqual([...locked, ...locked]);
  });

  it("do not come from an ordinary read-modify-write", () => {
    expect(run(64, "01 0f")).toBe(Abort.none);
    expect(intents()).toEqual([Intent.modify, Intent.write].map(String));
  });
});

describe("CMPXCHG on a mismatch", () => {
  it("writes the old value back, unless the host wants no write", () => {
    machine.memory[DATA] = 5;
    const evaluator = new Evaluator(machine);
    expect(evaluator.evaluate(programOf(64, "0f b1 0f"))).toBe(Abort.none);
    expect(machine.log.filter((line) => line.startsWith("store"))).toHaveLength(1);
    machine.log.length = 0;
    set(RAX, 0n);
    const quiet: SemanticOptions = { compareExchangeWritesBack: false };
    expect(evaluator.evaluate(programOf(64, "0f b1 0f", quiet))).toBe(Abort.none);
    expect(machine.log.filter((line) => line.startsWith("store"))).toEqual([]);
    expect(get(RAX)).toBe(5n);
    expect(evaluator.evaluate(programOf(64, "0f b1 0f", quiet))).toBe(Abort.none);
    expect(machine.log.filter((line) => line.startsWith("store"))).toHaveLength(1);
  });
});

describe("CMPXCHG whose target is the accumulator", () => {
  it.each([
    ["0f b0 c8", 0x1122_3344_5566_7700n], // cmpxchg al, cl
    ["66 0f b1 c8", 0x1122_3344_5566_ff00n],
    ["0f b1 c8", 0xddee_ff00n],
    ["48 0f b1 c8", 0x99aa_bbcc_ddee_ff00n],
  ])("%s finds it equal to itself and takes the source, as the processor does", (code, expected) => {
    set(RAX, 0x1122_3344_5566_7788n);
    set(RCX, 0x99aa_bbcc_ddee_ff00n);
    expect(run(64, code)).toBe(Abort.none);
    expect(get(RAX)).toBe(expected);
  });
});

describe("helpers", () => {
  it("get operand size and instruction length where they take no third argument", () => {
    expect(run(64, "48 cf")).toBe(Abort.none); // iretq
    expect(machine.calls).toEqual([{ helper: Helper.interruptReturn, a: 0n, b: 0n, c: [8, 2] }]);
    expect(programOf(64, "48 cf").writesIp).toBe(true);
  });

  it("give CPUID its four registers, zero-extended", () => {
    machine.answer = [-1, 2, 3, -4];
    set(RAX, 0xffff_ffff_0000_0007n);
    set(RCX, 1n);
    expect(run(64, "0f a2")).toBe(Abort.none);
    expect(machine.calls[0]).toMatchObject({ helper: Helper.cpuid, a: 7n, b: 1n });
    expect([RAX, RBX, RCX, RDX].map(get)).toEqual([0xffff_ffffn, 2n, 3n, 0xffff_fffcn]);
  });

  it("move model-specific registers through EDX:EAX", () => {
    machine.answer = [0x1234, 0x5678, 0, 0];
    set(RCX, 0xffff_ffff_c000_0080n);
    expect(run(64, "0f 32")).toBe(Abort.none);
    expect([get(RAX), get(RDX)]).toEqual([0x1234n, 0x5678n]);
    expect(run(64, "0f 30")).toBe(Abort.none);
    expect(machine.calls[1]).toMatchObject({ helper: Helper.writeMsr, a: 0xc000_0080n, b: 0x5678_0000_1234n });
  });

  it("that stop leave every register as it was", () => {
    machine.abort = Abort.fault;
    const before = machine.registers.bytes.slice();
    for (const text of ["0f a2", "0f 32", "0f 20 c0", "8e d8", "0f 01 d0", "9d"]) {
      expect(run(64, text), text).toBe(Abort.fault);
      expect(Buffer.compare(machine.registers.bytes, before), text).toBe(0);
    }
  });

  it("move control and debug registers by number", () => {
    machine.answer = [0x55, 0x66, 0, 0];
    expect(run(64, "44 0f 20 c1")).toBe(Abort.none); // mov rcx, cr8
    expect(machine.calls[0]).toMatchObject({ helper: Helper.readControl, a: 8n });
    expect(get(RCX)).toBe(0x66_0000_0055n);
    expect(run(64, "0f 22 d9")).toBe(Abort.none); // mov cr3, rcx
    expect(machine.calls[1]).toMatchObject({ helper: Helper.writeControl, a: 3n, b: 0x66_0000_0055n });
    expect(run(32, "0f 23 f9")).toBe(Abort.none); // mov dr7, ecx
    expect(machine.calls[2]).toMatchObject({ helper: Helper.writeDebug, a: 7n, b: 0x55n });
  });

  it("load segments, and hold interrupts off after SS alone", () => {
    set(RAX, 0xffff_0028n);
    expect(run(64, "8e d8")).toBe(Abort.none); // mov ds, ax
    expect(run(64, "8e d0")).toBe(Abort.none); // mov ss, ax
    expect(machine.calls.map(({ helper, a, b }) => [helper, a, b])).toEqual([
      [Helper.loadSegment, BigInt(Segment.ds), 0x28n],
      [Helper.loadSegment, BigInt(Segment.ss), 0x28n],
      [Helper.inhibitInterrupts, 0n, 0n],
    ]);
  });

  it("load far pointers: offset, then selector", () => {
    machine.memory.set([0x78, 0x56, 0x34, 0x12, 0xcd, 0xab], DATA);
    expect(run(32, "c5 07")).toBe(Abort.none); // lds eax, [edi]
    expect(machine.calls[0]).toMatchObject({ helper: Helper.loadSegment, a: BigInt(Segment.ds), b: 0xabcdn });
    expect(get(RAX)).toBe(0x1234_5678n);
    expect(run(32, "ff 2f")).toBe(Abort.none); // jmp far [edi]
    expect(machine.calls[1]).toMatchObject({ helper: Helper.farJump, a: 0xabcdn, b: 0x1234_5678n });
    expect(run(16, "ea 34 12 00 f0")).toBe(Abort.none); // jmp f000:1234
    expect(machine.calls[2]).toMatchObject({ helper: Helper.farJump, a: 0xf000n, b: 0x1234n });
    expect(run(16, "ca 06 00")).toBe(Abort.none); // retf 6
    expect(machine.calls[3]).toMatchObject({ helper: Helper.farReturn, a: 6n, c: [2, 3] });
  });

  it("load descriptor tables with the base of the mode", () => {
    machine.memory.set([0x22, 0x11, 1, 2, 3, 4, 5, 6, 7, 8], DATA);
    for (const [mode, text, base] of [
      [64, "0f 01 17", 0x0807_0605_0403_0201n],
      [32, "0f 01 17", 0x0403_0201n],
      [32, "66 0f 01 1f", 0x0003_0201n],
    ] as const) {
      machine.calls = [];
      expect(run(mode, text)).toBe(Abort.none);
      expect(machine.calls[0]).toMatchObject({ helper: Helper.loadTable, b: base, c: [0x1122, 0] });
    }
  });

  it("store descriptor tables: limit, then base", () => {
    const view = new DataView(machine.registers.bytes.buffer);
    view.setUint16(RegisterOffset.gdtr + 6, 0x1234, true);
    view.setBigUint64(RegisterOffset.gdtr + 8, 0xffff_8000_0000_1000n, true);
    expect(run(64, "0f 01 07")).toBe(Abort.none);
    expect(Buffer.from(machine.memory.subarray(DATA, DATA + 10)).toString("hex")).toBe("3412001000000080ffff");
  });

  it("write LAR's target only where the selector may be seen", () => {
    set(RAX, -1n & 0xffff_ffff_ffff_ffffn);
    machine.answer = [0x00cf_9300, 0, 1, 0];
    expect(run(64, "0f 02 c1")).toBe(Abort.none);
    expect(get(RAX)).toBe(0xcf_9300n);
    machine.answer = [0, 0, 0, 0];
    expect(run(64, "0f 02 c1")).toBe(Abort.none);
    expect(get(RAX)).toBe(0xcf_9300n);
    expect(Number(machine.registers.get64(RegisterOffset.rflags)) & 0x40).toBe(0);
  });

  it("carry software interrupts: vector and kind", () => {
    machine.registers.set64(RegisterOffset.rflags, 0x802n);
    machine.registers.set64(RegisterOffset.rip, 0x7000n);
    for (const text of ["cd 80", "cc", "f1", "ce"]) expect(run(32, text)).toBe(Abort.none);
    expect(machine.calls.map(({ helper, a, b }) => [helper, a, b])).toEqual(
      [
        [0x80n, 0n],
        [3n, 1n],
        [1n, 3n],
        [4n, 2n],
      ].map((given) => [Helper.softwareInterrupt, ...given]),
    );
    // INTO without overflow goes on to the next instruction.
    machine.registers.set64(RegisterOffset.rflags, 2n);
    machine.registers.set64(RegisterOffset.rip, 0x7000n);
    machine.calls = [];
    expect(run(32, "ce")).toBe(Abort.none);
    expect([machine.calls.length, machine.registers.get64(RegisterOffset.rip)]).toEqual([0, 0x7001n]);
  });
});

describe("checks", () => {
  const privilege = (level: number): void => {
    new DataView(machine.registers.bytes.buffer).setUint16(
      RegisterOffset.segments + 16 * Segment.ss + 14,
      0xc093 | (level << 5),
      true,
    );
  };

  it("refuse SGDT with UMIP outside CPL 0, and STAC", () => {
    machine.registers.set64(RegisterOffset.cr4, 0x800n);
    privilege(3);
    expect(run(64, "0f 01 07")).toBe(Abort.fault);
    expect([machine.fault.vector, machine.fault.errorCode]).toEqual([Vector.GP, 0]);
    expect(run(64, "0f 01 cb")).toBe(Abort.fault);
    expect(machine.fault.vector).toBe(Vector.UD);
    privilege(0);
    expect([run(64, "0f 01 07"), run(64, "0f 01 cb")]).toEqual([Abort.none, Abort.none]);
    expect(Number(machine.registers.get64(RegisterOffset.rflags)) & 0x4_0000).toBe(0x4_0000);
  });

  it("refuse PUSHF in virtual-8086 mode below IOPL 3", () => {
    machine.registers.set64(RegisterOffset.rflags, 0x2_0002n);
    expect(run(16, "9c")).toBe(Abort.fault);
    machine.registers.set64(RegisterOffset.rflags, 0x2_3002n);
    expect(run(16, "9c")).toBe(Abort.none);
  });

  it("refuse the FS base instructions unless CR4 allows them, and a base that is not canonical", () => {
    expect(run(64, "f3 48 0f ae d0")).toBe(Abort.fault);
    expect(machine.fault.vector).toBe(Vector.UD);
    machine.registers.set64(RegisterOffset.cr4, 0x1_0000n);
    set(RAX, 0x8000_0000_0000n);
    expect(run(64, "f3 48 0f ae d0")).toBe(Abort.fault);
    expect(machine.fault.vector).toBe(Vector.GP);
    set(RAX, 0xffff_8000_0000_0000n);
    expect(run(64, "f3 48 0f ae d0")).toBe(Abort.none);
    expect(machine.registers.get64(RegisterOffset.segments + 16 * Segment.fs)).toBe(0xffff_8000_0000_0000n);
  });

  it("accept 57-bit targets where CR4.LA57 is set", () => {
    set(RAX, 0x00ff_0000_0000_0000n);
    expect(run(64, "ff e0")).toBe(Abort.fault);
    machine.registers.set64(RegisterOffset.cr4, 0x1000n);
    expect(run(64, "ff e0")).toBe(Abort.none);
    expect(machine.registers.get64(RegisterOffset.rip)).toBe(0x00ff_0000_0000_0000n);
  });
});

describe("what a program says about itself", () => {
  it("names the processor state it needs", () => {
    const needs = (text: string): unknown => programOf(64, text).requires;
    expect(["01 c8", "0f 10 07", "0f 6f 07", "c5 f8 10 07", "62 f1 7c 48 10 07", "c5 f8 92 c8"].map(needs)).toEqual([
      null,
      "sse",
      "mmx",
      "avx",
      "avx512",
      "avx512",
    ]);
  });

  it("tells why it cannot run", () => {
    expect(run(64, "d8 c1")).toBe(Abort.unsupported);
    expect(programOf(64, "d8 c1").unsupported).toBe("x87 arithmetic has no meaning yet");
    expect(programOf(64, "62 f1 75 49 fe c2").unsupported).toBe("masked EVEX forms have no meaning yet");
    expect(programOf(64, "f2 0f c2 c1 00").unsupported).toBe("floating-point comparison has no meaning yet");
  });
});
