/**
 * The operations of a bound program, as the evaluator runs them: {@link STRIDE} words each, an opcode and up to seven
 * arguments. `binding.ts` writes them, `evaluator.ts` runs them. In the comments d, a, b, c are places of values in the
 * evaluator's slots (word indices); a value of 64 bits takes two words, low first, one of 128 bits four; a narrower
 * value takes one word, zero-extended to 32 bits. All else is a literal.
 */

/** Words per operation. */
export const STRIDE = 8;

export const Opcode = {
  /** The instruction is done. */
  end: 0,
  /** All that a program without a meaning holds: answers `Abort.unsupported`. */
  unsupported: 77,
  /** d, value */
  const32: 1,
  /** d, low, high */
  const64: 2,
  /** d, index into words / words / halfwords / bytes of the register file */
  get64: 3,
  get32: 4,
  get16: 5,
  get8: 6,
  /** index, a */
  set64: 7,
  /** index, a: low word from a, high word zero */
  set32zero: 8,
  set32: 9,
  set16: 10,
  set8: 11,
  /** d, bit */
  getFlag: 12,
  /** bit, a */
  setFlag: 13,
  /** d, base word, displacement low, displacement high: 64-bit address */
  address64: 14,
  /** d, base word, displacement low, displacement high, index word, scale shift: 64-bit address */
  address64indexed: 15,
  /** d, base word or -1, displacement, mask, index word or -1, scale shift: 16- or 32-bit address, zero-extended to 64 */
  address32: 16,
  /** d, a, word of the segment base: sum modulo 2^64 */
  linear64: 17,
  /** d, a, word of the segment base: sum modulo 2^32, zero-extended to 64 */
  linear32: 18,
  /** d, a (address), segment, intent */
  load8: 19,
  load16: 20,
  load32: 21,
  load64: 22,
  load128: 23,
  /** a (value), b (address), segment, intent */
  store8: 24,
  store16: 25,
  store32: 26,
  store64: 27,
  store128: 28,
  /** d, a (port), size */
  in: 29,
  /** a (value), b (port), size */
  out: 30,
  /** a (address), segment, size, intent */
  probe: 31,
  /** a (condition), vector, error code */
  faultIf: 32,
  /** a, word of CS limit */
  checkBranchLimit: 33,
  /** a, word of CR4 */
  checkBranchCanonical: 34,
  /** a (condition), index of the operation to go on with when it is 0 */
  unless: 35,
  /** d (four words), helper, a or -1, b or -1, c or -1, operand size, instruction length */
  call: 36,

  /** d, a, b, mask of the type */
  add32: 37,
  sub32: 38,
  mul32: 39,
  /** d, a, b */
  and32: 40,
  or32: 41,
  xor32: 42,
  add64: 43,
  sub64: 44,
  and64: 45,
  or64: 46,
  xor64: 47,
  /** d, a, mask of the type */
  not32: 48,
  /** d, a */
  not64: 49,
  /** d, a, c (count) */
  shl32: 50,
  shr32: 51,
  sar32: 52,
  shl64: 53,
  shr64: 54,
  sar64: 55,
  /** d, a, b */
  equal32: 56,
  equal64: 57,
  less32: 58,
  less64: 59,
  /** d, a, b, shift that moves the type's sign to bit 31 */
  signedLess32: 60,
  signedLess64: 61,
  /** d, a: low word from a, high word zero */
  zeroExtend64: 62,
  /** d, a, mask of the type */
  mask32: 63,
  /** d, a, shift that moves the source's sign to bit 31, mask of the result */
  signExtend32: 64,
  /** d, a, shift */
  signExtend64: 65,
  /** d, condition, a, b */
  select32: 66,
  select64: 67,
  select128: 68,
  /** d, a */
  parity: 69,
  /** x, y, r, shift that moves the type's sign to bit 31, mask of flags */
  flagsAdd32: 70,
  flagsSub32: 71,
  /** r, shift, mask of flags */
  flagsLogic32: 72,
  /** x, y, r, mask of flags */
  flagsAdd64: 73,
  flagsSub64: 74,
  /** r, mask of flags */
  flagsLogic64: 75,
  /** x, y (count), r, width in bits, mask of flags, one of {@link ShiftFlags} */
  flagsShift: 76,

  // From here on in the second function: rarer.
  mul64: 80,
  mulHighUnsigned64: 81,
  mulHighSigned64: 82,
  divide32: 83,
  remainder32: 84,
  divide64: 85,
  remainder64: 86,
  /** d, upper, lower, b */
  divideWide: 87,
  remainderWide: 88,
  /** d, a, c (count) */
  rotl32: 89,
  rotr32: 90,
  rotl64: 91,
  rotr64: 92,
  /** d, a */
  bswap16: 93,
  bswap32: 94,
  bswap64: 95,
  clz32: 96,
  clz64: 97,
  ctz32: 98,
  ctz64: 99,
  popcnt32: 100,
  popcnt64: 101,
  /** d, four words */
  const128: 102,
  /** d, index into words */
  get128: 103,
  /** index, a */
  set128: 104,
  /** d, a, b */
  and128: 105,
  or128: 106,
  xor128: 107,
  /** d, a */
  not128: 109,
  /** d, a, first byte, size */
  lane: 110,
  /** d, a, first byte, size, value */
  withLane: 111,
  /** d, a, b, then the sixteen byte numbers, four to a word */
  shuffle: 112,
  /** d, a: a narrower value to 128 bits; words that a fills */
  zeroExtend128: 113,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** The formulas of `Opcode.flagsShift`, in the order of `FlagsKind`. */
export const ShiftFlags = { shl: 0, shr: 1, sar: 2, rol: 3, ror: 4 } as const;
