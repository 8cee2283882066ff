/** The simulator as a hypervisor: what it is capable of, and how partitions are made. */

import {
  WHV_CAPABILITY_CODE as Code,
  WHV_E_UNKNOWN_CAPABILITY,
  WHV_PROCESSOR_VENDOR,
  WhvError,
} from "@whvkit/whv-types";
import { PHYSICAL_ADDRESS_BITS } from "../memory/page-walk.ts";
import type { SimHypervisor, SimPartition } from "../sim-platform.ts";
import type { SimPartitionOptions } from "./partition-options.ts";
import { CLOCK_FREQUENCY, EXCEPTION_EXITS, EXTENDED_EXITS, MSR_EXITS } from "./partition-properties.ts";
import { SimulatedPartition } from "./simulated-partition.ts";

/** PartialUnmap and DirtyPageTracking of `WHV_CAPABILITY_FEATURES`. */
const FEATURES = 0b1001n;

const capabilities = new Map<number, bigint>([
  [Code.WHvCapabilityCodeHypervisorPresent, 1n],
  [Code.WHvCapabilityCodeFeatures, FEATURES],
  [Code.WHvCapabilityCodeExtendedVmExits, EXTENDED_EXITS],
  [Code.WHvCapabilityCodeExceptionExitBitmap, EXCEPTION_EXITS],
  [Code.WHvCapabilityCodeX64MsrExitBitmap, MSR_EXITS],
  [Code.WHvCapabilityCodeProcessorVendor, BigInt(WHV_PROCESSOR_VENDOR.WHvProcessorVendorAmd)],
  [Code.WHvCapabilityCodeProcessorClFlushSize, 8n],
  [Code.WHvCapabilityCodeProcessorClockFrequency, CLOCK_FREQUENCY],
  [Code.WHvCapabilityCodeInterruptClockFrequency, CLOCK_FREQUENCY],
  [Code.WHvCapabilityCodePhysicalAddressWidth, BigInt(PHYSICAL_ADDRESS_BITS)],
]);

/**
 * The hypervisor in software. It needs nothing of its host but JavaScript and runs wherever that does.
 *
 * @example
 * ```ts
 * import { simHypervisor } from "@whvkit/sim-backend";
 * import { WHV_MAP_GPA_RANGE_FLAGS, WHV_RUN_VP_EXIT_REASON } from "@whvkit/whv-types";
 * const partition = simHypervisor.createPartition();
 * partition.setup();
 * const ram = partition.allocateMemory(0x1000);
 * ram.bytes.set([0xf4], 0xff0); // hlt, where the processor starts
 * const { WHvMapGpaRangeFlagRead, WHvMapGpaRangeFlagExecute } = WHV_MAP_GPA_RANGE_FLAGS;
 * partition.mapGpaRange(ram, 0, 0xffff_f000, 0x1000, WHvMapGpaRangeFlagRead | WHvMapGpaRangeFlagExecute);
 * const exit = partition.createVirtualProcessor(0).run();
 * exit.exitReason === WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Halt; // true
 * ```
 *
 * @public
 */
export const simHypervisor: SimHypervisor = {
  name: "sim",
  getCapability(code: number): bigint {
    const value = capabilities.get(code);
    if (value === undefined) throw new WhvError("WHvGetCapability", WHV_E_UNKNOWN_CAPABILITY, `code ${code}`);
    return value;
  },
  createPartition(options: SimPartitionOptions = {}): SimPartition {
    return new SimulatedPartition(options);
  },
};
