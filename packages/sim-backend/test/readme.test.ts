/** The README's example does what its comments say. */
import { simHypervisor } from "@whvkit/sim-backend";
import { WHV_MAP_GPA_RANGE_FLAGS, WHV_RUN_VP_EXIT_REASON } from "@whvkit/whv-types";
import { expect, test } from "vitest";

test("the example runs", () => {
  const partition = simHypervisor.createPartition();
  partition.setup();
  const ram = partition.allocateMemory(0x1000);
  ram.bytes.set([0xb0, 0x41, 0xe6, 0x80], 0xff0);
  const { WHvMapGpaRangeFlagRead, WHvMapGpaRangeFlagExecute } = WHV_MAP_GPA_RANGE_FLAGS;
  partition.mapGpaRange(ram, 0, 0xffff_f000, 0x1000, WHvMapGpaRangeFlagRead | WHvMapGpaRangeFlagExecute);
  const exit = partition.createVirtualProcessor(0).run();
  if (exit.exitReason !== WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess)
    throw new Error(`exit ${exit.exitReason}`);
  expect([exit.ioPortAccess.portNumber, exit.ioPortAccess.rax & 0xffn]).toEqual([0x80, 0x41n]);
});
