// A partition in software runs two instructions and exits on a port.
import { simHypervisor } from "@whvkit/sim-backend";
import { WHV_MAP_GPA_RANGE_FLAGS, WHV_RUN_VP_EXIT_REASON } from "@whvkit/whv-types";

const partition = simHypervisor.createPartition();
partition.setup();
const ram = partition.allocateMemory(0x1000);
ram.bytes.set([0xb0, 0x41, 0xe6, 0x80], 0xff0); // mov al, 'A'; out 0x80, al
const { WHvMapGpaRangeFlagRead, WHvMapGpaRangeFlagExecute } = WHV_MAP_GPA_RANGE_FLAGS;
partition.mapGpaRange(ram, 0, 0xffff_f000, 0x1000, WHvMapGpaRangeFlagRead | WHvMapGpaRangeFlagExecute);
const exit = partition.createVirtualProcessor(0).run();
if (exit.exitReason !== WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess) throw new Error("not a port exit");
console.log(exit.ioPortAccess.portNumber, (exit.ioPortAccess.rax & 0xffn).toString(16));
partition.dispose();
