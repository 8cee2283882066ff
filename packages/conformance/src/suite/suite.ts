/** The suite as data: every check, in the order of the report. */
import { addressTranslationChecks } from "./backend/address-translations.ts";
import { eventInjectionChecks } from "./backend/event-injections.ts";
import { extendedExitChecks } from "./backend/extended-exits.ts";
import { guestExitChecks } from "./backend/guest-exits.ts";
import { interruptControllerChecks } from "./backend/interrupt-controllers.ts";
import { memoryExitChecks } from "./backend/memory-exits.ts";
import { memoryMapChecks } from "./backend/memory-maps.ts";
import { optionalOperationChecks } from "./backend/optional-operations.ts";
import { partitionLifetimeChecks } from "./backend/partition-lifetimes.ts";
import { portExitChecks } from "./backend/port-exits.ts";
import { processorRegisterChecks } from "./backend/processor-registers.ts";
import type { ConformanceCheck } from "./check.ts";
import { callbackFailureChecks } from "./emulator/callback-failures.ts";
import { guestFaultChecks } from "./emulator/guest-faults.ts";
import { instructionByteChecks } from "./emulator/instruction-bytes.ts";
import { memoryAccessChecks } from "./emulator/memory-accesses.ts";
import { portTransferChecks } from "./emulator/port-transfers.ts";
import { refusedCallChecks } from "./emulator/refused-calls.ts";
import { repetitionChecks } from "./emulator/repetition.ts";
import { retirementChecks } from "./emulator/retirement.ts";
import { stringTransferChecks } from "./emulator/string-transfers.ts";

/** Every check of an emulator and of a backend. @public */
export const conformanceSuite: readonly ConformanceCheck[] = /* @__PURE__ */ [
  ...portTransferChecks,
  ...stringTransferChecks,
  ...memoryAccessChecks,
  ...repetitionChecks,
  ...instructionByteChecks,
  ...guestFaultChecks,
  ...retirementChecks,
  ...callbackFailureChecks,
  ...refusedCallChecks,
  ...partitionLifetimeChecks,
  ...memoryMapChecks,
  ...memoryExitChecks,
  ...portExitChecks,
  ...extendedExitChecks,
  ...guestExitChecks,
  ...processorRegisterChecks,
  ...addressTranslationChecks,
  ...eventInjectionChecks,
  ...interruptControllerChecks,
  ...optionalOperationChecks,
];
