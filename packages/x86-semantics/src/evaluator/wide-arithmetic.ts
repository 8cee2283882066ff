/**
 * 64- and 128-bit arithmetic on pairs of 32-bit words, in place in an array: product halves, quotients, remainders. `d`,
 * `a`, `b` are word indices, low word first. No `bigint`, no allocation.
 */

/** s[d] = low 64 bits of a * b. */
export function multiply64(s: Int32Array, d: number, a: number, b: number): void {
  const aLow = s[a];
  const bLow = s[b];
  const high = (Math.imul(aLow, s[b + 1]) + Math.imul(s[a + 1], bLow) + multiplyHigh32(aLow, bLow)) | 0;
  s[d] = Math.imul(aLow, bLow);
  s[d + 1] = high;
}

/** Upper 32 bits of the unsigned product of two words. */
export function multiplyHigh32(x: number, y: number): number {
  const x0 = x & 0xffff;
  const x1 = x >>> 16;
  const y0 = y & 0xffff;
  const y1 = y >>> 16;
  // Each sum stays below 2^32, so its 16-bit parts come out by integer shifts.
  const middle = x1 * y0 + ((x0 * y0) >>> 16);
  const middle2 = x0 * y1 + (middle & 0xffff);
  return (x1 * y1 + (middle >>> 16) + (middle2 >>> 16)) | 0;
}

/** s[d] = upper 64 bits of the unsigned product of a and b. */
export function multiplyHighUnsigned64(s: Int32Array, d: number, a: number, b: number): void {
  const aLow = s[a];
  const aHigh = s[a + 1];
  const bLow = s[b];
  const bHigh = s[b + 1];
  // Columns of 32 bits; sums of a few words are exact in a double.
  const column1 = (multiplyHigh32(aLow, bLow) >>> 0) + (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bHigh) >>> 0);
  const column2 =
    (multiplyHigh32(aHigh, bLow) >>> 0) +
    (multiplyHigh32(aLow, bHigh) >>> 0) +
    (Math.imul(aHigh, bHigh) >>> 0) +
    Math.floor(column1 / 0x1_0000_0000);
  s[d] = column2 | 0;
  s[d + 1] = (multiplyHigh32(aHigh, bHigh) + Math.floor(column2 / 0x1_0000_0000)) | 0;
}

/** s[d] = upper 64 bits of the signed product of a and b. */
export function multiplyHighSigned64(s: Int32Array, d: number, a: number, b: number): void {
  const aLow = s[a];
  const aHigh = s[a + 1];
  const bLow = s[b];
  const bHigh = s[b + 1];
  multiplyHighUnsigned64(s, d, a, b);
  // signed = unsigned - (a < 0 ? b << 64 : 0) - (b < 0 ? a << 64 : 0)
  if (aHigh < 0) subtractWords(s, d, bLow, bHigh);
  if (bHigh < 0) subtractWords(s, d, aLow, aHigh);
}

function subtractWords(s: Int32Array, d: number, low: number, high: number): void {
  const borrow = s[d] >>> 0 < low >>> 0 ? 1 : 0;
  s[d] -= low;
  s[d + 1] = (s[d + 1] - high - borrow) | 0;
}

/**
 * s[d] = quotient or remainder of upper:lower by b, all unsigned; upper is less than b. Sixty-four steps of shift and
 * subtract: a 64-bit division is rare enough that short code wins.
 */
export function divideWide(
  s: Int32Array,
  d: number,
  upper: number,
  lower: number,
  b: number,
  wantRemainder: boolean,
): void {
  divideWords(s, d, s[upper], s[upper + 1], s[lower], s[lower + 1], s[b], s[b + 1], wantRemainder);
}

/** s[d] = quotient or remainder of the 64-bit a by b, unsigned; b is not zero. */
export function divide64(s: Int32Array, d: number, a: number, b: number, wantRemainder: boolean): void {
  if (s[a + 1] === 0 && s[b + 1] === 0) {
    const x = s[a] >>> 0;
    const y = s[b] >>> 0;
    s[d] = wantRemainder ? x % y : (x / y) >>> 0;
    s[d + 1] = 0;
    return;
  }
  divideWords(s, d, 0, 0, s[a], s[a + 1], s[b], s[b + 1], wantRemainder);
}

function divideWords(
  s: Int32Array,
  d: number,
  remainderLow: number,
  remainderHigh: number,
  low: number,
  high: number,
  bLow: number,
  bHigh: number,
  wantRemainder: boolean,
): void {
  for (let step = 0; step < 64; step++) {
    const carry = remainderHigh < 0;
    remainderHigh = (remainderHigh << 1) | (remainderLow >>> 31);
    remainderLow = (remainderLow << 1) | (high >>> 31);
    high = (high << 1) | (low >>> 31);
    low <<= 1;
    const notLess =
      carry || remainderHigh >>> 0 > bHigh >>> 0 || (remainderHigh === bHigh && remainderLow >>> 0 >= bLow >>> 0);
    if (notLess) {
      const borrow = remainderLow >>> 0 < bLow >>> 0 ? 1 : 0;
      remainderLow = (remainderLow - bLow) | 0;
      remainderHigh = (remainderHigh - bHigh - borrow) | 0;
      low |= 1;
    }
  }
  s[d] = wantRemainder ? remainderLow : low;
  s[d + 1] = wantRemainder ? remainderHigh : high;
}

/** s[d] = a rotated left by n, 0 to 63. */
export function rotateLeft64(s: Int32Array, d: number, a: number, n: number): void {
  let low = s[a];
  let high = s[a + 1];
  if (n >= 32) {
    const swap = low;
    low = high;
    high = swap;
  }
  const k = n & 31;
  // In two steps, since a shift by 32 is a shift by 0.
  s[d] = (low << k) | ((high >>> 1) >>> (31 - k));
  s[d + 1] = (high << k) | ((low >>> 1) >>> (31 - k));
}

/** The bytes of a word in reverse order. */
export function swapWord(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

/** Zeros below the lowest one of a word; 32 for zero. */
export function trailingZeros(x: number): number {
  return x === 0 ? 32 : 31 - Math.clz32(x & -x);
}

/** Ones in a word. */
export function populationCount(x: number): number {
  x -= (x >>> 1) & 0x5555_5555;
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
