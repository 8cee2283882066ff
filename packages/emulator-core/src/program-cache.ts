/**
 * Decoded instructions with everything that is known of them before they run, found again by their bytes and mode. An
 * exit that came before costs no decoding and allocates nothing. The size is fixed: a newer instruction displaces an older.
 */
import type { Program } from "@whvkit/x86-semantics";
import type { RegisterPlan } from "./register-plan.ts";
import type { RetireEffects } from "./retire.ts";

/** One instruction, ready to run. */
export interface PreparedInstruction {
  readonly program: Program;
  /** Which registers a memory exit and a port exit need; made when first needed. */
  memoryPlan: RegisterPlan | null;
  portPlan: RegisterPlan | null;
  readonly effects: RetireEffects;
}

/** Words of a key: sixteen bytes, then how many of them count with the mode. */
const KEY_WORDS = 5;

export class ProgramCache {
  readonly #keys: Int32Array;
  readonly #entries: (PreparedInstruction | undefined)[];
  readonly #mask: number;

  /** @param capacity - instructions to remember; a power of two, at least 2. */
  constructor(capacity: number) {
    this.#keys = new Int32Array(capacity * KEY_WORDS);
    this.#entries = new Array<PreparedInstruction | undefined>(capacity).fill(undefined);
    this.#mask = capacity - 1;
  }

  /**
   * @param words - sixteen bytes as words; bytes from `count` on are zero.
   * @param count - bytes known, 1 to 16. More than the instruction's are as good, but make another key.
   */
  find(words: Int32Array, count: number, mode: number): PreparedInstruction | undefined {
    const tail = (mode << 8) | count;
    const slot = this.#slot(words, tail);
    if (this.#holds(slot, words, tail)) return this.#entries[slot];
    // Each key has two places, so that two instructions in a loop cannot keep displacing each other.
    return this.#holds(slot ^ 1, words, tail) ? this.#entries[slot ^ 1] : undefined;
  }

  insert(words: Int32Array, count: number, mode: number, entry: PreparedInstruction): void {
    const tail = (mode << 8) | count;
    const slot = this.#slot(words, tail);
    const from = slot * KEY_WORDS;
    this.#keys.copyWithin((slot ^ 1) * KEY_WORDS, from, from + KEY_WORDS);
    this.#entries[slot ^ 1] = this.#entries[slot];
    for (let i = 0; i < 4; i++) this.#keys[from + i] = words[i] as number;
    this.#keys[from + 4] = tail;
    this.#entries[slot] = entry;
  }

  #holds(slot: number, words: Int32Array, tail: number): boolean {
    const keys = this.#keys;
    const at = slot * KEY_WORDS;
    return (
      keys[at + 4] === tail &&
      keys[at] === words[0] &&
      keys[at + 1] === words[1] &&
      keys[at + 2] === words[2] &&
      keys[at + 3] === words[3]
    );
  }

  #slot(words: Int32Array, tail: number): number {
    let hash = Math.imul((words[0] as number) ^ tail, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ (words[1] as number), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13) ^ (words[2] as number) ^ (words[3] as number), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & this.#mask;
  }
}
