// Immediates that few instructions have, apart from the decoder's one large function.

import type { Instruction } from "./instruction.ts";
import * as field from "./table/form-fields.ts";

/**
 * Reads an immediate into the instruction.
 *
 * @param kind - one of the IMMEDIATE constants above IMMEDIATE_BRANCH32
 * @returns the position after it
 */
export function readRareImmediate(bytes: Uint8Array, position: number, kind: number, instruction: Instruction): number {
  const word = bytes[position] | (bytes[position + 1] << 8);
  const next = bytes[position + 2] | (bytes[position + 3] << 8);
  instruction.immediateLow = word;
  instruction.immediateHigh = 0;
  instruction.immediate2 = 0;
  switch (kind) {
    case field.IMMEDIATE_WORD:
      return position + 2;
    case field.IMMEDIATE_BRANCH16:
      instruction.immediateLow = (word << 16) >> 16;
      instruction.immediateHigh = instruction.immediateLow >> 31;
      return position + 2;
    case field.IMMEDIATE_WORD_BYTE:
      instruction.immediate2 = next & 0xff;
      return position + 3;
    case field.IMMEDIATE_FAR16:
      instruction.immediate2 = next;
      return position + 4;
    case field.IMMEDIATE_BYTE_BYTE:
      instruction.immediateLow = word & 0xff;
      instruction.immediate2 = word >> 8;
      return position + 2;
    case field.IMMEDIATE_IS4:
      instruction.immediateLow = word & 0xff;
      return position + 1;
    case field.IMMEDIATE_ONE:
      instruction.immediateLow = 1;
      return position;
    default: {
      instruction.immediateLow = word | (next << 16);
      const upper = bytes[position + 4] | (bytes[position + 5] << 8);
      if (kind === field.IMMEDIATE_FAR32) {
        instruction.immediate2 = upper;
        return position + 6;
      }
      instruction.immediateHigh = upper | (bytes[position + 6] << 16) | (bytes[position + 7] << 24);
      return position + 8;
    }
  }
}
