/**
 * What one call of the native emulator answers, in the form that every emulator of whvkit has: the status by number and by
 * name, and a diagnostic of what can be known from outside.
 */
import {
  describeStatus,
  E_INVALIDARG,
  type EmulationDiagnostic,
  type EmulationPhase,
  type EmulationResult,
  hresultMessage,
  S_OK,
  type VpExitContextView,
} from "@whvkit/whv-types";
import type { CallbackFailure } from "./callback-failure.ts";

/** Bits of `WHV_EMULATOR_STATUS` (WinHvEmulation.h), in the order of the header. */
const SUCCESSFUL = 1 << 0;
const NOT_ALIGNED = 1 << 5;
const INTERRUPT_CAUSED_INTERCEPT = 1 << 8;
const GUEST_CANNOT_BE_FAULTED = 1 << 9;

export class NativeResult implements EmulationResult {
  hresult = 0;
  statusBits = 0;
  diagnostic: EmulationDiagnostic | null = null;

  get emulationSuccessful(): boolean {
    return (this.statusBits & SUCCESSFUL) !== 0;
  }

  get internalEmulationFailure(): boolean {
    return (this.statusBits & (1 << 1)) !== 0;
  }

  get ioPortCallbackFailed(): boolean {
    return (this.statusBits & (1 << 2)) !== 0;
  }

  get memoryCallbackFailed(): boolean {
    return (this.statusBits & (1 << 3)) !== 0;
  }

  get translateGvaPageCallbackFailed(): boolean {
    return (this.statusBits & (1 << 4)) !== 0;
  }

  get translateGvaPageCallbackGpaIsNotAligned(): boolean {
    return (this.statusBits & NOT_ALIGNED) !== 0;
  }

  get getVirtualProcessorRegistersCallbackFailed(): boolean {
    return (this.statusBits & (1 << 6)) !== 0;
  }

  get setVirtualProcessorRegistersCallbackFailed(): boolean {
    return (this.statusBits & (1 << 7)) !== 0;
  }

  get interruptCausedIntercept(): boolean {
    return (this.statusBits & INTERRUPT_CAUSED_INTERCEPT) !== 0;
  }

  get guestCannotBeFaulted(): boolean {
    return (this.statusBits & GUEST_CANNOT_BE_FAULTED) !== 0;
  }
}

/** What is known of the instruction. */
export interface InstructionKnown {
  readonly vpContext: VpExitContextView | null;
  readonly bytes: Uint8Array;
}

/** Refused before native code was asked. */
export function refusal(hresult: number, reason: "invalid-argument" | "re-entered", message: string): NativeResult {
  const result = new NativeResult();
  result.hresult = hresult;
  const nothing: InstructionKnown = { vpContext: null, bytes: new Uint8Array(0) };
  result.diagnostic = makeDiagnostic(nothing, reason, "check", message, null);
  return result;
}

/** Whether there is nothing to say. */
export function isSuccess(hresult: number, statusBits: number): boolean {
  return hresult === S_OK && statusBits === SUCCESSFUL;
}

/** Why an emulation was not successful, as far as HRESULT, status and callbacks tell. */
export function diagnose(
  hresult: number,
  statusBits: number,
  failure: CallbackFailure,
  known: InstructionKnown,
): EmulationDiagnostic {
  if (failure.happened) return makeDiagnostic(known, "callback-failed", failure.phase, failure.message, failure);
  if (hresult !== S_OK) {
    const reason = hresult === E_INVALIDARG ? "invalid-argument" : "native-failure";
    return makeDiagnostic(known, reason, "check", `WinHvEmulation.dll answered ${hresultMessage(hresult)}`, null);
  }
  const message = `WinHvEmulation.dll answered the status ${describeStatus(statusBits)}`;
  if ((statusBits & NOT_ALIGNED) !== 0)
    return makeDiagnostic(known, "translation-not-aligned", "translate", message, null);
  if ((statusBits & INTERRUPT_CAUSED_INTERCEPT) !== 0)
    return makeDiagnostic(known, "interrupt-caused-intercept", "check", message, null);
  if ((statusBits & GUEST_CANNOT_BE_FAULTED) !== 0)
    return makeDiagnostic(known, "guest-cannot-be-faulted", "execute", message, null);
  return makeDiagnostic(known, "native-failure", "execute", message, null);
}

function makeDiagnostic(
  { vpContext, bytes }: InstructionKnown,
  reason: string,
  phase: EmulationPhase,
  message: string,
  failure: CallbackFailure | null,
): EmulationDiagnostic {
  return {
    reason,
    message,
    phase,
    bytes: bytes.slice(),
    text: null,
    rip: vpContext?.rip ?? 0n,
    mode: vpContext === null ? 16 : bitness(vpContext),
    repCompleted: 0,
    callback: failure?.callback ?? null,
    callbackHresult: failure?.hresult ?? 0,
    thrown: failure?.thrown,
    exception: null,
  };
}

/** CS.L counts only in long mode (Intel SDM volume 3, section 5.2.1). */
function bitness({ executionState, cs }: VpExitContextView): 16 | 32 | 64 {
  if (executionState.eferLma && cs.long) return 64;
  return cs.default ? 32 : 16;
}
