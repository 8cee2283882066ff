// The decoder: prefixes, opcode map, decision nodes, ModRM, displacement, immediate, operands, checks; in that order, in
// one function, because state in local variables is what makes it fast (a call per field halved the speed). What bytes
// are which instruction is not here but in the form table.

import { DecodeStatus } from "./decode-status.ts";
import type { DecoderOptions } from "./decoder-options.ts";
import { acceptsVectorState, isLockedControlMove, passesCheck } from "./form-checks.ts";
import {
  EVEX_BROADCAST_SHIFT,
  EVEX_ROUNDING_SHIFT,
  EVEX_SAE,
  EVEX_ZEROING,
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
import { BYTE_REGISTER, FIELD_MASK, REGISTER_SHIFT, SIZE_SHIFT, SOURCE_SHIFT, THROUGH_MODRM } from "./operand.ts";
import * as field from "./table/form-fields.ts";
import {
  formFlags,
  formMemories,
  formOperandCounts,
  formOperands,
  HAS_MODRM,
  MAP_3DNOW,
  MAP_COUNT,
  MAP_EVEX,
  MAP_VEX,
  MAX_OPERANDS,
  NODE,
  nodes,
  roots,
} from "./table/form-table.ts";

/** More than an instruction of 14 prefixes can make the decoder read, so that with this many bytes it need not check. */
const READ_AHEAD = 32;
const MAX_LENGTH = 15;

/** What a byte is before the opcode. Up to LAST_PREFIX it is a prefix; the ones above lead to another opcode map. */
const PREFIX_REX = 1,
  PREFIX_66 = 2,
  PREFIX_67 = 3,
  PREFIX_SEGMENT = 4,
  PREFIX_F0 = 5,
  PREFIX_F2 = 6,
  PREFIX_F3 = 7,
  LAST_PREFIX = 7;
const ESCAPE_0F = 8,
  ESCAPE_C5 = 9,
  ESCAPE_C4 = 10,
  ESCAPE_62 = 11,
  ESCAPE_8F = 12;

const byteRoles32: Uint8Array = /* @__PURE__ */ byteRoles(false);
const byteRoles64: Uint8Array = /* @__PURE__ */ byteRoles(true);

function byteRoles(is64: boolean): Uint8Array {
  const roles = new Uint8Array(256);
  for (const segment of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]) roles[segment] = PREFIX_SEGMENT;
  if (is64) roles.fill(PREFIX_REX, 0x40, 0x50);
  roles[0x66] = PREFIX_66;
  roles[0x67] = PREFIX_67;
  roles[0xf0] = PREFIX_F0;
  roles[0xf2] = PREFIX_F2;
  roles[0xf3] = PREFIX_F3;
  roles[0x0f] = ESCAPE_0F;
  roles[0xc5] = ESCAPE_C5;
  roles[0xc4] = ESCAPE_C4;
  roles[0x62] = ESCAPE_62;
  roles[0x8f] = ESCAPE_8F;
  return roles;
}

const GPR16 = 3 << 5,
  GPR64 = 5 << 5,
  IP = 18 << 5,
  BX = 3,
  BP = 5,
  SI = 6,
  DI = 7;
/** Base and index of 16-bit addressing by ModRM.rm; SDM volume 2, table 2-1. */
const bases16: Uint16Array = Uint16Array.of(
  GPR16 | BX,
  GPR16 | BX,
  GPR16 | BP,
  GPR16 | BP,
  GPR16 | SI,
  GPR16 | DI,
  GPR16 | BP,
  GPR16 | BX,
);
const indexes16: Uint16Array = Uint16Array.of(GPR16 | SI, GPR16 | DI, GPR16 | SI, GPR16 | DI, 0, 0, 0, 0);
/** Segment number plus one. */
const SEGMENT_SS = 3,
  SEGMENT_DS = 4,
  SEGMENT_FS = 5;
/** The EVEX rounding bits L'L to RoundingMode. */
const ROUNDING_OF_LENGTH: Uint8Array = Uint8Array.of(1, 2, 3, 4);

