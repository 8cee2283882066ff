/**
 * The emulation case format and what runs a case: the library behind `whv emulate`, `whv explain` and `whv step`, for any
 * emulator and any backend.
 *
 * @packageDocumentation
 */
export * from "./capture/case-recorder.ts";
export * from "./emulation/case-reader.ts";
export * from "./emulation/emulation-case.ts";
export * from "./emulation/emulation-run.ts";
export * from "./explain/explanation.ts";
export * from "./host/case-host.ts";
export * from "./host/case-memory.ts";
export * from "./host/page-walk.ts";
export * from "./host/transcript.ts";
export { CaseError, JsonFields } from "./json/json-fields.ts";
export * from "./moo/moo-file.ts";
export * from "./moo/port-vector.ts";
export * from "./registers/extended-register.ts";
export type { RegisterJson, RegisterWords, SegmentJson } from "./registers/register-json.ts";
export * from "./step/step-case.ts";
export * from "./step/step-run.ts";
