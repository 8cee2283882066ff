// A decoded instruction: what `Decoder` writes and everybody reads. The decoder writes a dozen integers; the accessors
// below take them apart, so an instruction whose operands nobody reads costs nothing more.

import { FIELD_MASK, KIND_MASK, REGISTER_SHIFT, SIZE_SHIFT } from "./operand.ts";
import { formMnemonic, formOperandCount } from "./table/form-table.ts";

/** `Instruction.prefixBits`: bit 0 LOCK; bits 1-2 the last of F2 (1) and F3 (2). */
export const PREFIX_LOCK = 1;
export const PREFIX_REPEAT_SHIFT = 1;
/** Bits 3-5: number of the segment register of an override plus one. */
export const PREFIX_SEGMENT_SHIFT = 3;
/** Bits 6-7: 66 and 67 are present. */
export const PREFIX_OPERAND_SIZE: number = 1 << 6;
export const PREFIX_ADDRESS_SIZE: number = 1 << 7;
/** Bits 8-15: the REX byte. */
export const PREFIX_REX_SHIFT = 8;

/** `Instruction.sizeBits`: bits 0-3 operand size, 4-7 address size, 8-15 vector length, 16-19 displacement size. */
export const SIZE_ADDRESS_SHIFT = 4;
export const SIZE_VECTOR_SHIFT = 8;
export const SIZE_DISPLACEMENT_SHIFT = 16;

/** `Instruction.evexBits`: bits 0-2 opmask, 3 zeroing, 4-6 rounding, 7 suppress all exceptions, 8-13 broadcast count. */
export const EVEX_ZEROING: number = 1 << 3;
export const EVEX_ROUNDING_SHIFT = 4;
export const EVEX_SAE: number = 1 << 7;
export const EVEX_BROADCAST_SHIFT = 8;

/** `Instruction.memoryBits`: bits 0-9 base, 10-19 index, 20-21 log2 of the scale, 22-24 segment number plus one. */
export const MEMORY_INDEX_SHIFT = 10;
export const MEMORY_SCALE_SHIFT = 20;
export const MEMORY_SEGMENT_SHIFT = 22;

const SEGMENT_CLASS = 6 << 5;

/**
 * Embedded rounding of an EVEX instruction.
 *
 * @public
 */
export const RoundingMode = { none: 0, nearest: 1, down: 2, up: 3, zero: 4 } as const;

/**
 * A decoded instruction. Make one and let `Decoder.decode` fill it again and again; every field belongs to the
 * instruction decoded last. After a status other than `ok` the fields mean nothing, except `bytesNeeded` and
 * `invalidReason`.
 *
 * All quantities are numbers; 64-bit ones are two signed 32-bit halves, with a `bigint` accessor for convenience.
 * All sizes are in bytes.
 *
 * @example
 * ```ts
 * import { Decoder, DecodeStatus, Instruction, Mnemonic } from "@whvkit/x86-decoder";
 * const decoder = new Decoder(64);
 * const instruction = new Instruction();
 * const status = decoder.decode(Uint8Array.of(0x8b, 0x07), 0, instruction); // mov eax, [rdi]
 * status === DecodeStatus.ok && instruction.mnemonic === Mnemonic.mov; // true
 * ```
 *
 * @public
 */
export class Instruction {
  /** Mode of the decoder that filled it. */
  mode: 16 | 32 | 64 = 64;
  /** Number of the encoding form, a row of the form table; 0 for none. */
  form = 0;
  /** Length, 1 to 15. */
  length = 0;
  /** After `DecodeStatus.truncated`: how many more bytes the instruction needs at least. */
  bytesNeeded = 0;
  /** After `DecodeStatus.invalid`: why, a value of `InvalidReason`. */
  invalidReason = 0;
  /** Lower half of the displacement, see {@link Instruction.displacement}. */
  displacementLow = 0;
  /** Upper half of the displacement. */
  displacementHigh = 0;
  /** Lower half of the immediate, see {@link Instruction.immediate}. */
  immediateLow = 0;
  /** Upper half of the immediate. */
  immediateHigh = 0;
  /** ENTER's nesting level, a far pointer's selector, or the second immediate byte of EXTRQ and INSERTQ. */
  immediate2 = 0;
  /** @internal */
  prefixBits = 0;
  /** @internal */
  sizeBits = 0;
  /** @internal */
  evexBits = 0;
  /** @internal */
  memoryBits = 0;
  /** @internal Packed operands, see operand.ts. Fields, since a store to an array element costs three times as much. */
  packed0 = 0;
  /** @internal */
  packed1 = 0;
  /** @internal */
  packed2 = 0;
  /** @internal */
  packed3 = 0;
  /** @internal */
  packed4 = 0;

