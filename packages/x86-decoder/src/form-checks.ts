// Validity that one form's row cannot say: which control registers exist, which registers a gather may combine, what of
// EVEX's mask, zeroing and b a form allows. All are rare, so they stand outside the decoder's one large function.

import type { Instruction } from "./instruction.ts";
import { PREFIX_LOCK } from "./instruction.ts";
import { FIELD_MASK, REGISTER_SHIFT } from "./operand.ts";
import * as field from "./table/form-fields.ts";

/** Numbers of the checks; tooling/x86-tables/src/packing.mjs assigns them. */
const CONTROL_REGISTER = 1,
  DEBUG_REGISTER = 2,
  SEGMENT_STORE = 3,
  SEGMENT_LOAD = 4,
  MASK_REGISTER = 5,
  BOUND_REGISTER = 11;

const CONTROL = 7;
const SEGMENT_CS = 1;

/**
 * Whether the registers of a form that needs a check exist and may stand together.
 *
 * @param reg - ModRM.reg with its extension bits
 */
export function passesCheck(
  check: number,
  instruction: Instruction,
  options: number,
  reg: number,
  _evex: number,
): boolean {
  switch (check) {
    case CONTROL_REGISTER: {
      // CR0, CR2, CR3, CR4 and CR8 exist; SDM volume 2, MOV to and from control registers.
      let number = reg;
      if ((instruction.prefixBits & PREFIX_LOCK) !== 0) {
        // AMD: LOCK MOV CR0 is MOV CR8; APM volume 3, MOV CRn.
        if ((options & 1) === 0 || reg !== 0) return false;
        number = 8;
        const packed = instruction.packedOperands;
        const index = ((packed[0] >> REGISTER_SHIFT) & FIELD_MASK) >> 5 === CONTROL ? 0 : 1;
        packed[index] += 8 << REGISTER_SHIFT;
        instruction.prefixBits &= ~PREFIX_LOCK;
      }
      return number === 0 || number === 2 || number === 3 || number === 4 || number === 8;
    }
    case DEBUG_REGISTER:
      return reg < 8;
    case SEGMENT_STORE:
      return (reg & 7) < 6;
    case SEGMENT_LOAD:
      return (reg & 7) < 6 && (reg & 7) !== SEGMENT_CS;
    case MASK_REGISTER:
      return reg < 8;
    case BOUND_REGISTER:
      return reg < 4;
    default:
      return true;
  }
}

/**
 * Whether a form allows the opmask, zeroing and broadcast or rounding bits of its EVEX prefix (SDM volume 2, 2.7.11).
 *
 * @param evex - the third payload byte, `z L'L b V' aaa`
 */
export function acceptsVectorState(flags: number, evex: number, mod: number): boolean {
  const mask = evex & 7;
  if (mask !== 0 && (flags & field.ALLOWS_MASK) === 0) return false;
  if (mask === 0 && (flags & field.REQUIRES_MASK) !== 0) return false;
  if ((evex & 0x80) !== 0 && ((flags & field.ALLOWS_ZEROING) === 0 || mask === 0)) return false;
  if ((evex & 0x10) !== 0 && mod === 3 && (flags & (field.EMBEDDED_ROUNDING | field.SUPPRESS_EXCEPTIONS)) === 0)
    return false;
  return true;
}
