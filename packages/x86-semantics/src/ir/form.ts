/**
 * The form of an instruction: all that its meaning may depend on before registers, immediates and addresses are known.
 * Two instructions of equal form share one {@link Ir}. Nothing here knows what an instruction does.
 */
/** What an operand is, as far as its meaning cares. */
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

export interface OperandForm {
  readonly shape: OperandShape;
  /** Bytes; 0 where the operand has no size of its own (LEA's memory operand, INVLPG's). */
  readonly size: number;
}

export interface Form {
  /** The decoder's name of the mnemonic, lower case. */
  readonly mnemonic: string;
  readonly operands: readonly OperandForm[];
  /** Effective operand size in bytes. */
  readonly operandSize: 2 | 4 | 8;
  /** Effective address size in bytes. */
  readonly addressSize: 2 | 4 | 8;
  /** 16, 32 or 64 bytes; 0 outside VEX and EVEX. */
  readonly vectorLength: 0 | 16 | 32 | 64;
  /** 64-bit mode: flat segments except FS and GS, 64-bit stack, canonical addresses. */
  readonly long: boolean;
  readonly lock: boolean;
  /** What the opmask does to elements that it leaves out; "none" without an opmask. */
  readonly masking: "none" | "merging" | "zeroing";
  /** How many elements a broadcast memory operand becomes; 0 without broadcast. */
  readonly broadcast: number;
  /** The immediates' values (8 bits) where the meaning depends on them (a shuffle's control), else null. */
  readonly immediate: number | null;
  readonly immediate2: number | null;
  /** A choice the host made, where the meaning has one. */
  readonly options: SemanticOptions;
}

/** Choices that a host may make where processors, or hosts' needs, differ. */
export interface SemanticOptions {
  /**
   * CMPXCHG, CMPXCHG8B and CMPXCHG16B write the old value back when the comparison fails, as processors do. False: they
   * write nothing then. Default true.
   */
  readonly compareExchangeWritesBack: boolean;
}

export const DEFAULT_OPTIONS: SemanticOptions = { compareExchangeWritesBack: true };
