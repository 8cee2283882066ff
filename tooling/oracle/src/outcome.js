// What an instruction did, packed: only what it changed. Values wider than eight bytes are stored whole in some of a form's
// vectors, and as a digest of three bytes in the others.
import { FLAGS_MASK, STATE_SIZE, StateAt } from "./state.js";

/**
 * @typedef {object} Outcome
 * @property {number | null} vector of the exception that it raised; null for an instruction that finished
 * @property {number} errorCode 0 where the exception has none
 * @property {bigint} cr2 faulting address of a page fault, else 0
 * @property {bigint} ipStep how far RIP is from the next instruction (finished) or from this one (fault)
 * @property {Uint8Array} state afterwards; where there is a digest, its wide part (from x87 to the end of memory) is that from before
 * @property {number | null} digest of the wide part
 */

const HAS_FAULT = 1,
  HAS_IP = 2,
  HAS_FLAGS = 4,
  HAS_REGISTER = 8,
  HAS_REGISTERS = 16,
  HAS_SMALL = 32,
  HAS_WIDE = 64,
  HAS_BYTES = 128;

/** The wide part of a state, in words. */
const WIDE_FROM = StateAt.x87 >> 2;
const WIDE_TO = StateAt.bases >> 2;
/** It is stored in units. */
const UNIT = 16;
/** At most so many bytes of memory are stored as they are. */
const NARROW = 8;

/** Parts of the state below eight bytes and of eight: opmasks, MXCSR, x87 control, status, tags, bases. @type {readonly (readonly [number, number])[]} */
const SMALL = [
  ...Array.from({ length: 8 }, (_, i) => /** @type {const} */ ([StateAt.masks + 8 * i, 8])),
  [StateAt.mxcsr, 4],
  [StateAt.x87Control, 2],
  [StateAt.x87Status, 2],
  [StateAt.x87Tags, 1],
  [StateAt.bases, 8],
  [StateAt.bases + 8, 8],
];

/** The flags in one byte; the top bit says that NT, AC or ID changed and another byte follows. */
const FLAG_BITS = [0, 2, 4, 6, 7, 10, 11];
const RARE_FLAG_BITS = [14, 18, 21];

/** @param {number} flags @param {readonly number[]} bits */
const gather = (flags, bits) => bits.reduce((sum, bit, i) => sum | (((flags >> bit) & 1) << i), 0);
/** @param {number} packed @param {readonly number[]} bits */
const scatter = (packed, bits) => bits.reduce((sum, bit, i) => sum | (((packed >> i) & 1) << bit), 0);

