// The machine against a scripted processor and emulator: how runs end, how guest time goes, how interrupts come.
import { type EmulationDiagnostic, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMachine, type Machine, type MachineOptions } from "../src/index.ts";
import { type EmulatorStep, failure, ScriptedEmulator } from "./support/scripted-emulator.ts";
import { type ScriptedExit, ScriptedHypervisor, type ScriptedProcessor } from "./support/scripted-hypervisor.ts";

type Step = EmulatorStep;
const image = { bytes: Uint8Array.of(0xf4), mode: 16 as const, load: 0x8000 };
const OFF: Step = (emulator) => emulator.out(0x604, 2, 0x2000);
/** Several things that one instruction does, for a test's sake. */
const all =
  (...steps: Step[]): Step =>
  (emulator) => {
    for (const step of steps) step(emulator);
  };

interface Rig {
  machine: Machine;
  processor: ScriptedProcessor;
  hypervisor: ScriptedHypervisor;
}

/** A machine whose processor gives `exits` and whose emulator takes `steps`, one for each port or memory exit. */
function rig(
  exits: readonly ScriptedExit[],
  steps: Step[] = [],
  options: Partial<MachineOptions> = {},
  counting = true,
): Rig {
  const hypervisor = new ScriptedHypervisor(exits, counting);
  const machine = createMachine({
    hypervisor,
    image,
    createEmulator: (callbacks) => new ScriptedEmulator(callbacks, steps),
    ...options,
  });
  return { machine, hypervisor, processor: hypervisor.partition.processor };
}

describe("a run ends", () => {
  it("with 0 when the guest switches the machine off", () => {
    const { machine } = rig(["X64IoPortAccess"], [OFF]);
    expect(machine.run()).toMatchObject({ reason: "shutdown", exitStatus: 0, debugExitValue: null });
    expect(machine.runSlice(10)).toBe("ended");
  });

  it.each([
    [0, 1],
    [1, 3],
    [0x10, 0x21],
  ])("with 2 * v + 1 when the guest writes %i to the debug-exit port", (value, status) => {
    const { machine } = rig(["X64IoPortAccess"], [(emulator) => emulator.out(0xf4, 4, value)]);
    expect(machine.run()).toMatchObject({ reason: "debug-exit", exitStatus: status, debugExitValue: value });
  });

  it("not at 0xf4 when the debug-exit port is elsewhere", () => {
    const steps: Step[] = [(emulator) => emulator.out(0xf4, 1, 5), (emulator) => emulator.out(0x501, 1, 7)];
    const { machine } = rig(["X64IoPortAccess", "X64IoPortAccess"], steps, { debugExitPort: 0x501 });
    expect(machine.run().debugExitValue).toBe(7);
  });

  it("with 0 when the console shows what was waited for, across several writes", () => {
    const eightBits: Step = (emulator) => emulator.out(0x3fb, 1, 3);
    const letters: Step[] = [..."login: "].map(
      (character) => (emulator: ScriptedEmulator) => emulator.out(0x3f8, 1, character.charCodeAt(0)),
    );
    const { machine } = rig(
      Array.from({ length: 8 }, () => "X64IoPortAccess" as const),
      [eightBits, ...letters],
      { limits: { until: /g.n:/gy } },
    );
    expect(machine.run()).toMatchObject({ reason: "until", exitStatus: 0 });
    expect(machine.statistics.exitCount).toBe(1 + 6); // not the blank after it
  });

  it("with 1 and the place at a triple fault", () => {
    const { machine, processor } = rig(["UnrecoverableException"]);
    processor.exit.vpContext.assign({ cs: { selector: 0x18 }, rip: 0x8006n });
    expect(machine.run()).toMatchObject({ reason: "triple-fault", exitStatus: 1 });
    expect(machine.result?.message).toContain("0018:00008006");
  });

  it("with 1 and the diagnostic when the emulator fails", () => {
    const diagnostic = {
      reason: "unsupported-instruction",
      message: "vaddps has no meaning here",
    } as EmulationDiagnostic;
    const { machine } = rig(["MemoryAccess"], [() => failure(diagnostic)]);
    const result = machine.run();
    expect(result).toMatchObject({ reason: "emulation-failure", exitStatus: 1, diagnostic });
    expect(result.statistics.emulations).toEqual({ io: 0, mmio: 0 });
    expect(result.message).toContain("vaddps has no meaning here");
    expect(rig(["MemoryAccess"], [() => failure(null)]).machine.run().message).toContain("InternalEmulationFailure");
  });

  it("with 1 at an exit that it cannot finish", () => {
    const { machine } = rig(["UnsupportedFeature"]);
    expect(machine.run()).toMatchObject({ reason: "unexpected-exit", exitStatus: 1 });
    expect(machine.result?.message).toContain("UnsupportedFeature");
  });

  it("with 1 when it halts with interrupts disabled, or with nothing left to wake it", () => {
    expect(rig(["X64Halt"]).machine.run()).toMatchObject({ reason: "halted", exitStatus: 1 });
    const { machine, processor } = rig(["X64Halt"]);
    processor.setInterruptFlag(true);
    expect(machine.run()).toMatchObject({ reason: "halted", exitStatus: 1 });
  });

  it("with 124 at the limits", () => {
    const counted = rig(["Canceled", "Canceled", "Canceled"], [], { limits: { maxInstructions: 150_000 } });
    expect(counted.machine.run()).toMatchObject({
      reason: "instruction-limit",
      exitStatus: 124,
      statistics: { instructions: 150_000 },
    });
    const late = rig(["Canceled", "Canceled"], [], { limits: { timeoutSeconds: 1e-9 } });
    expect(late.machine.run()).toMatchObject({ reason: "timeout", exitStatus: 124 });
    const cancelled = rig(["Canceled"]);
    cancelled.machine.cancel();
    expect(cancelled.machine.run()).toMatchObject({ reason: "timeout", exitStatus: 124 });
    expect(cancelled.processor.canceled).toBe(1);
  });

  it("for the first reason", () => {
    const { machine } = rig(["X64IoPortAccess"], [all((emulator) => emulator.out(0xf4, 1, 2), OFF)]);
    expect(machine.run().reason).toBe("debug-exit");
  });
});

