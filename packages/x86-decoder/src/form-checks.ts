// Validity that one form's row cannot say: which control registers exist, which registers a gather may combine, what of
// EVEX's mask, zeroing and b a form allows. All are rare, so they stand outside the decoder's one large function.

import type { Instruction } from "./instruction.ts";
import {
  EVEX_ROUNDING_SHIFT,
  EVEX_SAE,
  EVEX_ZEROING,
  MEMORY_INDEX_SHIFT,
  PREFIX_LOCK,
  PREFIX_OPERAND_SIZE,
  SIZE_ADDRESS_SHIFT,
} from "./instruction.ts";
import {
  FIELD_MASK,
  OperandKind,
  REGISTER_SHIFT,
  SOURCE_BITS,
  SOURCE_REG,
  SOURCE_SHIFT,
  SOURCE_VVVV,
  THROUGH_MODRM,
} from "./operand.ts";
import { RegisterClass, registerClass } from "./register.ts";
import * as field from "./table/form-fields.ts";
import { formOperand } from "./table/form-table.ts";
import {
  VECTOR_B,
  VECTOR_IS_EVEX,
  VECTOR_LENGTH_SHIFT,
  VECTOR_OPMASK_MASK,
  VECTOR_VVVV_SHIFT,
  VECTOR_Z,
} from "./vector-prefix.ts";

/** Numbers of the checks; tooling/x86-tables/src/packing.js assigns them. */
const CONTROL_REGISTER = 1;
const DEBUG_REGISTER = 2;
const SEGMENT_STORE = 3;
const SEGMENT_LOAD = 4;
const MASK_REGISTER = 5;
const GATHER_VEX = 6;
const GATHER_EVEX = 7;
const TILE = 8;
const TILE_SOURCES = 9;
const BOUND_REGISTER = 10;
const DISTINCT = 11;
const NOT_RIP_RELATIVE = 12;
const GENERAL_REGISTER = 13;
const NO_OPERAND_SIZE_PREFIX = 14;

const SEGMENT_CS = 1;
const LAST_FIXED_NUMBER = 7;

/** Whether `LOCK MOV CR0`, which AMD processors take as MOV CR8, may stand; APM volume 3, MOV CRn. */
export function isLockedControlMove(flags: number, options: number): boolean {
  return (options & 1) !== 0 && ((flags >> field.CHECK_SHIFT) & field.CHECK_MASK) === CONTROL_REGISTER;
}

/**
 * Whether the registers of a form that needs a check exist and may stand together.
 *
 * @param numbers - register numbers by source, see operand.ts
 */
export function passesCheck(check: number, instruction: Instruction, numbers: number): boolean {
  const reg = (numbers >> (SOURCE_REG * SOURCE_BITS)) & 31;
  const vvvv = (numbers >> (SOURCE_VVVV * SOURCE_BITS)) & 31;
  const register = (index: number): number => instruction.operandRegister(index);
  const number = (index: number): number => register(index) & 31;
  switch (check) {
    case CONTROL_REGISTER: {
      // CR0, CR2, CR3, CR4 and CR8 exist; SDM volume 2, MOV to and from control registers.
      let control = reg;
      if ((instruction.prefixBits & PREFIX_LOCK) !== 0) {
        if (reg !== 0) return false;
        control = 8;
        if (registerClass(register(0)) === RegisterClass.control) instruction.packed0 += control << REGISTER_SHIFT;
        else instruction.packed1 += control << REGISTER_SHIFT;
        instruction.prefixBits &= ~PREFIX_LOCK;
      }
      return control === 0 || control === 2 || control === 3 || control === 4 || control === 8;
    }
    case DEBUG_REGISTER:
      return reg < 8;
    case SEGMENT_STORE:
      return (reg & 7) < 6;
    case SEGMENT_LOAD:
      return (reg & 7) < 6 && (reg & 7) !== SEGMENT_CS;
    case MASK_REGISTER:
      for (let i = 0; i < instruction.operandCount; i++) {
        const template = formOperand(instruction.form, i);
        const isMask = registerClass((template >> REGISTER_SHIFT) & FIELD_MASK) === RegisterClass.mask;
        const source = (template >> SOURCE_SHIFT) & 7;
        if (isMask && (source === SOURCE_REG ? reg : source === SOURCE_VVVV ? vvvv : 0) > LAST_FIXED_NUMBER)
          return false;
      }
      return true;
    case GATHER_VEX: {
      // Destination, index and mask must differ; SDM volume 2, VGATHERDPS.
      const index = instruction.memoryIndex & 31;
      return number(0) !== index && number(0) !== number(2) && number(2) !== index;
    }
    case GATHER_EVEX:
      return number(0) !== (instruction.memoryIndex & 31);
    case TILE:
      return reg <= LAST_FIXED_NUMBER;
    case TILE_SOURCES:
      // The three tiles must differ; SDM volume 2, TDPBF16PS.
      return (
        reg <= LAST_FIXED_NUMBER &&
        number(1) <= LAST_FIXED_NUMBER &&
        vvvv <= LAST_FIXED_NUMBER &&
        number(0) !== number(1) &&
        number(0) !== number(2) &&
        number(1) !== number(2)
      );
    case BOUND_REGISTER:
    case NOT_RIP_RELATIVE:
      if (!usesLargeAddress(instruction)) return false;
      if (check === NOT_RIP_RELATIVE && registerClass(instruction.memoryBase) === RegisterClass.ip) return false;
      for (let i = 0; i < 2; i++) if (registerClass(register(i)) === RegisterClass.bound && number(i) > 3) return false;
      return reg < 4 || registerClass(register(0)) !== RegisterClass.bound;
    case GENERAL_REGISTER:
      // EVEX.R' must not extend a general register.
      return reg < 16;
    case NO_OPERAND_SIZE_PREFIX:
      return (instruction.prefixBits & PREFIX_OPERAND_SIZE) === 0;
    case DISTINCT:
      // The destination must differ from both sources; SDM volume 2, VFCMADDCPH.
      return (
        number(0) !== number(1) && !(instruction.operandKind(2) === OperandKind.register && number(0) === number(2))
      );
    default:
      return true;
  }
}

