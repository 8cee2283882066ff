/** Segment and system-segment loads, and what LAR, LSL, VERR and VERW tell (Intel SDM volume 2; volume 3, 5.6). */
import { describe, expect, test } from "vitest";
import { Abort } from "../../src/machine/machine.ts";
import { RegisterOffset, Segment } from "../../src/machine/register-file.ts";
import {
  Inspection,
  inspectSelector,
  loadLocalDescriptorTable,
  loadSegment,
  loadTaskRegister,
  segmentAttributes,
  segmentBaseHigh,
  segmentBaseLow,
  segmentLimit,
  setSegment,
} from "../../src/system/index.ts";
import {
  CODE,
  CONFORMING,
  DATA,
  type DescriptorFields,
  descriptor,
  EXECUTE_ONLY,
  faultOf,
  GDT,
  gate,
  LDT,
  machineIn,
  READ_ONLY,
  Selector,
  type StateOptions,
  selectorOf,
  snapshot,
} from "./flat-machine.ts";

interface LoadRow {
  readonly what: string;
  readonly state?: StateOptions;
  readonly entry?: DescriptorFields;
  /** Default: Selector.test with the RPL of the CPL. */
  readonly selector?: number;
  readonly data: string;
  readonly stack: string;
}

const RING3: StateOptions = { mode: "protected", cpl: 3 };
const LONG: StateOptions = { mode: "long" };

const LOADS: readonly LoadRow[] = [
  { what: "writable data", entry: { type: DATA }, data: "none", stack: "none" },
  { what: "read-only data", entry: { type: READ_ONLY }, data: "none", stack: "#GP(0x60)" },
  { what: "readable code", entry: { type: CODE }, data: "none", stack: "#GP(0x60)" },
  { what: "execute-only code", entry: { type: EXECUTE_ONLY }, data: "#GP(0x60)", stack: "#GP(0x60)" },
  { what: "a system descriptor", entry: { type: 2 }, data: "#GP(0x60)", stack: "#GP(0x60)" },
  { what: "data that is not present", entry: { type: DATA, present: false }, data: "#NP(0x60)", stack: "#SS(0x60)" },
  { what: "data of level 3 at level 0", entry: { type: DATA, dpl: 3 }, data: "none", stack: "#GP(0x60)" },
  {
    what: "data of level 0 by RPL 3",
    entry: { type: DATA },
    selector: Selector.test | 3,
    data: "#GP(0x60)",
    stack: "#GP(0x60)",
  },
  { what: "data of level 0 at level 3", state: RING3, entry: { type: DATA }, data: "#GP(0x60)", stack: "#GP(0x60)" },
  { what: "data of level 3 at level 3", state: RING3, entry: { type: DATA, dpl: 3 }, data: "none", stack: "none" },
  {
    what: "conforming code of level 0 at level 3",
    state: RING3,
    entry: { type: CONFORMING },
    data: "none",
    stack: "#GP(0x60)",
  },
  { what: "a null selector", selector: 3, data: "none", stack: "#GP(0x0)" },
  { what: "a null selector in 64-bit code", state: LONG, selector: 0, data: "none", stack: "none" },
  { what: "a null selector of another RPL in 64-bit code", state: LONG, selector: 3, data: "none", stack: "#GP(0x0)" },
  {
    what: "a null selector in 64-bit code at level 3",
    state: { mode: "long", cpl: 3 },
    selector: 3,
    data: "none",
    stack: "#GP(0x0)",
  },
  { what: "a selector outside of the GDT", selector: 0x100, data: "#GP(0x100)", stack: "#GP(0x100)" },
  { what: "a selector outside of the LDT", selector: 0x44, data: "#GP(0x44)", stack: "#GP(0x44)" },
];

describe.each([
  ["DS", Segment.ds],
  ["SS", Segment.ss],
] as const)("loading %s", (_name, segment) => {
  test.each(LOADS.map((row) => [row.what, segment === Segment.ss ? row.stack : row.data, row] as const))(
    "%s: %s",
    (_what, expected, row) => {
      const state = row.state ?? { mode: "protected" };
      const machine = machineIn(state);
      if (row.entry) machine.setQuad(GDT + Selector.test, descriptor(row.entry));
      const selector = row.selector ?? Selector.test | (state.cpl ?? 0);
      const before = snapshot(machine);
      const { stores } = machine;
      expect(faultOf(machine, loadSegment(machine, segment, selector))).toBe(expected);
      if (expected === "none") {
        expect(selectorOf(machine, segment)).toBe(selector);
      } else {
        expect(snapshot(machine)).toEqual(before);
        expect(machine.stores).toBe(stores);
      }
    },
  );
});

