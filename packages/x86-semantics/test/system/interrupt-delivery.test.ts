/** Delivery of events in every mode (Intel SDM volume 3, 6.10 to 6.14 and 20.3): frames, checks, and IRET back again. */
import { describe, expect, test } from "vitest";
import { Abort } from "../../src/machine/machine.ts";
import { RegisterOffset, Segment } from "../../src/machine/register-file.ts";
import { currentPrivilege, deliverEvent, EventKind, interruptReturn, setSegment } from "../../src/system/index.ts";
import {
  DATA,
  descriptor,
  type FlatMachine,
  faultOf,
  flags,
  GDT,
  gate,
  general,
  IDT,
  INNER_STACK,
  machineIn,
  OUTER_STACK,
  READ_ONLY,
  RSP,
  rip,
  Selector,
  selectorOf,
  snapshot,
  TSS,
} from "./flat-machine.ts";

const INTERRUPT = 14;
const TRAP = 15;
const HANDLER = 0x6000;

function dwords(machine: FlatMachine, address: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => machine.memory.getUint32(address + i * 4, true));
}

function quads(machine: FlatMachine, address: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => machine.quad(address + i * 8));
}

/** Puts a gate for a vector into the IDT of the machine's mode. */
function install(machine: FlatMachine, vector: number, entry: bigint, high = 0n): void {
  const long = (machine.registers.words[RegisterOffset.efer >> 2] as number) !== 0;
  machine.setQuad(IDT + vector * (long ? 16 : 8), entry);
  if (long) machine.setQuad(IDT + vector * 16 + 8, high);
}

const deliver = (machine: FlatMachine, vector: number, kind: number, errorCode = -1, returnAt = 0x5002): number =>
  deliverEvent(machine, vector, kind, errorCode, returnAt, 0);