/**
 * Decodes x86 instructions of one mode into reused {@link Instruction} objects.
 *
 * @example
 * ```ts
 * import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
 * const bytes = Uint8Array.of(0x48, 0x01, 0xd8, 0xc3);
 * const decoder = new Decoder(64);
 * const instruction = new Instruction();
 * for (let at = 0; at < bytes.length; at += instruction.length) {
 *   if (decoder.decode(bytes, at, instruction) !== DecodeStatus.ok) break;
 *   formatInstruction(instruction); // "add rax, rbx", then "ret"
 * }
 * ```
 *
 * @public
 */
export class Decoder {
  /** Default operand size of the code: 16, 32 or 64 bits. */
  readonly mode: 16 | 32 | 64;
  readonly #is64: boolean;
  readonly #roles: Uint8Array;
  readonly #rootBase: number;
  readonly #options: number;
  /** Bytes near the end of a buffer, padded with zeros. */
  readonly #tail: Uint8Array = new Uint8Array(READ_AHEAD);
  /** Register numbers by the SOURCE constants of operand.ts. */
  readonly #numbers: Int32Array = new Int32Array(8);

  /**
   * @param mode - 16 (real mode, virtual-8086 and 16-bit protected mode), 32 or 64
   * @param options - see {@link DecoderOptions}
   * @throws RangeError for another mode
   */
  constructor(mode: 16 | 32 | 64, options: DecoderOptions = {}) {
    if (mode !== 16 && mode !== 32 && mode !== 64) throw new RangeError(`mode ${String(mode)} is none of 16, 32, 64`);
    this.mode = mode;
    this.#is64 = mode === 64;
    this.#roles = mode === 64 ? byteRoles64 : byteRoles32;
    this.#rootBase = mode === 64 ? MAP_COUNT * 256 : 0;
    this.#options = (options.amd ? 1 : 0) | (options.mpx ? 2 : 0) | (options.cyrix ? 4 : 0) | (options.old ? 8 : 0);
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
    const tail = this.#tail;
    for (let i = 0; i < available; i++) tail[i] = bytes[offset + i];
    for (let i = available > 0 ? available : 0; i < READ_AHEAD; i++) tail[i] = 0;
    return this.#decode(tail, 0, instruction, available);
  }

