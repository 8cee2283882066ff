/**
 * The whole command as somebody with Windows starts it, with stand-ins where Windows has the platform's libraries: `whv
 * doctor`, `whv conformance` and `whv run`. Guests run on /dev/kvm where that works, and on the simulator behind the same ABI.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CheckResult, ConformanceReport } from "@whvkit/conformance";
import { serveEmulations } from "../../../../tooling/windows-stand-ins/served-emulator.ts";
import { serveRuns } from "../../../../tooling/windows-stand-ins/served-simulator.ts";
import { EmulationControl, PlatformControl } from "../../../../tooling/windows-stand-ins/stand-in-control.ts";
import { check, libraryDirectory, runChecks, Skipped } from "../../../../tooling/windows-stand-ins/suite.ts";
import { whv } from "../command.ts";

const platform = new PlatformControl(libraryDirectory);
const emulation = new EmulationControl(libraryDirectory);
const nothing = Object.fromEntries(Object.keys(platform.live()).map((name) => [name, 0]));

async function onKvm(body: () => Promise<void>): Promise<void> {
  if (platform.useKvm(1) === 0) throw new Skipped("there is no /dev/kvm that works here");
  try {
    await body();
  } finally {
    platform.useKvm(0);
  }
}

/** The report of `whv conformance`, and the checks that did not pass, by status. */
async function conformance(...options: readonly string[]): Promise<{
  readonly status: number;
  readonly report: ConformanceReport;
  readonly of: (status: CheckResult["status"]) => string[];
}> {
  const { status, stdout, stderr } = await whv(["conformance", "--json", ...options]);
  assert.equal(stderr, "");
  const report = JSON.parse(stdout) as ConformanceReport;
  const of = (wanted: CheckResult["status"]): string[] =>
    report.checks
      .filter((each) => each.status === wanted)
      .map(({ id, difference, unsupported }) => {
        const why =
          unsupported?.what ?? (difference && `${difference.at}: ${difference.expected}, ${difference.actual}`);
        return `${id} (${why})`;
      });
  return { status, report, of };
}

/** The stand-in has the local APIC's functions and no local APIC. */
const unsupported = [
  ...["request-interrupt", "exit-eoi", "exit-init-sipi", "exit-smi", "exit-write", "exit-synic-sint"].map(
    (id) => `backend.apic.${id} (WHV_CAPABILITY_FEATURES.localApicEmulation)`,
  ),
  "backend.exit.hypercall (WHV_EXTENDED_VM_EXITS.HypercallExit)",
  ...["readInterruptControllerState", "writeInterruptControllerState"].map(
    (id) => `backend.operation.processor.${id} (WHV_CAPABILITY_FEATURES.localApicEmulation)`,
  ),
];
/** And what KVM has no exit for: the stand-in does not claim it (tooling/windows-stand-ins/platform/kvm.c). */
const unsupportedOnKvm = [
  "backend.property.exception-bitmap (WHV_EXTENDED_VM_EXITS.ExceptionExit)",
  "backend.exit.cpuid (WHV_EXTENDED_VM_EXITS.X64CpuidExit)",
  ...["rdtsc", "rdtscp"].map((id) => `backend.exit.${id} (WHV_EXTENDED_VM_EXITS.X64RdtscExit)`),
  ...["divide", "invalid-opcode", "page-fault"].map(
    (id) => `backend.exit.exception-${id} (WHV_EXTENDED_VM_EXITS.ExceptionExit)`,
  ),
  "backend.exit.task-switch (WHvRunVirtualProcessor)",
  ...unsupported,
];
/** Choices that the documents leave, which the stand-in takes otherwise than the suite. */
const different = ["backend.operation.partition.startMigration (startMigration: a WhvError, success)"];

check("doctor finds the platform in the system directory", async () => {
  const { status, stdout } = await whv(["doctor"]);
  assert.equal(status, 0);
  assert.match(stdout, /^ok {2}native backend: runs guests here: whv run --backend win$/m);
  assert.match(stdout, /^- {5}WinHvPlatform\.dll: C:\\windows\\system32\\WinHvPlatform\.dll$/m);
  assert.doesNotMatch(stdout, /to do/);
});

check("on /dev/kvm: the conformance suite passes all that the stand-in claims; the rest is unsupported by name", () =>
  onKvm(async () => {
    const { status, report, of } = await conformance("--filter", "backend.");
    assert.deepEqual(of("failed"), []);
    assert.equal(status, 0);
    assert.equal(report.backend, "win");
    assert.deepEqual(of("unsupported"), unsupportedOnKvm);
    assert.deepEqual(of("different"), different);
  }),
);

check("served by the simulator: the conformance suite passes all that the simulator passes by itself", async () => {
  const stop = serveRuns(platform);
  try {
    const { report, of } = await conformance("--filter", "backend.");
    assert.deepEqual([of("failed"), of("different")], [[], different]);
    assert.deepEqual(of("unsupported"), unsupported);
    assert.equal(report.backend, "win");
  } finally {
    stop();
  }
});

async function serving(body: () => Promise<void>): Promise<void> {
  const stop = serveEmulations(emulation);
  try {
    await body();
  } finally {
    stop();
  }
}

check("the native emulator, served by ours: every check of the suite crosses the ABI", () =>
  serving(async () => {
    const { report, of } = await conformance("--backend", "sim", "--emulator", "native", "--filter", "emulator.");
    assert.deepEqual([of("failed"), of("different"), of("unsupported")], [[], [], []]);
    assert.equal(report.emulator, "native");
    assert.ok(report.counts.passed > 120, `${report.counts.passed}`);
  }),
);

async function expectDemo(...options: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await whv([
    "run",
    "demo",
    "--backend",
    "win",
    "--stats",
    "--timeout",
    "10",
    ...options,
  ]);
  assert.equal(stderr, "The guest switched the machine off.\n", stdout);
  assert.equal(status, 0);
  assert.match(stdout, /^59 checks passed, shutting down\r?$/m);
  assert.match(stdout, /^guest instructions +not counted$/m);
}

check("on /dev/kvm: the demonstration guest, its exits finished by the TypeScript emulator", () =>
  onKvm(() => expectDemo()),
);

check("on /dev/kvm: the demonstration guest, its exits finished by the native emulator, served by ours", () =>
  serving(() => onKvm(() => expectDemo("--emulator", "native"))),
);

check(
  "cases of a run are compared: no difference from the native emulator that ours serves, and from another one",
  async () => {
    const folder = mkdtempSync(path.win32.join(tmpdir(), "whv-"));
    const cases = path.win32.join(folder, "cases.jsonl");
    try {
      assert.equal((await whv(["run", "demo", "--backend", "sim", "--quiet", "--record", cases])).status, 0);
      await serving(async () => {
        const { status, stdout } = await whv(["conformance", "--compare", cases, "--json"]);
        const { cases: count, same, different } = JSON.parse(stdout);
        assert.deepEqual([status, same, different], [0, count, 0]);
        assert.ok(count > 300, `${count}`);
      });
      // The stand-in by itself decodes nothing.
      const { status, stdout } = await whv(["conformance", "--compare", cases, "--json"]);
      assert.equal(status, 1);
      assert.ok(JSON.parse(stdout).different > 100, stdout.slice(0, 300));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

await runChecks(() => {
  platform.takeViolations();
  assert.deepEqual(platform.live(), nothing, "what is still alive");
});
