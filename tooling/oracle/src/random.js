// A small random generator with a seed, so that inputs need not be stored: the same numbers on every machine.

export class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = (seed ^ 0x9e3779b9) | 0;
  }

  /** 32 bits, unsigned (Mulberry32). */
  word() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 up to, not including, `limit`. @param {number} limit */
  below(limit) {
    return Math.floor((this.word() / 0x1_0000_0000) * limit);
  }

  /** One of the choices. @template T @param {readonly T[]} choices @returns {T} */
  pick(choices) {
    return /** @type {T} */ (choices[this.below(choices.length)]);
  }

  /** 64 bits. */
  long() {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  /** 64 bits that look for trouble: often near zero, near a sign or width boundary, or one bit. */
  value() {
    const width = BigInt(this.pick([8, 16, 32, 64]));
    const mask = (1n << width) - 1n;
    const upper = this.below(2) === 0 ? 0n : this.long() & ~mask;
    const low = () => {
      switch (this.below(8)) {
        case 0:
          return BigInt(this.below(16));
        case 1:
          return mask - BigInt(this.below(8));
        case 2:
          return (1n << (width - 1n)) + BigInt(this.below(5)) - 2n;
        case 3:
          return 1n << BigInt(this.below(Number(width)));
        case 4:
          return this.long() >> BigInt(this.below(64));
        default:
          return this.long();
      }
    };
    return upper | (low() & mask);
  }
}
