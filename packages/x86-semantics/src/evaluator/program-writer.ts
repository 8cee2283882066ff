/**
 * Writes the code of one program in the evaluator's layout, hands out the places of its values, and collects the register
 * intervals that it touches. What the code is, `binding.ts` decides.
 */
import type { Type } from "../ir/operation.ts";
import type { RegisterInterval } from "../machine/register-file.ts";
import { SLOT_WORDS } from "./evaluator.ts";
import { STRIDE } from "./opcode.ts";

/** The most operations of a program; the longest now have about 900. */
const MAX_OPERATIONS = 4096;
/** Where code is written before its length is known. One program is written at a time. */
const scratch: Int32Array = /* @__PURE__ */ new Int32Array(MAX_OPERATIONS * STRIDE);

export class ProgramWriter {
  readonly #reads: RegisterInterval[] = [];
  readonly #writes: RegisterInterval[] = [];
  #length = 0;
  #words = 0;

  /** Index of the next operation's first word. */
  get position(): number {
    return this.#length;
  }

  emit(opcode: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0): void {
    const at = this.#length;
    if (at === scratch.length) throw new RangeError(`a program of more than ${MAX_OPERATIONS} operations`);
    scratch[at] = opcode;
    scratch[at + 1] = a;
    scratch[at + 2] = b;
    scratch[at + 3] = c;
    scratch[at + 4] = d;
    scratch[at + 5] = e;
    scratch[at + 6] = f;
    scratch[at + 7] = g;
    this.#length = at + STRIDE;
  }

  /** Makes the `unless` at a position go on with the next operation. */
  closeCondition(at: number): void {
    scratch[at + 2] = this.#length;
  }

  /** A place for a value: the index of its first word in the slots. */
  slot(type: Type): number {
    const at = this.#words;
    this.#words += type === "v128" ? 4 : 2;
    if (this.#words > SLOT_WORDS) throw new RangeError(`a program of more than ${SLOT_WORDS} words of values`);
    return at;
  }

  read(interval: RegisterInterval): void {
    this.#reads.push(interval);
  }
  write(interval: RegisterInterval): void {
    this.#writes.push(interval);
  }

  get code(): Int32Array {
    return scratch.slice(0, this.#length);
  }
  get reads(): RegisterInterval[] {
    return union(this.#reads);
  }
  get writes(): RegisterInterval[] {
    return union(this.#writes);
  }
}

/** The intervals without those that others contain, in order of offset. */
function union(intervals: RegisterInterval[]): RegisterInterval[] {
  if (intervals.length < 2) return intervals;
  intervals.sort((a, b) => a.offset - b.offset || b.size - a.size);
  const result: RegisterInterval[] = [];
  let end = -1;
  for (const interval of intervals) {
    if (interval.offset + interval.size <= end) continue;
    result.push(interval);
    end = interval.offset + interval.size;
  }
  return result;
}
