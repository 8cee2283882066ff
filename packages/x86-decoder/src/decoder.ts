// The decoder: prefixes, opcode map, decision nodes, ModRM, displacement, immediate, operands, checks; in that order, in
// one function, because state in local variables is what makes it fast. What bytes are which instruction is not here but
// in the form table; prefixes of vector instructions are in vector-prefix.ts, rare immediates in rare-immediate.ts, and
// validity that the table cannot say in form-checks.ts.

import { DecodeStatus, InvalidReason } from "./decode-status.ts";
import type { DecoderOptions } from "./decoder-options.ts";
import { acceptsVectorState, isLockedControlMove, passesCheck } from "./form-checks.ts";
import {
  EVEX_BROADCAST_SHIFT,
  type Instruction,
  MEMORY_INDEX_SHIFT,
  MEMORY_SCALE_SHIFT,
  MEMORY_SEGMENT_SHIFT,
  PREFIX_ADDRESS_SIZE,
  PREFIX_LOCK,
  PREFIX_OPERAND_SIZE,
  PREFIX_REPEAT_SHIFT,
  PREFIX_REX_SHIFT,
  PREFIX_SEGMENT_SHIFT,
  SIZE_ADDRESS_SHIFT,
  SIZE_DISPLACEMENT_SHIFT,
  SIZE_VECTOR_SHIFT,
} from "./instruction.ts";
import * as role from "./opcode-roles.ts";
import {
  BYTE_REGISTER,
  FIELD_MASK,
  LOW_NUMBER_SHIFT,
  OperandKind,
  REGISTER_SHIFT,
  SIZE_SHIFT,
  SOURCE_BASE,
  SOURCE_BITS,
  SOURCE_IS4,
  SOURCE_REG,
  SOURCE_RM,
  SOURCE_SHIFT,
  SOURCE_VVVV,
} from "./operand.ts";
import { readRareImmediate } from "./rare-immediate.ts";
import * as field from "./table/form-fields.ts";
import {
  formRecords,
  HAS_MODRM,
  MAP_3DNOW,
  MAP_COUNT,
  NODE,
  nodes,
  RECORD_FLAGS,
  RECORD_MEMORY,
  RECORD_OPERANDS,
  RECORD_SHIFT,
  ROLE_SHIFT,
  TRIPLE,
  triples,
} from "./table/form-table.ts";
import * as vectors from "./vector-prefix.ts";

// V8 reaches a constant of this module faster than one that is imported: 5 % of the whole.
const rootTable: Int32Array = role.rootsWithRoles;
const records: Int32Array = formRecords;
const nodeTable: Uint16Array = nodes;
const tripleTable: Uint16Array = triples;

/** More than an instruction of 14 prefixes can make the decoder read, so that with this many bytes it need not check. */
const READ_AHEAD = 32;
const MAX_LENGTH = 15;

const GPR16 = 3 << 5;
const IP = 18 << 5;
const AL = 1 << 5;
const BX = 3;
const BP = 5;
const SI = 6;
const DI = 7;
/** Base and index of 16-bit addressing by ModRM.rm; SDM volume 2, table 2-1. */
const bases16: Uint16Array = Uint16Array.of(BX, BX, BP, BP, SI, DI, BP, BX).map((number) => GPR16 | number);
const indexes16: Uint16Array = Uint16Array.of(GPR16 | SI, GPR16 | DI, GPR16 | SI, GPR16 | DI, 0, 0, 0, 0);
/** Selectors of decision nodes, in the order of tooling/x86-tables/src/tree.js. */
const SELECT_REG = 1;
const SELECT_MOD = 2;
const SELECT_PREFIX = 3;
const SELECT_W = 4;
const SELECT_LENGTH = 5;
const SELECT_ADDRESS_SIZE = 6;
const SELECT_RM = 7;
const SELECT_REX_B = 8;
const SELECT_OPTION = 9;
/** Segment numbers plus one. */
const SEGMENT_SS = 3;
const SEGMENT_DS = 4;
const SEGMENT_FS = 5;
/** Bytes by kind of immediate, see form-fields.ts. */
const IMMEDIATE_BYTES: Uint8Array = Uint8Array.of(0, 1, 1, 1, 4, 4, 4, 2, 2, 8, 3, 4, 6, 2, 1, 0);
/** The F2 and F3 bits of the prefixes. */
const REPEAT_MASK = 3 << PREFIX_REPEAT_SHIFT;

