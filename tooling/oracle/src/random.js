// Random numbers with a seed, so that inputs need not be stored: the same on every machine. Values that look for trouble, and
// a pool of such values from which registers and memory are filled.

/** FNV-1a of a text, 32 bits. @param {string} text */
export function hashText(text) {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}

export class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = (seed ^ 0x9e37_79b9) | 0;
  }

  /** 32 bits, unsigned (Mulberry32). */
  word() {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 up to, not including, `limit`. @param {number} limit */
  below(limit) {
    return Math.floor((this.word() / 0x1_0000_0000) * limit);
  }

  /** True once in `n` times. @param {number} n */
  oneIn(n) {
    return this.below(n) === 0;
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
    return upper | (this.#low(width, mask) & mask);
  }

  /** @param {bigint} width @param {bigint} mask */
  #low(width, mask) {
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
  }
}

/** Bytes of the pool that may be copied from any multiple of 8 below {@link POOL_SIZE}. */
export const POOL_SIZE = 0x1_0000;
const POOL_MORE = 0x1000;

/**
 * What registers and memory are filled from: quadwords that look for trouble, runs of small elements at the ends of their
 * range, and plain random bytes.
 */
export const pool = /* @__PURE__ */ makePool();

function makePool() {
  const random = new Random(0x9001);
  const bytes = new Uint8Array(POOL_SIZE + POOL_MORE);
  const view = new DataView(bytes.buffer);
  const fill = [
    (/** @type {number} */ at) => view.setBigUint64(at, random.long()),
    (/** @type {number} */ at) => view.setBigUint64(at, random.value()),
    (/** @type {number} */ at) => {
      for (let i = 0; i < 8; i++) bytes[at + i] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    },
    (/** @type {number} */ at) => {
      for (let i = 0; i < 8; i += 2)
        view.setUint16(at + i, random.pick([0, 1, 0x7fff, 0x8000, 0xffff, random.below(0x1_0000)]), true);
    },
    (/** @type {number} */ at) => {
      for (let i = 0; i < 8; i += 4)
        view.setUint32(at + i, random.pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random.word()]), true);
    },
    // Counts and indices.
    (/** @type {number} */ at) => {
      for (let i = 0; i < 8; i += 4) view.setUint32(at + i, random.below(70), true);
    },
  ];
  for (let at = 0; at < bytes.length; at += 16) {
    const how = random.pick(fill);
    how(at);
    (random.oneIn(4) ? random.pick(fill) : how)(at + 8);
  }
  return bytes;
}
