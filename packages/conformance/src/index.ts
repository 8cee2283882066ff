/**
 * The emulation case format and what runs a case: the library behind `whv emulate`, `whv explain` and `whv step`, for any
 * emulator and any backend.
 *
 * @packageDocumentation
 */
export {
  type CreateEmulator,
  type EmulatorCreationOptions,
  type RecordedCase,
  recordEmulations,
} from "./capture/case-recorder.ts";
export { caseFormat, caseId, readEmulationCase } from "./emulation/case-reader.ts";
export type {
  CallbackName,
  CaseIoExit,
  CaseMemoryExit,
  CaseVpContext,
  EmulationCase,
  MemoryRun,
  PageTranslation,
  StagedFailure,
} from "./emulation/emulation-case.ts";
export {
  type DiagnosticJson,
  type EmulationOutcome,
  EmulationRunner,
  type EmulatorSource,
  runEmulationCase,
} from "./emulation/emulation-run.ts";
export { type ExplanationOptions, explainEmulation } from "./explain/explanation.ts";
export { CaseMemory } from "./host/case-memory.ts";
export { type PagingState, type WalkResult, walkPageTables } from "./host/page-walk.ts";
export type {
  CallbackCall,
  FailableCall,
  IoPortCall,
  MemoryCall,
  RegistersCall,
  TranslateCall,
} from "./host/transcript.ts";
export { CaseError } from "./json/json-fields.ts";
export {
  type MooCycle,
  MooError,
  type MooFile,
  type MooRegister,
  type MooState,
  type MooTest,
  readMooFile,
} from "./moo/moo-file.ts";
export {
  type BusTransfer,
  portCaseOf,
  portTransfers,
  portTransfersOfCalls,
  portVectorDifferences,
} from "./moo/port-vector.ts";
export type { RegisterJson, RegisterWords } from "./registers/register-json.ts";
export { type MemoryRange, readStepCase, type StepCase, type StepEngine, type StepPreset } from "./step/step-case.ts";
export { type StepOutcome, type StepReport, StepRunner, type StepSource } from "./step/step-run.ts";
export {
  type BackendCheck,
  type ConformanceCheck,
  type ConformanceCheckCommon,
  Difference,
  type EmulatorCheck,
  Unsupported,
} from "./suite/check.ts";
export {
  type ComparedOutcomes,
  type ComparedPart,
  compareEmulators,
  type EmulatorComparison,
  type EmulatorDifference,
  formatComparison,
  type KnownDifference,
} from "./suite/comparison/emulator-comparison.ts";
export { nativeDifferences } from "./suite/comparison/known-differences.ts";
export {
  type CheckResult,
  type CheckStatus,
  type ConformanceCounts,
  type ConformanceReport,
  formatConformance,
} from "./suite/conformance-report.ts";
export { type ConformanceSubjects, runConformance } from "./suite/conformance-run.ts";
export { conformanceSuite } from "./suite/suite.ts";
