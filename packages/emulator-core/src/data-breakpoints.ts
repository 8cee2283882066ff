/**
 * Data breakpoints (DR0 to DR3 with DR7; Intel SDM volume 3, section 17.2.4 and 17.3.1.2): which of them the accesses of
 * this instruction hit. They are traps: `retire.ts` reports the hits after the instruction. Only with the option
 * `dataBreakpoints`, and only while the exit says that debug registers are active.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { Intent } from "@whvkit/x86-semantics";
import type { ExitContext } from "./exit-context.ts";
import type { RegisterExchange } from "./register-exchange.ts";

/** DR7 R/W fields. */
const ON_WRITE = 1;
const ON_READ_OR_WRITE = 3;

/** DR7 LEN fields: bytes by code. */
const LENGTHS = [1, 2, 8, 4] as const;

const NAME = WHV_REGISTER_NAME;

export class DataBreakpoints<Context> {
  /** True while accesses have to be compared. */
  armed = false;
  /** Bits 0 to 3: the breakpoints hit so far. */
  hits = 0;
  readonly #exit: ExitContext;
  readonly #exchange: RegisterExchange<Context>;
  readonly #enabled: boolean;
  #dr7 = 0;
  #number = 0;
  /** First byte that each breakpoint watches. */
  readonly #addresses: Float64Array = new Float64Array(4);

  /** @param enabled - option `dataBreakpoints`. */
  constructor(exit: ExitContext, exchange: RegisterExchange<Context>, enabled: boolean) {
    this.#exit = exit;
    this.#exchange = exchange;
    this.#enabled = enabled;
  }

  /** Asks for the debug registers in the get to come, where they count. */
  prepare(): void {
    this.hits = 0;
    this.armed = this.#enabled && this.#exit.debugActive;
    if (!this.armed) return;
    this.#number = this.#exchange.alsoGet(NAME.WHvX64RegisterDr7);
    for (let i = 0; i < 4; i++) this.#exchange.alsoGet(NAME.WHvX64RegisterDr0 + i);
  }

  disarm(): void {
    this.armed = false;
    this.hits = 0;
  }

  /** Takes what the get gave. */
  arm(): void {
    if (!this.armed) return;
    const exchange = this.#exchange;
    this.#dr7 = exchange.extraLow(this.#number);
    this.armed = (this.#dr7 & 0xff) !== 0;
    for (let i = 0; i < 4; i++) {
      // The low bits of the address that the length covers are ignored.
      const low = exchange.extraLow(this.#number + 1 + i) & ~(this.#length(i) - 1);
      this.#addresses[i] = linearNumber(low, exchange.extraHigh(this.#number + 1 + i));
    }
  }

  #length(breakpoint: number): number {
    return LENGTHS[(this.#dr7 >>> (18 + breakpoint * 4)) & 3];
  }

  /** An access of `size` bytes has been made. */
  accessed(low: number, high: number, size: number, intent: number): void {
    const first = linearNumber(low, high);
    for (let i = 0; i < 4; i++) {
      if (((this.#dr7 >>> (i * 2)) & 3) === 0) continue;
      const condition = (this.#dr7 >>> (16 + i * 4)) & 3;
      const watched = condition === ON_READ_OR_WRITE || (condition === ON_WRITE && (intent & Intent.write) !== 0);
      const start = this.#addresses[i];
      if (watched && first < start + this.#length(i) && start < first + size) this.hits |= 1 << i;
    }
  }
}

/**
 * A linear address as a number. Only its low 53 bits are exact, which canonical addresses do not exceed: they have 57
 * bits of which the upper ones are copies.
 */
function linearNumber(low: number, high: number): number {
  return (high & 0x1fffff) * 0x100000000 + (low >>> 0);
}
