/** The suite on emulators: ours passes all of it, and emulators that are wrong in one way each are found. */
import { createEmulator as createCoreEmulator } from "@whvkit/emulator-core";
import { registerByShortName } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import {
  type ConformanceReport,
  type CreateEmulator,
  conformanceSuite,
  formatConformance,
  runConformance,
} from "../../src/index.ts";
import { interposed } from "./broken-emulators.ts";

const createEmulator: CreateEmulator = createCoreEmulator;
const emulatorChecks = conformanceSuite.filter(({ subject }) => subject === "emulator");

function failures(broken: CreateEmulator): ConformanceReport["checks"] {
  const { checks } = runConformance({ createEmulator: broken });
  return checks.filter(({ status }) => status === "failed");
}

test("the TypeScript emulator passes all of it", () => {
  const report = runConformance({ createEmulator, emulatorName: "ts" });
  const others = report.checks.filter(({ status }) => status !== "passed");
  expect(others, formatConformance({ ...report, checks: others })).toEqual([]);
  expect(report).toMatchObject({
    format: 1,
    emulator: "ts",
    backend: null,
    counts: { passed: emulatorChecks.length, failed: 0, different: 0, unsupported: 0 },
  });
  expect(emulatorChecks.length).toBeGreaterThan(120);
});

test("ids are unique, and every check says where its rule is written", () => {
  expect(new Set(conformanceSuite.map(({ id }) => id)).size).toBe(conformanceSuite.length);
  for (const { id, reference, title, subject } of conformanceSuite) {
    expect(id).toMatch(new RegExp(`^${subject}\\.[\\w.-]+$`));
    expect(`${title} ${reference}`.length).toBeGreaterThan(10);
    if (subject === "emulator") expect(reference, id).toMatch(/^[ABC]\d+(, [ABC]\d+)*$/);
  }
});

describe("an emulator is found that", () => {
  const rax = registerByShortName("Rax") as number;
  test.each<[string, string, CreateEmulator]>([
    [
      "loses the upper bits of RAX at IN",
      "emulator.port.in-1",
      interposed(createEmulator, {
        setVirtualProcessorRegisters: (names, count, values, next) => {
          for (let i = 0; i < count; i++) if (names[i] === rax) values.setHalves(i, values.low(i) & 0xff, 0);
          return next(names, count, values);
        },
      }),
    ],
    [
      "sets registers twice",
      "emulator.memory.load-4",
      interposed(createEmulator, {
        setVirtualProcessorRegisters: (names, count, values, next) => {
          next(names, count, values);
          return next(names, count, values);
        },
      }),
    ],
    [
      "reads a device twice",
      "emulator.memory.load-4",
      interposed(createEmulator, {
        memory: (access, next) => {
          if (access.direction === 0) next(access);
          return next(access);
        },
      }),
    ],
    [
      "accesses a page crossing from the high end",
      "emulator.memory.page-crossing-store",
      swappingWrites(createEmulator),
    ],
    [
      "writes the wrong size",
      "emulator.memory.store-2",
      interposed(createEmulator, {
        memory: (access, next) => {
          if (access.direction === 1 && access.accessSize === 2) access.accessSize = 1;
          return next(access);
        },
      }),
    ],
    [
      "takes a failed port access for a good one",
      "emulator.failure.in",
      interposed(createEmulator, {
        ioPort: (access, next) => {
          next(access);
          return 0;
        },
      }),
    ],
    [
      "takes a page that is not present for one at 0",
      "emulator.fault.no-side-effect",
      interposed(createEmulator, {
        translateGvaPage: (translation, next) => {
          const hresult = next(translation);
          translation.resultCode = 0;
          return hresult;
        },
      }),
    ],
    [
      "answers success for everything",
      "emulator.refused.byte-count-17",
      (callbacks, options) => {
        const good = createEmulator(callbacks, options);
        return {
          ...good,
          tryIoEmulation: (context, vp, io) => ({ ...good.tryIoEmulation(context, vp, io), hresult: 0, statusBits: 1 }),
          tryMmioEmulation: (context, vp, mmio) => ({
            ...good.tryMmioEmulation(context, vp, mmio),
            hresult: 0,
            statusBits: 1,
          }),
          destroy: () => good.destroy(),
        };
      },
    ],
    [
      "does not notice its destruction",
      "emulator.refused.destroyed",
      (callbacks, options) => {
        const good = createEmulator(callbacks, options);
        return {
          tryIoEmulation: (context, vp, io) => good.tryIoEmulation(context, vp, io),
          tryMmioEmulation: (context, vp, mmio) => good.tryMmioEmulation(context, vp, mmio),
          destroy: () => {},
        };
      },
    ],
  ])("%s", (_what, id, broken) => {
    const found = failures(broken);
    expect(found.map((check) => check.id)).toContain(id);
    const difference = found.find((check) => check.id === id)?.difference;
    expect(difference?.expected).not.toBe(difference?.actual);
  });
});