/** 24 bits that stand for what changed in the wide part; 0 where nothing did. @param {Int32Array} before @param {Int32Array} after */
export function digestOf(before, after) {
  let hash = 0;
  for (let i = WIDE_FROM; i < WIDE_TO; i++) {
    const word = after[i];
    if (word === before[i]) continue;
    hash = Math.imul(hash ^ i, 0x9e37_79b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ word, 0x85eb_ca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2_ae35);
  return (hash ^ (hash >>> 8)) & 0xff_ffff;
}

/** Bytes that grow. */
export class Writer {
  #bytes = new Uint8Array(1 << 16);
  length = 0;

  /** @param {number} value */
  byte(value) {
    if (this.length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.length++] = value;
  }
  /** @param {number} value @param {number} size */
  number(value, size) {
    for (let i = 0; i < size; i++) this.byte((value >>> (8 * i)) & 0xff);
  }
  /** @param {Uint8Array} bytes */
  all(bytes) {
    for (const byte of bytes) this.byte(byte);
  }
  /** Up to eight bytes without their leading zeros; `tag` in the upper half of the byte with their number. @param {bigint} value @param {number} [tag] */
  long(value, tag = 0) {
    let length = 0;
    for (let rest = value; rest !== 0n; rest >>= 8n) length++;
    this.byte(length | (tag << 4));
    for (let i = 0; i < length; i++) this.byte(Number((value >> BigInt(8 * i)) & 0xffn));
  }
  bytes() {
    return this.#bytes.slice(0, this.length);
  }
}

/**
 * Packs one outcome.
 *
 * @param {Writer} out @param {Uint8Array} beforeBytes @param {Outcome} outcome @param {boolean} whole no digest
 */
export function writeOutcome(out, beforeBytes, outcome, whole) {
  // Typed views want their own alignment.
  const before = new Uint8Array(beforeBytes);
  const after = outcome.state;
  const [beforeLongs, afterLongs] = [new BigUint64Array(before.buffer), new BigUint64Array(after.buffer)];
  const [beforeWords, afterWords] = [new Int32Array(before.buffer), new Int32Array(after.buffer)];
  const registers = [];
  for (let r = 0; r < 16; r++) if (beforeLongs[r] !== afterLongs[r]) registers.push(r);
  const small = SMALL.flatMap(([at, size], i) => (equal(before, after, at, size) ? [] : [i]));
  const units = [];
  for (let at = StateAt.x87; at < StateAt.bases; at += UNIT) if (!equal(before, after, at, UNIT)) units.push(at);
  const run = units.length > 0 && /** @type {number} */ (units[0]) >= StateAt.window ? runOf(before, after) : null;
  const flags = StateAt.flags >> 2;
  const flagsChanged = (beforeWords[flags] ^ afterWords[flags]) & FLAGS_MASK;
  out.byte(
    (outcome.vector === null ? 0 : HAS_FAULT) |
      (outcome.ipStep !== 0n ? HAS_IP : 0) |
      (flagsChanged !== 0 ? HAS_FLAGS : 0) |
      (registers.length === 1 ? HAS_REGISTER : registers.length > 1 ? HAS_REGISTERS : 0) |
      (small.length > 0 ? HAS_SMALL : 0) |
      (units.length > 0 ? (run !== null ? HAS_BYTES : HAS_WIDE) : 0),
  );
  if (outcome.vector !== null) {
    out.byte(outcome.vector);
    out.long(BigInt(outcome.errorCode));
    out.long(outcome.cr2);
  }
  if (outcome.ipStep !== 0n) out.long(BigInt.asUintN(64, outcome.ipStep));
  if (flagsChanged !== 0) {
    const rare = gather(flagsChanged, RARE_FLAG_BITS) !== 0;
    out.byte(gather(afterWords[flags], FLAG_BITS) | (rare ? 0x80 : 0));
    if (rare) out.byte(gather(afterWords[flags], RARE_FLAG_BITS));
  }
  if (registers.length > 1)
    out.number(
      registers.reduce((mask, r) => mask | (1 << r), 0),
      2,
    );
  for (const r of registers) out.long(afterLongs[r], registers.length > 1 ? 0 : r);
  if (small.length > 0)
    out.number(
      small.reduce((mask, i) => mask | (1 << i), 0),
      2,
    );
  for (const i of small) out.long(readSmall(after, i));
  if (run !== null) {
    out.number(run.at - StateAt.window, 2);
    out.byte(run.length);
    out.all(after.subarray(run.at, run.at + run.length));
  } else if (units.length > 0) {
    if (!whole) out.number(digestOf(beforeWords, afterWords), 3);
    else {
      // Units of zeros, which a VEX write leaves many of, are named only.
      const zero = units.filter((at) => isZero(after, at));
      const other = units.filter((at) => !isZero(after, at));
      out.byte(zero.length);
      for (const at of zero) out.byte((at - StateAt.x87) / UNIT);
      out.byte(other.length);
      for (const at of other) {
        out.byte((at - StateAt.x87) / UNIT);
        out.all(after.subarray(at, at + UNIT));
      }
    }
  }
}

/** @param {Uint8Array} bytes @param {number} at */
function isZero(bytes, at) {
  for (let i = at; i < at + UNIT; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** @param {Uint8Array} a @param {Uint8Array} b @param {number} at @param {number} size */
function equal(a, b, at, size) {
  for (let i = at; i < at + size; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The bytes of memory that changed, where they are few. @param {Uint8Array} before @param {Uint8Array} after */
function runOf(before, after) {
  let first = -1;
  let last = -1;
  for (let i = StateAt.window; i < StateAt.bases; i++) {
    if (before[i] === after[i]) continue;
    if (first < 0) first = i;
    last = i;
  }
  return last - first < NARROW ? { at: first, length: last - first + 1 } : null;
}

/** @param {Uint8Array} bytes @param {number} index */
function readSmall(bytes, index) {
  const [at, size] = SMALL[index];
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]);
  return value;
}

/** Reads outcomes one after the other, all into the same object. */
export class OutcomeReader {
  #bytes;
  #at = 0;
  #state = new Uint8Array(STATE_SIZE);
  #words = new Int32Array(this.#state.buffer);
  #longs = new BigUint64Array(this.#state.buffer);
  /** @type {Outcome} */
  outcome = { vector: null, errorCode: 0, cr2: 0n, ipStep: 0n, state: this.#state, digest: null };

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  get atEnd() {
    return this.#at === this.#bytes.length;
  }

  #byte() {
    if (this.#at >= this.#bytes.length) throw new Error("the vectors end within an outcome");
    return this.#bytes[this.#at++];
  }
  /** @param {number} size */
  #number(size) {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#byte() << (8 * i);
    return value;
  }
  /** @param {number} length */
  #long(length) {
    let [low, high] = [0, 0];
    for (let i = 0; i < length; i++) {
      if (i < 4) low |= this.#byte() << (8 * i);
      else high |= this.#byte() << (8 * i - 32);
    }
    return high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  /** The next outcome, given the state before it and whether it was written whole. @param {Uint8Array} before @param {boolean} whole */
  next(before, whole) {
    const { outcome } = this;
    const state = this.#state;
    state.set(before);
    const bits = this.#byte();
    outcome.vector = null;
    outcome.errorCode = 0;
    outcome.cr2 = 0n;
    outcome.digest = null;
    if (bits & HAS_FAULT) {
      outcome.vector = this.#byte();
      outcome.errorCode = Number(this.#long(this.#byte()));
      outcome.cr2 = this.#long(this.#byte());
    }
    outcome.ipStep = bits & HAS_IP ? BigInt.asIntN(64, this.#long(this.#byte())) : 0n;
    if (bits & HAS_FLAGS) this.#readFlags();
    if (bits & HAS_REGISTER) {
      const tag = this.#byte();
      this.#longs[tag >> 4] = this.#long(tag & 15);
    }
    if (bits & HAS_REGISTERS) {
      const mask = this.#number(2);
      for (let r = 0; r < 16; r++) if (mask & (1 << r)) this.#longs[r] = this.#long(this.#byte());
    }
    if (bits & HAS_SMALL) {
      const mask = this.#number(2);
      for (let i = 0; i < SMALL.length; i++) if (mask & (1 << i)) this.#readSmall(i);
    }
    if (bits & HAS_BYTES) {
      const at = StateAt.window + this.#number(2);
      const length = this.#byte();
      for (let i = 0; i < length; i++) state[at + i] = this.#byte();
    }
    if (bits & HAS_WIDE) {
      if (!whole) outcome.digest = this.#number(3);
      else {
        for (let zero = this.#byte(); zero > 0; zero--) {
          const at = StateAt.x87 + UNIT * this.#byte();
          state.fill(0, at, at + UNIT);
        }
        for (let other = this.#byte(); other > 0; other--) {
          const at = StateAt.x87 + UNIT * this.#byte();
          for (let j = 0; j < UNIT; j++) state[at + j] = this.#byte();
        }
      }
    }
    return outcome;
  }

  #readFlags() {
    const packed = this.#byte();
    const at = StateAt.flags >> 2;
    let flags = this.#words[at];
    flags = (flags & ~scatter(0x7f, FLAG_BITS)) | scatter(packed & 0x7f, FLAG_BITS);
    if (packed & 0x80) flags = (flags & ~scatter(7, RARE_FLAG_BITS)) | scatter(this.#byte(), RARE_FLAG_BITS);
    this.#words[at] = flags;
  }

  /** @param {number} index */
  #readSmall(index) {
    const [at, size] = SMALL[index];
    const value = this.#long(this.#byte());
    for (let i = 0; i < size; i++) this.#state[at + i] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)));
  }
}
