// @ts-check
// Numbers packed into integers and printable strings, as packages/x86-decoder/src/table/unpacking.ts reads them.

import { KIND, MEMORY, SOURCE } from "./operands.js";

/** Characters without the quotation mark and the backslash. */
const ALPHABET = Array.from({ length: 93 }, (_, i) =>
  String.fromCharCode(33 + i + (i >= 1 ? 1 : 0) + (i >= 58 ? 1 : 0)),
).slice(0, 91);
if (ALPHABET.includes('"') || ALPHABET.includes("\\"))
  throw new Error("the alphabet has a character that strings escape");

/** Encodes non-negative integers: a last digit in base 60, preceded by base-31 digits where the number is larger. @param {number[]} numbers */
export function packNumbers(numbers) {
  let text = "";
  for (const value of numbers) {
    if (!Number.isInteger(value) || value < 0) throw new Error(`cannot pack ${value}`);
    let high = Math.floor(value / 60);
    let digits = "";
    while (high > 0) {
      digits = ALPHABET[60 + (high % 31)] + digits;
      high = Math.floor(high / 31);
    }
    text += digits + ALPHABET[value % 60];
  }
  return text;
}

/** The template of an operand as one integer. @param {import("./operands.js").Operand} operand */
export function packOperand(operand) {
  const throughModrm = operand.memory === MEMORY.modrm || operand.memory === MEMORY.vsib;
  const register = operand.kind === KIND.register ? (operand.cls << 5) | operand.number : 0;
  const size = operand.kind === KIND.memory ? operand.memorySize : operand.size;
  // regLow and rmLow are reg and rm of which only three bits count.
  const low = operand.source >= SOURCE.regLow;
  return (
    operand.kind +
    register * 2 ** 4 +
    size * 2 ** 14 +
    (low ? operand.source - SOURCE.regLow + SOURCE.reg : operand.source) * 2 ** 24 +
    (operand.byteRegister ? 2 ** 27 : 0) +
    (throughModrm ? 2 ** 28 : 0) +
    (low ? 2 ** 29 : 0)
  );
}

/** The memory operand of a form as one integer: kind and size as in an operand, VSIB class, broadcast element. @param {import("./expansion.js").Form} form */
export function packMemory(form) {
  const operand = form.operands.find((one) => one.memory !== MEMORY.none && one.memory !== MEMORY.string);
  if (!operand) return 0;
  return KIND.memory | (operand.memorySize << 14) | (operand.vsibClass << 4);
}

const BROADCAST = /** @type {Record<number, number>} */ ({ 0: 0, 2: 1, 4: 2, 8: 3 });

/** What the decoder must know of a form, as one integer; the fields are those of packages/x86-decoder/src/table/form-fields.ts. @param {import("./expansion.js").Form} form */
export function packFlags(form) {
  const { encoding, operands, flags } = form;
  const vector = encoding.space === "vex" || encoding.space === "evex" || encoding.space === "xop";
  const decorators = operands.map((operand) => operand.decorators).join("");
  const consumes = encoding.space === "legacy" && encoding.prefix?.length === 1;
  const disp8 = operands.reduce((n, operand) => Math.max(n, operand.disp8), 0);
  const bit = (/** @type {boolean|undefined} */ value, /** @type {number} */ position) => (value ? 2 ** position : 0);
  return (
    form.immediate +
    form.memory * 16 +
    bit(consumes && (encoding.prefix?.[0] ?? 0) >= 2, 7) +
    bit(flags.has("lock"), 8) +
    bit(flags.has("d64"), 9) +
    bit(flags.has("f64"), 10) +
    bit(vector && operands.some((operand) => operand.source === SOURCE.vvvv), 11) +
    bit(/\{kz?\}|\{kr\}/.test(decorators), 12) +
    bit(decorators.includes("{kr}"), 13) +
    bit(decorators.includes("{kz}"), 14) +
    bit(decorators.includes("{er}"), 15) +
    bit(decorators.includes("{sae}"), 16) +
    checkNumber(form) * 2 ** 17 +
    ({ 0: 0, 16: 1, 32: 2, 64: 3 }[form.vector] ?? 0) * 2 ** 21 +
    (BROADCAST[operands.reduce((n, operand) => Math.max(n, operand.broadcast), 0)] ?? 0) * 2 ** 23 +
    bit(encoding.l === "LIG", 25) +
    bit(flags.has("nomod"), 26) +
    bit(consumes && encoding.prefix?.[0] === 1, 27) +
    (disp8 === 0 ? 0 : Math.log2(disp8) + 1) * 2 ** 28
  );
}

/** Checks that a form needs beyond the general ones, in the order of packages/x86-decoder/src/form-checks.ts. */
export const CHECKS = [
  "",
  "controlRegister",
  "debugRegister",
  "segmentStore",
  "segmentLoad",
  "maskRegister",
  "gatherVex",
  "gatherEvex",
  "tile",
  "tile3",
  "boundRegister",
  "distinct",
  "ripRelative",
  "generalRegister",
  "no66",
];

/** @param {import("./expansion.js").Form} form */
function checkNumber(form) {
  const { operands, flags } = form;
  let name = "";
  if (flags.has("cr")) name = "controlRegister";
  else if (flags.has("dr")) name = "debugRegister";
  else if (form.mnemonic === "mov" && operands.some((operand) => operand.source === SOURCE.regLow && operand.cls === 6))
    name = operands[0]?.cls === 6 ? "segmentLoad" : "segmentStore";
  else if (
    operands.some((operand) => operand.cls === 15 && (operand.source === SOURCE.reg || operand.source === SOURCE.vvvv))
  )
    name = "maskRegister";
  else if (operands.some((operand) => operand.cls === 17)) name = "boundRegister";
  else if (
    form.encoding.space === "evex" &&
    operands.some((operand) => operand.cls >= 3 && operand.cls <= 5 && operand.source === SOURCE.reg)
  )
    name = "generalRegister";
  for (const flag of flags) if (flag.startsWith("check:")) name = flag.slice(6);
  const number = CHECKS.indexOf(name);
  if (number < 0) throw new Error(`${form.place}: unknown check ${name}`);
  return number;
}

/** Index of an opcode map in the decoder's root table. @param {import("./notation.js").Encoding} encoding */
export function mapIndex(encoding) {
  switch (encoding.space) {
    case "legacy":
      return encoding.map;
    case "3dnow":
      return 4;
    case "vex":
      return 4 + encoding.map;
    case "xop":
      return 4 + encoding.map;
    case "evex":
      return 14 + encoding.map;
  }
}
export const MAP_COUNT = 22;
