// What a byte is before the opcode: a prefix, the way to another opcode map, or the opcode itself.

import { MAP_COUNT, ROLE_SHIFT, roots } from "./table/form-table.ts";

/** Roles up to LAST_PREFIX are prefixes; 0 is an opcode of the one-byte map. */
export const PREFIX_REX = 1;
export const PREFIX_66 = 2;
export const PREFIX_67 = 3;
export const PREFIX_SEGMENT = 4;
export const PREFIX_F0 = 5;
export const PREFIX_F2 = 6;
export const PREFIX_F3 = 7;
export const LAST_PREFIX = 7;
export const ESCAPE_0F = 8;
export const ESCAPE_C5 = 9;
export const ESCAPE_C4 = 10;
export const ESCAPE_62 = 11;
export const ESCAPE_8F = 12;

const roles: readonly (readonly [number, number])[] = [
  [0x26, PREFIX_SEGMENT],
  [0x2e, PREFIX_SEGMENT],
  [0x36, PREFIX_SEGMENT],
  [0x3e, PREFIX_SEGMENT],
  [0x64, PREFIX_SEGMENT],
  [0x65, PREFIX_SEGMENT],
  [0x66, PREFIX_66],
  [0x67, PREFIX_67],
  [0xf0, PREFIX_F0],
  [0xf2, PREFIX_F2],
  [0xf3, PREFIX_F3],
  [0x0f, ESCAPE_0F],
  [0xc5, ESCAPE_C5],
  [0xc4, ESCAPE_C4],
  [0x62, ESCAPE_62],
  [0x8f, ESCAPE_8F],
];

/** The roots of the form table with the role of each byte of the one-byte map from ROLE_SHIFT on. */
export const rootsWithRoles: Int32Array = /* @__PURE__ */ withRoles();

function withRoles(): Int32Array {
  const result = roots.slice();
  const long = MAP_COUNT * 256;
  for (const [byte, role] of roles) {
    result[byte] |= role << ROLE_SHIFT;
    result[long + byte] |= role << ROLE_SHIFT;
  }
  for (let byte = 0x40; byte < 0x50; byte++) result[long + byte] |= PREFIX_REX << ROLE_SHIFT;
  return result;
}
