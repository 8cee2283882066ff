// The form table as typed arrays, indexed by form number (0 is no form), and the decision nodes that lead to a form.

import * as columns from "./form-columns.generated.ts";
import { unpackNumbers, unpackRuns } from "./unpacking.ts";

/** At most this many operands. */
export const MAX_OPERANDS = 5;

/** A child or root at or above this is a node, below it a form. */
export const NODE = 0x8000;
/** Set in a root where a ModRM byte follows the opcode. */
export const HAS_MODRM = 0x10000;

/** Number of forms plus one: forms are 1 to `rows - 1`. */
const rows: number = columns.formCount + 1;

/** Mnemonic of each form. */
export const formMnemonics: Uint16Array = /* @__PURE__ */ shifted(Uint16Array, unpackNumbers(columns.formMnemonics));

/** Decoder fields of each form, see form-fields.ts. */
export const formFlags: Int32Array = /* @__PURE__ */ looked(columns.formFlags, columns.flagValues);

/** Memory operand of each form as a packed operand; bits 4-13 hold the class of a vector index. */
export const formMemories: Int32Array = /* @__PURE__ */ looked(columns.formMemories, columns.memoryValues);

/** Number of operands of each form. */
export const formOperandCounts: Uint8Array = /* @__PURE__ */ new Uint8Array(rows);

/** Operand templates: `MAX_OPERANDS` a form, in the layout of operand.ts. */
export const formOperands: Int32Array = /* @__PURE__ */ operands();

/** Decision nodes: selector, then a child for each of its values. */
export const nodes: Uint16Array = /* @__PURE__ */ Uint16Array.from(unpackNumbers(columns.nodes));

/** Maps of 256 opcodes: first all maps of 16- and 32-bit modes, then those of 64-bit mode. */
export const roots: Int32Array = /* @__PURE__ */ Int32Array.from(unpackRuns(unpackNumbers(columns.roots)));

/** Opcode maps in a mode's half of `roots`. */
export const MAP_COUNT = 22;
export const MAP_3DNOW = 4;
/** Map n of VEX and XOP is at this plus n. */
export const MAP_VEX = 4;
/** Map n of EVEX is at this plus n. */
export const MAP_EVEX = 14;

function shifted<T extends Uint16Array | Int32Array>(type: new (length: number) => T, numbers: readonly number[]): T {
  const result = new type(rows);
  result.set(numbers, 1);
  return result;
}

function looked(indices: string, values: string): Int32Array {
  const table = unpackNumbers(values);
  return shifted(
    Int32Array,
    unpackNumbers(indices).map((index) => (table[index] ?? 0) | 0),
  );
}

function operands(): Int32Array {
  const templates = unpackNumbers(columns.operandTemplates);
  const flat = unpackNumbers(columns.operandLists);
  const lists: number[][] = [];
  for (let i = 0; i < flat.length; ) {
    const count = flat[i++] ?? 0;
    lists.push(flat.slice(i, i + count).map((index) => templates[index] ?? 0));
    i += count;
  }
  const result = new Int32Array(rows * MAX_OPERANDS);
  unpackNumbers(columns.formOperandLists).forEach((index, row) => {
    const list = lists[index] ?? [];
    formOperandCounts[row + 1] = list.length;
    result.set(list, (row + 1) * MAX_OPERANDS);
  });
  return result;
}
