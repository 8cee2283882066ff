/** Far jumps, calls and returns, call gates and fast system calls (Intel SDM volume 2; volume 3, 5.8). */
import { describe, expect, test } from "vitest";
import { Abort } from "../../src/machine/machine.ts";
import { RegisterOffset, Segment } from "../../src/machine/register-file.ts";
import {
  clearInterruptFlag,
  currentPrivilege,
  farCall,
  farJump,
  farReturn,
  setInterruptFlag,
  swapGs,
  sysenter,
  sysexit,
  systemCall,
  systemReturn,
  writeFlags,
} from "../../src/system/index.ts";
import {
  CODE,
  DATA,
  type DescriptorFields,
  descriptor,
  type FlatMachine,
  faultOf,
  flags,
  GDT,
  gate,
  general,
  INNER_STACK,
  machineIn,
  OUTER_STACK,
  RSP,
  rip,
  Selector,
  type StateOptions,
  selectorOf,
  snapshot,
} from "./flat-machine.ts";

const TARGET = 0x7000;

describe("far jumps", () => {
  const rows: readonly (readonly [
    what: string,
    state: StateOptions,
    selector: number,
    entry: DescriptorFields | bigint | null,
    expected: string,
  ])[] = [
    ["to code of the same level", { mode: "protected" }, Selector.code0, null, "none"],
    ["to conforming code of an inner level", { mode: "protected", cpl: 3 }, Selector.conforming0 | 3, null, "none"],
    ["to 64-bit code from compatibility code", { mode: "long", wide: false }, Selector.code64, null, "none"],
    ["to compatibility code from 64-bit code", { mode: "long" }, Selector.code0, null, "none"],
    ["to a null selector", { mode: "protected" }, 2, null, "#GP(0x0)"],
    ["to a selector outside of the table", { mode: "protected" }, 0x100, null, "#GP(0x100)"],
    ["to data", { mode: "protected" }, Selector.data0, null, "#GP(0x10)"],
    ["to code of an inner level", { mode: "protected", cpl: 3 }, Selector.code0 | 3, null, "#GP(0x8)"],
    ["to code of an outer level", { mode: "protected" }, Selector.code3, null, "#GP(0x18)"],
    ["by an RPL above the level", { mode: "protected" }, Selector.code0 | 3, null, "#GP(0x8)"],
    ["to code that is not present", { mode: "protected" }, Selector.test, { type: CODE, present: false }, "#NP(0x60)"],
    ["beyond the limit", { mode: "protected" }, Selector.test, { type: CODE, limit: 0x6fff, pages: false }, "#GP(0x0)"],
    ["to code with L and D", { mode: "long" }, Selector.test, { type: CODE, long: true, big: true }, "#GP(0x60)"],
    ["to a TSS", { mode: "protected" }, Selector.test, { type: 9, limit: 0x67, pages: false }, "unsupported"],
    ["to a TSS in long mode", { mode: "long" }, Selector.test, { type: 9, limit: 0x67, pages: false }, "#GP(0x60)"],
    [
      "through a call gate",
      { mode: "protected", cpl: 3 },
      Selector.test | 3,
      gate(12, Selector.conforming0, TARGET, 3),
      "none",
    ],
    [
      "through a call gate to an inner level",
      { mode: "protected", cpl: 3 },
      Selector.test | 3,
      gate(12, Selector.code0, TARGET, 3),
      "#GP(0x8)",
    ],
    [
      "through a gate above the level",
      { mode: "protected", cpl: 3 },
      Selector.test | 3,
      gate(12, Selector.code0, TARGET),
      "#GP(0x60)",
    ],
    [
      "through a gate that is not present",
      { mode: "protected" },
      Selector.test,
      gate(12, Selector.code0, TARGET, 0, false),
      "#NP(0x60)",
    ],
    ["through a gate to nothing", { mode: "protected" }, Selector.test, gate(12, 0, TARGET), "#GP(0x0)"],
    ["through an interrupt gate", { mode: "protected" }, Selector.test, gate(14, Selector.code0, TARGET), "#GP(0x60)"],
  ];

  test.each(rows)("%s", (_what, state, selector, entry, expected) => {
    const machine = machineIn(state);
    if (entry !== null) machine.setQuad(GDT + Selector.test, typeof entry === "bigint" ? entry : descriptor(entry));
    const before = snapshot(machine);
    expect(faultOf(machine, farJump(machine, selector, TARGET, 0, 4))).toBe(expected);
    if (expected !== "none") {
      expect(snapshot(machine)).toEqual(before);
      return;
    }
    expect(rip(machine)).toBe(BigInt(TARGET));
    expect(selectorOf(machine, Segment.cs) & 3).toBe(state.cpl ?? 0);
  });

  test("in real mode: base is the paragraph, 16-bit offsets are cut", () => {
    const machine = machineIn({ mode: "real" });
    expect(farJump(machine, 0x1234, 0x5_6789, 0, 2)).toBe(Abort.none);
    expect([selectorOf(machine, Segment.cs), rip(machine)]).toEqual([0x1234, 0x6789n]);
    expect(faultOf(machine, farJump(machine, 0x1234, 0x1_0000, 0, 4))).toBe("#GP(0x0)");
  });
});

