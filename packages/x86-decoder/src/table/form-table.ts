// The form table as typed arrays, indexed by form number (0 is no form), and the decision nodes that lead to a form.

import * as columns from "./form-columns.generated.ts";
import { unpackNumbers, unpackRuns } from "./unpacking.ts";

/** A form's record in `formRecords` starts at `form << RECORD_SHIFT`. */
export const RECORD_SHIFT = 3;
/** In a record: what the decoder must know, see form-fields.ts. */
export const RECORD_FLAGS = 0;
/** In a record: the memory operand as a packed operand; bits 4-13 hold the class of a vector index. */
export const RECORD_MEMORY = 1;
/** In a record: the first of five operand templates in the layout of operand.ts. */
export const RECORD_OPERANDS = 2;
/** In a record: bits 0-15 the mnemonic, from bit 16 the number of operands. */
export const RECORD_NAME = 7;

/** A child or root at or above this is a node, below it a form. */
export const NODE = 0x8000;
/** A child from here to NODE is the place in `triples` of three forms, for operand sizes 16, 32 and 64. */
export const TRIPLE = 0x6000;
/** Set in a root where a ModRM byte follows the opcode. */
export const HAS_MODRM = 0x10000;
/** From this bit on, a root of the one-byte map holds the role of the byte: see opcode-roles.ts. */
export const ROLE_SHIFT = 20;

/** Opcode maps in a mode's half of `roots`. */
export const MAP_COUNT = 22;
export const MAP_3DNOW = 4;
/** Map n of VEX and XOP is at this plus n. */
export const MAP_VEX = 4;
/** Map n of EVEX is at this plus n. */
export const MAP_EVEX = 14;

/** All forms, eight numbers each. */
export const formRecords: Int32Array = /* @__PURE__ */ records();

/** Decision nodes: selector, then a child for each of its values. */
export const nodes: Uint16Array = /* @__PURE__ */ Uint16Array.from(unpackNumbers(columns.nodes));

/** Forms by operand size: three numbers for each place that a child from TRIPLE on names. */
export const triples: Uint16Array = /* @__PURE__ */ Uint16Array.from(unpackNumbers(columns.triples));

/** Maps of 256 opcodes: first all maps of 16- and 32-bit modes, then those of 64-bit mode. */
export const roots: Int32Array = /* @__PURE__ */ Int32Array.from(unpackRuns(unpackNumbers(columns.roots)));

/** Mnemonic of a form. */
export function formMnemonic(form: number): number {
  return formRecords[(form << RECORD_SHIFT) + RECORD_NAME] & 0xffff;
}

/** Number of operands of a form. */
export function formOperandCount(form: number): number {
  return formRecords[(form << RECORD_SHIFT) + RECORD_NAME] >> 16;
}

/** Decoder fields of a form. */
export function formFlags(form: number): number {
  return formRecords[(form << RECORD_SHIFT) + RECORD_FLAGS];
}

/** Template of a form's operand. */
export function formOperand(form: number, index: number): number {
  return formRecords[(form << RECORD_SHIFT) + RECORD_OPERANDS + index];
}

/** Packed memory operand of a form. */
export function formMemory(form: number): number {
  return formRecords[(form << RECORD_SHIFT) + RECORD_MEMORY];
}

function records(): Int32Array {
  const result = new Int32Array((columns.formCount + 1) << RECORD_SHIFT);
  const templates = unpackNumbers(columns.operandTemplates);
  const flat = unpackNumbers(columns.operandLists);
  const lists: number[][] = [];
  for (let i = 0; i < flat.length; ) {
    const count = flat[i++] ?? 0;
    lists.push(flat.slice(i, i + count).map((index) => templates[index] ?? 0));
    i += count;
  }
  const flags = unpackNumbers(columns.flagValues);
  const memories = unpackNumbers(columns.memoryValues);
  const formFlagIndices = unpackNumbers(columns.formFlags);
  const formMemoryIndices = unpackNumbers(columns.formMemories);
  const mnemonics = unpackNumbers(columns.formMnemonics);
  unpackNumbers(columns.formOperandLists).forEach((index, row) => {
    const list = lists[index] ?? [];
    const record = (row + 1) << RECORD_SHIFT;
    result[record + RECORD_FLAGS] = flags[formFlagIndices[row] ?? 0] ?? 0;
    result[record + RECORD_MEMORY] = memories[formMemoryIndices[row] ?? 0] ?? 0;
    result.set(list, record + RECORD_OPERANDS);
    result[record + RECORD_NAME] = (mnemonics[row] ?? 0) | (list.length << 16);
  });
  return result;
}