describe("interrupts", () => {
  /** Unmasks everything and lets the timer tick at 2 kHz. */
  const startTimer: Step = (emulator) => {
    for (const [port, value] of [
      [0x20, 0x13],
      [0x21, 0x40],
      [0x21, 1],
      [0x43, 0x34],
      [0x40, 596 & 255],
      [0x40, 596 >> 8],
    ]) {
      emulator.out(port, 1, value);
    }
  };
  const PENDING = WHV_REGISTER_NAME.WHvRegisterPendingInterruption;
  const WINDOW = WHV_REGISTER_NAME.WHvX64RegisterDeliverabilityNotifications;

  it("wake a halted processor at the timer's time, through PendingInterruption", () => {
    const injected: (bigint | undefined)[] = [];
    let now = 0;
    const run = rig(
      ["X64IoPortAccess", "X64Halt", () => injected.push(run.processor.registers.get(PENDING)), "X64IoPortAccess"],
      [startTimer, all((emulator) => emulator.out(0x20, 1, 0x20), OFF)],
    );
    run.processor.setInterruptFlag(true);
    const before = run.processor.setRegisters.bind(run.processor);
    run.processor.setRegisters = (names, count, values) => {
      if (names[0] === PENDING) now = run.machine.statistics.guestNanoseconds;
      before(names, count, values);
    };
    expect(run.machine.run().reason).toBe("shutdown");
    expect(run.processor.writes).toEqual([[PENDING]]);
    expect(run.machine.statistics.interrupts).toBe(1);
    // The output of counter 0 rises 596 ticks after the count is loaded, one after it is written: 500.343 us.
    expect(now).toBeGreaterThanOrEqual(500_343);
    expect(now).toBeLessThan(510_000);
  });

  it("carry the vector that the PIC gives", () => {
    const values: bigint[] = [];
    const run = rig(["X64IoPortAccess", "X64Halt", "X64IoPortAccess"], [startTimer, OFF]);
    run.processor.setInterruptFlag(true);
    const before = run.processor.setRegisters.bind(run.processor);
    run.processor.setRegisters = (names, count, list) => {
      if (names[0] === PENDING) values.push(list.get64(0));
      before(names, count, list);
    };
    run.machine.run();
    expect(values).toEqual([(0x40n << 16n) | 1n]); // InterruptionPending, type 0, vector in bits 31 to 16
  });

  it.each([
    ["RFLAGS.IF is clear", (processor: ScriptedProcessor) => processor.setInterruptFlag(false)],
    [
      "the processor is in an interrupt shadow",
      (processor: ScriptedProcessor) => processor.registers.set(WHV_REGISTER_NAME.WHvRegisterInterruptState, 1n),
    ],
    [
      "an exception is pending",
      (processor: ScriptedProcessor) => processor.registers.set(WHV_REGISTER_NAME.WHvRegisterPendingEvent, 1n),
    ],
    ["another interruption is pending", (processor: ScriptedProcessor) => processor.registers.set(PENDING, 1n)],
  ])("wait for a window while %s", (_name, close) => {
    const shut = (): void => {
      run.processor.setInterruptFlag(true);
      close(run.processor);
    };
    const open = (): void => {
      run.processor.setInterruptFlag(true);
      run.processor.registers.delete(WHV_REGISTER_NAME.WHvRegisterInterruptState);
      run.processor.registers.delete(WHV_REGISTER_NAME.WHvRegisterPendingEvent);
    };
    /** To the falling edge of OUT and over the rising one: an instruction takes 10 ns, an exit a tick and more. */
    const untilWindow: ScriptedExit[] = [
      shut,
      "Canceled",
      shut,
      "Canceled",
      shut,
      "X64IoPortAccess",
      open,
      "X64InterruptWindow",
    ];
    const endOfInterrupt: Step = (emulator) => emulator.out(0x20, 1, 0x20);
    const run = rig(
      [shut, "X64IoPortAccess", ...untilWindow, "X64IoPortAccess", ...untilWindow, "X64IoPortAccess"],
      [startTimer, () => undefined, endOfInterrupt, () => undefined, OFF],
    );
    expect(run.machine.run().reason).toBe("shutdown");
    // Asked for once each time, although runs passed, and injected when it opened.
    expect(run.processor.writes).toEqual([[WINDOW], [PENDING], [WINDOW], [PENDING]]);
  });

  it("limit a run to the time of the next timer", () => {
    const budgets: number[] = [];
    const run = rig(["X64IoPortAccess", "Canceled", "X64IoPortAccess"], [startTimer, OFF]);
    const processor = run.processor as ScriptedProcessor & { instructionBudget: number };
    const before = processor.run.bind(processor);
    processor.run = () => {
      budgets.push(processor.instructionBudget);
      return before();
    };
    run.machine.run();
    expect(budgets[0]).toBe(100_000);
    // To the falling edge of OUT, one tick before the interrupt: 498.7 us at 10 ns an instruction, but for an exit's 1 us.
    expect(budgets[1]).toBeGreaterThan(49_700);
    expect(budgets[1]).toBeLessThan(49_900);
  });
});

