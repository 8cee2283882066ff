/**
 * The meaning of every x86 instruction, and what runs it.
 *
 * @packageDocumentation
 */
export * from "./machine/helper.ts";
export * from "./machine/machine.ts";
export * from "./machine/register-file.ts";
export * from "./ir/flag.ts";
export * from "./ir/form.ts";
export * from "./ir/operation.ts";
export * from "./ir/builder.ts";
