/**
 * What the emulator answers, one method for each way of ending: the HRESULT, the status bits and, unless all went
 * well, the diagnostic. Deciding which way an emulation ends is `emulation.ts`'s.
 */
import { type E_FAIL, E_INVALIDARG, type EmulationPhase, type EmulationResult, S_OK } from "@whvkit/whv-types";
import { RegisterFile } from "@whvkit/x86-semantics";
import { describeException, makeDiagnostic } from "./diagnostic.ts";
import { ReusedResult } from "./emulation-result.ts";
import type { GuestException } from "./emulator-options.ts";
import { ExitContext } from "./exit-context.ts";
import { type EmulationReason, EmulatorStatus, type Failure } from "./failure.ts";

/** What the diagnostic wants to know of the instruction. */
export interface InstructionProgress {
  /** The bytes known so far. */
  readonly bytes: Uint8Array;
  /** Finished REP iterations. */
  readonly repCompleted: number;
}

export class Answers {
  readonly #result: ReusedResult = new ReusedResult();
  readonly #exit: ExitContext;
  readonly #failure: Failure;
  readonly #progress: InstructionProgress;

  constructor(exit: ExitContext, failure: Failure, progress: InstructionProgress) {
    this.#exit = exit;
    this.#failure = failure;
    this.#progress = progress;
  }

  /** The set callback has answered `S_OK`. */
  successful(): EmulationResult {
    return this.#result.answer(S_OK, EmulatorStatus.emulationSuccessful, null);
  }

  /** What the failure record says. */
  failed(): EmulationResult {
    return this.#answer(S_OK, this.#failure.status, null);
  }

  /** The emulator cannot carry the instruction out. */
  internal(reason: EmulationReason, phase: EmulationPhase, message: string): EmulationResult {
    this.#failure.internal(reason, phase, message);
    return this.failed();
  }

  malformed(message: string): EmulationResult {
    this.#failure.record(0, "invalid-argument", "check", message);
    return this.#answer(E_INVALIDARG, 0, null);
  }

  interruptCausedIntercept(): EmulationResult {
    const message =
      "An interrupt or exception was pending when the processor stopped: its delivery met the intercept, not an instruction.";
    this.#failure.record(EmulatorStatus.interruptCausedIntercept, "interrupt-caused-intercept", "check", message);
    return this.failed();
  }

  /** The exception is on its way to the guest; that is a success. */
  faulted(exception: GuestException, phase: EmulationPhase): EmulationResult {
    const message = `The guest takes ${describeException(exception)}.`;
    this.#failure.record(EmulatorStatus.emulationSuccessful, "guest-fault", phase, message);
    return this.#answer(S_OK, EmulatorStatus.emulationSuccessful, exception);
  }

  cannotBeFaulted(exception: GuestException, phase: EmulationPhase, because: string): EmulationResult {
    const message = `The guest should take ${describeException(exception)}, but ${because}.`;
    this.#failure.record(EmulatorStatus.guestCannotBeFaulted, "guest-cannot-be-faulted", phase, message);
    return this.#answer(S_OK, EmulatorStatus.guestCannotBeFaulted, exception);
  }

  /** Something of ours, or a hook of the caller's, threw. */
  defect(thrown: unknown): EmulationResult {
    const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    this.#failure.internal("internal-error", "execute", `The emulator, or an option's function, threw ${what}`);
    this.#failure.thrown = thrown;
    return this.failed();
  }

  #answer(hresult: number, status: number, exception: GuestException | null): EmulationResult {
    const { reason, message, phase, callback, callbackHresult, thrown } = this.#failure;
    const { bytes, repCompleted } = this.#progress;
    const parts = { reason, message, phase, bytes, repCompleted, callback, callbackHresult, thrown, exception };
    return this.#result.answer(hresult, status, makeDiagnostic(this.#exit, parts));
  }
}

const nothingKnown: InstructionProgress = { bytes: new Uint8Array(0), repCompleted: 0 };

/** An answer for a call that never reached an instruction, with a result object of its own. */
export function refusal(
  hresult: typeof E_FAIL | typeof E_INVALIDARG,
  reason: EmulationReason,
  message: string,
): EmulationResult {
  const diagnostic = makeDiagnostic(new ExitContext(new RegisterFile()), {
    reason,
    message,
    phase: "check",
    callback: null,
    callbackHresult: 0,
    thrown: undefined,
    exception: null,
    ...nothingKnown,
  });
  return new ReusedResult().answer(hresult, 0, diagnostic);
}
