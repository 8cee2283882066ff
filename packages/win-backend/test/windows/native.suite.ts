/**
 * Every function of both libraries, with the stand-ins that have them all. After each check nothing may be left alive, and
 * the stand-ins must have seen nothing that the documentation forbids.
 */
import assert from "node:assert/strict";
import { isMainThread, workerData } from "node:worker_threads";
import { WIN_HV_PLATFORM_FUNCTIONS } from "@whvkit/whv-types";
import { bindWinHvPlatform } from "@whvkit/win-backend";
import { check, runChecks } from "../../../../tooling/windows-stand-ins/suite.ts";
import { addEmulatorChecks } from "./emulator-checks.ts";
import { emulation, options, platform } from "./fixtures.ts";
import { addHostChecks } from "./host-checks.ts";
import { addKvmChecks } from "./kvm-checks.ts";
import { addLeakChecks } from "./leak-checks.ts";
import { addPartitionChecks } from "./partition-checks.ts";
import { addProcessorChecks } from "./processor-checks.ts";
import { addSignalChecks } from "./signal-checks.ts";

const nothing = Object.fromEntries(Object.keys(platform.live()).map((name) => [name, 0]));
/** What bad input provokes on purpose, in the stand-in's words. */
const EXPECTED = [/^WHv\w+VirtualProcessor: there is no processor/];

function cancelFromWorker(): void {
  const { handle, ready, ...folder } = workerData as { handle: bigint; ready: Int32Array; libraryDirectory: string };
  const functions = bindWinHvPlatform(folder);
  functions.WHvCancelRunVirtualProcessor;
  Atomics.store(ready, 0, 1);
  Atomics.notify(ready, 0);
  // The main thread enters its run meanwhile; a cancel that comes before it counts as well.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  assert.equal(functions.WHvCancelRunVirtualProcessor(handle, 0, 0), 0);
}

if (isMainThread) {
  const called = new Set<string>();
  addPartitionChecks();
  addProcessorChecks();
  addSignalChecks();
  addEmulatorChecks();
  addHostChecks();
  addLeakChecks();
  addKvmChecks();
  check("every function of the headers was called", () => {
    for (const name of platform.takeCalls().keys()) called.add(name);
    assert.deepEqual(
      Object.keys(WIN_HV_PLATFORM_FUNCTIONS).filter((name) => !called.has(name)),
      // Two generations: what has the newer ones does not call the older ones.
      [
        "WHvGetVirtualProcessorInterruptControllerState",
        "WHvSetVirtualProcessorInterruptControllerState",
        "WHvGetVirtualProcessorXsaveState",
        "WHvSetVirtualProcessorXsaveState",
      ],
    );
  });
  await runChecks(() => {
    for (const name of platform.takeCalls().keys()) called.add(name);
    const violations = platform.takeViolations().filter((line) => !EXPECTED.some((expected) => expected.test(line)));
    assert.deepEqual(violations, [], "what the documentation forbids");
    assert.deepEqual(platform.live(), nothing, "what is still alive");
    assert.equal(emulation().live(), 0, "emulators that are still alive");
  });
  assert.deepEqual(options, { libraryDirectory: options.libraryDirectory });
} else cancelFromWorker();
