/**
 * The vocabulary of the Windows Hypervisor Platform: every enum, structure, flag and HRESULT, byte-exact views of the
 * native layouts, and the interfaces that backends and emulators compose through. Imports nothing, does nothing when
 * imported.
 *
 * @packageDocumentation
 */
export * from "./enums/index.ts";
export * from "./functions/index.ts";
export * from "./hresults.ts";
export * from "./names/emulator-status.ts";
export * from "./names/register-name.ts";
export * from "./platform/emulator.ts";
export * from "./platform/exit.ts";
export * from "./platform/hypervisor.ts";
export type * from "./platform/partition-operations.ts";
export type * from "./platform/processor-operations.ts";
export * from "./registers/register-form.ts";
export * from "./registers/register-values.ts";
export * from "./structures/index.ts";
