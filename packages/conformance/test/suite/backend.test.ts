/** The suite on hypervisors: the simulator passes all that it claims, and hypervisors that are wrong are found. */
import { simHypervisor } from "@whvkit/sim-backend";
import {
  E_FAIL,
  E_NOTIMPL,
  type Hypervisor,
  type Partition,
  type VirtualProcessor,
  WHV_RUN_VP_EXIT_REASON,
  WhvError,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { conformanceSuite, formatConformance, runConformance } from "../../src/index.ts";

/** The simulator with small partitions: what they hold is enough for every check. */
const hypervisor: Hypervisor = {
  name: "sim",
  getCapability: (code) => simHypervisor.getCapability(code),
  createPartition: () => simHypervisor.createPartition({ memoryCapacity: 0x20_0000 }),
};

test("the simulator passes all that it claims; the rest is unsupported by name", () => {
  const report = runConformance({ hypervisor });
  const wrong = report.checks.filter(({ status }) => status === "failed" || status === "different");
  expect(wrong, formatConformance({ ...report, checks: wrong })).toEqual([]);
  const backendChecks = conformanceSuite.filter(({ subject }) => subject === "backend");
  expect(report.counts.passed + report.counts.unsupported).toBe(backendChecks.length);
  expect(report.counts.passed).toBeGreaterThan(180);
  // What the simulator does not do is the local APIC, hypercalls and the optional operations; nothing else.
  for (const { id, unsupported } of report.checks.filter(({ status }) => status === "unsupported")) {
    expect(id).toMatch(/^backend\.(apic|operation)\.|^backend\.exit\.hypercall$/);
    expect(unsupported?.what.length).toBeGreaterThan(3);
    expect(unsupported?.says.length).toBeGreaterThan(10);
  }
});

test("every exit reason has a check", () => {
  const titles = conformanceSuite.map(({ title, id }) => `${title} ${id}`).join("\n");
  const words: Readonly<Record<string, string>> = {
    X64MsrAccess: "WRMSR",
    X64Cpuid: "CPUID exits",
    Exception: "Exception 0 exits",
    X64Rdtsc: "RDTSC exits",
    X64InterruptWindow: "InterruptWindow",
    X64ApicEoi: "ApicEoi",
    X64ApicSmiTrap: "ApicSmiTrap",
    X64ApicInitSipiTrap: "ApicInitSipiTrap",
    X64ApicWriteTrap: "ApicWriteTrap",
  };
  for (const name of Object.keys(WHV_RUN_VP_EXIT_REASON)) {
    const short = name.replace("WHvRunVpExitReason", "");
    if (short !== "None") expect(titles).toContain(words[short] ?? short);
  }
});

/** A hypervisor whose partitions and processors answer otherwise in what `changes` names. */
function changed(changes: {
  partition?: (partition: Partition) => Partial<Partition>;
  processor?: (processor: VirtualProcessor) => Partial<VirtualProcessor>;
}): Hypervisor {
  return {
    ...hypervisor,
    createPartition: () => {
      const partition = hypervisor.createPartition();
      const created = overlay(partition, changes.partition?.(partition) ?? {});
      return overlay(created, {
        createVirtualProcessor: (index) => {
          const processor = partition.createVirtualProcessor(index);
          return overlay(processor, changes.processor?.(processor) ?? {});
        },
      });
    },
  };
}

/** The object with some members replaced; methods keep their object. */
function overlay<T extends object>(original: T, members: Partial<T>): T {
  return new Proxy(original, {
    get(target, name) {
      if (name in members) return members[name as keyof T];
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("a hypervisor is found that", () => {
  test.each<[string, string, string, Parameters<typeof changed>[0]]>([
    [
      "writes registers before it refuses a name",
      "backend.register.",
      "backend.register.all-or-none",
      {
        processor: (processor) => ({
          setRegisters: (names, count, values) => {
            for (let i = 0; i < count; i++) {
              processor.setRegisters(names.slice(i, i + 1), 1, { words: values.words.slice(4 * i) } as never);
            }
          },
        }),
      },
    ],
    [
      "does not unmap",
      "backend.memory.unmap",
      "backend.memory.unmap",
      { partition: () => ({ unmapGpaRange: () => {} }) },
    ],
    [
      "forgets a cancel",
      "backend.exit.canceled",
      "backend.exit.canceled",
      { processor: () => ({ cancelRun: () => {} }) },
    ],
    [
      "ignores rights",
      "backend.memory.",
      "backend.memory.read-only",
      {
        partition: (partition) => ({
          mapGpaRange: (memory, offset, gpa, size, flags) =>
            partition.mapGpaRange(memory, offset, gpa, size, flags | 7),
        }),
      },
    ],
    [
      "translates everything",
      "backend.translate.",
      "backend.translate.not-present",
      {
        processor: (processor) => ({
          translateGva: (low, high, flags, result) => {
            processor.translateGva(low, high, flags, result);
            result.resultCode = 0;
          },
        }),
      },
    ],
  ])("%s", (_what, prefix, id, changes) => {
    const report = runConformance({ hypervisor: changed(changes), filter: (check) => check.id.startsWith(prefix) });
    const found = report.checks.filter(({ status }) => status === "failed").map((check) => check.id);
    expect(found).toContain(id);
  });

  test("says of an operation that it is not implemented: unsupported by its name", () => {
    const lacking = changed({
      partition: () => ({
        queryGpaRangeDirtyBitmap: () => {
          throw new WhvError("WHvQueryGpaRangeDirtyBitmap", E_NOTIMPL, "not in this version");
        },
      }),
    });
    const { checks } = runConformance({
      hypervisor: lacking,
      filter: ({ id }) => id === "backend.memory.dirty-bitmap",
    });
    expect(checks[0]).toMatchObject({
      status: "unsupported",
      unsupported: { what: "WHvQueryGpaRangeDirtyBitmap", says: expect.stringContaining("not in this version") },
    });
  });
});

describe("optional operations that are there", () => {
  const onRam = (wrong: number): Hypervisor => {
    let ram: Uint8Array = new Uint8Array();
    return changed({
      partition: (partition) => ({
        allocateMemory: (size) => {
          const memory = partition.allocateMemory(size);
          ram = memory.bytes;
          return memory;
        },
        getInterruptTargetVpSet: () => [wrong],
        startMigration: () => {
          throw new WhvError("WHvStartPartitionMigration", E_NOTIMPL, "not in this version");
        },
        cancelMigration: () => {
          throw new WhvError("WHvCancelPartitionMigration", E_FAIL);
        },
      }),
      processor: () => ({
        readGpaRange: (gpa, destination) => destination.set(ram.subarray(gpa, gpa + destination.length)),
        writeGpaRange: (gpa, source) => ram.set(source, gpa + wrong),
      }),
    });
  };
  const statuses = (wrong: number): string[] =>
    runConformance({
      hypervisor: onRam(wrong),
      filter: ({ id }) => /GpaRange$|VpSet$|startMigration$|cancelMigration$/.test(id) && id.includes(".operation."),
    }).checks.map(({ id, status }) => `${id.replace("backend.operation.", "")} ${status}`);

  test("pass where they do what they say; one that is there by name only is unsupported", () => {
    expect(statuses(0)).toEqual([
      "partition.adviseGpaRange unsupported",
      "partition.getInterruptTargetVpSet passed",
      "partition.startMigration unsupported",
      "partition.cancelMigration passed",
      "processor.readGpaRange passed",
      "processor.writeGpaRange passed",
    ]);
  });

  test("fail where they do something else", () => {
    expect(statuses(1)).toEqual([
      "partition.adviseGpaRange unsupported",
      "partition.getInterruptTargetVpSet failed",
      "partition.startMigration unsupported",
      "partition.cancelMigration passed",
      "processor.readGpaRange failed",
      "processor.writeGpaRange failed",
    ]);
  });
});
