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
