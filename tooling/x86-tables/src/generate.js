// @ts-check
// Reads forms/*.txt and writes packages/x86-decoder/src/table/*.generated.ts.
// `node tooling/x86-tables/src/generate.js` writes; with `--check` it only compares and exits with 1 on a difference.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { effectsOf, FLOWS, PRIVILEGES, readEffects, STACKS } from "./effects.js";
import { expand } from "./expansion.js";
import { readLines } from "./notation.js";
import { MAP_COUNT, mapIndex, packFlags, packMemory, packNumbers, packOperand } from "./packing.js";
import { NODE, SELECTORS, Tree } from "./tree.js";

const here = dirname(fileURLToPath(import.meta.url));
const formFolder = join(here, "../forms");
const target = join(here, "../../../packages/x86-decoder/src/table");

/** All forms of the table, in the order of the files' names and lines. The form at index i has number i + 1. */
export function readForms() {
  return readdirSync(formFolder)
    .filter((file) => file.endsWith(".txt"))
    .sort()
    .flatMap((file) => readLines(readFileSync(join(formFolder, file), "utf8"), file))
    .flatMap(expand);
}

/** @returns {Map<string, string>} file name to text */
export function generate() {
  const forms = readForms();
  const mnemonics = ["invalid", ...[...new Set(forms.map((form) => form.mnemonic))].sort()];
  const mnemonicIds = new Map(mnemonics.map((name, id) => [name, id]));

  const tree = new Tree();
  const roots = ["mode32", "mode64"].map((mode) => {
    /** @type {import("./tree.js").Candidate[][]} */
    const slots = Array.from({ length: MAP_COUNT * 256 }, () => []);
    /** @type {boolean[]} */
    const modrm = [];
    forms.forEach((form, index) => {
      const constraints = mode === "mode32" ? form.mode32 : form.mode64;
      if (!constraints) return;
      for (const opcode of form.encoding.opcodes) {
        const slot = mapIndex(form.encoding) * 256 + opcode;
        slots[slot]?.push({
          id: index + 1,
          constraints,
          wide: form.encoding.opcodes.length > 1,
          name: `${form.mnemonic} ${form.text} (${form.place})`,
        });
        if (form.encoding.modrm) modrm[slot] = true;
        if (modrm[slot] && !form.encoding.modrm) throw new Error(`${form.place}: opcode with and without ModRM`);
      }
    });
    // The suffix of 3DNow! comes last: until it is read, any of its forms stands at 0F 0F, for all have the same operands.
    const suffixed = forms.findIndex((form) => form.encoding.space === "3dnow");
    if (suffixed >= 0) {
      slots[0x10f] = [{ id: suffixed + 1, constraints: {}, wide: false, name: "3DNow!" }];
      modrm[0x10f] = true;
    }
    return slots.map((candidates, slot) => tree.build(candidates) + (modrm[slot] ? 0x10000 : 0));
  });

  const operandTemplates = dictionary([[0], ...forms.map((form) => form.operands.map(packOperand))].flat());
  const lists = dictionary(
    [[], ...forms.map((form) => form.operands.map(packOperand))].map((list) =>
      list.map((one) => operandTemplates.index(one)).join(),
    ),
  );
  const flags = dictionary([0, ...forms.map(packFlags)]);
  const memories = dictionary([0, ...forms.map(packMemory)]);

  const columns = {
    formMnemonics: packNumbers(forms.map((form) => mnemonicIds.get(form.mnemonic) ?? 0)),
    formOperandLists: packNumbers(
      forms.map((form) => lists.index(form.operands.map((one) => operandTemplates.index(packOperand(one))).join())),
    ),
    formFlags: packNumbers(forms.map((form) => flags.index(packFlags(form)))),
    formMemories: packNumbers(forms.map((form) => memories.index(packMemory(form)))),
    operandTemplates: packNumbers(operandTemplates.values),
    operandLists: packNumbers(
      lists.values.flatMap((list) => (list === "" ? [0] : [list.split(",").length, ...list.split(",").map(Number)])),
    ),
    flagValues: packNumbers(flags.values),
    memoryValues: packNumbers(memories.values),
    nodes: packNumbers(tree.nodes),
    triples: packNumbers(tree.triples),
    roots: packNumbers(runs(roots.flat())),
  };
  const rules = readEffects(new URL("../effects.txt", import.meta.url));
  const known = new Set(forms.map((form) => form.mnemonic));
  for (const name of rules.keys())
    if (!known.has(name)) throw new Error(`effects.txt: no form has the mnemonic ${name}`);
  const effectLists = forms.map((form) => {
    const effects = effectsOf(rules, form);
    return [
      ...effects.flags,
      FLOWS.indexOf(effects.flow),
      STACKS.indexOf(effects.stack),
      PRIVILEGES.indexOf(effects.privilege),
      ...effects.registers,
    ];
  });
  const effects = dictionary(["", ...effectLists.map((list) => list.join())]);
  const accessLists = forms.map((form) =>
    form.operands.reduce((sum, operand, index) => sum + operand.access * 8 ** index, 0),
  );
  const featureLists = dictionary(["", ...forms.map((form) => form.features.join(" ") || "INTEL8086")]);
  const tokens = dictionary(["", ...forms.flatMap((form) => form.text.split(" "))]);
  const attributes = forms.map(
    (form) =>
      (form.mode32 ? 1 : 0) + (form.mode64 ? 2 : 0) + (form.flags.has("rep") ? 4 : form.flags.has("repe") ? 8 : 0),
  );
  const information = {
    formEffects: packNumbers(effectLists.map((list) => effects.index(list.join()))),
    effectLists: packNumbers(
      effects.values.flatMap((list) => (list === "" ? [0] : [list.split(",").length, ...list.split(",").map(Number)])),
    ),
    formAccesses: packNumbers(accessLists),
    formFeatures: packNumbers(forms.map((form) => featureLists.index(form.features.join(" ") || "INTEL8086"))),
    featureLists: featureLists.values.join(","),
    formAttributes: packNumbers(attributes),
    formTokens: packNumbers(
      forms.flatMap((form) => [
        form.text.split(" ").length,
        ...form.text.split(" ").map((token) => tokens.index(token)),
      ]),
    ),
    tokens: tokens.values.join(" ").trimStart(),
  };
  const header = "// Generated by tooling/x86-tables from forms/*.txt; do not edit.\n\n";
  const files = new Map();
  files.set(
    "mnemonic.generated.ts",
    `${header}/**
 * Mnemonics by name. A number is stable within one version of the package only.
 *
 * @public
 */
export const Mnemonic = {
${mnemonics.map((name, id) => `  ${name}: ${id},`).join("\n")}
} as const;
`,
  );
  files.set(
    "form-columns.generated.ts",
    `${header}/** Number of forms. */
export const formCount: number = ${forms.length};
${Object.entries(columns)
  .map(([name, text]) => `export const ${name}: string =\n  "${text}";`)
  .join("\n")}
`,
  );
  files.set(
    "information-columns.generated.ts",
    `${header}${Object.entries(information)
      .map(([name, text]) => `export const ${name}: string =\n  "${text}";`)
      .join("\n")}\n`,
  );
  return files;
}