describe("a loaded segment", () => {
  test("has base, limit in bytes and attributes of its descriptor, which becomes accessed", () => {
    const machine = machineIn({ mode: "protected" });
    machine.setQuad(GDT + Selector.test, descriptor({ base: 0x8765_4321, limit: 0x1_2345, type: DATA, big: true }));
    expect(loadSegment(machine, Segment.fs, Selector.test)).toBe(Abort.none);
    const { registers } = machine;
    expect(segmentBaseLow(registers, Segment.fs) >>> 0).toBe(0x8765_4321);
    expect(segmentLimit(registers, Segment.fs)).toBe(0x1234_5fff);
    expect(segmentAttributes(registers, Segment.fs)).toBe(0xc093);
    expect((machine.quad(GDT + Selector.test) >> 40n) & 1n).toBe(1n);
    expect(machine.stores).toBe(1);
    loadSegment(machine, Segment.gs, Selector.test);
    expect(machine.stores, "an accessed descriptor is not written again").toBe(1);
  });

  test("comes from the LDT with TI set", () => {
    const machine = machineIn({ mode: "protected" });
    machine.setQuad(LDT + 8, descriptor({ base: 0x1000, type: DATA, limit: 0xff, pages: false }));
    expect(loadSegment(machine, Segment.es, 0x0c)).toBe(Abort.none);
    expect([segmentBaseLow(machine.registers, Segment.es), segmentLimit(machine.registers, Segment.es)]).toEqual([
      0x1000, 0xff,
    ]);
    setSegment(machine.registers, Segment.ldtr, 0, 0, 0, 0, 0);
    expect(faultOf(machine, loadSegment(machine, Segment.es, 0x0c)), "without an LDT").toBe("#GP(0xc)");
  });

  test("is not changed when its descriptor cannot be marked accessed", () => {
    const machine = machineIn({ mode: "protected" });
    machine.setQuad(GDT + Selector.test, descriptor({ type: DATA }));
    const before = snapshot(machine);
    const { probe } = machine;
    machine.probe = (segment, low, high, size, intent) =>
      (intent & 2) !== 0 ? machine.raise(14, 3) : probe.call(machine, segment, low, high, size, intent);
    expect(faultOf(machine, loadSegment(machine, Segment.ds, Selector.test))).toBe("#PF(0x3)");
    expect(snapshot(machine)).toEqual(before);
  });

  test("in real mode changes its base alone: the limit of a big segment stays", () => {
    const machine = machineIn({ mode: "real" });
    setSegment(machine.registers, Segment.ds, 8, 0, 0, 0xffff_ffff, 0xc093);
    loadSegment(machine, Segment.ds, 0x1234);
    expect([segmentBaseLow(machine.registers, Segment.ds), segmentLimit(machine.registers, Segment.ds)]).toEqual([
      0x1_2340, 0xffff_ffff,
    ]);
  });
});

describe("LLDT and LTR", () => {
  test("in IA-32e mode descriptors have 16 bytes", () => {
    const machine = machineIn({ mode: "long" });
    machine.setQuad(GDT + Selector.test, descriptor({ base: 0x1000_3000, limit: 0x67, type: 9, pages: false }));
    machine.setQuad(GDT + Selector.test + 8, 0xffff_8000n);
    expect(loadTaskRegister(machine, Selector.test)).toBe(Abort.none);
    const { registers } = machine;
    expect([segmentBaseLow(registers, Segment.tr), segmentBaseHigh(registers, Segment.tr) >>> 0]).toEqual([
      0x1000_3000, 0xffff_8000,
    ]);
    expect(segmentAttributes(registers, Segment.tr) & 0xff).toBe(0x8b);
    expect((machine.quad(GDT + Selector.test) >> 40n) & 0xfn, "busy").toBe(11n);
    expect(faultOf(machine, loadTaskRegister(machine, Selector.test)), "a busy TSS").toBe("#GP(0x60)");
  });

  test.each([
    ["LTR with a null selector", loadTaskRegister, 0, {}, 9, "#GP(0x0)"],
    ["LTR of an LDT", loadTaskRegister, Selector.test, {}, 2, "#GP(0x60)"],
    ["LTR of a TSS that is not present", loadTaskRegister, Selector.test, {}, 9, "#NP(0x60)"],
    ["LTR from the LDT", loadTaskRegister, 0xc, {}, 9, "#GP(0xc)"],
    ["LTR at level 3", loadTaskRegister, Selector.test, { cpl: 3 }, 9, "#GP(0x0)"],
    ["LTR in real mode", loadTaskRegister, Selector.test, { mode: "real" }, 9, "#UD"],
    ["LLDT with a null selector", loadLocalDescriptorTable, 0, {}, 2, "none"],
    ["LLDT of a TSS", loadLocalDescriptorTable, Selector.test, {}, 9, "#GP(0x60)"],
    ["LLDT of a data segment", loadLocalDescriptorTable, Selector.data0, {}, 2, "#GP(0x10)"],
  ] as const)("%s", (_what, load, selector, state, type, expected) => {
    const machine = machineIn({ mode: "protected", ...state });
    const present = !_what.includes("not present");
    machine.setQuad(GDT + Selector.test, descriptor({ base: 0x3000, limit: 0x67, type, present, pages: false }));
    expect(faultOf(machine, load(machine, selector))).toBe(expected);
  });
});

