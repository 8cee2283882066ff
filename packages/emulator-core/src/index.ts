/**
 * The instruction emulator of the Windows Hypervisor Platform: `createEmulator`, and the documented C functions over the
 * same code.
 *
 * @packageDocumentation
 */
export {
  type Out,
  type WHvEmulatorCallbackTable,
  WHvEmulatorCreateEmulator,
  WHvEmulatorDestroyEmulator,
  type WHvEmulatorHandle,
  type WHvEmulatorStatus,
  WHvEmulatorTryIoEmulation,
  WHvEmulatorTryMmioEmulation,
} from "./emulation-functions.ts";
export { createEmulator } from "./emulator.ts";
export type { EmulatorOptions, GpaUnmappedPolicy, GuestException } from "./emulator-options.ts";
export {
  EmulatorBulkIoAccess,
  EmulatorBulkMemoryAccess,
  type EmulatorCallbackSet,
  EmulatorCompareExchange,
  EmulatorExtendedState,
  type EmulatorExtraCallbacks,
} from "./extra-callbacks.ts";
export type { EmulationReason } from "./failure.ts";
export { type ProcessorCallbacks, processorCallbacks } from "./processor-callbacks.ts";
