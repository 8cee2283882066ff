/**
 * Guest time. Devices read it and set timers on it; only the virtual machine monitor moves it, between processor runs,
 * by whatever it takes for time: instructions run, the host's clock, or a leap to the next timer while the processor
 * is halted. So a run whose clock is driven by instructions is the same every time.
 */

/** A device's timer on a {@link VirtualClock}. @public */
export interface ClockTimer {
  /** Guest time in nanoseconds at which it expires, `Infinity` while it is not set. */
  readonly deadline: number;
  /** Sets it to expire once at `deadline` (nanoseconds of guest time); one in the past expires at the next advance. */
  schedule(deadline: number): void;
  /** Makes it expire no more, until it is set again. */
  cancel(): void;
}

/**
 * Nanoseconds since the machine was made: an exact integer for 104 days.
 *
 * @example
 * ```ts
 * import { VirtualClock } from "@whvkit/devices";
 * const clock = new VirtualClock();
 * const expired: number[] = [];
 * clock.createTimer(() => expired.push(clock.now)).schedule(1000); // nanoseconds
 * clock.nextDeadline; // 1000
 * clock.advanceTo(5000);
 * expired; // [1000]
 * clock.now; // 5000
 * ```
 *
 * @public
 */
export class VirtualClock {
  #now = 0;
  #nextDeadline = Number.POSITIVE_INFINITY;
  readonly #timers: Timer[] = [];

  /** Guest time in nanoseconds. Inside an expiring timer: that timer's deadline. */
  get now(): number {
    return this.#now;
  }

  /** When the next timer expires, `Infinity` when none is set. */
  get nextDeadline(): number {
    return this.#nextDeadline;
  }

  /** Makes a timer that calls `expire` when its deadline is reached. */
  createTimer(expire: () => void): ClockTimer {
    const timer = new Timer(expire, () => this.#findNext());
    this.#timers.push(timer);
    return timer;
  }

  /**
   * Moves guest time to `now` nanoseconds, expiring every timer on the way in the order of their deadlines (equal
   * ones in the order they were made). Time never goes back: a smaller value does nothing.
   */
  advanceTo(now: number): void {
    while (this.#nextDeadline <= now) {
      const timer = this.#timers.find((candidate) => candidate.deadline === this.#nextDeadline) as Timer;
      this.#now = Math.max(this.#now, timer.deadline);
      timer.cancel();
      timer.expire();
    }
    this.#now = Math.max(this.#now, now);
  }

  #findNext(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const timer of this.#timers) if (timer.deadline < next) next = timer.deadline;
    this.#nextDeadline = next;
  }
}

class Timer implements ClockTimer {
  deadline = Number.POSITIVE_INFINITY;
  readonly expire: () => void;
  readonly #changed: () => void;

  constructor(expire: () => void, changed: () => void) {
    this.expire = expire;
    this.#changed = changed;
  }

  schedule(deadline: number): void {
    this.deadline = deadline;
    this.#changed();
  }

  cancel(): void {
    this.schedule(Number.POSITIVE_INFINITY);
  }
}