/**
 * Decodes x86 instructions of one mode into reused {@link Instruction} objects.
 *
 * @example
 * ```ts
 * import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
 * const bytes = Uint8Array.of(0x48, 0x01, 0xd8, 0xc3);
 * const decoder = new Decoder(64);
 * const instruction = new Instruction();
 * const texts: string[] = [];
 * for (let at = 0; at < bytes.length; at += instruction.length) {
 *   if (decoder.decode(bytes, at, instruction) !== DecodeStatus.ok) break;
 *   texts.push(formatInstruction(instruction));
 * }
 * texts; // ["add rax, rbx", "ret"]
 * ```
 *
 * @public
 */
export class Decoder {
  /** Default operand size of the code: 16, 32 or 64 bits. */
  readonly mode: 16 | 32 | 64;
  readonly #is64: boolean;
  readonly #rootBase: number;
  readonly #options: number;
  /** Copy of the bytes near the end of a buffer, so that reading on stays inside an array. */
  readonly #tail: Uint8Array = new Uint8Array(READ_AHEAD);

  /**
   * @param mode - 16 (real mode, virtual-8086 and 16-bit protected mode), 32 or 64
   * @param options - see {@link DecoderOptions}
   * @throws RangeError for another mode
   */
  constructor(mode: 16 | 32 | 64, options: DecoderOptions = {}) {
    if (mode !== 16 && mode !== 32 && mode !== 64) throw new RangeError(`mode ${String(mode)} is none of 16, 32, 64`);
    this.mode = mode;
    this.#is64 = mode === 64;
    this.#rootBase = mode === 64 ? MAP_COUNT * 256 : 0;
    this.#options = (options.amd ? 1 : 0) | (options.mpx ? 2 : 0) | (options.old ? 4 : 0);
  }

  /**
   * Decodes the instruction at `offset`. Allocates nothing and never throws.
   *
   * @param bytes - code; nothing outside `offset` to `end` is read
   * @param offset - where the instruction starts, 0 to `end`
   * @param instruction - is filled
   * @param end - where the bytes end, `bytes.length` if absent
   * @returns the outcome; with `ok` `instruction.length` is 1 to 15, with `truncated` `instruction.bytesNeeded` is 1 to 15
   */
  decode(bytes: Uint8Array, offset: number, instruction: Instruction, end: number = bytes.length): DecodeStatus {
    const available = end - offset;
    if (available >= READ_AHEAD) return this.#decode(bytes, offset, instruction, READ_AHEAD);
    // What stands in the tail beyond these bytes does not matter: an instruction that reaches it is truncated or too long.
    const tail = this.#tail;
    const count = Math.min(available, MAX_LENGTH);
    for (let i = 0; i < count; i++) tail[i] = bytes[offset + i];
    return this.#decode(tail, 0, instruction, available);
  }

