/**
 * The REP driver: repeats the element of a string instruction. Count, direction, termination, cap, yield, single-step and
 * restartable progress live here; the runs of elements inside one page are in `string-spans.ts`, what one element means in
 * `../families/strings.ts`.
 *
 * Intel SDM volume 1, 7.3.9.3, and volume 2, REP/REPE/REPNE. REPNE before an instruction that does not compare repeats
 * like REP, as processors do. A count of 0 does nothing at all.
 */
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { Program, StringOperation } from "../evaluator/program.ts";
import { Flag } from "../ir/flag.ts";
import { Abort, type Machine, type SpanMachine } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import { countOf, reduceCount, StringSpans } from "./string-spans.ts";

const RFLAGS: number = RegisterOffset.rflags >> 2;
/** Elements of one byte in a page. */
const LARGEST_SPAN = 4096;

/** How far a {@link RepeatDriver} goes without a stop. @public */
export interface RepeatOptions {
  /** The most elements of one run; more are left for the next one. At least 1. Default: no limit. */
  readonly maxIterations?: number;
  /** Asked between elements; true stops the run there, to be continued by the next one. */
  readonly shouldYield?: () => boolean;
}

/**
 * Runs string instructions, with and without a repeat prefix.
 *
 * Whatever way a run ends, rCX, rSI and rDI stand in the register file as after the last finished element, so running the
 * same program again continues it. After an abort the flags of CMPS and SCAS are those from before the run.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Abort, Evaluator, FlatMachine, programFor, RegisterOffset, RepeatDriver } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000));
 * machine.registers.set64(RegisterOffset.general, 0x55n); // RAX
 * machine.registers.set64(RegisterOffset.general + 8 * 1, 3n); // RCX
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0xf3, 0xaa), 0, instruction); // rep stosb
 * const driver = new RepeatDriver(new Evaluator(machine), machine, { maxIterations: 1024 });
 * driver.run(programFor(instruction)) === Abort.none; // true
 * driver.finished; // true
 * machine.memory.slice(0, 4); // [0x55, 0x55, 0x55, 0]
 * ```
 *
 * @public
 */
export class RepeatDriver {
  /** Elements that the last run finished. */
  completed = 0;
  /** False when the last run stopped before the instruction's end (cap, yield, single-step, abort): RIP must not advance. */
  finished = false;
  readonly #evaluator: Evaluator;
  readonly #machine: Machine;
  readonly #maxIterations: number;
  readonly #spans: StringSpans | null;
  readonly #shouldYield: (() => boolean) | null;

  /**
   * @param evaluator - runs single elements
   * @param machine - the evaluator's machine; where it is a {@link SpanMachine}, whole page spans run at once
   * @throws RangeError for a `maxIterations` below 1
   */
  constructor(evaluator: Evaluator, machine: Machine | SpanMachine, options: RepeatOptions = {}) {
    const { maxIterations = Number.POSITIVE_INFINITY, shouldYield } = options;
    if (!(maxIterations >= 1)) throw new RangeError(`maxIterations ${maxIterations} is below 1`);
    this.#evaluator = evaluator;
    this.#machine = machine;
    this.#maxIterations = maxIterations;
    this.#shouldYield = shouldYield ?? null;
    this.#spans = "span" in machine ? new StringSpans(machine, this.#shouldYield) : null;
  }

  /**
   * Runs a string instruction.
   *
   * @param program - one whose `string` is not null
   * @returns an {@link Abort}
   * @throws TypeError for another program
   */
  run(program: Program): number {
    const { string } = program;
    if (string === null) throw new TypeError("not a string instruction");
    this.completed = 0;
    this.finished = false;
    if (string.repeat !== 0) return this.#repeat(program, string);
    const abort = this.#evaluator.evaluate(program);
    if (abort === Abort.none) {
      this.completed = 1;
      this.finished = true;
    }
    return abort;
  }

  #repeat(program: Program, string: StringOperation): number {
    const words = this.#machine.registers.words;
    const flags = words[RFLAGS];
    const limit = (flags & Flag.TF) !== 0 ? 1 : this.#maxIterations;
    const compares = string.kind === "cmps" || string.kind === "scas";
    const spans = this.#spans;
    let yielded = false;
    for (;;) {
      const remaining = countOf(words, string.addressSize);
      if (remaining === 0 || (compares && this.completed > 0 && endsAt(string, words[RFLAGS]))) {
        this.finished = true;
        return Abort.none;
      }
      if (yielded || this.completed >= limit) return Abort.none;

      // No span holds more than a page; a small integer, because a double would be put on the heap.
      const budget = Math.min(remaining, limit - this.completed, LARGEST_SPAN) | 0;
      let abort: number = Abort.none;
      let done = 0;
      if (spans !== null && budget > 1) {
        abort = spans.run(program, string, budget);
        done = spans.completed;
        yielded = spans.yielded;
      }
      if (done === 0 && abort === Abort.none) {
        abort = this.#evaluator.evaluate(program);
        if (abort === Abort.none) {
          done = 1;
          yielded = this.#shouldYield?.() ?? false;
        }
      }
      reduceCount(words, string.addressSize, done);
      this.completed += done;
      if (abort !== Abort.none) {
        // The comparisons so far will be repeated in effect: only the last one's flags are the instruction's.
        if (compares) words[RFLAGS] = flags;
        return abort;
      }
    }
  }
}

/** Does the comparison that left these flags end the repetition? */
function endsAt(string: StringOperation, flags: number): boolean {
  const equal = (flags & Flag.ZF) !== 0;
  return string.repeat === 0xf3 ? !equal : equal;
}
