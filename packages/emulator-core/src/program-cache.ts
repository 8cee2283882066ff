/**
 * Decoded instructions with everything that is known of them before they run, found again by RIP, their bytes and mode.
 * An exit that came before costs no decoding and allocates nothing. The size is fixed: a newer instruction displaces an
 * older.
 */
import type { Program } from "@whvkit/x86-semantics";
import type { InstructionBytes } from "./instruction-bytes.ts";
import type { RegisterPlan } from "./register-plan.ts";
import type { RetireEffects } from "./retire.ts";

/** One instruction, ready to run. */
export class PreparedInstruction {
  readonly program: Program;
  readonly effects: RetireEffects;
  /** Which registers a memory exit and a port exit need; made when first needed. */
  memoryPlan: RegisterPlan | null = null;
  portPlan: RegisterPlan | null = null;
  readonly #mode: number;
  readonly #length: number;
  /** Its bytes, and which bits of the words they stand in are its own. */
  readonly #word0: number;
  readonly #word1: number;
  readonly #word2: number;
  readonly #word3: number;
  readonly #mask0: number;
  readonly #mask1: number;
  readonly #mask2: number;
  readonly #mask3: number;

  /** @param bytes - begin with the instruction. */
  constructor({ words }: InstructionBytes, mode: number, program: Program, effects: RetireEffects) {
    this.program = program;
    this.effects = effects;
    this.#mode = mode;
    this.#length = program.length;
    this.#mask0 = maskOf(program.length);
    this.#mask1 = maskOf(program.length - 4);
    this.#mask2 = maskOf(program.length - 8);
    this.#mask3 = maskOf(program.length - 12);
    this.#word0 = words[1] & this.#mask0;
    this.#word1 = words[2] & this.#mask1;
    this.#word2 = words[3] & this.#mask2;
    this.#word3 = words[4] & this.#mask3;
  }

  /** Is it what `count` bytes, laid out as {@link InstructionBytes.words}, begin with? Bytes after it do not matter. */
  begins(words: Int32Array, count: number, mode: number): boolean {
    return (
      (words[1] & this.#mask0) === this.#word0 &&
      (words[2] & this.#mask1) === this.#word1 &&
      (words[3] & this.#mask2) === this.#word2 &&
      (words[4] & this.#mask3) === this.#word3 &&
      this.#length <= count &&
      this.#mode === mode
    );
  }
}

/** The bits of a word that its first `count` bytes take. */
function maskOf(count: number): number {
  if (count >= 4) return -1;
  return count <= 0 ? 0 : (1 << (count * 8)) - 1;
}

export class ProgramCache {
  readonly #entries: (PreparedInstruction | null)[];
  readonly #mask: number;

  /** @param capacity - instructions to remember; a power of two, at least 2. */
  constructor(capacity: number) {
    this.#entries = new Array<PreparedInstruction | null>(capacity).fill(null);
    this.#mask = capacity - 1;
  }

  /**
   * The instruction that `count` bytes, laid out as {@link InstructionBytes.words}, begin with. RIP says where to look,
   * the bytes whether it is the one.
   */
  find(rip: number, words: Int32Array, count: number, mode: number): PreparedInstruction | null {
    const slot = this.#slot(rip);
    const first = this.#entries[slot];
    if (first?.begins(words, count, mode)) return first;
    // Each RIP has two places, so that two instructions in a loop cannot keep displacing each other.
    const second = this.#entries[slot ^ 1];
    return second?.begins(words, count, mode) ? second : null;
  }

  insert(rip: number, entry: PreparedInstruction): void {
    const slot = this.#slot(rip);
    this.#entries[slot ^ 1] = this.#entries[slot];
    this.#entries[slot] = entry;
  }

  /** Instructions stand close together in one function, and functions far apart. */
  #slot(rip: number): number {
    return (rip ^ (rip >>> 12)) & this.#mask;
  }
}
