/** What can be chosen when a simulated partition is made, beyond the platform's properties. */

import type { SimEngine } from "../engine/engine-choice.ts";
import type { CpuidResult } from "../processor/cpu-model.ts";

/**
 * Options of `simHypervisor.createPartition`.
 *
 * @public
 */
export interface SimPartitionOptions {
  /**
   * Bytes that guest memory and the simulator's tables may take together; a multiple of 64 KiB up to 2 GiB - 64 KiB.
   * Address space is taken at once, memory only as it is touched. Default: 1 GiB.
   */
  readonly memoryCapacity?: number;
  /**
   * Instructions after which `run` answers Canceled, so that a host can look at its timers; 1 or more, `Infinity` for no
   * limit. The native platform has nothing like it: there a host cancels from another thread. Default: 100,000.
   */
  readonly instructionBudget?: number;
  /**
   * Leave InstructionBytes and their count out of exits, as the native hypervisor may. Default: false.
   */
  readonly omitInstructionBytes?: boolean;
  /** What runs instructions. Default: `"auto"`. */
  readonly engine?: SimEngine;
  /** CPUID results that replace the model's (`WHvPartitionPropertyCodeCpuidResultList`). */
  readonly cpuidResults?: readonly CpuidResult[];
  /**
   * Leaves that exit when ExtendedVmExits.X64CpuidExit is set (`WHvPartitionPropertyCodeCpuidExitList`). Default: all.
   */
  readonly cpuidExitList?: readonly number[];
}
