/** The public names of this package. */
export type { ByteSink, DebugConsoleOption, GuestImage, MachineLimits, MachineOptions } from "./machine-options.ts";
export type { CallbackCounts, MachineEndReason, MachineResult, MachineStatistics } from "./machine-result.ts";
export type { Machine } from "./machine.ts";
