/**
 * The named operations (`Helper`) as far as five callbacks reach: those that read descriptors and load registers are
 * performed by `@whvkit/x86-semantics`; those that are the hypervisor's own (TLB, caches, MSRs, halting) are refused by
 * name.
 */
import { Abort, Helper, type Machine } from "@whvkit/x86-semantics";
import type { Failure } from "./failure.ts";

/** Told when an instruction inhibits interrupts. */
export interface ShadowStart {
  startsShadow: boolean;
}

export class SystemOperations {
  readonly #failure: Failure;
  readonly #retirement: ShadowStart;

  constructor(failure: Failure, retirement: ShadowStart) {
    this.#failure = failure;
    this.#retirement = retirement;
  }

  perform(machine: Machine, id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number {
    switch (id) {
      case Helper.inhibitInterrupts:
        this.#retirement.startsShadow = true;
        return Abort.none;
      default:
        void [machine, aLow, aHigh, bLow, bHigh];
        return this.#refuse(id);
    }
  }

  #refuse(id: number): number {
    const name = Object.entries(Helper).find(([, value]) => value === id)?.[0] ?? `helper ${id}`;
    const message = `The instruction needs the operation ${name}, which the five callbacks do not reach.`;
    this.#failure.internal("unreachable-operation", "execute", message);
    return Abort.unsupported;
  }
}