describe("far calls and returns", () => {
  /** Calls, then returns with the same operand size: everything is as before, but for RIP, which is the return address. */
  function roundTrip(
    state: StateOptions,
    selector: number,
    size: number,
    prepare?: (machine: FlatMachine) => void,
    release = 0,
  ): void {
    const machine = machineIn(state);
    prepare?.(machine);
    const before = snapshot(machine);
    expect(faultOf(machine, farCall(machine, selector, TARGET, 0, size, 0x5000, 0))).toBe("none");
    expect(rip(machine)).toBe(BigInt(TARGET));
    expect(faultOf(machine, farReturn(machine, release, size))).toBe("none");
    if (release !== 0) machine.registers.words[(RegisterOffset.general + 32) >> 2] -= release;
    expect(snapshot(machine)).toEqual(before);
  }

  test.each([
    ["real mode, words", { mode: "real" }, 0, 2],
    ["real mode, doublewords", { mode: "real" }, 0, 4],
    ["protected mode", { mode: "protected" }, Selector.code0, 4],
    ["protected mode at level 3", { mode: "protected", cpl: 3 }, Selector.code3, 4],
    ["64-bit code", { mode: "long" }, Selector.code64, 8],
    ["64-bit code, doublewords", { mode: "long" }, Selector.code64, 4],
  ] as const)("%s", (_name, state, selector, size) => {
    roundTrip(state, selector, size);
  });

  test("through a gate to an inner level, with parameters", () => {
    const machine = machineIn({ mode: "protected", cpl: 3 });
    machine.setQuad(GDT + Selector.test, gate(12, Selector.code0, TARGET, 3) | (2n << 32n));
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = OUTER_STACK - 8;
    machine.memory.setUint32(OUTER_STACK - 8, 0x1111, true);
    machine.memory.setUint32(OUTER_STACK - 4, 0x2222, true);
    const before = snapshot(machine);
    expect(farCall(machine, Selector.test, 0xdead, 0, 4, 0x5000, 0)).toBe(Abort.none);
    const stack = Array.from({ length: 6 }, (_, i) => machine.memory.getUint32(INNER_STACK - 24 + i * 4, true));
    expect(stack).toEqual([0x5000, Selector.code3, 0x1111, 0x2222, OUTER_STACK - 8, Selector.data3]);
    expect([currentPrivilege(machine.registers), selectorOf(machine, Segment.ss)]).toEqual([0, Selector.data0]);
    expect(farReturn(machine, 8, 4)).toBe(Abort.none);
    expect(general(machine, RSP)).toBe(BigInt(OUTER_STACK));
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = OUTER_STACK - 8;
    expect(snapshot(machine)).toEqual(before);
  });

  test("through a 64-bit gate to level 0, and back", () => {
    roundTrip({ mode: "long", cpl: 3 }, Selector.test | 3, 8, (machine) => {
      machine.setQuad(GDT + Selector.test, gate(12, Selector.code64, TARGET, 3));
    });
  });

  test("a return to an outer level takes away data segments that are not for it", () => {
    const machine = machineIn({ mode: "protected" });
    const frame = [0x5000, Selector.code3, OUTER_STACK, Selector.data3];
    for (const [i, value] of frame.entries()) machine.memory.setUint32(OUTER_STACK - 16 + i * 4, value, true);
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = OUTER_STACK - 16;
    expect(farReturn(machine, 0, 4)).toBe(Abort.none);
    expect([Segment.ds, Segment.es, Segment.fs].map((segment) => selectorOf(machine, segment))).toEqual([0, 0, 0]);
    expect(currentPrivilege(machine.registers)).toBe(3);
  });

  test.each([
    ["to an inner level", [0x5000, Selector.code0], 3, "#GP(0x8)"],
    ["to a null selector", [0x5000, 0], 0, "#GP(0x0)"],
    ["to data", [0x5000, Selector.data0], 0, "#GP(0x10)"],
    ["to an outer level with a null stack", [0x5000, Selector.code3, 0x100, 0], 0, "#GP(0x0)"],
    ["to an outer level with the wrong stack", [0x5000, Selector.code3, 0x100, Selector.data0], 0, "#GP(0x10)"],
  ] as const)("a return %s", (_what, frame, cpl, expected) => {
    const machine = machineIn({ mode: "protected", cpl });
    for (const [i, value] of frame.entries()) machine.memory.setUint32(OUTER_STACK - 32 + i * 4, value, true);
    machine.registers.words[(RegisterOffset.general + 32) >> 2] = OUTER_STACK - 32;
    const before = snapshot(machine);
    expect(faultOf(machine, farReturn(machine, 0, 4))).toBe(expected);
    expect(snapshot(machine)).toEqual(before);
  });

  test("a call whose stack is missing changes nothing", () => {
    const machine = machineIn({ mode: "protected" });
    machine.missing = [OUTER_STACK - 8, OUTER_STACK - 4];
    const before = snapshot(machine);
    expect(faultOf(machine, farCall(machine, Selector.code0, TARGET, 0, 4, 0x5000, 0))).toBe("#PF(0x2)");
    expect(machine.stores).toBe(0);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("SYSCALL and SYSRET", () => {
  function ready(state: StateOptions): FlatMachine {
    const machine = machineIn(state);
    const { registers } = machine;
    registers.words[RegisterOffset.efer >> 2] |= 1;
    registers.set64(RegisterOffset.star, (0x23n << 48n) | (0x8n << 32n) | 0x7777n);
    registers.set64(RegisterOffset.lstar, 0xffff_8000_0000_7000n);
    registers.set64(RegisterOffset.cstar, 0x6000n);
    registers.set64(RegisterOffset.fmask, 0x4_0300n);
    registers.words[RegisterOffset.rflags >> 2] = 0x0fd7;
    return machine;
  }

  test("from 64-bit code and back", () => {
    const machine = ready({ mode: "long", cpl: 3 });
    expect(systemCall(machine, 0x5002, 0x12)).toBe(Abort.none);
    expect([rip(machine), general(machine, 1), general(machine, 11)]).toEqual([
      0xffff_8000_0000_7000n,
      0x12_0000_5002n,
      0x0fd7n,
    ]);
    expect([
      selectorOf(machine, Segment.cs),
      selectorOf(machine, Segment.ss),
      currentPrivilege(machine.registers),
    ]).toEqual([8, 16, 0]);
    expect(flags(machine)).toBe(0x0cd7);
    expect(systemReturn(machine, 8)).toBe(Abort.none);
    expect([rip(machine), flags(machine), currentPrivilege(machine.registers)]).toEqual([0x12_0000_5002n, 0x0fd7, 3]);
    expect([selectorOf(machine, Segment.cs), selectorOf(machine, Segment.ss)]).toEqual([0x33, 0x2b]);
  });

  test("from compatibility code to CSTAR, and back with SYSRETL", () => {
    const machine = ready({ mode: "long", cpl: 3, wide: false });
    expect(systemCall(machine, 0x5002, 0)).toBe(Abort.none);
    expect(rip(machine)).toBe(0x6000n);
    expect(systemReturn(machine, 4)).toBe(Abort.none);
    expect([rip(machine), selectorOf(machine, Segment.cs)]).toEqual([0x5002n, 0x23]);
  });

  test("need EFER.SCE; SYSRET needs level 0 and a canonical RCX", () => {
    const machine = ready({ mode: "long", cpl: 3 });
    expect(faultOf(machine, systemReturn(machine, 8))).toBe("#GP(0x0)");
    machine.registers.words[RegisterOffset.efer >> 2] &= ~1;
    expect(faultOf(machine, systemCall(machine, 0, 0))).toBe("#UD");
    const inner = ready({ mode: "long" });
    inner.registers.set64(RegisterOffset.general + 8, 1n << 47n);
    expect(faultOf(inner, systemReturn(inner, 8))).toBe("#GP(0x0)");
  });
});

describe("SYSENTER and SYSEXIT", () => {
  test.each([
    ["protected", 4, 0x1b, 0x23],
    ["long", 8, 0x2b, 0x33],
  ] as const)("%s mode", (mode, size, cs, ss) => {
    const machine = machineIn({ mode, cpl: 3 });
    const { registers } = machine;
    registers.words[RegisterOffset.sysenterCs >> 2] = 8;
    registers.set64(RegisterOffset.sysenterEsp, 0x8000n);
    registers.set64(RegisterOffset.sysenterEip, 0x7000n);
    expect(sysenter(machine)).toBe(Abort.none);
    expect([rip(machine), general(machine, RSP), selectorOf(machine, Segment.cs), flags(machine) & 0x200]).toEqual([
      0x7000n,
      0x8000n,
      8,
      0,
    ]);
    registers.set64(RegisterOffset.general + 8, 0x9000n);
    registers.set64(RegisterOffset.general + 16, 0x5000n);
    expect(sysexit(machine, size)).toBe(Abort.none);
    expect([rip(machine), general(machine, RSP)]).toEqual([0x5000n, 0x9000n]);
    expect([selectorOf(machine, Segment.cs), selectorOf(machine, Segment.ss)]).toEqual([cs, ss]);
  });

  test("need SYSENTER_CS", () => {
    const machine = machineIn({ mode: "protected" });
    expect([faultOf(machine, sysenter(machine)), faultOf(machine, sysexit(machine, 4))]).toEqual([
      "#GP(0x0)",
      "#GP(0x0)",
    ]);
  });
});

test("SWAPGS exchanges the bases, at level 0 of 64-bit code", () => {
  const machine = machineIn({ mode: "long" });
  const gs = RegisterOffset.segments + Segment.gs * 16;
  machine.registers.set64(gs, 0x1122_3344_5566_7788n);
  machine.registers.set64(RegisterOffset.kernelGsBase, 5n);
  expect(swapGs(machine)).toBe(Abort.none);
  expect([machine.registers.get64(gs), machine.registers.get64(RegisterOffset.kernelGsBase)]).toEqual([
    5n,
    0x1122_3344_5566_7788n,
  ]);
  const outer = machineIn({ mode: "long", cpl: 3 });
  expect(faultOf(outer, swapGs(outer))).toBe("#GP(0x0)");
  const legacy = machineIn({ mode: "protected" });
  expect(faultOf(legacy, swapGs(legacy))).toBe("#UD");
});

describe("flags", () => {
  test.each([
    ["level 0 writes all", 0, 0, 4, 0x24_7fd7],
    ["level 3 writes neither IOPL nor IF", 3, 0, 4, 0x24_4fd7 & ~0x200],
    ["IOPL 3 gives IF", 3, 3, 4, 0x24_7fd7],
    ["16-bit images leave the upper half", 0, 0, 2, 0x7fd7],
  ] as const)("POPF: %s", (_what, cpl, iopl, size, expected) => {
    const machine = machineIn({ mode: "protected", cpl });
    machine.registers.words[RegisterOffset.rflags >> 2] = 2 | (iopl << 12);
    expect(writeFlags(machine, 0x3f_ffff, size)).toBe(Abort.none);
    expect(flags(machine)).toBe(expected | (iopl << 12));
  });

  test("CLI and STI need CPL <= IOPL", () => {
    const machine = machineIn({ mode: "protected", cpl: 3 });
    expect([faultOf(machine, clearInterruptFlag(machine)), faultOf(machine, setInterruptFlag(machine))]).toEqual([
      "#GP(0x0)",
      "#GP(0x0)",
    ]);
    machine.registers.words[RegisterOffset.rflags >> 2] = 0x3202;
    expect(clearInterruptFlag(machine)).toBe(Abort.none);
    expect(flags(machine)).toBe(0x3002);
    expect(setInterruptFlag(machine)).toBe(Abort.none);
    expect(flags(machine)).toBe(0x3202);
  });
});

test("the data descriptor of a test is what the manual draws", () => {
  expect(descriptor({ base: 0x1234_5678, limit: 0xa_bcde, type: DATA, dpl: 3, big: true }).toString(16)).toBe(
    "12caf2345678bcde",
  );
});
