/**
 * Why the emulation under way cannot go on: one record per emulator, filled at the place that knows, read once when the
 * call answers. Nothing here decides what happens next.
 */
import {
  type EmulationPhase,
  type EmulationResult,
  type EmulatorCallbacks,
  WHV_EMULATOR_STATUS_EMULATION_SUCCESSFUL,
  WHV_EMULATOR_STATUS_GET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK_FAILED,
  WHV_EMULATOR_STATUS_GUEST_CANNOT_BE_FAULTED,
  WHV_EMULATOR_STATUS_INTERNAL_EMULATION_FAILURE,
  WHV_EMULATOR_STATUS_INTERRUPT_CAUSED_INTERCEPT,
  WHV_EMULATOR_STATUS_IO_PORT_CALLBACK_FAILED,
  WHV_EMULATOR_STATUS_MEMORY_CALLBACK_FAILED,
  WHV_EMULATOR_STATUS_SET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK_FAILED,
  WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_FAILED,
  WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_IS_NOT_ALIGNED,
} from "@whvkit/whv-types";

/** Bits of `WHV_EMULATOR_STATUS.AsUINT32`, under the names that results have for them. */
export const EmulatorStatus: Readonly<Record<EmulatorStatusName, number>> = {
  emulationSuccessful: WHV_EMULATOR_STATUS_EMULATION_SUCCESSFUL,
  internalEmulationFailure: WHV_EMULATOR_STATUS_INTERNAL_EMULATION_FAILURE,
  ioPortCallbackFailed: WHV_EMULATOR_STATUS_IO_PORT_CALLBACK_FAILED,
  memoryCallbackFailed: WHV_EMULATOR_STATUS_MEMORY_CALLBACK_FAILED,
  translateGvaPageCallbackFailed: WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_FAILED,
  translateGvaPageCallbackGpaIsNotAligned: WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_IS_NOT_ALIGNED,
  getVirtualProcessorRegistersCallbackFailed: WHV_EMULATOR_STATUS_GET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK_FAILED,
  setVirtualProcessorRegistersCallbackFailed: WHV_EMULATOR_STATUS_SET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK_FAILED,
  interruptCausedIntercept: WHV_EMULATOR_STATUS_INTERRUPT_CAUSED_INTERCEPT,
  guestCannotBeFaulted: WHV_EMULATOR_STATUS_GUEST_CANNOT_BE_FAULTED,
};
type EmulatorStatusName = Exclude<keyof EmulationResult, "hresult" | "statusBits" | "diagnostic">;

/**
 * The codes that `EmulationDiagnostic.reason` takes. They are stable: scripts may compare them.
 *
 * @public
 */
export type EmulationReason =
  /** The handle or a context is malformed: the call answered `E_INVALIDARG`. */
  | "invalid-argument"
  /** The emulator was called from one of its own callbacks: `E_FAIL`. */
  | "re-entered"
  /** An event was pending when the processor stopped; there is nothing to emulate. */
  | "interrupt-caused-intercept"
  /** A callback did not answer `S_OK`, or threw. */
  | "callback-failed"
  /** The translate callback answered a page address that is no multiple of 4096. */
  | "translation-not-aligned"
  /** The translate callback answered a result code or an address that `WHvTranslateGva` cannot answer. */
  | "translation-invalid"
  /** The translation hit an intercept of the hypervisor, about which the callback cannot tell more. */
  | "translation-intercepted"
  /** The bytes are no instruction in this mode. */
  | "invalid-encoding"
  /** A valid instruction that the emulator does not know how to carry out. */
  | "unsupported-instruction"
  /** The instruction needs registers that the five callbacks do not reach. */
  | "unreachable-registers"
  /** The instruction needs an operation that the five callbacks do not reach. */
  | "unreachable-operation"
  /** The instruction has no memory operand, so the exit cannot be its. */
  | "no-memory-operand"
  /** The instruction at RIP is not the port instruction that the exit describes. */
  | "instruction-mismatch"
  /** Rip or Rflags of the exit differ from the processor's registers (option `verifyExitContext`). */
  | "exit-context-mismatch"
  /** The guest takes an exception; the emulation was successful. */
  | "guest-fault"
  /** The guest should take an exception, but cannot. */
  | "guest-cannot-be-faulted"
  /** The optional compareExchange callback never succeeded. */
  | "exchange-contended"
  /** The emulator, or a function of an option, threw. */
  | "internal-error";

/** The record. Reused; it counts only after an emulation that says so. */
export class Failure {
  /** A bit of {@link EmulatorStatus}. */
  status = 0;
  reason: EmulationReason = "internal-error";
  message = "";
  phase: EmulationPhase = "check";
  callback: keyof EmulatorCallbacks | null = null;
  callbackHresult = 0;
  thrown: unknown = undefined;

  record(status: number, reason: EmulationReason, phase: EmulationPhase, message: string): void {
    this.status = status;
    this.reason = reason;
    this.phase = phase;
    this.message = message;
    this.callback = null;
    this.callbackHresult = 0;
    this.thrown = undefined;
  }

  /** The emulator itself cannot go on. */
  internal(reason: EmulationReason, phase: EmulationPhase, message: string): void {
    this.record(EmulatorStatus.internalEmulationFailure, reason, phase, message);
  }

  /** `callback` answered `answer`, which is not `S_OK`; `question` says in words what it was asked. */
  callbackAnswered(
    callback: keyof EmulatorCallbacks,
    status: number,
    phase: EmulationPhase,
    answer: unknown,
    question: string,
  ): void {
    const hresult = typeof answer === "number" ? answer >>> 0 : E_FAIL;
    const answered =
      typeof answer === "number"
        ? `0x${hresult.toString(16).padStart(8, "0")}`
        : `${describeAnswer(answer)} instead of an HRESULT`;
    this.record(status, "callback-failed", phase, `The ${callback} callback answered ${answered} to ${question}.`);
    this.callback = callback;
    this.callbackHresult = hresult;
  }

  /** `callback` threw. */
  callbackThrew(
    callback: keyof EmulatorCallbacks,
    status: number,
    phase: EmulationPhase,
    thrown: unknown,
    question: string,
  ): void {
    const message = `The ${callback} callback threw when asked for ${question}: ${describeThrown(thrown)}`;
    this.record(status, "callback-failed", phase, message);
    this.callback = callback;
    this.callbackHresult = E_FAIL;
    this.thrown = thrown;
  }
}

/** What a callback that threw or answered no number counts as having answered. */
const E_FAIL = 0x80004005;

function describeAnswer(answer: unknown): string {
  if (typeof answer === "object" && answer !== null && "then" in answer) return "a promise (callbacks are synchronous)";
  return String(answer);
}

function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** A 64-bit address in halves, in hexadecimal. */
export function hexOfHalves(low: number, high: number): string {
  const lowText = (low >>> 0).toString(16);
  return high === 0 ? `0x${lowText}` : `0x${(high >>> 0).toString(16)}${lowText.padStart(8, "0")}`;
}