/** Holds back the first of two writes in a row, as an emulator would that starts at the high end. */
function swappingWrites(create: CreateEmulator): CreateEmulator {
  let held: { gpa: number; data: Uint8Array } | null = null;
  return interposed(create, {
    memory: (access, next) => {
      if (access.direction === 0) return next(access);
      if (held === null && access.gpaAddress % 0x1000 > 0xff0) {
        held = { gpa: access.gpaAddress, data: access.data.slice(0, access.accessSize) };
        return 0;
      }
      const hresult = next(access);
      if (held !== null) {
        access.gpaAddress = held.gpa;
        access.accessSize = held.data.length;
        access.data.set(held.data);
        held = null;
        return next(access);
      }
      return hresult;
    },
  });
}

test("another choice where the documents leave one is different, not failed", () => {
  const report = runConformance({
    createEmulator: (callbacks) =>
      createCoreEmulator(callbacks, { invalidEncoding: "legacy", cmpxchgAlwaysWrites: false }),
  });
  expect(report.counts.failed).toBe(0);
  expect(report.checks.filter(({ status }) => status === "different").map(({ id }) => id)).toEqual([
    "emulator.memory.cmpxchg-no-match",
    "emulator.fault.invalid-encoding",
    "emulator.fault.too-long",
  ]);
});

describe("runConformance", () => {
  test("filters, and runs nothing without a subject", () => {
    expect(runConformance({}).checks).toEqual([]);
    const filter = ({ id }: { id: string }): boolean => id.startsWith("emulator.port.");
    const report = runConformance({ createEmulator, filter });
    expect(report.checks.length).toBeGreaterThan(8);
    expect(report.checks.every(({ id }) => id.startsWith("emulator.port."))).toBe(true);
  });

  test("an emulator that cannot be created fails every check, with what it says", () => {
    const createNone: CreateEmulator = () => {
      throw new Error("no emulator here");
    };
    const report = runConformance({ createEmulator: createNone, filter: ({ id }) => id === "emulator.port.in-1" });
    expect(report.checks[0]).toMatchObject({ status: "failed", difference: { actual: "Error: no emulator here" } });
  });

  test("the report survives JSON, and its text names the first difference", () => {
    const broken = interposed(createEmulator, { ioPort: () => 0x8000_4005 });
    const report = runConformance({ createEmulator: broken, filter: ({ id }) => id === "emulator.port.out-1" });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(formatConformance(report)).toBe(
      [
        "FAILED       emulator.port.out-1  OUT of 1 bytes gives the port the low bytes of RAX (A5)",
        "             status[0]:",
        "               expected EmulationSuccessful",
        "               got      IoPortCallbackFailed",
        "",
        "emulator emulator: 0 passed, 1 failed, 0 different by choice, 0 unsupported",
      ].join("\n"),
    );
  });
});
