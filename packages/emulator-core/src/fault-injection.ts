/**
 * Giving the guest an exception that the emulated instruction raised: can it be given, and in which registers. What the
 * registers of finished REP iterations are has been put down before; the set itself is `emulator.ts`'s.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { Flag, type GuestFault, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import type { GuestException, ResolvedOptions } from "./emulator-options.ts";
import { exceptionEvent, pendingInterruption, Vector } from "./exception-event.ts";
import type { ExitContext } from "./exit-context.ts";
import type { RegisterExchange } from "./register-exchange.ts";

const NAME = WHV_REGISTER_NAME;
const RFLAGS = RegisterOffset.rflags >> 2;

/** #PF error code: the access was an instruction fetch. */
const PF_FETCH = 1 << 4;
const CR4_SMEP = 1 << 20;
const CR4_PAE = 1 << 5;
const EFER_NXE = 1 << 11;

/** Answers of {@link FaultInjection.inject}. */
export const InjectionOutcome = {
  /** Everything is put down for the set. */
  ready: 0,
  /** The get callback failed. */
  host: 1,
  /** An event is pending already. */
  eventPending: 2,
  /** The caller's hook said no. */
  refused: 3,
} as const;

export class FaultInjection<Context> {
  /** The exception as it was last given. */
  exception: GuestException = { vector: 0, errorCode: null, cr2: null };
  readonly #exit: ExitContext;
  readonly #registers: RegisterFile;
  readonly #exchange: RegisterExchange<Context>;
  readonly #fault: GuestFault;
  readonly #options: ResolvedOptions<Context>;

  constructor(
    exit: ExitContext,
    registers: RegisterFile,
    exchange: RegisterExchange<Context>,
    fault: GuestFault,
    options: ResolvedOptions<Context>,
  ) {
    this.#exit = exit;
    this.#registers = registers;
    this.#exchange = exchange;
    this.#fault = fault;
    this.#options = options;
  }

  /** Asks whether an event is pending, and puts the exception down. */
  inject(context: Context): number {
    const exchange = this.#exchange;
    const fault = this.#fault;
    const usesPendingEvent = this.#options.eventForm === "pending-event";
    const isFetch = fault.vector === Vector.PF && (fault.errorCode & PF_FETCH) !== 0;
    exchange.forgetExtra();
    const interruption = exchange.alsoGet(NAME.WHvRegisterPendingInterruption);
    const event = usesPendingEvent ? exchange.alsoGet(NAME.WHvRegisterPendingEvent) : interruption;
    const cr4 = isFetch ? exchange.alsoGet(NAME.WHvX64RegisterCr4) : 0;
    const efer = isFetch ? exchange.alsoGet(NAME.WHvX64RegisterEfer) : 0;
    if (!exchange.fetchExtra()) return InjectionOutcome.host;
    const pending = ((exchange.extraLow(interruption) | exchange.extraLow(event)) & 1) !== 0;
    // The fetch bit is reported only where a page can forbid fetches (SDM volume 3, section 4.7).
    if (isFetch && !forbidsFetches(exchange.extraLow(cr4), exchange.extraLow(efer))) fault.errorCode &= ~PF_FETCH;
    this.exception = this.#describe();
    if (pending) return InjectionOutcome.eventPending;
    if (this.#options.canFault !== null && !this.#options.canFault(context, this.exception))
      return InjectionOutcome.refused;
    this.#put(usesPendingEvent);
    return InjectionOutcome.ready;
  }

  #describe(): GuestException {
    const { vector, errorCode, cr2Low, cr2High } = this.#fault;
    const cr2 = vector === Vector.PF ? (BigInt(cr2High >>> 0) << 32n) | BigInt(cr2Low >>> 0) : null;
    return { vector, errorCode: this.#pushesErrorCode() ? errorCode : null, cr2 };
  }

  /** Real mode pushes no error codes. */
  #pushesErrorCode(): boolean {
    return this.#fault.errorCode >= 0 && this.#exit.protectedMode;
  }

  #put(usesPendingEvent: boolean): void {
    const exchange = this.#exchange;
    const { vector, errorCode, cr2Low, cr2High } = this.#fault;
    const isPageFault = vector === Vector.PF;
    const pushed = this.#pushesErrorCode() ? errorCode : -1;
    // The image of RFLAGS that a fault saves has RF set, so that instruction breakpoints do not repeat (section 17.3.1.1).
    const words = this.#registers.words;
    words[RFLAGS] = words[RFLAGS] | Flag.RF;
    exchange.putRflags(this.#exit.rflagsLow, this.#exit.rflagsHigh);
    if (usesPendingEvent) {
      const [word0, word1] = exceptionEvent(vector, pushed);
      exchange.put128(NAME.WHvRegisterPendingEvent, word0, word1, isPageFault ? cr2Low : 0, isPageFault ? cr2High : 0);
      return;
    }
    if (isPageFault) exchange.put(NAME.WHvX64RegisterCr2, cr2Low, cr2High);
    const [word0, word1] = pendingInterruption(vector, pushed);
    exchange.put(NAME.WHvRegisterPendingInterruption, word0, word1);
  }
}

function forbidsFetches(cr4: number, efer: number): boolean {
  return (cr4 & CR4_SMEP) !== 0 || ((cr4 & CR4_PAE) !== 0 && (efer & EFER_NXE) !== 0);
}
