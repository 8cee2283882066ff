// What a decoder can be told to do differently.

/**
 * Options of a `Decoder`. The defaults decode what current Intel processors execute.
 *
 * @public
 */
export interface DecoderOptions {
  /**
   * Decode as AMD processors do where they differ: in 64-bit mode a 66 prefix makes near branches 16-bit, and
   * `LOCK MOV CR0` reaches CR8. Default false.
   */
  readonly amd?: boolean;
  /** Decode 0F 1A and 0F 1B as MPX instructions instead of reserved NOPs. Default false. */
  readonly mpx?: boolean;
  /**
   * Decode instructions that only early processors had (UMOV, XBTS, IBTS, MOV to test registers, LOADALL of the 80386; x87 instructions of the
   * 80387SL) where they stand in the way of current ones too. Default false.
   */
  readonly old?: boolean;
}
