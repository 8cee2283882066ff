/**
 * The form of an instruction: all that its meaning may depend on before registers, immediates and addresses are known.
 * Two instructions of equal form share one {@link Ir}. Nothing here knows what an instruction does.
 */
/** What an operand is, as far as its meaning cares. @public */
export type OperandShape =
  | "register"
  | "segment"
  | "control"
  | "debug"
  | "mmx"
  | "vector"
  | "mask"
  | "x87"
  | "memory"
  | "immediate"
  | "immediate2"
  | "branch"
  | "farPointer"
  | "stringSource"
  | "stringDestination"
  | "maskDestination"
  | "other";

/** One operand of a {@link Form}. @public */
export interface OperandForm {
  /** What it is. */
  readonly shape: OperandShape;
  /** Bytes; 0 where the operand has no size of its own (LEA's memory operand, INVLPG's). */
  readonly size: number;
}

/**
 * All that the meaning of an instruction may depend on before registers, immediates and addresses are known.
 * Instructions of equal form share one {@link Ir}.
 *
 * @public
 */
export interface Form {
  /** The decoder's name of the mnemonic, lower case. */
  readonly mnemonic: string;
  /** The explicit operands, in the order of the manuals, and the implicit ones that the decoder lists. */
  readonly operands: readonly OperandForm[];
  /** Effective operand size in bytes. */
  readonly operandSize: 2 | 4 | 8;
  /** Effective address size in bytes. */
  readonly addressSize: 2 | 4 | 8;
  /** 16, 32 or 64 bytes; 0 outside VEX and EVEX. */
  readonly vectorLength: 0 | 16 | 32 | 64;
  /** 64-bit mode: flat segments except FS and GS, 64-bit stack, canonical addresses. */
  readonly long: boolean;
  /** Whether a LOCK prefix stands before it. */
  readonly lock: boolean;
  /** What the opmask does to elements that it leaves out; "none" without an opmask. */
  readonly masking: "none" | "merging" | "zeroing";
  /** How many elements a broadcast memory operand becomes; 0 without broadcast. */
  readonly broadcast: number;
  /** The immediates' values (8 bits) where the meaning depends on them (a shuffle's control), else null. */
  readonly immediate: number | null;
  /** The same of the second immediate. */
  readonly immediate2: number | null;
  /** A choice the host made, where the meaning has one. */
  readonly options: SemanticOptions;
}

/** Choices that a host may make where processors, or hosts' needs, differ. @public */
export interface SemanticOptions {
  /**
   * CMPXCHG, CMPXCHG8B and CMPXCHG16B write the old value back when the comparison fails, as processors do. False: they
   * write nothing then. Default true.
   */
  readonly compareExchangeWritesBack: boolean;
}

/** What {@link SemanticOptions} says where the host does not: as processors do. @public */
export const DEFAULT_OPTIONS: SemanticOptions = { compareExchangeWritesBack: true };