  /**
   * Ends a decoding that is not ok: bytes that were not there make it truncated, for they may be anything.
   *
   * @param reason - why the bytes are no instruction, should they be invalid
   * @param consumed - bytes that were read, also those that were not there
   * @param needed - how many are missing where the bytes that decide it were there
   */
  #fail(instruction: Instruction, reason: number, consumed: number, available: number, needed = 1): DecodeStatus {
    instruction.form = 0;
    instruction.length = 0;
    instruction.bytesNeeded = 0;
    instruction.invalidReason = InvalidReason.none;
    if (available < MAX_LENGTH && consumed > available) {
      instruction.bytesNeeded = Math.min(needed, MAX_LENGTH - available);
      return DecodeStatus.truncated;
    }
    if (consumed > MAX_LENGTH) return DecodeStatus.tooLong;
    instruction.invalidReason = reason;
    return DecodeStatus.invalid;
  }

  #decode(bytes: Uint8Array, offset: number, instruction: Instruction, available: number): DecodeStatus {
    const is64 = this.#is64;
    const rootBase = this.#rootBase;
    let position = offset + 1;
    let opcode = bytes[offset];
    let root = rootTable[rootBase + opcode];
    let byteRole = root >> ROLE_SHIFT;
    let prefixes = 0;
    // W R X B as in a REX prefix, with bit 6 where it is one and bit 4 for EVEX.R'.
    let rex = 0;
    let segment = 0;
    let vector = 0;
    let map = 0;
    if (byteRole !== 0) {
      while (byteRole !== 0 && byteRole <= role.LAST_PREFIX) {
        if (byteRole === role.PREFIX_REX) rex = opcode;
        else {
          // A REX prefix counts only immediately before the opcode; SDM volume 2, 2.2.1.
          rex = 0;
          if (byteRole === role.PREFIX_66) prefixes |= PREFIX_OPERAND_SIZE;
          else if (byteRole === role.PREFIX_F3) prefixes = (prefixes & ~REPEAT_MASK) | (2 << PREFIX_REPEAT_SHIFT);
          else if (byteRole === role.PREFIX_F2) prefixes = (prefixes & ~REPEAT_MASK) | (1 << PREFIX_REPEAT_SHIFT);
          else if (byteRole === role.PREFIX_SEGMENT) {
            const number = opcode >= 0x64 ? opcode - 0x64 + SEGMENT_FS : ((opcode >> 3) & 3) + 1;
            if (!is64 || number >= SEGMENT_FS || segment < SEGMENT_FS) segment = number;
          } else prefixes |= byteRole === role.PREFIX_F0 ? PREFIX_LOCK : PREFIX_ADDRESS_SIZE;
        }
        if (position - offset >= MAX_LENGTH)
          return this.#fail(instruction, InvalidReason.none, position - offset + 1, available);
        opcode = bytes[position++];
        root = rootTable[rootBase + opcode];
        byteRole = root >> ROLE_SHIFT;
      }
      if (byteRole === role.ESCAPE_0F) {
        opcode = bytes[position++];
        map = 1;
        if (opcode === 0x38 || opcode === 0x3a) {
          map = opcode === 0x38 ? 2 : 3;
          opcode = bytes[position++];
        }
        root = rootTable[rootBase + (map << 8) + opcode];
      } else if (byteRole !== 0) {
        const payload = bytes[position];
        // Outside 64-bit mode, C4, C5 and 62 with memory are LES, LDS and BOUND; 8F with a map below 8 is POP everywhere.
        if (byteRole === role.ESCAPE_8F ? (payload & 0x1f) >= 8 : is64 || payload >= 0xc0) {
          vector = vectors.readVectorPrefix(bytes, position, byteRole, is64);
          position += vectors.vectorPrefixLength(byteRole);
          // 66, F2, F3, LOCK and REX before a vector prefix raise #UD; SDM volume 2, 2.3.2 to 2.3.4.
          if (vector === 0 || (prefixes & (PREFIX_OPERAND_SIZE | PREFIX_LOCK | REPEAT_MASK)) !== 0 || rex !== 0)
            return this.#fail(instruction, InvalidReason.prefix, position - offset, available);
          map = (vector >> vectors.VECTOR_MAP_SHIFT) & 0x1f;
          rex = (vector >> vectors.VECTOR_REX_SHIFT) & 0x1f;
          opcode = bytes[position++];
          root = rootTable[rootBase + (map << 8) + opcode];
        }
      }
    }

    let modrm = 0;
    if ((root & HAS_MODRM) !== 0) modrm = bytes[position++];
    let mod = modrm >> 6;
    const operandSizeIndex = is64
      ? (rex & 8) !== 0
        ? 2
        : (prefixes & PREFIX_OPERAND_SIZE) !== 0
          ? 0
          : 1
      : ((prefixes & PREFIX_OPERAND_SIZE) !== 0) === (this.mode === 16)
        ? 1
        : 0;
    const addressSizeIndex = is64
      ? (prefixes & PREFIX_ADDRESS_SIZE) !== 0
        ? 1
        : 2
      : ((prefixes & PREFIX_ADDRESS_SIZE) !== 0) === (this.mode === 16)
        ? 1
        : 0;
    let form = root & 0xffff;
    while (form >= NODE) {
      const node = form - NODE + 1;
      const selector = nodeTable[node - 1];
      if (selector === SELECT_REG) form = nodeTable[node + ((modrm >> 3) & 7)];
      else if (selector === SELECT_MOD) form = nodeTable[node + (mod === 3 ? 1 : 0)];
      else if (selector === SELECT_PREFIX) {
        const repeat = (prefixes & REPEAT_MASK) >> PREFIX_REPEAT_SHIFT;
        if (vector !== 0) form = nodeTable[node + ((vector >> vectors.VECTOR_PP_SHIFT) & 3)];
        else form = nodeTable[node + (repeat !== 0 ? 4 - repeat : (prefixes & PREFIX_OPERAND_SIZE) !== 0 ? 1 : 0)];
      } else {
        let value = 0;
        switch (selector) {
          case SELECT_W:
            value = (rex >> 3) & 1;
            break;
          case SELECT_LENGTH:
            // With EVEX.b in the register form L'L is the rounding mode; the length is 512 bits or scalar. SDM volume 2, 2.7.
            value = (vector & vectors.VECTOR_B) !== 0 && mod === 3 ? 2 : (vector >> vectors.VECTOR_LENGTH_SHIFT) & 3;
            break;
          case SELECT_ADDRESS_SIZE:
            value = addressSizeIndex;
            break;
          case SELECT_RM:
            value = modrm & 7;
            break;
          case SELECT_REX_B:
            value = rex & 1;
            break;
          default:
            value = (this.#options >> (selector - SELECT_OPTION)) & 1;
        }
        form = nodeTable[node + value];
      }
    }
    if (form >= TRIPLE) form = tripleTable[form - TRIPLE + operandSizeIndex];
    if (form === 0) return this.#fail(instruction, InvalidReason.opcode, position - offset, available);

    let record = form << RECORD_SHIFT;
    const flags = records[record + RECORD_FLAGS];
    if ((flags & field.MOD_IGNORED) !== 0) mod = 3;
    const memoryKind = (flags >> field.MEMORY_SHIFT) & field.MEMORY_MASK;
    let memory = 0;
    let displacementLow = 0;
    let displacementHigh = 0;
    let displacementSize = 0;
    let memoryOperand = 0;
    let evexBits = 0;
    if (memoryKind !== 0 && (mod !== 3 || memoryKind === field.MEMORY_STRING)) {
      memoryOperand = records[record + RECORD_MEMORY];
      let defaultSegment = SEGMENT_DS;
      if ((memoryKind & field.MEMORY_MODRM) !== 0) {
        const rm = modrm & 7;
        if (addressSizeIndex !== 0) {
          const registerClass = GPR16 + (addressSizeIndex << 5);
          if (rm === 4) {
            const sib = bytes[position++];
            let index = ((sib >> 3) & 7) | ((rex & 2) << 2);
            if (memoryKind === field.MEMORY_VSIB) {
              // Bits 4-13 hold the class of the index; EVEX.V' extends it.
              index |= (memoryOperand & 0x1f0) << 1;
              index |= (vector & vectors.VECTOR_IS_EVEX) === 0 ? 0 : (vector >> vectors.VECTOR_VVVV_SHIFT) & 0x10;
            } else index = index === 4 ? 0 : registerClass | index;
            memory = (index << MEMORY_INDEX_SHIFT) | ((sib >> 6) << MEMORY_SCALE_SHIFT);
            if ((sib & 7) === 5 && mod === 0) displacementSize = 4;
            else {
              const base = (sib & 7) | ((rex & 1) << 3);
              memory |= registerClass | base;
              if (base === 4 || base === 5) defaultSegment = SEGMENT_SS;
            }
          } else {
            if (memoryKind === field.MEMORY_VSIB)
              return this.#fail(instruction, InvalidReason.vector, position - offset, available);
            if (rm === 5 && mod === 0) {
              displacementSize = 4;
              if (is64) memory = IP | addressSizeIndex;
            } else {
              const base = rm | ((rex & 1) << 3);
              memory = registerClass | base;
              if (base === 5) defaultSegment = SEGMENT_SS;
            }
          }
          if (mod !== 0) displacementSize = mod === 1 ? 1 : 4;
        } else {
          if (memoryKind === field.MEMORY_VSIB)
            return this.#fail(instruction, InvalidReason.vector, position - offset, available);
          if (rm === 6 && mod === 0) displacementSize = 2;
          else {
            memory = bases16[rm] | (indexes16[rm] << MEMORY_INDEX_SHIFT);
            if (rm === 2 || rm === 3 || rm === 6) defaultSegment = SEGMENT_SS;
            displacementSize = mod;
          }
        }
        if ((vector & vectors.VECTOR_B) !== 0) {
          const element = (flags >> field.BROADCAST_SHIFT) & 3;
          if (element === 0) return this.#fail(instruction, InvalidReason.vector, position - offset, available);
          evexBits = (((memoryOperand >> SIZE_SHIFT) & FIELD_MASK) >> element) << EVEX_BROADCAST_SHIFT;
          memoryOperand = OperandKind.memory | ((1 << element) << SIZE_SHIFT);
        }
        if (displacementSize !== 0) {
          if (displacementSize === 1) {
            displacementLow = (bytes[position++] << 24) >> 24;
            if ((vector & vectors.VECTOR_IS_EVEX) !== 0) {
              // EVEX counts one-byte displacements in units of the operand; SDM volume 2, 2.7.5.
              const unit = flags >>> field.DISP8_SHIFT;
              const size = unit === 0 ? (memoryOperand >> SIZE_SHIFT) & FIELD_MASK : 1 << (unit - 1);
              displacementLow = Math.imul(displacementLow, size);
            }
          } else if (displacementSize === 4) {
            displacementLow =
              bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
            position += 4;
          } else {
            displacementLow = ((bytes[position] | (bytes[position + 1] << 8)) << 16) >> 16;
            position += 2;
          }
          displacementHigh = displacementLow >> 31;
        }
      } else if (memoryKind === field.MEMORY_OFFSET) {
        displacementSize = 2 << addressSizeIndex;
        displacementLow = bytes[position] | (bytes[position + 1] << 8);
        if (addressSizeIndex !== 0) displacementLow |= (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
        if (addressSizeIndex === 2) displacementHigh = readDword(bytes, position + 4);
        position += displacementSize;
      } else if (memoryKind === field.MEMORY_XLAT) {
        memory = (GPR16 + (addressSizeIndex << 5) + BX) | (AL << MEMORY_INDEX_SHIFT);
      }
      // In 64-bit mode CS, DS, ES and SS overrides do not count; SDM volume 1, 3.3.7.1.
      const overrides = is64 ? segment >= SEGMENT_FS : segment !== 0;
      memory |= (overrides ? segment : defaultSegment) << MEMORY_SEGMENT_SHIFT;
    }

    if (map === 1 && opcode === 0x0f) {
      // 3DNow!: the opcode is the last byte. All forms have the operands of the one that stands in its place until here.
      form = rootTable[rootBase + (MAP_3DNOW << 8) + bytes[position++]] & 0xffff;
      if (form === 0) return this.#fail(instruction, InvalidReason.opcode, position - offset, available);
      record = form << RECORD_SHIFT;
    }

    // Register numbers by source; see operand.ts.
    const rm = (modrm & 7) | ((rex & 1) << 3);
    let numbers =
      (rm << (SOURCE_RM * SOURCE_BITS)) |
      ((((modrm >> 3) & 7) | ((rex & 4) << 1) | (rex & 0x10)) << (SOURCE_REG * SOURCE_BITS)) |
      (((root & HAS_MODRM) !== 0 ? rm : (opcode & 7) | ((rex & 1) << 3)) << (SOURCE_BASE * SOURCE_BITS));
    if (vector !== 0) {
      const vvvv = (vector >> vectors.VECTOR_VVVV_SHIFT) & (is64 ? 0x1f : 7);
      numbers |= vvvv << (SOURCE_VVVV * SOURCE_BITS);
      if ((vector & vectors.VECTOR_IS_EVEX) !== 0) numbers |= ((rex & 2) << 3) << (SOURCE_RM * SOURCE_BITS);
    }

    let immediateLow = 0;
    let immediateHigh = 0;
    let immediate2 = 0;
    const immediateKind = flags & field.IMMEDIATE_MASK;
    if (immediateKind !== 0) {
      if (immediateKind <= field.IMMEDIATE_BRANCH8) {
        immediateLow = bytes[position++];
        if (immediateKind !== field.IMMEDIATE_BYTE) {
          immediateLow = (immediateLow << 24) >> 24;
          immediateHigh = immediateLow >> 31;
        }
      } else if (immediateKind <= field.IMMEDIATE_BRANCH32) {
        immediateLow =
          bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
        position += 4;
        if (immediateKind !== field.IMMEDIATE_DWORD) immediateHigh = immediateLow >> 31;
      } else {
        position = readRareImmediate(bytes, position, immediateKind, instruction);
        immediateLow = instruction.immediateLow;
        immediateHigh = instruction.immediateHigh;
        immediate2 = instruction.immediate2;
        if (immediateKind === field.IMMEDIATE_IS4) {
          numbers |= ((immediateLow >> 4) & (is64 ? 15 : 7)) << (SOURCE_IS4 * SOURCE_BITS);
          immediateLow &= 15;
        }
      }
    }

    const length = position - offset;
    if (length > available || length > MAX_LENGTH) {
      // With opcode, ModRM and SIB there, the length is certain.
      const certain = length - displacementSize - IMMEDIATE_BYTES[immediateKind] <= available;
      return this.#fail(instruction, InvalidReason.none, length, available, certain ? length - available : 1);
    }

    // Operands: the template, plus the register number where the encoding gives one, or the memory operand. Most forms have
    // at most two. Absent ones have the template 0, which stays 0.
    const throughModrm = mod === 3 ? 0 : -1;
    const first = records[record + RECORD_OPERANDS];
    let isMemory = ((first << 3) >> 31) & throughModrm;
    instruction.packed0 = (memoryOperand & isMemory) | ((first + registerIn(first, numbers, rex)) & ~isMemory);
    const second = records[record + RECORD_OPERANDS + 1];
    isMemory = ((second << 3) >> 31) & throughModrm;
    instruction.packed1 = (memoryOperand & isMemory) | ((second + registerIn(second, numbers, rex)) & ~isMemory);
    const third = records[record + RECORD_OPERANDS + 2];
    if (third === 0) instruction.packed2 = instruction.packed3 = instruction.packed4 = 0;
    else {
      isMemory = ((third << 3) >> 31) & throughModrm;
      instruction.packed2 = (memoryOperand & isMemory) | ((third + registerIn(third, numbers, rex)) & ~isMemory);
      const fourth = records[record + RECORD_OPERANDS + 3];
      isMemory = ((fourth << 3) >> 31) & throughModrm;
      instruction.packed3 = (memoryOperand & isMemory) | ((fourth + registerIn(fourth, numbers, rex)) & ~isMemory);
      instruction.packed4 = records[record + RECORD_OPERANDS + 4];
    }

    let operandSize = 2 << operandSizeIndex;
    if (is64) {
      if ((flags & field.FORCED_64) !== 0) operandSize = operandSizeIndex === 0 && (this.#options & 1) !== 0 ? 2 : 8;
      else if ((flags & field.DEFAULT_64) !== 0 && operandSizeIndex === 1) operandSize = 8;
    }
    let vectorLength = 0;
    if (vector !== 0) {
      vectorLength = 8 << ((flags >> field.VECTOR_SHIFT) & 3);
      const state = acceptsVectorState(form, flags, vector, mod);
      if (state < 0) return this.#fail(instruction, InvalidReason.vector, 0, available);
      evexBits |= state;
    }
    instruction.mode = this.mode;
    instruction.form = form;
    instruction.length = length;
    instruction.prefixBits =
      ((flags & field.CONSUMES_REPEAT) !== 0 ? prefixes & ~REPEAT_MASK : prefixes) |
      (segment << PREFIX_SEGMENT_SHIFT) |
      (vector === 0 ? rex << PREFIX_REX_SHIFT : 0);
    instruction.sizeBits =
      operandSize |
      ((2 << addressSizeIndex) << SIZE_ADDRESS_SHIFT) |
      (vectorLength << SIZE_VECTOR_SHIFT) |
      (displacementSize << SIZE_DISPLACEMENT_SHIFT);
    instruction.evexBits = evexBits;
    instruction.memoryBits = memory;
    instruction.displacementLow = displacementLow;
    instruction.displacementHigh = displacementHigh;
    instruction.immediateLow = immediateLow;
    instruction.immediateHigh = immediateHigh;
    instruction.immediate2 = immediate2;
    // Validity beyond the table.
    if ((prefixes & PREFIX_LOCK) !== 0 && ((flags & field.LOCKABLE) === 0 || mod === 3)) {
      if (!isLockedControlMove(flags, this.#options))
        return this.#fail(instruction, InvalidReason.prefix, 0, available);
    }
    const check = (flags >> field.CHECK_SHIFT) & field.CHECK_MASK;
    if (check !== 0 && !passesCheck(check, instruction, numbers))
      return this.#fail(instruction, InvalidReason.registers, 0, available);
    return DecodeStatus.ok;
  }
}

/** The register number that a template asks for, at its place in a packed operand. */
function registerIn(template: number, numbers: number, rex: number): number {
  const source = (template >> SOURCE_SHIFT) & 7;
  let number = (numbers >> (source * SOURCE_BITS)) & (31 >> ((template >> (LOW_NUMBER_SHIFT - 1)) & 2));
  // Without REX, numbers 4 to 7 of a byte register are AH to BH: the next class, from 0.
  if ((template & BYTE_REGISTER) !== 0 && number >= 4 && rex === 0) number += 28;
  return number << REGISTER_SHIFT;
}

function readDword(bytes: Uint8Array, position: number): number {
  return bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
}
