/**
 * What guest time is made of, and how it moves: between two runs of the processor, from what the last one took.
 *
 * By the virtual clock an instruction takes 10 ns and an exit 1 us, whatever the host needed, so that every run of a
 * guest sees the same times. By the host's clock it is the time that went by, plus the leaps over halts.
 */
import type { VirtualClock } from "@whvkit/devices";
import type { CountingProcessor } from "./instruction-count.ts";

const NANOSECONDS_PER_INSTRUCTION = 10;
const NANOSECONDS_PER_EXIT = 1000;
/** The host looks at its own clock, and at what was typed, at least this often: a few milliseconds in an interpreter. */
const MOST_INSTRUCTIONS_PER_RUN = 100_000;

export class GuestTime {
  readonly #clock: VirtualClock;
  readonly #counter: CountingProcessor | null;
  readonly #virtual: boolean;
  #instructionsSeen = 0;
  /** Host time, in nanoseconds, at which guest time was 0; leaps move it back. */
  #hostStart = hostNanoseconds();

  constructor(clock: VirtualClock, counter: CountingProcessor | null, virtual: boolean) {
    this.#clock = clock;
    this.#counter = counter;
    this.#virtual = virtual;
  }

  /** Lets the next run take no longer than to the next timer, nor more than `instructions`. */
  limitRun(instructions: number): void {
    if (this.#counter?.instructionBudget === undefined) return;
    const untilTimer = this.#virtual
      ? Math.ceil((this.#clock.nextDeadline - this.#clock.now) / NANOSECONDS_PER_INSTRUCTION)
      : Number.POSITIVE_INFINITY;
    this.#counter.instructionBudget = Math.max(1, Math.min(instructions, untilTimer, MOST_INSTRUCTIONS_PER_RUN));
  }

  /** Moves guest time on after a run and the handling of its exit. */
  afterExit(): void {
    if (!this.#virtual) {
      this.#clock.advanceTo(Math.floor(hostNanoseconds() - this.#hostStart));
      return;
    }
    const retired = this.#counter?.instructionCount ?? 0;
    const spent = (retired - this.#instructionsSeen) * NANOSECONDS_PER_INSTRUCTION + NANOSECONDS_PER_EXIT;
    this.#instructionsSeen = retired;
    this.#clock.advanceTo(this.#clock.now + spent);
  }

  /** Milliseconds of host time to the next timer: 0 by the virtual clock, which never waits; `Infinity` without one. */
  get waitMilliseconds(): number {
    if (this.#clock.nextDeadline === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    if (this.#virtual) return 0;
    return Math.max(0, this.#clock.nextDeadline - (hostNanoseconds() - this.#hostStart)) / 1e6;
  }

  /** Leaps to the next timer, while the processor is halted. There must be one. */
  leap(): void {
    const target = this.#clock.nextDeadline;
    if (!this.#virtual) this.#hostStart -= Math.max(0, target - (hostNanoseconds() - this.#hostStart));
    this.#clock.advanceTo(target);
  }
}

function hostNanoseconds(): number {
  return performance.now() * 1e6;
}
