/**
 * How a machine's run ended, and what it cost: the reasons, their exit statuses and the statistics. Only types and the
 * rule that turns a reason into an exit status live here.
 */
import type { EmulationDiagnostic } from "@whvkit/whv-types";

/**
 * Why a run ended.
 *
 * - `shutdown`: the guest asked for power-off (ACPI S5 through the PM1 control port).
 * - `debug-exit`: the guest wrote a value to the debug-exit port.
 * - `until`: the console showed what `limits.until` waited for.
 * - `instruction-limit`, `timeout`: a limit was reached.
 * - `halted`: HLT, and nothing is left that could wake the processor.
 * - `triple-fault`: the processor could not deliver an exception.
 * - `emulation-failure`: the emulator could not finish an exit; `diagnostic` says why.
 * - `unexpected-exit`: the backend stopped with an exit that this machine does not know how to finish.
 *
 * @public
 */
export type MachineEndReason =
  | "shutdown"
  | "debug-exit"
  | "until"
  | "instruction-limit"
  | "timeout"
  | "halted"
  | "triple-fault"
  | "emulation-failure"
  | "unexpected-exit";

/** How a run ended, before it is counted up. */
export interface MachineEnd {
  readonly reason: MachineEndReason;
  readonly message: string;
  readonly debugExitValue: number | null;
  readonly diagnostic: EmulationDiagnostic | null;
}

/** How often the emulator called back, by callback. @public */
export interface CallbackCounts {
  /** Port accesses. */
  readonly ioPort: number;
  /** Guest-physical accesses: devices, RAM operands, instruction fetch. */
  readonly memory: number;
  /** Register reads, several registers each. */
  readonly getVirtualProcessorRegisters: number;
  /** Register writes: one for each emulation that succeeded. */
  readonly setVirtualProcessorRegisters: number;
  /** Page translations. */
  readonly translateGvaPage: number;
}

/** What a run cost. @public */
export interface MachineStatistics {
  /** Exits by `WHV_RUN_VP_EXIT_REASON` name without the prefix (`"X64IoPortAccess"`), in order of first occurrence. */
  readonly exits: Readonly<Record<string, number>>;
  /** All exits together. */
  readonly exitCount: number;
  /** Exits that the emulator finished: port instructions, and instructions with memory operands. */
  readonly emulations: { readonly io: number; readonly mmio: number };
  /** The emulator's callbacks. */
  readonly callbacks: CallbackCounts;
  /** Interrupts injected. */
  readonly interrupts: number;
  /** Guest instructions that the backend ran (those that the emulator finished included), or `null` where it does not count. */
  readonly instructions: number | null;
  /** Guest time that went by, in nanoseconds. */
  readonly guestNanoseconds: number;
  /** Seconds by the host's clock spent inside `run` and `runSlice`. */
  readonly seconds: number;
}

/** The answer of a finished run. @public */
export interface MachineResult {
  /** Why it ended. */
  readonly reason: MachineEndReason;
  /** One sentence for people. */
  readonly message: string;
  /** 0 shutdown or `until`; `2 * v + 1` for debug-exit value v; 124 limits; 1 the guest failed. */
  readonly exitStatus: number;
  /** The value written to the debug-exit port, else `null`. */
  readonly debugExitValue: number | null;
  /** Why the emulation failed, where one did. */
  readonly diagnostic: EmulationDiagnostic | null;
  /** What it cost. */
  readonly statistics: MachineStatistics;
}

/** The exit status that a reason stands for; `value` is what the guest wrote to the debug-exit port. */
export function exitStatusOf(reason: MachineEndReason, value: number): number {
  switch (reason) {
    case "shutdown":
    case "until":
      return 0;
    case "debug-exit":
      return 2 * value + 1;
    case "instruction-limit":
    case "timeout":
      return 124;
    default:
      return 1;
  }
}
