/**
 * One of the 8254's three counters: the count, its six modes, GATE and OUT, as a function of the clock tick. Reading
 * and writing through ports, latches and commands are `pit8254.ts`.
 *
 * Time here is the number of the input clock's tick. Between two events (a load, a change of OUT) a counter only counts
 * down, so it is kept as "held `startCount` at tick `anchor`" and brought up to date when somebody looks.
 * Figures and rules: Intel 8254 data sheet (231164-005), "Mode definitions".
 */

const NEVER = Number.POSITIVE_INFINITY;

export class PitCounter {
  /** 0 to 5. */
  mode = 0;
  bcd = false;
  /** A count was written that the counting element has not taken yet. */
  nullCount = true;

  /**
   * The level of the OUT pin at the tick that the counter was last brought to. High before the first control word,
   * where the data sheet leaves it undefined: so programming a periodic mode makes no edge by itself.
   */
  out = true;
  gate: boolean;

  /** The count register: what the counting element loads next; 0 until one is written. */
  #register = 0;
  /** Tick at which the counting element takes the count register, `NEVER` when no load is due. */
  #loadAt = NEVER;
  /** Tick at which the counting element held `#startCount`; meaningless while `#counting` is false. */
  #anchor = 0;
  #startCount = 0;
  #counting = false;
  /** Modes 0, 1, 4, 5: the one event of this count has happened. */
  #done = true;

  constructor(gate: boolean) {
    this.gate = gate;
  }

  /** A control word: stops the count; OUT takes the mode's initial level. */
  setMode(mode: number, bcd: boolean): void {
    this.mode = mode > 5 ? mode - 4 : mode; // x10 is mode 2, x11 mode 3
    this.bcd = bcd;
    this.nullCount = true;
    this.#loadAt = NEVER;
    this.#counting = false;
    this.#done = true;
    this.#register = 0;
    this.out = this.mode !== 0;
  }

  /** Mode 0: writing the first of two bytes stops the count and takes OUT low at once. */
  beginWrite(tick: number): void {
    if (this.mode !== 0) return;
    this.#freeze(tick);
    this.out = false;
    this.#done = true;
  }

  /** A complete count, as written (0 stands for the largest). */
  setCount(value: number, tick: number): void {
    this.#register = this.bcd ? fromBcd(value) || 10_000 : value || 0x10000;
    this.nullCount = true;
    switch (this.mode) {
      case 0:
        this.out = false;
        this.#done = true;
        this.#loadAt = tick + 1;
        break;
      case 4:
        this.#loadAt = tick + 1;
        break;
      case 2:
      case 3:
        // The first count starts; later ones wait for the end of the period or half-period.
        if (!this.#counting && this.gate) this.#loadAt = tick + 1;
        break;
      default: // Modes 1 and 5 wait for the trigger.
    }
  }

  /** Drives GATE. */
  setGate(level: boolean, tick: number): void {
    if (level === this.gate) return;
    this.gate = level;
    const written = this.#register !== 0;
    switch (this.mode) {
      case 0:
      case 4:
        if (level) {
          this.#anchor = tick;
          this.#counting = written && this.#loadAt === NEVER;
        } else this.#freeze(tick);
        break;
      case 1:
      case 5:
        if (level && written) this.#loadAt = tick + 1;
        break;
      default:
        if (level && written) this.#loadAt = tick + 1;
        if (!level) {
          // "If GATE goes low during an output pulse, OUT is set high immediately."
          this.#freeze(tick);
          this.#loadAt = NEVER;
          this.out = true;
        }
    }
  }

  /** Brings the counter to `tick`, through all events on the way. */
  advance(tick: number): void {
    for (;;) {
      this.#skipPeriods(tick);
      const at = this.nextEvent;
      if (at > tick) return;
      this.#happen(at);
    }
  }

  /** Tick of the next load or change of OUT, `Infinity` when nothing will happen by itself. */
  get nextEvent(): number {
    return Math.min(this.#loadAt, this.#nextChange());
  }

  /** What the counting element holds at `tick`, as it reads: 16 bits, in BCD where chosen. */
  count(tick: number): number {
    const value = this.#element(tick);
    return this.bcd ? toBcd(value) : value & 0xffff;
  }

  #nextChange(): number {
    if (!this.#counting) return NEVER;
    const period = this.#startCount;
    switch (this.mode) {
      case 2:
        // Low for the last tick of each period; at its end the count is loaded anew.
        return this.#anchor + (this.out ? Math.max(1, period - 1) : period);
      case 3:
        // High for (N + 1) / 2 ticks, low for (N - 1) / 2, N / 2 each when N is even.
        return this.#anchor + Math.max(1, this.out ? (period + 1) >> 1 : period >> 1);
      case 4:
      case 5:
        if (this.#done) return NEVER;
        return this.#anchor + period + (this.out ? 0 : 1);
      default:
        return this.#done ? NEVER : this.#anchor + period;
    }
  }

  #happen(tick: number): void {
    if (tick === this.#loadAt) {
      this.#load(tick);
      return;
    }
    switch (this.mode) {
      case 2:
        if (this.out) this.out = false;
        else this.#load(tick);
        break;
      case 3: {
        const level = !this.out;
        this.#load(tick);
        this.out = level;
        break;
      }
      case 4:
      case 5:
        this.#done = !this.out;
        this.out = !this.out;
        break;
      default:
        this.out = true;
        this.#done = true;
    }
  }

  /** The counting element takes the count register. */
  #load(tick: number): void {
    this.#loadAt = NEVER;
    this.#startCount = this.#register;
    this.#anchor = tick;
    this.nullCount = false;
    this.#done = false;
    this.#counting = this.gate || this.mode === 1 || this.mode === 5;
    if (this.mode === 1) this.out = false;
    else if (this.mode !== 0) this.out = true;
  }

  /** Jumps over whole periods of modes 2 and 3, so that a long absence costs nothing. */
  #skipPeriods(tick: number): void {
    if (!this.#counting || !this.out || this.#loadAt !== NEVER || this.nullCount) return;
    if (this.mode !== 2 && this.mode !== 3) return;
    const period =
      this.mode === 2
        ? Math.max(2, this.#startCount)
        : Math.max(1, (this.#startCount + 1) >> 1) + Math.max(1, this.#startCount >> 1);
    const periods = Math.floor((tick - this.#anchor) / period);
    if (periods > 0) this.#anchor += periods * period;
  }

  #freeze(tick: number): void {
    if (!this.#counting) return;
    this.#startCount = this.#element(tick) || this.#modulus;
    this.#counting = false;
  }

  #element(tick: number): number {
    if (!this.#counting) return this.#startCount % this.#modulus;
    const elapsed = tick - this.#anchor;
    // Mode 3 counts by twos, from an even count (N - 1 when N is odd).
    const value = this.mode === 3 ? (this.#startCount & ~1) - 2 * elapsed : this.#startCount - elapsed;
    const modulus = this.#modulus;
    return ((value % modulus) + modulus) % modulus;
  }

  get #modulus(): number {
    return this.bcd ? 10_000 : 0x10000;
  }
}

function fromBcd(value: number): number {
  return (value & 15) + 10 * ((value >> 4) & 15) + 100 * ((value >> 8) & 15) + 1000 * ((value >> 12) & 15);
}

function toBcd(value: number): number {
  return (
    (value % 10) |
    ((Math.floor(value / 10) % 10) << 4) |
    ((Math.floor(value / 100) % 10) << 8) |
    (Math.floor(value / 1000) << 12)
  );
}
