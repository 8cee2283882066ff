/**
 * The option `recheckEnables`: has the guest enabled the state that a vector instruction needs? A processor checked that
 * before it stopped; for callers that emulate without one, it is checked here, at the cost of a get of its own (Intel SDM
 * volume 3, sections 2.5, 2.6 and 14.1; volume 2, section 2.4).
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { Abort, Cr0, Cr4, type GuestFault, type RequiredState, Vector } from "@whvkit/x86-semantics";
import type { ExitContext } from "./exit-context.ts";
import type { RegisterExchange } from "./register-exchange.ts";

const NAME = WHV_REGISTER_NAME;

/** XCR0: XMM and YMM state; and with opmasks, upper ZMM halves and ZMM16 to ZMM31. */
const XCR0_AVX = 0x6;
const XCR0_AVX512 = 0xe6;

export class VectorEnables<Context> {
  readonly #exit: ExitContext;
  readonly #exchange: RegisterExchange<Context>;
  readonly #fault: GuestFault;

  constructor(exit: ExitContext, exchange: RegisterExchange<Context>, fault: GuestFault) {
    this.#exit = exit;
    this.#exchange = exchange;
    this.#fault = fault;
  }

  /** Raises #UD where the state is not enabled, #NM where it belongs to another task. */
  check(required: RequiredState): number {
    const exchange = this.#exchange;
    exchange.forgetExtra();
    const cr0Number = exchange.alsoGet(NAME.WHvX64RegisterCr0);
    const cr4Number = exchange.alsoGet(NAME.WHvX64RegisterCr4);
    const xcr0Number = exchange.alsoGet(NAME.WHvX64RegisterXCr0);
    if (!exchange.fetchExtra()) return Abort.host;
    const cr0 = exchange.extraLow(cr0Number);
    const cr4 = exchange.extraLow(cr4Number);
    const xcr0 = exchange.extraLow(xcr0Number);
    exchange.forgetExtra();
    if (!this.#enabled(required, cr0, cr4, xcr0)) return this.#raise(Vector.UD);
    return (cr0 & Cr0.TS) !== 0 ? this.#raise(Vector.NM) : Abort.none;
  }

  #enabled(required: RequiredState, cr0: number, cr4: number, xcr0: number): boolean {
    switch (required) {
      case "mmx":
        return (cr0 & Cr0.EM) === 0;
      case "sse":
        return (cr0 & Cr0.EM) === 0 && (cr4 & Cr4.OSFXSR) !== 0;
      default: {
        // VEX and EVEX exist in protected mode only.
        const state = required === "avx" ? XCR0_AVX : XCR0_AVX512;
        const { protectedMode, virtual8086 } = this.#exit;
        return protectedMode && !virtual8086 && (cr4 & Cr4.OSXSAVE) !== 0 && (xcr0 & state) === state;
      }
    }
  }

  #raise(vector: number): number {
    this.#fault.vector = vector;
    this.#fault.errorCode = -1;
    return Abort.fault;
  }
}