/** @template T @param {T[]} values */
function dictionary(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const first = values[0];
  const sorted = [...counts.keys()].filter((value) => value !== first).sort((a, b) => counts.get(b) - counts.get(a));
  const unique = /** @type {T[]} */ ([first, ...sorted]);
  const ids = new Map(unique.map((value, id) => [value, id]));
  return { values: unique, index: (/** @type {T} */ value) => /** @type {number} */ (ids.get(value)) };
}

/** Zeros as a zero and the length of the run. @param {number[]} values */
function runs(values) {
  /** @type {number[]} */
  const result = [];
  for (let i = 0; i < values.length; ) {
    const value = /** @type {number} */ (values[i]);
    if (value !== 0) {
      result.push(value);
      i++;
      continue;
    }
    let end = i;
    while (end < values.length && values[end] === 0) end++;
    result.push(0, end - i);
    i = end;
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes("--check");
  let different = 0;
  for (const [name, text] of generate()) {
    const path = join(target, name);
    if (check) {
      if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
        console.error(`${name} differs from what forms/*.txt gives: run node tooling/x86-tables/src/generate.js`);
        different++;
      }
    } else writeFileSync(path, text);
  }
  const forms = readForms();
  if (!check)
    console.log(
      `${forms.length} forms, ${new Set(forms.map((form) => form.mnemonic)).size} mnemonics (nodes from ${NODE}, ${SELECTORS.length} selectors)`,
    );
  process.exitCode = different === 0 ? 0 : 1;
}
