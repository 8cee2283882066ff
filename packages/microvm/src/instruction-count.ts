/**
 * What a backend may offer beyond the platform: a virtual processor that counts its instructions and stops after a
 * given number of them. `@whvkit/sim-backend` does; the native hypervisor does not.
 */
import type { VirtualProcessor } from "@whvkit/whv-types";

/** A virtual processor that counts instructions. @public */
export interface CountingProcessor extends VirtualProcessor {
  /** Instructions completed since the processor was made; those that an emulator finished are not among them. */
  readonly instructionsRetired: number;
  /**
   * How many instructions the next `run` may complete before it answers `WHvRunVpExitReasonCanceled`; `Infinity` for
   * no limit.
   */
  instructionBudget: number;
}

/** The processor as one that counts, or `null`. */
export function countingProcessor(processor: VirtualProcessor): CountingProcessor | null {
  return "instructionsRetired" in processor && "instructionBudget" in processor
    ? (processor as CountingProcessor)
    : null;
}