/**
 * MPX: 16-bit addressing is #UD, and in 64-bit mode the address size is 64 whatever the prefixes say; SDM volume 1, 17.4.3
 * (of the editions that describe MPX).
 */
function usesLargeAddress(instruction: Instruction): boolean {
  if (instruction.operandKind(0) !== OperandKind.memory && instruction.operandKind(1) !== OperandKind.memory)
    return true;
  if (instruction.mode !== 64) return instruction.addressSize !== 2;
  if (instruction.addressSize === 4) {
    instruction.sizeBits = (instruction.sizeBits & ~(0xf << SIZE_ADDRESS_SHIFT)) | (8 << SIZE_ADDRESS_SHIFT);
    const base = instruction.memoryBase;
    const index = instruction.memoryIndex;
    // EIP is one below RIP; 32-bit registers are one class below the 64-bit ones.
    if (base !== 0) instruction.memoryBits += registerClass(base) === RegisterClass.ip ? 1 : 32;
    if (index !== 0) instruction.memoryBits += 32 << MEMORY_INDEX_SHIFT;
  }
  return true;
}

/**
 * Whether a form allows vvvv and EVEX's opmask, zeroing, broadcast, rounding and length bits (SDM volume 2, 2.7.11).
 *
 * @param vector - the vector prefix, see vector-prefix.ts
 * @param mod - ModRM.mod
 * @returns opmask, zeroing, rounding and exception suppression as in `Instruction.evexBits`; -1 where they are not allowed
 */
export function acceptsVectorState(form: number, flags: number, vector: number, mod: number): number {
  if ((flags & field.USES_VVVV) === 0) {
    // Where V' extends a vector index it does not belong to vvvv.
    const isVsib = ((flags >> field.MEMORY_SHIFT) & field.MEMORY_MASK) === field.MEMORY_VSIB;
    if (((vector >> VECTOR_VVVV_SHIFT) & (isVsib ? 0xf : 0x1f)) !== 0) return -1;
  }
  if ((vector & VECTOR_IS_EVEX) === 0) return 0;
  const mask = vector & VECTOR_OPMASK_MASK;
  let state = mask;
  if (mask !== 0 && (flags & field.ALLOWS_MASK) === 0) return -1;
  if (mask === 0 && (flags & field.REQUIRES_MASK) !== 0) return -1;
  if ((vector & VECTOR_Z) !== 0) {
    if ((flags & field.ALLOWS_ZEROING) === 0 || mask === 0) return -1;
    // Memory is merged, never zeroed.
    if (mod !== 3 && (formOperand(form, 0) & THROUGH_MODRM) !== 0) return -1;
    state |= EVEX_ZEROING;
  }
  const length = (vector >> VECTOR_LENGTH_SHIFT) & 3;
  if ((vector & VECTOR_B) !== 0 && mod === 3) {
    if ((flags & (field.EMBEDDED_ROUNDING | field.SUPPRESS_EXCEPTIONS)) === 0) return -1;
    // L'L is the rounding mode, in the order of RoundingMode.
    if ((flags & field.EMBEDDED_ROUNDING) !== 0) state |= (length + 1) << EVEX_ROUNDING_SHIFT;
    return state | EVEX_SAE;
  }
  return length === 3 ? -1 : state;
}