  /** Mnemonic, a value of `Mnemonic`. */
  get mnemonic(): number {
    return formMnemonic(this.form);
  }

  /** Effective operand-size attribute: 2, 4 or 8. */
  get operandSize(): number {
    return this.sizeBits & 0xf;
  }

  /** Effective address size: 2, 4 or 8. */
  get addressSize(): number {
    return (this.sizeBits >> SIZE_ADDRESS_SHIFT) & 0xf;
  }

  /** Vector length of VEX, XOP and EVEX instructions: 16, 32 or 64; 0 for all others. */
  get vectorLength(): number {
    return (this.sizeBits >> SIZE_VECTOR_SHIFT) & 0xff;
  }

  /** Whether there is a LOCK prefix. */
  get lock(): boolean {
    return (this.prefixBits & PREFIX_LOCK) !== 0;
  }

  /** The last F2 or F3 prefix, 0 where there is none or where it is part of the opcode. */
  get repeat(): 0 | 0xf2 | 0xf3 {
    const bits = (this.prefixBits >> PREFIX_REPEAT_SHIFT) & 3;
    return bits === 0 ? 0 : bits === 1 ? 0xf2 : 0xf3;
  }

  /** Segment register of the segment-override prefix that counts, or 0. In 64-bit mode FS and GS count over the others. */
  get segmentPrefix(): number {
    const bits = (this.prefixBits >> PREFIX_SEGMENT_SHIFT) & 7;
    return bits === 0 ? 0 : SEGMENT_CLASS + bits - 1;
  }

  /** The REX prefix that counts, 0x40 to 0x4f, or 0. */
  get rex(): number {
    return (this.prefixBits >> PREFIX_REX_SHIFT) & 0xff;
  }

  /** Whether there is a 66 prefix (also where it is part of the opcode). */
  get operandSizePrefix(): boolean {
    return (this.prefixBits & PREFIX_OPERAND_SIZE) !== 0;
  }

  /** Whether there is a 67 prefix. */
  get addressSizePrefix(): boolean {
    return (this.prefixBits & PREFIX_ADDRESS_SIZE) !== 0;
  }

  /** Number of operands, 0 to 5. */
  get operandCount(): number {
    return formOperandCount(this.form);
  }

  /** Kind of the operand at `index`, a value of `OperandKind`. */
  operandKind(index: number): number {
    return packedOperand(this, index) & KIND_MASK;
  }

  /** Register of the operand at `index`; 0 where it is none. */
  operandRegister(index: number): number {
    return (packedOperand(this, index) >> REGISTER_SHIFT) & FIELD_MASK;
  }

  /**
   * Size of the operand at `index` in bytes.
   *
   * Register: what the instruction names (4 for EAX). Memory: what is accessed there; the element where it is broadcast,
   * the whole pointer where it is far (4, 6 or 10), 0 where the operand has no size (LEA, XSAVE). Immediate: its size
   * after extension (4 for `add eax, imm8`). Near branch: the operand size of the branch. Far pointer: 4 or 6.
   */
  operandSizeAt(index: number): number {
    return (packedOperand(this, index) >> SIZE_SHIFT) & FIELD_MASK;
  }

  /** Kinds of all operands in a new array; `operandKind` reads one without allocating. */
  get operandKinds(): Uint8Array {
    return Uint8Array.from({ length: this.operandCount }, (_, index) => this.operandKind(index));
  }