describe("real-address mode", () => {
  test("pushes FLAGS, CS, IP and clears IF, TF", () => {
    const machine = machineIn({ mode: "real" });
    setSegment(machine.registers, Segment.cs, 0x123, 0x1230, 0, 0xffff, 0x9b);
    machine.registers.words[RegisterOffset.rflags >> 2] = 0x0f47;
    machine.memory.setUint32(0x21 * 4, 0x0456_0078, true);
    expect(deliver(machine, 0x21, EventKind.software)).toBe(Abort.none);
    expect([selectorOf(machine, Segment.cs), rip(machine), general(machine, RSP)]).toEqual([
      0x456,
      0x78n,
      BigInt(OUTER_STACK - 6),
    ]);
    expect([4, 2, 0].map((at) => machine.memory.getUint16(OUTER_STACK - 6 + at, true))).toEqual([
      0x0f47, 0x123, 0x5002,
    ]);
    expect(flags(machine)).toBe(0x0c47);
  });

  test("wraps SP at 64 KiB, and does not push an error code", () => {
    const machine = machineIn({ mode: "real" });
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = 2;
    expect(deliver(machine, 13, EventKind.exception, 0x1234)).toBe(Abort.none);
    expect(general(machine, RSP)).toBe(0xfffcn);
    expect(machine.memory.getUint16(0xfffe, true)).toBe(0);
    expect(machine.memory.getUint16(0xfffc, true)).toBe(0x5002);
  });

  test("a vector outside of the table is #GP", () => {
    const machine = machineIn({ mode: "real" });
    machine.registers.halfwords[(RegisterOffset.idtr + 6) >> 1] = 0x20 * 4 + 2;
    expect(faultOf(machine, deliver(machine, 0x20, EventKind.external))).toBe("#GP");
  });

  test("a stack that ends in the middle of the frame is #SS, and nothing is written", () => {
    const machine = machineIn({ mode: "real" });
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = 5;
    const before = snapshot(machine);
    expect(faultOf(machine, deliver(machine, 0x20, EventKind.external))).toMatch(/^#SS/);
    expect(machine.stores).toBe(0);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("protected mode", () => {
  test("same level: EFLAGS, CS, EIP and the error code", () => {
    const machine = machineIn({ mode: "protected" });
    install(machine, 13, gate(INTERRUPT, Selector.code0, HANDLER));
    expect(deliver(machine, 13, EventKind.exception, 0x58)).toBe(Abort.none);
    expect(general(machine, RSP)).toBe(BigInt(OUTER_STACK - 16));
    expect(dwords(machine, OUTER_STACK - 16, 4)).toEqual([0x58, 0x5002, Selector.code0, 0x1_0202]);
    expect([rip(machine), flags(machine)]).toEqual([BigInt(HANDLER), 2]);
  });

  test("a trap gate leaves IF", () => {
    const machine = machineIn({ mode: "protected" });
    install(machine, 3, gate(TRAP, Selector.code0, HANDLER));
    machine.registers.words[RegisterOffset.rflags >> 2] = 0x4302;
    expect(deliver(machine, 3, EventKind.softwareException)).toBe(Abort.none);
    expect(flags(machine)).toBe(0x202);
    expect(dwords(machine, OUTER_STACK - 4, 1)).toEqual([0x4302]);
  });

  test("an inner level: the stack of the TSS, with the old SS:ESP on it", () => {
    const machine = machineIn({ mode: "protected", cpl: 3 });
    install(machine, 0x80, gate(INTERRUPT, Selector.code0, HANDLER, 3));
    expect(deliver(machine, 0x80, EventKind.software)).toBe(Abort.none);
    expect(dwords(machine, INNER_STACK - 20, 5)).toEqual([0x5002, Selector.code3, 0x202, OUTER_STACK, Selector.data3]);
    expect([
      selectorOf(machine, Segment.cs),
      selectorOf(machine, Segment.ss),
      currentPrivilege(machine.registers),
    ]).toEqual([Selector.code0, Selector.data0, 0]);
    expect(general(machine, RSP)).toBe(BigInt(INNER_STACK - 20));
  });

  test("a conforming handler stays at the level of the code", () => {
    const machine = machineIn({ mode: "protected", cpl: 3 });
    install(machine, 0x80, gate(TRAP, Selector.conforming0, HANDLER, 3));
    expect(deliver(machine, 0x80, EventKind.software)).toBe(Abort.none);
    expect([selectorOf(machine, Segment.cs), currentPrivilege(machine.registers)]).toEqual([
      Selector.conforming0 | 3,
      3,
    ]);
    expect(general(machine, RSP)).toBe(BigInt(OUTER_STACK - 12));
  });

  test("a 16-bit gate pushes words", () => {
    const machine = machineIn({ mode: "protected" });
    install(machine, 0x30, gate(6, Selector.code0, 0x1234_6000));
    expect(deliver(machine, 0x30, EventKind.external)).toBe(Abort.none);
    expect(rip(machine)).toBe(0x6000n);
    expect([0, 2, 4].map((at) => machine.memory.getUint16(OUTER_STACK - 6 + at, true))).toEqual([
      0x5002,
      Selector.code0,
      0x202,
    ]);
  });

  const setups: readonly (readonly [
    what: string,
    vector: number,
    kind: number,
    set: (machine: FlatMachine) => void,
    expected: string,
  ])[] = [
    [
      "an IDT that is too short",
      0x40,
      EventKind.external,
      (m) => {
        m.registers.halfwords[(RegisterOffset.idtr + 6) >> 1] = 0x40 * 8 + 6;
      },
      "#GP(0x203)",
    ],
    [
      "the same for INT n: EXT is clear",
      0x40,
      EventKind.software,
      (m) => {
        m.registers.halfwords[(RegisterOffset.idtr + 6) >> 1] = 0x40 * 8 + 6;
      },
      "#GP(0x202)",
    ],
    [
      "an entry that is no gate",
      0x40,
      EventKind.external,
      (m) => install(m, 0x40, gate(12, Selector.code0, HANDLER)),
      "#GP(0x203)",
    ],
    [
      "a gate that is not present",
      0x40,
      EventKind.external,
      (m) => install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER, 3, false)),
      "#NP(0x203)",
    ],
    [
      "INT n through a gate of level 0",
      0x40,
      EventKind.software,
      (m) => install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER)),
      "#GP(0x202)",
    ],
    [
      "INT3 as well",
      3,
      EventKind.softwareException,
      (m) => install(m, 3, gate(INTERRUPT, Selector.code0, HANDLER)),
      "#GP(0x1a)",
    ],
    [
      "INT1 does not ask",
      1,
      EventKind.privilegedSoftware,
      (m) => install(m, 1, gate(INTERRUPT, Selector.code0, HANDLER)),
      "none",
    ],
    [
      "nor does an interrupt",
      0x40,
      EventKind.external,
      (m) => install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER)),
      "none",
    ],
    ["a null selector", 0x40, EventKind.external, (m) => install(m, 0x40, gate(INTERRUPT, 3, HANDLER)), "#GP(0x1)"],
    [
      "a selector outside of the GDT",
      0x40,
      EventKind.external,
      (m) => install(m, 0x40, gate(INTERRUPT, 0x100, HANDLER)),
      "#GP(0x101)",
    ],
    [
      "a selector that is no code",
      0x40,
      EventKind.external,
      (m) => install(m, 0x40, gate(INTERRUPT, Selector.data0, HANDLER)),
      "#GP(0x11)",
    ],
    [
      "code that is not present",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.test, HANDLER));
        m.setQuad(GDT + Selector.test, descriptor({ type: 0x1a, present: false }));
      },
      "#NP(0x61)",
    ],
    [
      "an offset beyond the limit",
      0x40,
      EventKind.external,
      (m) => install(m, 0x40, gate(INTERRUPT, Selector.code16, 0x1_0000)),
      "#GP(0x1)",
    ],
    [
      "a TSS that is too short",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        setSegment(m.registers, Segment.tr, 0x58, TSS, 0, 8, 0x8b);
      },
      "#TS(0x59)",
    ],
    [
      "a null inner SS",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        m.memory.setUint16(TSS + 8, 0, true);
      },
      "#TS(0x1)",
    ],
    [
      "an inner SS of another level",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        m.memory.setUint16(TSS + 8, Selector.data3, true);
      },
      "#TS(0x21)",
    ],
    [
      "an inner SS that cannot be written",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        m.memory.setUint16(TSS + 8, Selector.test, true);
        m.setQuad(GDT + Selector.test, descriptor({ type: READ_ONLY }));
      },
      "#TS(0x61)",
    ],
    [
      "an inner SS that is not present",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        m.memory.setUint16(TSS + 8, Selector.test, true);
        m.setQuad(GDT + Selector.test, descriptor({ type: DATA, present: false }));
      },
      "#SS(0x61)",
    ],
    [
      "an inner stack that is too small",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        m.memory.setUint16(TSS + 8, Selector.test, true);
        m.setQuad(GDT + Selector.test, descriptor({ type: DATA, limit: 0x7fff, pages: false, big: true }));
        m.memory.setUint32(TSS + 4, 0x8010, true);
      },
      "#SS(0x61)",
    ],
    [
      "an inner stack that is not mapped",
      0x40,
      EventKind.external,
      (m) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER));
        m.missing = [INNER_STACK - 20, INNER_STACK - 16];
      },
      "#PF(0x2)",
    ],
    ["a task gate", 0x40, EventKind.external, (m) => install(m, 0x40, gate(5, Selector.code0, 0)), "unsupported"],
  ];

  test.each(setups)("%s: %s", (_what, vector, kind, prepare, expected) => {
    const machine = machineIn({ mode: "protected", cpl: 3 });
    prepare(machine);
    const before = snapshot(machine);
    expect(faultOf(machine, deliver(machine, vector, kind))).toBe(expected);
    if (expected === "none") return;
    expect(machine.stores).toBe(0);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("virtual-8086 mode", () => {
  function virtual(): FlatMachine {
    const machine = machineIn({ mode: "protected" });
    const { registers } = machine;
    registers.words[RegisterOffset.rflags >> 2] = 0x2_3202;
    const selectors = [0x100, 0x200, 0x300, 0x400, 0x500, 0x600];
    for (const [segment, selector] of selectors.entries())
      setSegment(registers, segment, selector, selector << 4, 0, 0xffff, 0xf3);
    registers.words[(RegisterOffset.general + 32) >> 2] = 0x1000;
    install(machine, 0x40, gate(INTERRUPT, Selector.code0, HANDLER, 3));
    return machine;
  }

  test("all segments go to the level-0 stack, data segments become null", () => {
    const machine = virtual();
    expect(deliver(machine, 0x40, EventKind.external)).toBe(Abort.none);
    expect(dwords(machine, INNER_STACK - 36, 9)).toEqual([
      0x5002, 0x200, 0x2_3202, 0x1000, 0x300, 0x100, 0x400, 0x500, 0x600,
    ]);
    expect([Segment.es, Segment.ds, Segment.fs, Segment.gs].map((segment) => selectorOf(machine, segment))).toEqual([
      0, 0, 0, 0,
    ]);
    expect(flags(machine) & 0x2_0000).toBe(0);
    expect(currentPrivilege(machine.registers)).toBe(0);
  });

  test("IRETD brings everything back", () => {
    const machine = virtual();
    const before = snapshot(machine);
    deliverEvent(machine, 0x40, EventKind.external, -1, 0x5000, 0);
    expect(interruptReturn(machine, 4)).toBe(Abort.none);
    expect(snapshot(machine)).toEqual(before);
  });

  test("INT n needs IOPL 3", () => {
    const machine = virtual();
    machine.registers.words[RegisterOffset.rflags >> 2] = 0x2_2202;
    expect(faultOf(machine, deliver(machine, 0x40, EventKind.software))).toBe("#GP(0x0)");
  });

  test("a handler that is not at level 0 is #GP", () => {
    const machine = virtual();
    install(machine, 0x40, gate(INTERRUPT, Selector.conforming0, HANDLER, 3));
    expect(faultOf(machine, deliver(machine, 0x40, EventKind.external))).toBe("#GP(0x29)");
  });
});

describe("long mode", () => {
  test("same level: the stack is aligned, SS:RSP are always pushed", () => {
    const machine = machineIn({ mode: "long" });
    install(machine, 14, gate(INTERRUPT, Selector.code64, HANDLER), 0x1n);
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = OUTER_STACK - 3;
    expect(deliver(machine, 14, EventKind.exception, 2)).toBe(Abort.none);
    expect(quads(machine, OUTER_STACK - 16 - 48, 6)).toEqual([
      2n,
      0x5002n,
      BigInt(Selector.code64),
      0x1_0202n,
      BigInt(OUTER_STACK - 3),
      BigInt(Selector.data0),
    ]);
    expect(rip(machine)).toBe(0x1_0000_6000n);
    expect(selectorOf(machine, Segment.ss)).toBe(Selector.data0);
  });

  test("an inner level: RSP0 and a null SS", () => {
    const machine = machineIn({ mode: "long", cpl: 3 });
    install(machine, 0x40, gate(INTERRUPT, Selector.code64, HANDLER));
    expect(deliver(machine, 0x40, EventKind.external)).toBe(Abort.none);
    expect(quads(machine, INNER_STACK - 40, 5)).toEqual([
      0x5002n,
      BigInt(Selector.code64Level3),
      0x202n,
      BigInt(OUTER_STACK),
      BigInt(Selector.data3),
    ]);
    expect([selectorOf(machine, Segment.ss), currentPrivilege(machine.registers)]).toEqual([0, 0]);
  });

  test("the interrupt stack table, also without a change of level", () => {
    const machine = machineIn({ mode: "long" });
    install(machine, 2, gate(INTERRUPT, Selector.code64, HANDLER, 0, true, 3));
    machine.setQuad(TSS + 36 + 2 * 8, 0x7000n);
    expect(deliver(machine, 2, EventKind.nmi)).toBe(Abort.none);
    expect(general(machine, RSP)).toBe(0x7000n - 40n);
    expect(selectorOf(machine, Segment.ss)).toBe(Selector.data0);
  });

  test.each([
    ["a 32-bit handler", (m: FlatMachine) => install(m, 0x40, gate(INTERRUPT, Selector.code0, HANDLER)), "#GP(0x9)"],
    ["a 16-bit gate", (m: FlatMachine) => install(m, 0x40, gate(6, Selector.code64, HANDLER)), "#GP(0x203)"],
    [
      "an offset that is not canonical",
      (m: FlatMachine) => install(m, 0x40, gate(INTERRUPT, Selector.code64, HANDLER), 0x8000n),
      "#GP(0x1)",
    ],
    [
      "a stack pointer that is not canonical",
      (m: FlatMachine) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code64, HANDLER));
        m.setQuad(TSS + 4, 1n << 60n);
      },
      "#SS(0x1)",
    ],
    [
      "a TSS that is too short",
      (m: FlatMachine) => {
        install(m, 0x40, gate(INTERRUPT, Selector.code64, HANDLER));
        setSegment(m.registers, Segment.tr, 0x58, TSS, 0, 10, 0x8b);
      },
      "#TS(0x59)",
    ],
  ])("%s", (_what, prepare, expected) => {
    const machine = machineIn({ mode: "long", cpl: 3 });
    prepare(machine);
    const before = snapshot(machine);
    expect(faultOf(machine, deliver(machine, 0x40, EventKind.external))).toBe(expected);
    expect(machine.stores).toBe(0);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("IRET undoes a delivery", () => {
  test.each([
    ["real mode", { mode: "real" }, 2],
    ["protected mode, same level", { mode: "protected" }, 4],
    ["protected mode, from level 3", { mode: "protected", cpl: 3 }, 4],
    ["64-bit code, same level", { mode: "long" }, 8],
    ["64-bit code, from level 3", { mode: "long", cpl: 3 }, 8],
    ["compatibility code, from level 3", { mode: "long", cpl: 3, wide: false }, 8],
  ] as const)("%s", (_name, state, size) => {
    const machine = machineIn(state);
    machine.registers.words[RegisterOffset.rflags >> 2] = 0x0ad7;
    const code = state.mode === "long" ? Selector.code64 : Selector.code0;
    if (state.mode === "real") machine.memory.setUint32(0x40 * 4, HANDLER, true);
    else install(machine, 0x40, gate(INTERRUPT, code, HANDLER, 3));
    const before = snapshot(machine);
    expect(deliverEvent(machine, 0x40, EventKind.external, -1, 0x5000, 0)).toBe(Abort.none);
    expect(snapshot(machine)).not.toEqual(before);
    expect(interruptReturn(machine, size)).toBe(Abort.none);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("IRET", () => {
  /** A frame at the top of the stack, first popped first. */
  function withFrame(machine: FlatMachine, frame: readonly number[]): FlatMachine {
    const bottom = OUTER_STACK - frame.length * 4;
    for (const [i, value] of frame.entries()) machine.memory.setUint32(bottom + i * 4, value, true);
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = bottom;
    return machine;
  }

  test("to an outer level takes away data segments that are not for it", () => {
    const machine = withFrame(machineIn({ mode: "protected" }), [
      0x5000,
      Selector.code3,
      0x202,
      0x7000,
      Selector.data3,
    ]);
    expect(interruptReturn(machine, 4)).toBe(Abort.none);
    const data = [Segment.es, Segment.ds, Segment.fs, Segment.gs];
    expect(data.map((segment) => selectorOf(machine, segment))).toEqual([0, 0, 0, 0]);
    expect([currentPrivilege(machine.registers), general(machine, RSP)]).toEqual([3, 0x7000n]);
  });

  test.each([
    ["to an inner level", 3, [0x5000, Selector.code0, 0x202], "#GP(0x8)"],
    ["to data", 0, [0x5000, Selector.data0, 0x202], "#GP(0x10)"],
    ["beyond the limit of its code", 0, [0x1_0000, Selector.code16, 0x202], "#GP(0x0)"],
    ["with NT set", 0, [0x5000, Selector.code0, 0x202], "unsupported"],
  ] as const)("%s changes nothing", (what, cpl, frame, expected) => {
    const machine = withFrame(machineIn({ mode: "protected", cpl }), frame);
    if (what === "with NT set") machine.registers.words[RegisterOffset.rflags >> 2] = 0x4202;
    const before = snapshot(machine);
    expect(faultOf(machine, interruptReturn(machine, 4))).toBe(expected);
    expect(snapshot(machine)).toEqual(before);
  });

  test("at level 3 changes neither IF nor IOPL", () => {
    const machine = withFrame(machineIn({ mode: "protected", cpl: 3 }), [0x5000, Selector.code3, 0x3cd7]);
    expect(interruptReturn(machine, 4)).toBe(Abort.none);
    expect(flags(machine)).toBe(0x0ed7);
  });
});