describe("instructions that a partition may stop at", () => {
  it("CPUID goes on with what the hypervisor would have answered", () => {
    const run = rig(
      [
        () => {
          run.processor.exit.vpContext.assign({ rip: 0xffff_ffffn, instructionLength: 2, cs: { attributes: 0xc09b } });
          const answers = { defaultResultRax: 1n, defaultResultRbx: 2n, defaultResultRcx: 3n, defaultResultRdx: 4n };
          run.processor.exit.cpuidAccess.assign(answers);
        },
        "X64Cpuid",
        "X64IoPortAccess",
      ],
      [OFF],
    );
    run.machine.run();
    const { WHvX64RegisterRax, WHvX64RegisterRbx, WHvX64RegisterRcx, WHvX64RegisterRdx, WHvX64RegisterRip } =
      WHV_REGISTER_NAME;
    const names = [WHvX64RegisterRax, WHvX64RegisterRbx, WHvX64RegisterRcx, WHvX64RegisterRdx, WHvX64RegisterRip];
    // RIP wraps at 32 bits outside 64-bit code.
    expect(names.map((name) => run.processor.registers.get(name))).toEqual([1n, 2n, 3n, 4n, 1n]);
  });

  it("RDMSR of a register that is not there gives the guest #GP(0)", () => {
    const run = rig(["X64MsrAccess", "X64IoPortAccess"], [OFF]);
    run.machine.run();
    // EventPending, type exception, DeliverErrorCode (bit 8), vector 13 in bits 31 to 16, error code 0.
    expect(run.processor.registers.get(WHV_REGISTER_NAME.WHvRegisterPendingEvent)).toBe(0x000d0101n);
  });
});

