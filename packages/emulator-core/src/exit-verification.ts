/**
 * The option `verifyExitContext`: are Rip and Rflags of the exit what the processor's registers hold? A host that
 * hands the emulator yesterday's exit finds out here instead of in its guest. They come in the emulation's one get.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import type { ExitContext } from "./exit-context.ts";
import { type Failure, hexOfHalves } from "./failure.ts";
import type { RegisterExchange } from "./register-exchange.ts";

export class ExitVerification<Context> {
  readonly #exit: ExitContext;
  readonly #exchange: RegisterExchange<Context>;
  readonly #failure: Failure;
  readonly #enabled: boolean;
  #rip = 0;
  #rflags = 0;

  constructor(exit: ExitContext, exchange: RegisterExchange<Context>, failure: Failure, enabled: boolean) {
    this.#exit = exit;
    this.#exchange = exchange;
    this.#failure = failure;
    this.#enabled = enabled;
  }

  /** Asks for the registers in the get to come. */
  prepare(): void {
    if (!this.#enabled) return;
    this.#rip = this.#exchange.alsoGet(WHV_REGISTER_NAME.WHvX64RegisterRip);
    this.#rflags = this.#exchange.alsoGet(WHV_REGISTER_NAME.WHvX64RegisterRflags);
  }

  /** False: they differ, and the failure is recorded. */
  agrees(): boolean {
    if (!this.#enabled) return true;
    const { ripLow, ripHigh, rflagsLow, rflagsHigh } = this.#exit;
    return this.#same("Rip", this.#rip, ripLow, ripHigh) && this.#same("Rflags", this.#rflags, rflagsLow, rflagsHigh);
  }

  #same(name: string, number: number, low: number, high: number): boolean {
    const registerLow = this.#exchange.extraLow(number);
    const registerHigh = this.#exchange.extraHigh(number);
    if (registerLow === low >>> 0 && registerHigh === high >>> 0) return true;
    const exit = hexOfHalves(low, high);
    const register = hexOfHalves(registerLow, registerHigh);
    const message = `${name} of the exit is ${exit}, but the processor's is ${register}: the exit is not this processor's, or an old one.`;
    this.#failure.internal("exit-context-mismatch", "registers", message);
    return false;
  }
}
