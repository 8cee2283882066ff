// Kinds of operands, and how one operand is packed into an integer: the form table holds templates in this layout,
// the decoder adds the register number, `Instruction` takes it apart.

/**
 * What an operand is.
 *
 * @public
 */
export const OperandKind = {
  none: 0,
  register: 1,
  /** A memory operand given by base, index, scale and displacement (also MOV's direct offset and XLAT's table). */
  memory: 2,
  /** The immediate; where the form sign-extends it, it is already extended. */
  immediate: 3,
  /** Relative near branch; the immediate is the sign-extended displacement from the next instruction. */
  branch: 4,
  /** Direct far pointer; the immediate is the offset, `immediate2` the selector. */
  farPointer: 5,
  /** Memory at segment:[rSI] of string instructions; `memorySegment` holds the segment. */
  stringSource: 6,
  /** Memory at ES:[rDI] of string instructions. */
  stringDestination: 7,
  /** The second immediate: ENTER's nesting level, the second byte of EXTRQ and INSERTQ. */
  immediate2: 8,
  /** Memory at segment:[rDI] of MASKMOVQ and MASKMOVDQU. */
  maskDestination: 9,
} as const;

/** Bits 0-3 of a packed operand: the kind. */
export const KIND_MASK = 0xf;
/** Bits 4-13: the register. */
export const REGISTER_SHIFT = 4;
/** Bits 14-23: the size in bytes. */
export const SIZE_SHIFT = 14;
/** Both are ten bits wide. */
export const FIELD_MASK = 0x3ff;
/** Bits 24-26 of a template: where the register number comes from, one of the SOURCE constants. */
export const SOURCE_SHIFT = 24;
/** Bit 27 of a template: an 8-bit register, which without REX names AH to BH by 4 to 7. */
export const BYTE_REGISTER: number = 1 << 27;
/** Bit 28 of a template: given by ModRM.rm, memory unless ModRM.mod is 3. */
export const THROUGH_MODRM: number = 1 << 28;
/** Bit 29 of a template: only the low three bits of the number count (MMX, x87, segment and opmask registers). */
export const LOW_NUMBER_SHIFT = 29;

/** The decoder keeps all register numbers in one integer, five bits for each source at five times its constant. */
export const SOURCE_FIXED = 0;
/** ModRM.reg with its extension bits. */
export const SOURCE_REG = 1;
/** ModRM.rm with its extension bits. */
export const SOURCE_RM = 2;
export const SOURCE_VVVV = 3;
/** The low three bits of ModRM.rm, or of an opcode without ModRM, with REX.B: general registers, which EVEX.X does not extend. */
export const SOURCE_BASE = 4;
/** The upper four bits of the immediate byte. */
export const SOURCE_IS4 = 5;
/** Bits for each source. */
export const SOURCE_BITS = 5;
