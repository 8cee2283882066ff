/**
 * The native Windows Hypervisor Platform: `winHypervisor` over `WinHvPlatform.dll`, `createNativeEmulator` over
 * `WinHvEmulation.dll`, the functions of both as C has them, and what this host offers. Importing loads nothing; on other
 * systems everything answers with one error that says so.
 *
 * @packageDocumentation
 */

// Whoever compiles against this package has `Symbol.dispose` without asking for it.
/// <reference lib="esnext.disposable" preserve="true" />

export { createNativeEmulator, type NativeEmulator } from "./emulator/native-emulator.ts";
export { describeHost, type HostDescription, type LibraryDescription } from "./host/describe-host.ts";
export type { WinHypervisorOptions } from "./hypervisor/run-watch.ts";
export { createWinHypervisor, type WinHypervisor, winHypervisor } from "./hypervisor/win-hypervisor.ts";
export type { WinPartition } from "./hypervisor/win-partition.ts";
export type { WinVirtualProcessor } from "./hypervisor/win-virtual-processor.ts";
export { bindWinHvEmulation, bindWinHvPlatform } from "./native/function-binding.ts";
export type { NativeLibraryOptions } from "./native/system-library.ts";