  /** Registers of all operands in a new array; `operandRegister` reads one without allocating. */
  get operandRegisters(): Uint16Array {
    return Uint16Array.from({ length: this.operandCount }, (_, index) => this.operandRegister(index));
  }

  /** Sizes of all operands in a new array; `operandSizeAt` reads one without allocating. */
  get operandSizes(): Uint16Array {
    return Uint16Array.from({ length: this.operandCount }, (_, index) => this.operandSizeAt(index));
  }

  /** Segment of the memory or string-source operand: the override that counts, else SS for bases rSP and rBP, else DS; 0 without such an operand. */
  get memorySegment(): number {
    const bits = (this.memoryBits >> MEMORY_SEGMENT_SHIFT) & 7;
    return bits === 0 ? 0 : SEGMENT_CLASS + bits - 1;
  }

  /** Base register of the memory operand, RIP or EIP where it is relative to the next instruction; 0 for none. */
  get memoryBase(): number {
    return this.memoryBits & FIELD_MASK;
  }

  /** Index register of the memory operand (a vector register for gathers); 0 for none. */
  get memoryIndex(): number {
    return (this.memoryBits >> MEMORY_INDEX_SHIFT) & FIELD_MASK;
  }

  /** Scale of the index: 1, 2, 4 or 8. */
  get memoryScale(): number {
    return 1 << ((this.memoryBits >> MEMORY_SCALE_SHIFT) & 3);
  }

  /** Size of the encoded displacement: 0, 1, 2, 4 or 8. */
  get displacementSize(): number {
    return (this.sizeBits >> SIZE_DISPLACEMENT_SHIFT) & 0xf;
  }

  /** How many elements a broadcast memory operand becomes: 2 to 32; 0 without broadcast. */
  get broadcast(): number {
    return (this.evexBits >> EVEX_BROADCAST_SHIFT) & 0x3f;
  }

  /** Opmask register K1 to K7 that masks the operation, or 0 (K0 as a mask means none). */
  get opmask(): number {
    const number = this.evexBits & 7;
    return number === 0 ? 0 : (15 << 5) | number;
  }

  /** Whether masked elements become zero instead of keeping their value. */
  get zeroing(): boolean {
    return (this.evexBits & EVEX_ZEROING) !== 0;
  }

  /** Embedded rounding, a value of {@link RoundingMode}. */
  get rounding(): number {
    return (this.evexBits >> EVEX_ROUNDING_SHIFT) & 7;
  }

  /** Whether floating-point exceptions are suppressed (`{sae}`, implied by embedded rounding). */
  get suppressExceptions(): boolean {
    return (this.evexBits & EVEX_SAE) !== 0;
  }

  /**
   * The immediate as a signed 64-bit value: sign-extended where the form sign-extends it, else zero-extended. Of a
   * relative branch the sign-extended displacement, of a far pointer the offset.
   */
  get immediate(): bigint {
    return (BigInt(this.immediateHigh) << 32n) | BigInt(this.immediateLow >>> 0);
  }

  /**
   * The displacement as a signed 64-bit value, sign-extended and, for EVEX's one-byte form, multiplied. Relative to the
   * next instruction where the base is RIP or EIP; the whole address, zero-extended, for MOV's direct offset.
   */
  get displacement(): bigint {
    return (BigInt(this.displacementHigh) << 32n) | BigInt(this.displacementLow >>> 0);
  }

  /**
   * Where a relative branch goes when the instruction stands at `ip`: `ip + length + immediate`, cut to the size of
   * the branch operand (2, 4 or 8).
   *
   * @param ip - address (offset in the code segment) of the instruction
   */
  branchTarget(ip: bigint): bigint {
    return BigInt.asUintN(this.operandSizeAt(0) * 8, ip + BigInt(this.length) + this.immediate);
  }
}

/** The packed operand at `index`; 0 where there is none. */
export function packedOperand(instruction: Instruction, index: number): number {
  switch (index) {
    case 0:
      return instruction.packed0;
    case 1:
      return instruction.packed1;
    case 2:
      return instruction.packed2;
    case 3:
      return instruction.packed3;
    case 4:
      return instruction.packed4;
    default:
      return 0;
  }
}
