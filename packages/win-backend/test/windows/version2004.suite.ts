/** The libraries as Windows 10, version 2004 has them: what is missing is said by name, the rest works. */
import assert from "node:assert/strict";
import { E_NOTIMPL, WHV_VIRTUAL_PROCESSOR_STATE_TYPE as StateType } from "@whvkit/whv-types";
import { describeHost } from "@whvkit/win-backend";
import { check, runChecks } from "../../../../tooling/windows-stand-ins/suite.ts";
import { assertFails, loadCode, options, platform, withPartition } from "./fixtures.ts";

check("guests run", () =>
  withPartition((partition) => {
    assert.equal(loadCode(partition, [0xf4]).run().exitReason, 8);
  }),
);

check("what this version lacks answers E_NOTIMPL by name", () =>
  withPartition((partition) => {
    const processor = partition.createVirtualProcessor(0);
    const lacks = /WinHvPlatform\.dll of this version of Windows lacks it/;
    assertFails(() => partition.reset(), "WHvResetPartition", E_NOTIMPL, lacks);
    assertFails(() => partition.startMigration(), "WHvStartPartitionMigration", E_NOTIMPL, lacks);
    assertFails(() => processor.getCpuidOutput(0, 0), "WHvGetVirtualProcessorCpuidOutput", E_NOTIMPL, lacks);
    assertFails(() => processor.readGpaRange(0, new Uint8Array(1)), "WHvReadGpaRange", E_NOTIMPL, lacks);
    assertFails(
      () => partition.registerDoorbell({ guestAddress: 0 }, () => {}),
      "WHvRegisterPartitionDoorbellEvent",
      E_NOTIMPL,
      lacks,
    );
    const timer = StateType.WHvVirtualProcessorStateTypeSynicTimerState;
    assertFails(() => processor.readState(timer, new Uint8Array(200)), "WHvGetVirtualProcessorState", E_NOTIMPL, lacks);
  }),
);

check("extended state and local APIC go by the older functions", () =>
  withPartition((partition) => {
    const processor = partition.createVirtualProcessor(0);
    const area = Uint8Array.from({ length: 832 }, (_, at) => at * 3);
    const back = new Uint8Array(4096);
    processor.writeXsaveState(area);
    assert.equal(processor.readXsaveState(back), 832);
    assert.deepEqual(back.subarray(0, 832), area);
    processor.writeState(StateType.WHvVirtualProcessorStateTypeXsaveState, area);
    assert.equal(processor.readState(StateType.WHvVirtualProcessorStateTypeXsaveState, back), 832);
    const apic = new Uint8Array(4096).fill(9);
    processor.writeInterruptControllerState(apic);
    assert.equal(processor.readState(StateType.WHvVirtualProcessorStateTypeInterruptControllerState2, back), 4096);
    assert.deepEqual(back, apic);
    const calls = platform.takeCalls();
    assert.deepEqual(
      ["Get", "Set"].flatMap((verb) =>
        ["XsaveState", "InterruptControllerState"].map((state) => calls.get(`WHv${verb}VirtualProcessor${state}`)),
      ),
      [2, 1, 2, 1],
    );
  }),
);

check("the host's description names what is missing", () => {
  const host = describeHost(options);
  assert.equal(host.canRunGuests, true);
  assert.ok(host.platformLibrary.missingFunctions.includes("WHvGetVirtualProcessorState"));
  assert.equal(host.platformLibrary.missingFunctions.includes("WHvGetVirtualProcessorXsaveState"), false);
  assert.match(host.emulationLibrary.problem ?? "", /WinHvEmulation\.dll is not there/);
  assert.deepEqual(host.advice, []);
});

await runChecks(() => assert.deepEqual(platform.takeViolations(), []));
