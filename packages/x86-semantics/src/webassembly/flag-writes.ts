/**
 * RFLAGS of one instruction: however many groups and single flags it writes, RFLAGS is loaded once, changed in a local,
 * and stored once. The formulas are in `flag-expansion.ts`.
 */
import { RegisterOffset } from "../machine/register-file.ts";
import type { StateBase } from "./field-source.ts";
import { expandFlags, type FlagGroup, hasCount, writtenFlags } from "./flag-expansion.ts";
import type { Code, Local, LocalScope } from "./module/code.ts";

export class FlagWrites {
  readonly #code: Code;
  readonly #scope: LocalScope;
  readonly #state: StateBase;
  /** New RFLAGS, while writes are under way. */
  #rflags: Local | null = null;

  constructor(code: Code, scope: LocalScope, state: StateBase) {
    this.#code = code;
    this.#scope = scope;
    this.#state = state;
  }

  /** Pushes RFLAGS as they are in the state, i32. */
  load(): void {
    this.#code.load("i32.load", this.#state.at(this.#code, RegisterOffset.rflags));
  }

  /** The local with the new RFLAGS, loaded at first use. */
  #new(): Local {
    if (this.#rflags === null) {
      this.#rflags = this.#scope.local("i32");
      this.load();
      this.#code.set(this.#rflags);
    }
    return this.#rflags;
  }

  /** Writes what was changed back to the state. */
  store(): void {
    if (this.#rflags === null) return;
    const at = this.#state.at(this.#code, RegisterOffset.rflags);
    this.#code.get(this.#rflags);
    this.#code.store("i32.store", at);
    this.#rflags = null;
  }

  /** Single flags: from bit numbers to values of type i1, which `push` pushes. */
  setBits(flags: ReadonlyMap<number, number>, push: (value: number) => void): void {
    const code = this.#code;
    const rflags = this.#new();
    let mask = 0;
    for (const bit of flags.keys()) mask |= 1 << bit;
    code.get(rflags);
    code.i32(~mask);
    code.op("i32.and");
    for (const [bit, value] of flags) {
      push(value);
      if (bit > 0) {
        code.i32(bit);
        code.op("i32.shl");
      }
      code.op("i32.or");
    }
    code.set(rflags);
  }

  /** Those flags of a group that are in `mask`. */
  setGroup(group: FlagGroup, mask: number): void {
    const code = this.#code;
    const rflags = this.#new();
    const written = mask & writtenFlags(group.kind);
    code.get(rflags);
    code.i32(~written);
    code.op("i32.and");
    expandFlags(code, group, written);
    code.op("i32.or");
    if (hasCount(group.kind)) {
      // A count of 0 changes no flag.
      code.get(rflags);
      code.get(group.y);
      code.select();
    }
    code.set(rflags);
  }
}
