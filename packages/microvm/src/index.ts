/** The public names of this package. */
export { createMachine } from "./create-machine.ts";
export { DEMO_INPUT, demoGuest, tripleFaultGuest } from "./guest/guests.ts";
export type { CountingProcessor } from "./instruction-count.ts";

export type { Machine } from "./machine.ts";
export type {
  ByteSink,
  DebugConsoleOption,
  GuestImage,
  MachineEmulatorOptions,
  MachineLimits,
  MachineOptions,
} from "./machine-options.ts";
export type { CallbackCounts, MachineEndReason, MachineResult, MachineStatistics } from "./machine-result.ts";
