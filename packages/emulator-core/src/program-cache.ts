/**
 * Decoded instructions with everything that is known of them before they run, found again by their bytes and mode. An
 * exit that came before costs no decoding and allocates nothing. The size is fixed: a newer instruction displaces an older.
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
  readonly #word0: number;
  readonly #word1: number;
  readonly #word2: number;
  readonly #word3: number;
  readonly #tail: number;

  constructor(bytes: InstructionBytes, mode: number, program: Program, effects: RetireEffects) {
    this.program = program;
    this.effects = effects;
    this.#word0 = bytes.word0;
    this.#word1 = bytes.word1;
    this.#word2 = bytes.word2;
    this.#word3 = bytes.word3;
    this.#tail = tailOf(bytes, mode);
  }

  /** Was it prepared from these bytes, as many of them, in this mode? Bytes after the instruction count too. */
  isOf(bytes: InstructionBytes, tail: number): boolean {
    return (
      this.#word0 === bytes.word0 &&
      this.#word1 === bytes.word1 &&
      this.#word2 === bytes.word2 &&
      this.#word3 === bytes.word3 &&
      this.#tail === tail
    );
  }
}

/** What tells keys apart besides the bytes: the mode, and how many bytes are known. */
function tailOf(bytes: InstructionBytes, mode: number): number {
  return (mode << 8) | bytes.count;
}

export class ProgramCache {
  readonly #entries: (PreparedInstruction | null)[];
  readonly #mask: number;

  /** @param capacity - instructions to remember; a power of two, at least 2. */
  constructor(capacity: number) {
    this.#entries = new Array<PreparedInstruction | null>(capacity).fill(null);
    this.#mask = capacity - 1;
  }

  find(bytes: InstructionBytes, mode: number): PreparedInstruction | null {
    const tail = tailOf(bytes, mode);
    const slot = this.#slot(bytes, tail);
    const first = this.#entries[slot];
    if (first?.isOf(bytes, tail)) return first;
    // Each key has two places, so that two instructions in a loop cannot keep displacing each other.
    const second = this.#entries[slot ^ 1];
    return second?.isOf(bytes, tail) ? second : null;
  }

  insert(bytes: InstructionBytes, mode: number, entry: PreparedInstruction): void {
    const slot = this.#slot(bytes, tailOf(bytes, mode));
    this.#entries[slot ^ 1] = this.#entries[slot];
    this.#entries[slot] = entry;
  }

  #slot(bytes: InstructionBytes, tail: number): number {
    let hash = Math.imul(bytes.word0 ^ tail, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ bytes.word1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13) ^ bytes.word2 ^ bytes.word3, 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & this.#mask;
  }
}