describe("slices", () => {
  it("give back control after so many exits", () => {
    const windows = ["X64InterruptWindow", "X64InterruptWindow", "X64InterruptWindow"] as const;
    const { machine } = rig([...windows, "X64IoPortAccess"], [OFF]);
    expect([machine.runSlice(2), machine.statistics.exitCount, machine.result]).toEqual(["running", 2, null]);
    expect([machine.runSlice(2), machine.result?.reason]).toEqual(["ended", "shutdown"]);
  });

  it("give back control when the backend cut a run short", () => {
    const { machine } = rig(["Canceled", "Canceled", "X64IoPortAccess"], [OFF]);
    expect([machine.runSlice(9), machine.statistics.exitCount, machine.result]).toEqual(["running", 1, null]);
    expect([machine.runSlice(9), machine.statistics.exitCount]).toEqual(["running", 2]);
    expect([machine.runSlice(9), machine.result?.reason]).toEqual(["ended", "shutdown"]);
  });

  it("wait for typing in an interactive machine, and go on with it", () => {
    const enableSerial: Step = (emulator) => {
      for (const [port, value] of [
        [0x20, 0x13],
        [0x21, 0x20],
        [0x21, 1],
        [0x3fb, 3],
        [0x3fc, 8],
        [0x3f9, 1],
      ])
        emulator.out(port, 1, value);
    };
    let typed = 0;
    const { machine, processor } = rig(
      ["X64IoPortAccess", "X64Halt", "X64IoPortAccess"],
      [
        enableSerial,
        all((emulator) => {
          typed = emulator.in(0x3f8, 1);
        }, OFF),
      ],
      { interactive: true },
    );
    processor.setInterruptFlag(true);
    expect(machine.runSlice(100)).toBe("waiting");
    expect(machine.runSlice(100)).toBe("waiting");
    expect(processor.runs).toBe(2);
    machine.type(Uint8Array.of(0x79));
    expect([machine.runSlice(100), typed, machine.result?.reason]).toEqual(["ended", 0x79, "shutdown"]);
  });
});

