/**
 * Status flags that are too long for the evaluator's switch: the shift and rotate groups, by the formulas of
 * `../ir/flag.ts`. The groups of addition, subtraction and logic stand in the switch itself.
 */
import { ShiftFlags } from "./opcode.ts";

/** PF (bit 2) for each value of a result's low byte: set when the number of ones is even. */
export const PARITY_FLAG: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let bits = byte; bits !== 0; bits &= bits - 1) ones++;
  return ones % 2 === 0 ? 4 : 0;
});

const { rol, ror, shl, sar } = ShiftFlags;

/** RFLAGS after a shift or rotate by a masked count that is not 0. Arguments as at `Opcode.flagsShift`. */
export function shiftFlags(s: Int32Array, rflags: number, code: Int32Array, pc: number, count: number): number {
  const x = code[pc + 1];
  const r = code[pc + 3];
  const width = code[pc + 4];
  const kind = code[pc + 6];
  const low = s[r];
  // The word that holds the result's highest bit, and where that bit stands in it.
  const high = width === 64 ? s[r + 1] : low;
  const top = (width - 1) & 31;
  const sign = (high >>> top) & 1;
  const second = (high >>> (top - 1)) & 1;
  let mask = code[pc + 5];
  let carry: number;
  let overflow: number;
  switch (kind) {
    case rol:
      carry = low & 1;
      overflow = sign ^ carry;
      mask &= 0x801;
      break;
    case ror:
      carry = sign;
      overflow = sign ^ second;
      mask &= 0x801;
      break;
    case shl:
      carry = count > width ? 0 : bitOf(s, x, width - count);
      overflow = sign ^ carry;
      break;
    case sar:
      carry = bitOf(s, x, Math.min(count, width) - 1);
      overflow = 0;
      break;
    default:
      carry = count > width ? 0 : bitOf(s, x, count - 1);
      overflow = sign ^ second;
  }
  const zero = (width === 64 ? low | s[r + 1] : low) === 0;
  const flags = carry | PARITY_FLAG[low & 0xff] | 0x10 | (zero ? 0x40 : 0) | (sign << 7) | (overflow << 11);
  return (rflags & ~mask) | (flags & mask);
}

function bitOf(s: Int32Array, x: number, bit: number): number {
  return (s[x + (bit >> 5)] >>> (bit & 31)) & 1;
}
