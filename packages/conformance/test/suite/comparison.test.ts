/** Two emulators on the same cases: what counts as a difference, and what of it is known. */
import { createEmulator as createCoreEmulator } from "@whvkit/emulator-core";
import { describe, expect, test } from "vitest";
import {
  type CreateEmulator,
  compareEmulators,
  formatComparison,
  nativeDifferences,
  readEmulationCase,
} from "../../src/index.ts";
import { interposed } from "./broken-emulators.ts";

const createEmulator: CreateEmulator = createCoreEmulator;

const load = readEmulationCase({
  id: "load",
  kind: "mmio",
  vp: {
    executionState: { cr0Pe: true, eferLma: true },
    cs: { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" },
    rip: "0x1000",
  },
  exit: { instructionBytes: "8b07", accessType: "read", gpa: "0xfee00020", gva: "0xfee00020" },
  registers: { Rdi: "0xfee00020" },
  deviceReads: "01020304",
});

test("an emulator is the same as itself", () => {
  const comparison = compareEmulators([load, load], { createEmulator }, { createEmulator });
  expect(comparison).toEqual({ format: 1, cases: 2, same: 2, known: 0, different: 0, differences: [] });
  expect(formatComparison(comparison)).toBe("2 cases: 2 the same, 0 with known differences, 0 different");
});

describe("differences", () => {
  test("in a register's value name both", () => {
    const wrong = interposed(createEmulator, {
      setVirtualProcessorRegisters: (names, count, values, next) => {
        values.setHalves(0, values.low(0) ^ 1, values.high(0));
        return next(names, count, values);
      },
    });
    const comparison = compareEmulators([load], { createEmulator }, { createEmulator: wrong });
    expect(comparison).toMatchObject({ cases: 1, same: 0, known: 0, different: 1 });
    expect(comparison.differences[0]).toEqual({
      id: "load",
      differences: [{ part: "register", at: "register Rax", first: '"0x4030201"', second: '"0x4030200"', known: null }],
    });
    expect(formatComparison(comparison)).toContain('register Rax:\n    first   "0x4030201"');
  });

  test("in the accesses are told at the first one", () => {
    const twice = interposed(createEmulator, {
      memory: (access, next) => {
        next(access);
        return next(access);
      },
    });
    const { differences } = compareEmulators([load], { createEmulator }, { createEmulator: twice }, []);
    expect(differences[0]?.differences[0]).toMatchObject({ part: "accesses", at: "accesses[1]", first: "none" });
  });

  test("in the grouping of register calls are known, and why", () => {
    const more = interposed(createEmulator, {
      getVirtualProcessorRegisters: (names, count, values, next) => {
        next(names, count, values);
        return next(names, count, values);
      },
    });
    const comparison = compareEmulators([load], { createEmulator }, { createEmulator: more });
    expect(comparison).toMatchObject({ same: 0, known: 1, different: 0 });
    expect(comparison.differences[0]?.differences[0]?.known).toBe(nativeDifferences[0]?.why);
  });

  test("about bytes that are no instruction are known: one faults the guest, the other gives up", () => {
    const legacy: CreateEmulator = (callbacks) => createCoreEmulator(callbacks, { invalidEncoding: "legacy" });
    const invalid = { ...load, exit: { ...load.exit, instructionBytes: Uint8Array.of(0x06) } };
    const comparison = compareEmulators([invalid], { createEmulator }, { createEmulator: legacy });
    expect(comparison).toMatchObject({ same: 0, known: 1, different: 0 });
    const parts = comparison.differences[0]?.differences.map(({ part, known }) => [part, known !== null]);
    expect(parts).toContainEqual(["status", true]);
    expect(compareEmulators([invalid], { createEmulator }, { createEmulator: legacy }, []).different).toBe(1);
  });
});
