// What `Decoder.decode` returns.

/**
 * The outcome of decoding.
 *
 * @public
 */
export const DecodeStatus = {
  /** The instruction is filled. */
  ok: 0,
  /** The bytes end before the instruction does; `instruction.bytesNeeded` says how many more it needs at least. */
  truncated: 1,
  /** The bytes are no instruction in this mode: the processor raises #UD. */
  invalid: 2,
  /** The instruction would be longer than 15 bytes: the processor raises #GP(0). */
  tooLong: 3,
} as const;

/**
 * A value of {@link DecodeStatus}.
 *
 * @public
 */
export type DecodeStatus = (typeof DecodeStatus)[keyof typeof DecodeStatus];

/**
 * Why bytes are invalid: `Instruction.invalidReason` after `DecodeStatus.invalid`.
 *
 * @public
 */
export const InvalidReason = {
  none: 0,
  /** No instruction has this opcode with these prefixes, this ModRM byte and this mode. */
  opcode: 1,
  /** LOCK where it is not allowed, or a legacy prefix or reserved bits in a VEX, XOP or EVEX prefix. */
  prefix: 2,
  /** vvvv, vector length, opmask, zeroing, broadcast or addressing that the vector instruction does not have. */
  vector: 3,
  /** Registers that do not exist or must differ: CR1, a MOV to CS, a gather's mask as its index. */
  registers: 4,
} as const;