describe("LAR, LSL, VERR, VERW", () => {
  const RIGHTS = [
    { what: "writable data", entry: { type: DATA }, lar: 0x00_9200, lsl: 0xffff_ffff, verr: 1, verw: 1 },
    { what: "read-only data", entry: { type: READ_ONLY }, lar: 0x00_9000, lsl: 0xffff_ffff, verr: 1, verw: 0 },
    { what: "execute-only code", entry: { type: EXECUTE_ONLY }, lar: 0x00_9800, lsl: 0xffff_ffff, verr: 0, verw: 0 },
    {
      what: "data that is not present",
      entry: { type: DATA, present: false },
      lar: 0x00_1200,
      lsl: 0xffff_ffff,
      verr: 1,
      verw: 1,
    },
    { what: "an LDT", entry: { type: 2, limit: 0xff, pages: false }, lar: 0x00_8200, lsl: 0xff, verr: 0, verw: 0 },
    { what: "a call gate has no limit", entry: { type: 12 }, lar: 0x00_8c00, lsl: null, verr: 0, verw: 0 },
    { what: "an interrupt gate is not visible", entry: { type: 14 }, lar: null, lsl: null, verr: 0, verw: 0 },
    { what: "data of level 0 at level 3", cpl: 3, entry: { type: DATA }, lar: null, lsl: null, verr: 0, verw: 0 },
    {
      what: "conforming code at level 3",
      cpl: 3,
      entry: { type: CONFORMING },
      lar: 0x00_9e00,
      lsl: 0xffff_ffff,
      verr: 1,
      verw: 0,
    },
  ] as const;

  test.each(RIGHTS)("$what", ({ entry, lar, lsl, verr, verw, ...rest }) => {
    const machine = machineIn({ mode: "protected", ...("cpl" in rest ? { cpl: rest.cpl } : {}) });
    machine.setQuad(GDT + Selector.test, descriptor(entry));
    const ask = (inspection: number): readonly [value: number, zf: number] => {
      expect(inspectSelector(machine, Selector.test, inspection)).toBe(Abort.none);
      return [machine.data[0] >>> 0, machine.data[2]];
    };
    const larBits = (value: number): number => value & 0xff00;
    const [rights, larFound] = ask(Inspection.lar);
    expect([larFound, larBits(rights)]).toEqual(lar === null ? [0, 0] : [1, lar]);
    expect(ask(Inspection.lsl)).toEqual(lsl === null ? [0, 0] : [lsl, 1]);
    expect([ask(Inspection.verr)[1], ask(Inspection.verw)[1]]).toEqual([verr, verw]);
  });

  test("a null selector and one outside of the table answer ZF = 0", () => {
    const machine = machineIn({ mode: "protected" });
    for (const selector of [0, 3, 0x100, 0x7c]) {
      expect(inspectSelector(machine, selector, Inspection.lar)).toBe(Abort.none);
      expect(machine.data[2]).toBe(0);
    }
  });

  test("#UD in real mode; a table that is not mapped faults", () => {
    expect(faultOf(machineIn({ mode: "real" }), inspectSelector(machineIn({ mode: "real" }), 8, 0))).toMatch(/^#/);
    const machine = machineIn({ mode: "protected" });
    machine.missing = [GDT, GDT + 0x100];
    expect(faultOf(machine, inspectSelector(machine, 8, Inspection.lsl))).toBe("#PF(0x0)");
  });
});

test("a gate is no segment", () => {
  const machine = machineIn({ mode: "protected" });
  machine.setQuad(GDT + Selector.test, gate(14, Selector.code0, 0x1000));
  expect(faultOf(machine, loadSegment(machine, Segment.ds, Selector.test))).toBe("#GP(0x60)");
  expect(machine.registers.words[RegisterOffset.cr0 >> 2]).toBe(0x11);
});