describe("the host's clock", () => {
  let milliseconds = 1000;
  beforeEach(() => {
    milliseconds = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => milliseconds);
  });
  afterEach(() => vi.restoreAllMocks());

  /** Counter 0 of the timer once, 59,882 ticks or 50.187 ms from now. */
  const oneShot: Step = (emulator) => {
    for (const [port, value] of [
      [0x20, 0x13],
      [0x21, 0x40],
      [0x21, 1],
      [0x43, 0x30],
      [0x40, 0xe9],
      [0x40, 0xe9],
    ]) {
      emulator.out(port, 1, value);
    }
  };
  const halting = (options: Partial<MachineOptions>): Machine => {
    const { machine, processor } = rig(["X64IoPortAccess", "X64Halt", "X64IoPortAccess"], [oneShot, OFF], options);
    processor.setInterruptFlag(true);
    return machine;
  };
  /** Slices until the count is loaded, which is an event of its own, a tick after it was written. */
  const runToHalt = (machine: Machine): string => {
    machine.runSlice(100);
    milliseconds += 0.001;
    return machine.runSlice(100);
  };

  it("makes slices wait for a timer and says how long", () => {
    const machine = halting({ clock: "host" });
    expect(runToHalt(machine)).toBe("waiting");
    expect(machine.waitMilliseconds).toBeCloseTo(50.186, 2);
    milliseconds += 50;
    expect([machine.runSlice(100), machine.statistics.exitCount]).toEqual(["waiting", 2]);
    milliseconds += 1;
    expect([machine.waitMilliseconds, machine.runSlice(100), machine.result?.reason]).toEqual([0, "ended", "shutdown"]);
  });

  it("is leapt over by a run to the end", () => {
    const machine = halting({ clock: "host" });
    expect(machine.run()).toMatchObject({ reason: "shutdown", statistics: { seconds: 0 } });
    expect(machine.statistics.guestNanoseconds).toBeGreaterThan(50e6);
  });

  it("goes on from where a leap led", () => {
    const { machine, processor } = rig(
      [
        "X64IoPortAccess",
        "X64Halt",
        () => {
          milliseconds += 7;
        },
        "X64IoPortAccess",
      ],
      [oneShot, OFF],
      { clock: "host" },
    );
    processor.setInterruptFlag(true);
    expect(machine.run().statistics.guestNanoseconds / 1e6).toBeCloseTo(50.187 + 7, 2);
  });

  it("counts the time limit into the wait, and strikes while the machine waits", () => {
    const machine = halting({ clock: "host", limits: { timeoutSeconds: 0.03 } });
    expect(runToHalt(machine)).toBe("waiting");
    expect(machine.waitMilliseconds).toBeCloseTo(29.999, 5);
    milliseconds += 30;
    expect([machine.runSlice(100), machine.result?.reason]).toEqual(["ended", "timeout"]);
  });
});

describe("devices", () => {
  it("answer the emulator's ports and memory where the board has them; RAM answers the rest", () => {
    const seen: unknown[] = [];
    const { machine, hypervisor } = rig(
      ["MemoryAccess", "X64IoPortAccess"],
      [
        (emulator) => {
          emulator.store(0xb8000, 8, 0x0769074807690748n);
          emulator.store(0x1000, 3, 0x332211n);
          seen.push(
            emulator.load(0x8000, 1),
            emulator.load(0x1000, 4),
            emulator.load(0xd0000000, 4),
            emulator.load(0xd0001008, 8),
          );
          seen.push(emulator.load(0xe0000000, 8), emulator.in(0x1234, 4), emulator.in(0x3fd, 1));
        },
        OFF,
      ],
    );
    machine.run();
    expect(seen).toEqual([0xf4n, 0x332211n, 0x74726976n, (0x4b564857n << 32n) | 4n, 2n ** 64n - 1n, 0xffffffff, 0x60]);
    expect(machine.screenText().startsWith("HiHi\n")).toBe(true);
    expect([...hypervisor.partition.memory.subarray(0x1000, 0x1004)]).toEqual([0x11, 0x22, 0x33, 0]);
    expect(machine.statistics.callbacks).toMatchObject({ memory: 7, ioPort: 3 });
  });

  it("send what the guest prints to its sinks and type what the script says", () => {
    const out: Record<string, string> = { serial: "", virtio: "", debug: "" };
    let typed = 0;
    const add = (name: string) => (byte: number) => {
      out[name] += String.fromCharCode(byte);
    };
    const { machine } = rig(
      ["X64IoPortAccess", "MemoryAccess", "X64IoPortAccess"],
      [
        (emulator) => {
          typed = emulator.in(0x3f8, 1);
          emulator.out(0x3fb, 1, 3);
          emulator.out(0x3f8, 1, 0x61);
          emulator.out(0xe9, 1, 0x62);
        },
        (emulator) => emulator.store(0xd0000108, 4, 0x63n),
        OFF,
      ],
      {
        serialOutput: add("serial"),
        consoleOutput: add("virtio"),
        debugConsoles: [{ port: 0xe9, output: add("debug") }],
        serialInput: Uint8Array.of(0x0a),
      },
    );
    machine.run();
    expect([out, typed]).toEqual([{ serial: "a", virtio: "c", debug: "b" }, 0x0a]);
  });

  it("show the wall clock that was given", () => {
    let year = 0;
    const { machine } = rig(
      ["X64IoPortAccess"],
      [
        all((emulator) => {
          emulator.out(0x70, 1, 9);
          year = emulator.in(0x71, 1);
        }, OFF),
      ],
      {
        wallClock: Date.UTC(2031, 5, 1),
      },
    );
    machine.run();
    expect(year).toBe(0x31);
  });
});

