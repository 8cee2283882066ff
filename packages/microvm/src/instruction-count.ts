/**
 * What a backend may offer beyond the platform: a virtual processor that counts its instructions, and that stops after
 * a given number of them. `@whvkit/sim-backend` does; the native hypervisor does not.
 */
import type { VirtualProcessor } from "@whvkit/whv-types";

/**
 * A virtual processor that counts instructions. Its `run` answers `WHvRunVpExitReasonCanceled` now and then, so that
 * time can go on for a guest that computes without exits.
 *
 * @public
 */
export interface CountingProcessor extends VirtualProcessor {
  /** Instructions completed since the processor was made; those that an emulator finished are not among them. */
  readonly instructionCount: number;
  /**
   * How many instructions the next `run` may complete before it answers `WHvRunVpExitReasonCanceled`, 1 or more. On a
   * processor without it the backend decides, and limits are noticed as late as that.
   */
  instructionBudget?: number;
}

/** The processor as one that counts, or `null`. */
export function countingProcessor(processor: VirtualProcessor): CountingProcessor | null {
  return "instructionCount" in processor ? (processor as CountingProcessor) : null;
}
