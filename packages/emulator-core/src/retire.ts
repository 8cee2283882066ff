/**
 * The end of an instruction that was carried out: where RIP goes, what becomes of RFLAGS.RF, the single-step trap, data
 * breakpoints and the interrupt shadow (Intel SDM volume 3, sections 6.8.3, 17.2 and 17.3). Everything is put down for the one
 * set; nothing is called here.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { Flag, Helper, type Program, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import type { DataBreakpoints } from "./data-breakpoints.ts";
import type { ResolvedOptions } from "./emulator-options.ts";
import { exceptionEvent, Vector } from "./exception-event.ts";
import type { ExitContext } from "./exit-context.ts";
import type { RegisterExchange } from "./register-exchange.ts";

const NAME = WHV_REGISTER_NAME;
const RFLAGS = RegisterOffset.rflags >> 2;

/** WHV_X64_INTERRUPT_STATE_REGISTER. */
const INTERRUPT_SHADOW = 1;
const NMI_MASKED = 2;
/** WHV_X64_PENDING_DEBUG_EXCEPTION.SingleStep; bits 0 to 3 are the breakpoints. */
const SINGLE_STEP = 1 << 4;
/** DR6.BS; bits 0 to 3 are the breakpoints. */
const DR6_BS = 1 << 14;

const NOT_ASKED = -1;

/** What an instruction may do to the state that retiring looks after. */
export interface RetireEffects {
  /** It may inhibit interrupts until after the next instruction. */
  readonly mayStartShadow: boolean;
  /** IRET: loads RF from the stack, and lets NMIs through again. */
  readonly returnsFromInterrupt: boolean;
}

export const NO_EFFECTS: RetireEffects = { mayStartShadow: false, returnsFromInterrupt: false };

export function effectsOf(program: Program): RetireEffects {
  const mayStartShadow = program.helpers.includes(Helper.inhibitInterrupts);
  const returnsFromInterrupt = program.helpers.includes(Helper.interruptReturn);
  return mayStartShadow || returnsFromInterrupt ? { mayStartShadow, returnsFromInterrupt } : NO_EFFECTS;
}

export class Retirement<Context> {
  /** The instruction inhibits interrupts and traps until after the next one (MOV SS, POP SS; STI interrupts only). */
  startsShadow = false;
  readonly #exit: ExitContext;
  readonly #registers: RegisterFile;
  readonly #exchange: RegisterExchange<Context>;
  readonly #breakpoints: DataBreakpoints<Context>;
  readonly #clearsShadow: boolean;
  readonly #trapsAsEvents: boolean;
  #returnsFromInterrupt = false;
  #endsShadow = false;
  #interruptState = NOT_ASKED;
  #dr6 = NOT_ASKED;

  constructor(
    exit: ExitContext,
    registers: RegisterFile,
    exchange: RegisterExchange<Context>,
    breakpoints: DataBreakpoints<Context>,
    options: ResolvedOptions<Context>,
  ) {
    this.#exit = exit;
    this.#registers = registers;
    this.#exchange = exchange;
    this.#breakpoints = breakpoints;
    this.#clearsShadow = options.interruptShadow;
    this.#trapsAsEvents = options.debugTraps === "event";
  }

  /** Asks in the get to come for what retiring will need. */
  prepare(effects: RetireEffects): void {
    const exit = this.#exit;
    this.startsShadow = false;
    this.#returnsFromInterrupt = effects.returnsFromInterrupt;
    this.#endsShadow = exit.interruptShadow && this.#clearsShadow;
    const asksState = this.#endsShadow || effects.mayStartShadow || effects.returnsFromInterrupt;
    this.#interruptState = asksState ? this.#exchange.alsoGet(NAME.WHvRegisterInterruptState) : NOT_ASKED;
    const asksDr6 = this.#trapsAsEvents && (exit.singleStep || this.#breakpoints.armed);
    this.#dr6 = asksDr6 ? this.#exchange.alsoGet(NAME.WHvX64RegisterDr6) : NOT_ASKED;
  }

  /**
   * Retires the instruction; {@link Retirement.prepare} has been called before the get, and the exit knows where
   * execution goes on.
   *
   * @param finished - false for a REP that stopped before its end: RIP and RF stay.
   * @param iterated - that REP has finished at least one iteration.
   */
  retire(finished: boolean, iterated: boolean): void {
    const exit = this.#exit;
    const words = this.#registers.words;
    if (finished) {
      this.#exchange.put(NAME.WHvX64RegisterRip, exit.nextRipLow, exit.nextRipHigh);
      if (exit.resume && !this.#returnsFromInterrupt) words[RFLAGS] = words[RFLAGS] & ~Flag.RF;
    }
    this.#exchange.putRflags(exit.rflagsLow, exit.rflagsHigh);
    if (finished) this.#putInterruptState();
    if (finished || iterated) this.#putDebugTraps();
    // The set is what tells the host that the emulation was successful: it is never empty.
    if (this.#exchange.count === 0) this.#exchange.put(NAME.WHvX64RegisterRip, exit.ripLow, exit.ripHigh);
  }

  #putInterruptState(): void {
    if (this.#interruptState === NOT_ASKED) return;
    const low = this.#exchange.extraLow(this.#interruptState);
    let after = low;
    if (this.startsShadow) after |= INTERRUPT_SHADOW;
    else if (this.#endsShadow) after &= ~INTERRUPT_SHADOW;
    if (this.#returnsFromInterrupt) after &= ~NMI_MASKED;
    if (after !== low || this.#endsShadow)
      this.#exchange.put(NAME.WHvRegisterInterruptState, after, this.#exchange.extraHigh(this.#interruptState));
  }

  #putDebugTraps(): void {
    const { hits } = this.#breakpoints;
    // After MOV SS and POP SS the trap is held back as interrupts are.
    const step = this.#exit.singleStep && !this.startsShadow;
    if (!step && hits === 0) return;
    if (!this.#trapsAsEvents) {
      this.#exchange.put(NAME.WHvX64RegisterPendingDebugException, hits | (step ? SINGLE_STEP : 0), 0);
      return;
    }
    const dr6 = this.#exchange.extraLow(this.#dr6) | hits | (step ? DR6_BS : 0);
    this.#exchange.put(NAME.WHvX64RegisterDr6, dr6, this.#exchange.extraHigh(this.#dr6));
    const [word0, word1] = exceptionEvent(Vector.DB, -1);
    this.#exchange.put128(NAME.WHvRegisterPendingEvent, word0, word1, 0, 0);
  }
}