describe("statistics", () => {
  it("count exits by the platform's names, emulations and time", () => {
    const { machine } = rig(
      ["X64IoPortAccess", "MemoryAccess", "MemoryAccess", "Canceled", "X64IoPortAccess"],
      [() => undefined, () => undefined, () => undefined, OFF],
    );
    const { statistics } = machine.run();
    expect(statistics.exits).toEqual({ X64IoPortAccess: 2, MemoryAccess: 2, Canceled: 1 });
    expect(statistics).toMatchObject({ exitCount: 5, emulations: { io: 2, mmio: 2 }, interrupts: 0 });
    // One for each exit, a full budget for the one that was cancelled, and the four that were emulated.
    expect(statistics.instructions).toBe(4 + 100_000 + 4);
    expect(statistics.seconds).toBeGreaterThan(0);
  });

  it("leave instructions out where the backend does not count them", () => {
    const { machine } = rig(["X64IoPortAccess"], [OFF], {}, false);
    expect(machine.run().statistics.instructions).toBeNull();
  });
});

describe("making and disposing", () => {
  it("refuses a limit on instructions that nobody counts, and gives the partition back", () => {
    const hypervisor = new ScriptedHypervisor([], false);
    expect(() => createMachine({ hypervisor, image, limits: { maxInstructions: 10 } })).toThrow(
      /"script" does not count/,
    );
    expect(hypervisor.partition.disposed).toBe(1);
  });

  it("disposes of emulator and partition", () => {
    let emulator: ScriptedEmulator | undefined;
    const { machine, hypervisor } = rig([], [], {
      createEmulator: (callbacks) => {
        emulator = new ScriptedEmulator(callbacks, []);
        return emulator;
      },
    });
    machine.dispose();
    expect([emulator?.destroyed, hypervisor.partition.disposed]).toEqual([1, 1]);
  });

  it.each<[string, Partial<MachineOptions>]>([
    ["memorySize", { memorySize: 12345 }],
    ["memorySize", { memorySize: 4096 }],
    ["image.bytes", { image: { ...image, bytes: new Uint8Array(0) } }],
    ["image.mode", { image: { ...image, mode: 8 as 16 } }],
    ["image.load", { image: { ...image, load: -1 } }],
    ["image.entry", { image: { ...image, entry: 0x100000 } }],
    ["does not fit", { image: { ...image, load: 2 ** 24 } }],
    ["VGA window", { image: { ...image, load: 0xa0000, entry: 0 } }],
    ["page tables", { image: { bytes: new Uint8Array(8192), mode: 64, load: 0x98000 } }],
    ["maxInstructions", { limits: { maxInstructions: 0 } }],
    ["timeoutSeconds", { limits: { timeoutSeconds: Number.NaN } }],
    ["until", { limits: { until: "x" as unknown as RegExp } }],
    ["clock", { clock: "sun" as "host" }],
    ["port", { debugConsoles: [{ port: 0x3f8, output: () => undefined }] }],
  ])("says what is wrong with %s", (word, options) => {
    expect(() => rig([], [], options)).toThrow(word);
  });
});
