/**
 * The meaning of every x86 instruction, and what runs it.
 *
 * @packageDocumentation
 */
export { Evaluator } from "./evaluator/evaluator.ts";
export type { InstructionFields } from "./evaluator/instruction-fields.ts";
export type { Program, StringOperation } from "./evaluator/program.ts";
export type { Transfer } from "./evaluator/transfer.ts";
export { families, irOf, programFor, type Support, supportOf } from "./families/meaning.ts";
export { undefinedFlagsOf } from "./families/undefined-results.ts";
export * from "./ir/builder.ts";
export { canStop, makesValue, usesOf } from "./ir/dataflow.ts";
export * from "./ir/flag.ts";
export * from "./ir/form.ts";
export { formKey, formName, formOf } from "./ir/instruction-form.ts";
export * from "./ir/operation.ts";
export { memorySegment, registerLocation, segmentLocation } from "./ir/register-location.ts";
export { verifyIr } from "./ir/verification.ts";
export { FlatMachine, type FlatMachinePorts } from "./machine/flat-machine.ts";
export * from "./machine/helper.ts";
export { type HelperRegisters, helperRegisters } from "./machine/helper-registers.ts";
export * from "./machine/machine.ts";
export * from "./machine/register-file.ts";
export { describeIr, describeProgram } from "./printer/description.ts";
export { flagNames, intervalName } from "./printer/register-names.ts";
export { RepeatDriver, type RepeatOptions } from "./repeat/repeat-driver.ts";
export * from "./system/index.ts";
export * from "./webassembly/index.ts";
