/**
 * The bits of RFLAGS and the formulas by which a group of status flags follows from an operation. Where the manuals
 * leave a flag undefined, the formulas give what an AMD Zen processor leaves (measured with `tooling/oracle`);
 * `../families/undefined-results.ts` lists those flags for comparison with other processors.
 *
 * Notation: `msb` is the highest bit of the group's type, n its width in bits, c the masked count.
 *
 * | kind | CF | OF | AF |
 * | --- | --- | --- | --- |
 * | add (also ADC, INC) | msb of (x & y) \| ((x \| y) & ~r) | msb of (x ^ r) & (y ^ r) | bit 4 of x ^ y ^ r |
 * | sub (also SBB, DEC, CMP; NEG is 0 - y) | msb of (~x & y) \| ((~x \| y) & r) | msb of (x ^ y) & (x ^ r) | bit 4 of x ^ y ^ r |
 * | logic | 0 | 0 | 0 |
 * | shl | bit n - c of x (0 when c > n) | msb of r ^ CF | 1 |
 * | shr | bit c - 1 of x (0 when c > n) | the two highest bits of r differ | 1 |
 * | sar | bit c - 1 of x, sign-extended | 0 | 1 |
 * | rol | bit 0 of r | msb of r ^ CF | not changed |
 * | ror | msb of r | the two highest bits of r differ | not changed |
 *
 * In all but rol and ror (which change no other flag): ZF is r = 0, SF the msb of r, PF the even parity of the low byte
 * of r. The formulas for add and sub hold with a carry in, so ADC and SBB need no kind of their own; the mask of the
 * group leaves CF out for INC and DEC. The shift and rotate kinds change no flag at all when c is 0.
 */

/** Bit numbers in RFLAGS. @public */
export const FlagBit = {
  CF: 0,
  PF: 2,
  AF: 4,
  ZF: 6,
  SF: 7,
  TF: 8,
  IF: 9,
  DF: 10,
  OF: 11,
  IOPL: 12,
  NT: 14,
  RF: 16,
  VM: 17,
  AC: 18,
  VIF: 19,
  VIP: 20,
  ID: 21,
} as const;

/** Masks in RFLAGS. @public */
export const Flag = {
  CF: 0x1,
  PF: 0x4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  /** Two bits. */
  IOPL: 0x3000,
  NT: 0x4000,
  RF: 0x1_0000,
  VM: 0x2_0000,
  AC: 0x4_0000,
  VIF: 0x8_0000,
  VIP: 0x10_0000,
  ID: 0x20_0000,
} as const;

/** The six status flags. @public */
export const STATUS_FLAGS = 0x8d5;

/** A condition code: the low four bits of Jcc, SETcc and CMOVcc (Intel SDM volume 1, appendix B). @public */
export const CONDITION_NAMES = [
  "o",
  "no",
  "b",
  "ae",
  "e",
  "ne",
  "be",
  "a",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "ge",
  "le",
  "g",
] as const;
/** A condition as it stands in mnemonics: the `cc` of Jcc, SETcc and CMOVcc. @public */
export type ConditionName = (typeof CONDITION_NAMES)[number];
