// The fields of the integer that tells the decoder what it must know of a form (column `formFlags` of the table).

/** Bits 0-3: how the immediate is read. */
export const IMMEDIATE_MASK = 0xf;
export const IMMEDIATE_BYTE = 1;
// 2: a byte that is sign-extended.
/** The last of the kinds that are one byte. */
export const IMMEDIATE_BRANCH8 = 3;
export const IMMEDIATE_DWORD = 4;
// 5: a doubleword that is sign-extended.
/** The last of the kinds that are four bytes. */
export const IMMEDIATE_BRANCH32 = 6;
export const IMMEDIATE_WORD = 7;
export const IMMEDIATE_BRANCH16 = 8;
// 9: a quadword.
/** ENTER: a word and a byte. */
export const IMMEDIATE_WORD_BYTE = 10;
export const IMMEDIATE_FAR16 = 11;
export const IMMEDIATE_FAR32 = 12;
/** EXTRQ and INSERTQ: two bytes. */
export const IMMEDIATE_BYTE_BYTE = 13;
/** A byte whose upper half is a register. */
export const IMMEDIATE_IS4 = 14;
/** The constant 1 of the shift opcodes D0 and D1; no bytes. */
export const IMMEDIATE_ONE = 15;

/** Bits 4-6: what kind of memory operand there is. */
export const MEMORY_SHIFT = 4;
export const MEMORY_MASK = 7;
/** The kinds that ModRM gives have bit 0 set. */
export const MEMORY_MODRM = 1;
export const MEMORY_OFFSET = 2;
export const MEMORY_XLAT = 6;
export const MEMORY_STRING = 4;
export const MEMORY_VSIB = 5;

/** F2 or F3 is part of the opcode. */
export const CONSUMES_REPEAT: number = 1 << 7;
export const LOCKABLE: number = 1 << 8;
/** 64-bit operand size by default in 64-bit mode; 66 makes it 16. */
export const DEFAULT_64: number = 1 << 9;
/** Near branches: 64-bit operand size in 64-bit mode whatever the prefixes say. */
export const FORCED_64: number = 1 << 10;
/** VEX, XOP or EVEX.vvvv names an operand. */
export const USES_VVVV: number = 1 << 11;
export const ALLOWS_MASK: number = 1 << 12;
export const REQUIRES_MASK: number = 1 << 13;
export const ALLOWS_ZEROING: number = 1 << 14;
export const EMBEDDED_ROUNDING: number = 1 << 15;
export const SUPPRESS_EXCEPTIONS: number = 1 << 16;
/** Bits 17-20: which further check the form needs, see form-checks.ts. */
export const CHECK_SHIFT = 17;
export const CHECK_MASK = 0xf;
/** Bits 21-22: 0 no vector, else log2 of the length in 8-byte units. */
export const VECTOR_SHIFT = 21;
/** Bits 23-24: 0 no broadcast, else the broadcast element is 1 << n bytes. */
export const BROADCAST_SHIFT = 23;
// Bit 25: L or L'L is ignored.
/** ModRM.mod is not read: always a register. */
export const MOD_IGNORED: number = 1 << 26;
// Bit 27: 66 is part of the opcode, not an operand-size prefix.
/** Bits 28-31: 0 disp8 scales by the memory operand's size, else by 1 << (n - 1). */
export const DISP8_SHIFT = 28;
