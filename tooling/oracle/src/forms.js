// The walk over the decoder's form table: every encoding form with a meaning in x86-semantics, in every mode that has it.
import { formCount, formInfo } from "@whvkit/x86-decoder";
import { families, supportOf } from "@whvkit/x86-semantics";

/** @typedef {16 | 32 | 64} Mode */
/**
 * @typedef {object} FormCase
 * @property {Mode} mode
 * @property {import("@whvkit/x86-decoder").FormInformation} info
 * @property {string} family
 * @property {string} key names the form whatever its number is: mode, mnemonic, encoding, operands
 */

/** Names of the families, in the order of x86-semantics. */
export const familyNames = families.map(({ name }) => name);

/** @type {readonly FormCase[] | undefined} */
let walked;

/** Every form in every mode, with those that {@link exclusionOf} leaves out. @returns {readonly FormCase[]} */
export function walkForms() {
  walked ??= walk();
  return walked;
}

function walk() {
  /** @type {FormCase[]} */
  const result = [];
  for (let form = 1; form <= formCount; form++) {
    const info = formInfo(form);
    const support = supportOf(info.mnemonic);
    if (!support.supported) continue;
    const operands = info.operands.map(operandText).join(",");
    for (const mode of /** @type {const} */ ([16, 32, 64])) {
      if (!(mode === 64 ? info.longMode : info.legacyModes)) continue;
      const key = `${mode} ${info.name} ${info.opcode} ${operands}`.trim();
      result.push({ mode, info, family: support.family, key });
    }
  }
  return result;
}

/** @param {import("@whvkit/x86-decoder").OperandSpecification} operand */
function operandText({ kind, encoding, size, allowsMemory, memorySize, registerClass, register }) {
  return `${encoding}:${kind}.${registerClass}.${register}.${size}${allowsMemory ? `/m${memorySize}` : ""}`;
}