  /** Ends a decoding that is not ok: bytes that were not there make it truncated, for they may be anything. */
  #fail(instruction: Instruction, consumed: number, available: number): DecodeStatus {
    instruction.form = 0;
    instruction.length = 0;
    if (available < MAX_LENGTH && consumed > available) {
      instruction.bytesNeeded = consumed > MAX_LENGTH ? MAX_LENGTH - available : consumed - available;
      return DecodeStatus.truncated;
    }
    instruction.bytesNeeded = 0;
    return consumed > MAX_LENGTH ? DecodeStatus.tooLong : DecodeStatus.invalid;
  }

  #decode(bytes: Uint8Array, offset: number, instruction: Instruction, available: number): DecodeStatus {
    const is64 = this.#is64;
    const roles = this.#roles;
    let position = offset;
    let opcode = bytes[position++];
    let role = roles[opcode];
    let prefixes = 0;
    let rex = 0;
    let segment = 0;
    while (role !== 0 && role <= LAST_PREFIX) {
      if (role === PREFIX_REX) rex = opcode;
      else {
        // A REX prefix counts only immediately before the opcode; SDM volume 2, 2.2.1.
        rex = 0;
        switch (role) {
          case PREFIX_66:
            prefixes |= PREFIX_OPERAND_SIZE;
            break;
          case PREFIX_67:
            prefixes |= PREFIX_ADDRESS_SIZE;
            break;
          case PREFIX_F0:
            prefixes |= PREFIX_LOCK;
            break;
          case PREFIX_F2:
            prefixes = (prefixes & ~6) | (1 << PREFIX_REPEAT_SHIFT);
            break;
          case PREFIX_F3:
            prefixes = (prefixes & ~6) | (2 << PREFIX_REPEAT_SHIFT);
            break;
          default: {
            const number = opcode >= 0x64 ? opcode - 0x64 + SEGMENT_FS : ((opcode >> 3) & 3) + 1;
            if (!is64 || number >= SEGMENT_FS || segment < SEGMENT_FS) segment = number;
          }
        }
      }
      if (position - offset >= MAX_LENGTH) return this.#fail(instruction, position - offset + 1, available);
      opcode = bytes[position++];
      role = roles[opcode];
    }

    const repeat = (prefixes >> PREFIX_REPEAT_SHIFT) & 3;
    let prefixSelector = repeat !== 0 ? 4 - repeat : (prefixes & PREFIX_OPERAND_SIZE) !== 0 ? 1 : 0;
    let map = 0;
    let w = (rex >> 3) & 1;
    // Bit 3 of the register numbers, and for EVEX bit 4.
    let extendReg = (rex & 4) << 1;
    let extendIndex = (rex & 2) << 2;
    let extendRm = (rex & 1) << 3;
    let lengthSelector = 0;
    let vvvv = 0;
    // EVEX: P2 with V' cleared; bit 8 marks EVEX.
    let evex = 0;
    let extendVvvv = 0;
    if (role !== 0) {
      if (role === ESCAPE_0F) {
        opcode = bytes[position++];
        map = 1;
        if (opcode === 0x38) {
          opcode = bytes[position++];
          map = 2;
        } else if (opcode === 0x3a) {
          opcode = bytes[position++];
          map = 3;
        }
      } else {
        const payload = bytes[position];
        const isVector = role === ESCAPE_8F ? (payload & 0x1f) >= 8 : is64 || payload >= 0xc0;
        if (isVector) {
          // VEX, XOP and EVEX after 66, F2, F3, LOCK or REX raise #UD; SDM volume 2, 2.3.2 to 2.3.4.
          if ((prefixes & (PREFIX_OPERAND_SIZE | PREFIX_LOCK | 6)) !== 0 || rex !== 0)
            return this.#fail(instruction, position + 1 - offset, available);
          position++;
          let third = payload;
          if (role === ESCAPE_C5) {
            extendReg = (~payload & 0x80) >> 4;
            map = MAP_VEX + 1;
            w = 0;
          } else {
            third = bytes[position++];
            w = third >> 7;
            extendReg = (~payload & 0x80) >> 4;
            extendIndex = (~payload & 0x40) >> 3;
            extendRm = (~payload & 0x20) >> 2;
            if (role === ESCAPE_62) {
              const p2 = bytes[position++];
              if ((payload & 0x0f) === 0 || (payload & 0x08) !== 0 || (third & 4) === 0)
                return this.#fail(instruction, position - offset, available);
              map = MAP_EVEX + (payload & 7);
              evex = 0x100 | (p2 & 0xf7);
              extendReg |= ~payload & 0x10;
              extendVvvv = (~p2 & 8) << 1;
              lengthSelector = (p2 >> 5) & 3;
            } else {
              map = payload & 0x1f;
              if (map === 0 || (role === ESCAPE_C4 ? map > 7 : map > 10))
                return this.#fail(instruction, position - offset, available);
              map += MAP_VEX;
            }
          }
          vvvv = ((~third >> 3) & 0xf) | extendVvvv;
          const pp = third & 3;
          prefixSelector = pp;
          if (evex === 0) lengthSelector = (third >> 2) & 1;
          if (!is64) {
            if (evex !== 0 && extendVvvv !== 0) return this.#fail(instruction, position - offset, available);
            extendReg = extendIndex = extendRm = 0;
          }
          opcode = bytes[position++];
        }
      }
    }

    const root = roots[this.#rootBase + (map << 8) + opcode];
    let modrm = 0;
    if ((root & HAS_MODRM) !== 0) modrm = bytes[position++];
    let mod = modrm >> 6;
    const operandSizeIndex = is64
      ? w !== 0
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
    // With EVEX.b in the register form L'L is the rounding mode and the length is 512 bits or scalar; SDM volume 2, 2.7.
    if (evex !== 0 && (evex & 0x10) !== 0 && mod === 3) lengthSelector = 2;
    while (form >= NODE) {
      const node = form - NODE + 1;
      switch (nodes[node - 1]) {
        case 0:
          form = nodes[node + operandSizeIndex];
          break;
        case 1:
          form = nodes[node + ((modrm >> 3) & 7)];
          break;
        case 2:
          form = nodes[node + (mod === 3 ? 1 : 0)];
          break;
        case 3:
          form = nodes[node + prefixSelector];
          break;
        case 4:
          form = nodes[node + w];
          break;
        case 5:
          form = nodes[node + lengthSelector];
          break;
        case 6:
          form = nodes[node + addressSizeIndex];
          break;
        case 7:
          form = nodes[node + (modrm & 7)];
          break;
        case 8:
          form = nodes[node + (extendRm !== 0 ? 1 : 0)];
          break;
        default:
          form = nodes[node + ((this.#options >> (nodes[node - 1] - 9)) & 1)];
      }
    }
    if (form === 0) return this.#fail(instruction, position - offset, available);

    const flags = formFlags[form];
    if ((flags & field.MOD_IGNORED) !== 0) mod = 3;
    const memoryKind = (flags >> field.MEMORY_SHIFT) & field.MEMORY_MASK;
    let memory = 0;
    let displacementLow = 0;
    let displacementHigh = 0;
    let displacementSize = 0;
    let memoryOperand = 0;
    let evexBits = 0;
    if (memoryKind !== 0 && (mod !== 3 || memoryKind === field.MEMORY_STRING)) {
      memoryOperand = formMemories[form];
      if ((evex & 0x10) !== 0) {
        const element = (flags >> field.BROADCAST_SHIFT) & 3;
        if (element === 0) return this.#fail(instruction, position - offset, available);
        const count = ((memoryOperand >> SIZE_SHIFT) & FIELD_MASK) >> element;
        evexBits = count << EVEX_BROADCAST_SHIFT;
        memoryOperand = 2 | ((1 << element) << SIZE_SHIFT);
      }
      let defaultSegment = SEGMENT_DS;
      if (memoryKind === field.MEMORY_MODRM || memoryKind === field.MEMORY_VSIB) {
        const rm = modrm & 7;
        if (addressSizeIndex !== 0) {
          const registerClass = GPR16 + (addressSizeIndex << 5);
          let base = 0;
          let index = 0;
          if (rm === 4) {
            const sib = bytes[position++];
            base = (sib & 7) | extendRm;
            index = ((sib >> 3) & 7) | extendIndex;
            if (memoryKind === field.MEMORY_VSIB) {
              if (evex !== 0) index |= extendVvvv;
              index |= ((memoryOperand >> 4) & 0x1f) << 5;
            } else index = index === 4 ? 0 : registerClass | index;
            memory = (index << MEMORY_INDEX_SHIFT) | ((sib >> 6) << MEMORY_SCALE_SHIFT);
            if ((sib & 7) === 5 && mod === 0) displacementSize = 4;
            else {
              memory |= registerClass | base;
              if (base === 4 || base === 5) defaultSegment = SEGMENT_SS;
            }
          } else {
            if (memoryKind === field.MEMORY_VSIB) return this.#fail(instruction, position - offset, available);
            if (rm === 5 && mod === 0) {
              displacementSize = 4;
              if (is64) memory = IP | addressSizeIndex;
            } else {
              base = rm | extendRm;
              memory = registerClass | base;
              if (base === 5) defaultSegment = SEGMENT_SS;
            }
          }
          if (mod === 1) displacementSize = 1;
          else if (mod === 2) displacementSize = 4;
        } else {
          if (memoryKind === field.MEMORY_VSIB) return this.#fail(instruction, position - offset, available);
          if (rm === 6 && mod === 0) displacementSize = 2;
          else {
            memory = bases16[rm] | (indexes16[rm] << MEMORY_INDEX_SHIFT);
            if (rm === 2 || rm === 3 || rm === 6) defaultSegment = SEGMENT_SS;
            displacementSize = mod;
          }
        }
        if (displacementSize !== 0) {
          if (displacementSize === 1) {
            displacementLow = (bytes[position++] << 24) >> 24;
            if (evex !== 0) {
              const scale = flags >>> field.DISP8_SHIFT;
              displacementLow =
                scale === 0
                  ? Math.imul(displacementLow, (memoryOperand >> SIZE_SHIFT) & FIELD_MASK)
                  : displacementLow << (scale - 1);
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
        if (addressSizeIndex === 2)
          displacementHigh =
            bytes[position + 4] |
            (bytes[position + 5] << 8) |
            (bytes[position + 6] << 16) |
            (bytes[position + 7] << 24);
        position += displacementSize;
      } else if (memoryKind === field.MEMORY_XLAT) {
        memory = (GPR16 + (addressSizeIndex << 5) + BX) | ((1 << 5) << MEMORY_INDEX_SHIFT);
      }
      // In 64-bit mode CS, DS, ES and SS overrides do not count; SDM volume 1, 3.3.7.1.
      memory |=
        (is64 ? (segment >= SEGMENT_FS ? segment : defaultSegment) : segment !== 0 ? segment : defaultSegment) <<
        MEMORY_SEGMENT_SHIFT;
    }

    if (map === 1 && opcode === 0x0f) {
      // 3DNow!: the opcode is the last byte. All forms have the operands of the one that stands in its place until here.
      form = roots[this.#rootBase + (MAP_3DNOW << 8) + bytes[position++]] & 0xffff;
      if (form >= NODE) form = nodes[form - NODE + 1 + ((this.#options >> 2) & 1)];
      if (form === 0) return this.#fail(instruction, position - offset, available);
    }

    let immediateLow = 0;
    let immediateHigh = 0;
    let immediate2 = 0;
    const numbers = this.#numbers;
    const immediateKind = flags & field.IMMEDIATE_MASK;
    if (immediateKind !== 0) {
      switch (immediateKind) {
        case field.IMMEDIATE_BYTE:
          immediateLow = bytes[position++];
          break;
        case field.IMMEDIATE_BYTE_SIGNED:
        case field.IMMEDIATE_BRANCH8:
          immediateLow = (bytes[position++] << 24) >> 24;
          immediateHigh = immediateLow >> 31;
          break;
        case field.IMMEDIATE_WORD:
          immediateLow = bytes[position] | (bytes[position + 1] << 8);
          position += 2;
          break;
        case field.IMMEDIATE_BRANCH16:
          immediateLow = ((bytes[position] | (bytes[position + 1] << 8)) << 16) >> 16;
          immediateHigh = immediateLow >> 31;
          position += 2;
          break;
        case field.IMMEDIATE_ONE:
          immediateLow = 1;
          break;
        case field.IMMEDIATE_WORD_BYTE:
          immediateLow = bytes[position] | (bytes[position + 1] << 8);
          immediate2 = bytes[position + 2];
          position += 3;
          break;
        case field.IMMEDIATE_FAR16:
          immediateLow = bytes[position] | (bytes[position + 1] << 8);
          immediate2 = bytes[position + 2] | (bytes[position + 3] << 8);
          position += 4;
          break;
        case field.IMMEDIATE_BYTE_BYTE:
          immediateLow = bytes[position];
          immediate2 = bytes[position + 1];
          position += 2;
          break;
        case field.IMMEDIATE_IS4: {
          const byte = bytes[position++];
          immediateLow = byte & 0xf;
          numbers[5] = is64 ? byte >> 4 : (byte >> 4) & 7;
          break;
        }
        default:
          immediateLow =
            bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
          position += 4;
          if (immediateKind === field.IMMEDIATE_DWORD_SIGNED || immediateKind === field.IMMEDIATE_BRANCH32)
            immediateHigh = immediateLow >> 31;
          else if (immediateKind === field.IMMEDIATE_QWORD) {
            immediateHigh =
              bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
            position += 4;
          } else if (immediateKind === field.IMMEDIATE_FAR32) {
            immediate2 = bytes[position] | (bytes[position + 1] << 8);
            position += 2;
          }
      }
    }

    const length = position - offset;
    if (length > available || length > MAX_LENGTH) return this.#fail(instruction, length, available);

    // Operands: the template, plus the register number where the encoding gives one.
    const reg = ((modrm >> 3) & 7) | extendReg;
    if ((root & HAS_MODRM) !== 0) {
      numbers[1] = reg;
      numbers[2] = (modrm & 7) | extendRm | (evex !== 0 ? extendIndex << 1 : 0);
      numbers[3] = is64 ? vvvv : vvvv & 7;
      numbers[6] = (modrm >> 3) & 7;
      numbers[7] = modrm & 7;
      numbers[4] = (modrm & 7) | extendRm;
    } else numbers[4] = (opcode & 7) | extendRm;
    const packed = instruction.packedOperands;
    const count = formOperandCounts[form];
    const row = form * MAX_OPERANDS;
    for (let i = 0; i < count; i++) {
      const template = formOperands[row + i];
      if (mod !== 3 && (template & THROUGH_MODRM) !== 0) {
        packed[i] = memoryOperand;
        continue;
      }
      const number = numbers[(template >> SOURCE_SHIFT) & 7];
      // Without REX, numbers 4 to 7 of a byte register are AH to BH: the next class, from 0.
      const high =
        (template & BYTE_REGISTER) !== 0 && number >= 4 && rex === 0 && ((template >> SOURCE_SHIFT) & 7) !== 0 ? 28 : 0;
      packed[i] = template + ((number + high) << REGISTER_SHIFT);
    }
    for (let i = count; i < MAX_OPERANDS; i++) packed[i] = 0;

    // Validity beyond the table.
    if ((prefixes & PREFIX_LOCK) !== 0 && ((flags & field.LOCKABLE) === 0 || mod === 3)) {
      if (!isLockedControlMove(flags, this.#options)) return this.#fail(instruction, 0, available);
      return this.#fail(instruction, 0, available);
    }
    let operandSize = 2 << operandSizeIndex;
    let vectorLength = 0;
    if (map >= MAP_VEX) {
      if ((flags & field.USES_VVVV) === 0 && (evex !== 0 && memoryKind === field.MEMORY_VSIB ? vvvv & 0xf : vvvv) !== 0)
        return this.#fail(instruction, 0, available);
      vectorLength = 8 << ((flags >> field.VECTOR_SHIFT) & 3);
      if (evex !== 0) {
        if (!acceptsVectorState(form, flags, evex, mod)) return this.#fail(instruction, 0, available);
        evexBits |= evex & 7;
        if ((evex & 0x80) !== 0) evexBits |= EVEX_ZEROING;
        if ((evex & 0x10) !== 0 && mod === 3) {
          evexBits |= EVEX_SAE;
          if ((flags & field.EMBEDDED_ROUNDING) !== 0)
            evexBits |= ROUNDING_OF_LENGTH[(evex >> 5) & 3] << EVEX_ROUNDING_SHIFT;
        }
      }
    }
    if (is64) {
      if ((flags & field.FORCED_64) !== 0) operandSize = operandSizeIndex === 0 && (this.#options & 1) !== 0 ? 2 : 8;
      else if ((flags & field.DEFAULT_64) !== 0 && operandSizeIndex === 1) operandSize = 8;
    }

    instruction.mode = this.mode;
    instruction.form = form;
    instruction.length = length;
    instruction.prefixBits =
      ((flags & field.CONSUMES_REPEAT) !== 0 ? prefixes & ~6 : prefixes) |
      (segment << PREFIX_SEGMENT_SHIFT) |
      (rex << PREFIX_REX_SHIFT);
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
    const check = (flags >> field.CHECK_SHIFT) & field.CHECK_MASK;
    if (check !== 0 && !passesCheck(check, instruction, reg, is64 ? vvvv : vvvv & 7))
      return this.#fail(instruction, 0, available);
    return DecodeStatus.ok;
  }
}
