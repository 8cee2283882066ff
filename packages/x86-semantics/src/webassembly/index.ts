/**
 * The compiler of the representation to WebAssembly: a handler per instruction form, and the emitter that handlers and
 * compiled regions share.
 */
export { type EmitterTarget, emitInstruction } from "./emitter.ts";
export { type FieldSource, KnownFields, RecordFields, StateBase } from "./field-source.ts";
export { expandFlags, type FlagGroup, hasCount, writtenFlags } from "./flag-expansion.ts";
export {
  type FormsInstance,
  type HandlerTable,
  instantiateForms,
  type LinearMemory,
  loadForms,
} from "./forms-instance.ts";
export { type CompileOptions, compileForms } from "./forms-module.ts";
export {
  IMPORT_MEMORY,
  IMPORT_MODULE,
  IMPORT_NAMES,
  type ImportName,
  importMachine,
  MachineAccess,
  type MachineImports,
  machineFunctions,
  type Push,
} from "./machine-access.ts";
export { Code, type FunctionReference, type FunctionType, type Label, type Local, LocalScope } from "./module/code.ts";
export type { LaneName, LoadName, PlainName, StoreName, ValueType } from "./module/instruction-set.ts";
export { type MemoryLimits, ModuleWriter } from "./module/module.ts";
export { RECORD_SIZE, RecordOffset, writeRecord } from "./record.ts";
export { flagsFormula, type RoutineName, Routines } from "./routines.ts";
export { ADDRESS_TYPE, ProcessorState, STATE_SIZE, StateOffset } from "./state-layout.ts";
