// The VEX, XOP and EVEX prefixes: their two to four bytes as one integer, so that the decoder carries a single extra value.
// SDM volume 2, 2.3 and 2.7; APM volume 6, 1.4 (XOP).

import { ESCAPE_62, ESCAPE_C4, ESCAPE_C5 } from "./opcode-roles.ts";
import { MAP_EVEX, MAP_VEX } from "./table/form-table.ts";

// Bits 0-7: EVEX's third byte `z L'L b V' aaa` with V' cleared.
export const VECTOR_OPMASK_MASK = 7;
export const VECTOR_B = 0x10;
export const VECTOR_Z = 0x80;
export const VECTOR_IS_EVEX: number = 1 << 8;
/** Bits 9-13: vvvv with EVEX.V', not inverted. */
export const VECTOR_VVVV_SHIFT = 9;
/** Bits 14-15: pp, numbered as the mandatory-prefix selector. */
export const VECTOR_PP_SHIFT = 14;
/** Bits 16-17: L or L'L. */
export const VECTOR_LENGTH_SHIFT = 16;
/** Bits 18-22: the opcode map in the form table. */
export const VECTOR_MAP_SHIFT = 18;
/** Bits 23-27: R' W R X B, not inverted but for W; the low four as in a REX prefix. */
export const VECTOR_REX_SHIFT = 23;
/** Set in every vector prefix, so that 0 means none. */
export const VECTOR_PRESENT: number = 1 << 28;

/** Bytes after the first. */
export function vectorPrefixLength(role: number): number {
  return role === ESCAPE_C5 ? 1 : role === ESCAPE_62 ? 3 : 2;
}

/**
 * Reads a vector prefix.
 *
 * @param bytes - code
 * @param position - of the byte after C4, C5, 62 or 8F
 * @returns the prefix as one integer, 0 where it is reserved
 */
export function readVectorPrefix(bytes: Uint8Array, position: number, role: number, is64: boolean): number {
  const first = bytes[position];
  if (role === ESCAPE_C5) {
    const rex = is64 ? (~first & 0x80) >> 5 : 0;
    return pack(first, rex, MAP_VEX + 1, (first >> 2) & 1, 0, 0);
  }
  const second = bytes[position + 1];
  // Outside 64-bit mode R, X and B extend nothing.
  const extensions = is64 ? (~first >> 5) & 7 : 0;
  const rex = ((second >> 4) & 8) | extensions;
  if (role === ESCAPE_62) {
    const third = bytes[position + 2];
    if ((first & 0x0f) === 0 || (first & 0x08) !== 0 || (second & 4) === 0) return 0;
    const upper = ~third & 8;
    if (!is64 && upper !== 0) return 0;
    return pack(
      second,
      rex | (is64 ? ~first & 0x10 : 0),
      MAP_EVEX + (first & 7),
      (third >> 5) & 3,
      upper << 1,
      VECTOR_IS_EVEX | (third & 0xf7),
    );
  }
  const map = first & 0x1f;
  if (map === 0 || (role === ESCAPE_C4 ? map > 7 : map > 10)) return 0;
  return pack(second, rex, MAP_VEX + map, (second >> 2) & 1, 0, 0);
}

function pack(vvvvByte: number, rex: number, map: number, length: number, upperVvvv: number, evex: number): number {
  const vvvv = ((~vvvvByte >> 3) & 0xf) | upperVvvv;
  return (
    VECTOR_PRESENT |
    evex |
    (vvvv << VECTOR_VVVV_SHIFT) |
    ((vvvvByte & 3) << VECTOR_PP_SHIFT) |
    (length << VECTOR_LENGTH_SHIFT) |
    (map << VECTOR_MAP_SHIFT) |
    (rex << VECTOR_REX_SHIFT)
  );
}
