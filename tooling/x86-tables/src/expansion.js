// @ts-check
// From a line of forms/*.txt to its encoding forms: one per operand size, W-selected size, address size, vector length
// and machine mode where the operands or tokens ask for it.

import { readEncoding } from "./notation.js";
import { IMMEDIATE, KIND, MEMORY, readOperand, SOURCE } from "./operands.js";

/**
 * The values of the selectors under which a form is chosen; an absent selector does not matter.
 * @typedef {Partial<Record<import("./tree.js").Selector, number[]>>} Constraints
 */
/**
 * @typedef {object} Form
 * @property {string} mnemonic @property {import("./notation.js").Encoding} encoding
 * @property {Constraints|null} mode32 16- and 32-bit modes, null where the form does not exist there
 * @property {Constraints|null} mode64
 * @property {import("./operands.js").Operand[]} operands
 * @property {number} immediate @property {number} memory @property {number} vector vector length in bytes
 * @property {Set<string>} flags @property {string[]} features @property {string} text @property {string} place
 */

const OPERAND_SIZED = /^[+=~?]*(?:[EGRZOXYM](?:v|z|p|va)\b|rAX$|Ibs|Iz|Iv|Jb|Jz|Ap)/;
const W_SIZED = /^[+=~?]*(?:[EGRBM]y\b|Gcrc)/;
const ADDRESS_SIZED = /^[+=~?]*(?:[RG]a\b|rAXa)/;
const MACHINE_SIZED = /^[+=~?]*(?:[RM]m\b|[CD]m|J[WD]m)/;
const OPTIONS = /^opt:(\w+)$/;

/** Options of the decoder that enable forms, in the order of their bits. */
export const OPTION_NAMES = ["amd", "mpx", "old"];

/** @param {import("./notation.js").Line} line @returns {Form[]} */
export function expand(line) {
  const encoding = readEncoding(line);
  const features = line.attributes.filter((word) => /^[A-Z0-9_+]+$/.test(word) && /[A-Z]/.test(word));
  const flags = new Set(line.attributes.filter((word) => !features.includes(word)));
  const has = (/** @type {RegExp} */ pattern) => line.operands.some((operand) => pattern.test(operand));

  /** @type {(number[]|null)[]} */
  const operandSizes = encoding.operandSizes ? [encoding.operandSizes] : has(OPERAND_SIZED) ? [[2], [4], [8]] : [null];
  const ySizes =
    encoding.wSize || (has(W_SIZED) && encoding.w === null && !has(OPERAND_SIZED))
      ? [4, 8]
      : encoding.w
        ? [encoding.w[0] === 1 ? 8 : 4]
        : [4];
  const selectsByW = ySizes.length === 2;
  /** @type {(number|null)[]} */
  const addressSizes = encoding.addressSizes ?? (has(ADDRESS_SIZED) ? [2, 4, 8] : [null]);
  const machines = has(MACHINE_SIZED) ? [4, 8] : [0];
  const lengths = vectorLengths(encoding, line.place);

  /** @type {Form[]} */
  const forms = [];
  for (const operandSize of operandSizes)
    for (const y of ySizes)
      for (const address of addressSizes)
        for (const machine of machines)
          for (const length of lengths) {
            const sizes = { operand: operandSize?.[0] ?? 4, y, address: address ?? 4, machine, vector: length.bytes };
            let operands;
            try {
              operands = line.operands.map((text, index) => readOperand(text, sizes, index));
            } catch (error) {
              throw new Error(`${line.place}: ${String(error)}`);
            }
            const common = commonConstraints(encoding, operands, flags, line.place);
            if (length.selector) common.length = length.selector;
            const mode32 =
              machine === 8 || (y === 8 && (selectsByW || encoding.space === "legacy")) || flags.has("x64")
                ? null
                : { ...common, ...sizeConstraints32(operandSize, address) };
            const mode64 =
              machine === 4 || flags.has("i64") || flags.has("noo64")
                ? null
                : { ...common, ...sizeConstraints64(operandSize, address, flags) };
            const usable32 = mode32 && !("none" in mode32) ? mode32 : null;
            const usable64 = mode64 && !("none" in mode64) ? mode64 : null;
            if (usable64 && (selectsByW || encoding.w)) usable64.w = [y === 8 ? 1 : 0];
            if (usable32 && encoding.w && encoding.space !== "legacy") usable32.w = encoding.w;
            if (!usable32 && !usable64) continue;
            const sized = operandSize ? `o${operandSize[0] * 8} ` : selectsByW ? `W${y === 8 ? 1 : 0} ` : "";
            forms.push({
              mnemonic: line.mnemonic,
              encoding,
              mode32: usable32,
              mode64: usable64,
              operands,
              immediate: immediateKind(operands, flags),
              memory: operands.reduce((found, operand) => Math.max(found, operand.memory), 0) && memoryKind(operands),
              vector:
                encoding.space === "vex" || encoding.space === "evex" || encoding.space === "xop" ? length.bytes : 0,
              flags,
              features: featuresFor(features, encoding, length.bytes, operandSize?.[0] ?? (selectsByW ? y : 0)),
              place: line.place,
              text: `${address ? `a${address * 8} ` : ""}${sized}${line.encoding
                .filter((token) => !/^[oa]\d\d\+?$/.test(token))
                .join(" ")
                .replace(/^(E?VEX|XOP)\.[^.]+/, `$1.${length.text}`)}`.trim(),
            });
          }
  return forms;
}

/** @param {import("./notation.js").Encoding} encoding @param {string} place */
function vectorLengths(encoding, place) {
  const of = (/** @type {number} */ n) => ({ bytes: 16 << n, selector: [n], text: String(128 << n) });
  switch (encoding.l) {
    case null:
      return [{ bytes: 16, selector: null, text: "" }];
    case "LIG":
      return [{ bytes: 16, selector: null, text: "LIG" }];
    case "128":
    case "L0":
    case "LZ":
      return [{ ...of(0), text: encoding.l }];
    case "256":
    case "L1":
      return [{ ...of(1), text: encoding.l }];
    case "512":
      return [of(2)];
    case "x":
      return encoding.space === "evex" ? [of(0), of(1), of(2)] : [of(0), of(1)];
    case "y":
      return [of(1), of(2)];
    default:
      throw new Error(`${place}: unknown vector length ${encoding.l}`);
  }
}

/** @param {string[]} features @param {import("./notation.js").Encoding} encoding @param {number} bytes @param {number} operandSize */
function featuresFor(features, encoding, bytes, operandSize) {
  // Instructions of the early processors: the size decides which one had the form first.
  if (features.every((name) => name.startsWith("INTEL")) && encoding.space === "legacy") {
    if (operandSize === 8) return ["X64"];
    if (operandSize === 4 && !features.includes("INTEL486")) return ["INTEL386"];
    return features.length === 0 ? ["INTEL8086"] : features;
  }
  const needsLength =
    (encoding.space === "evex" && bytes < 64 && encoding.l === "x") || (encoding.l === "y" && bytes < 64);
  return needsLength && features.some((name) => name.startsWith("AVX512")) ? ["AVX512VL", ...features] : features;
}

/**
 * @param {import("./notation.js").Encoding} encoding @param {import("./operands.js").Operand[]} operands
 * @param {Set<string>} flags @param {string} place @returns {Constraints}
 */
function commonConstraints(encoding, operands, flags, place) {
  /** @type {Constraints} */
  const common = {};
  if (encoding.prefix) common.prefix = encoding.prefix;
  if (encoding.reg !== null) common.reg = [encoding.reg];
  if (encoding.rm !== null) common.rm = [encoding.rm];
  const modrmOperands = operands.filter(
    (operand) =>
      operand.source === SOURCE.rm ||
      (operand.source === SOURCE.base && !encoding.opcodeRegister) ||
      operand.source === SOURCE.rmLow ||
      operand.memory === MEMORY.modrm ||
      operand.memory === MEMORY.vsib,
  );
  if (modrmOperands.length > 1) throw new Error(`${place}: two operands in ModRM.rm`);
  const one = modrmOperands[0];
  if (encoding.mod !== null) common.mod = [encoding.mod];
  else if (one && !flags.has("nomod")) {
    if (!one.allowsRegister) common.mod = [0];
    else if (!one.allowsMemory) common.mod = [1];
  }
  if (flags.has("rexb0")) common.rexB = [0];
  for (const flag of flags) {
    const option = OPTIONS.exec(flag);
    if (option) {
      if (!OPTION_NAMES.includes(option[1] ?? "")) throw new Error(`${place}: unknown option ${flag}`);
      common[/** @type {import("./tree.js").Selector} */ (`option${OPTION_NAMES.indexOf(option[1] ?? "")}`)] = [1];
    }
  }
  return common;
}

/** @param {number[]|null} operand @param {number|null} address @returns {Constraints | {none: true}} */
function sizeConstraints32(operand, address) {
  if (operand?.[0] === 8 || address === 8) return { none: true };
  /** @type {Constraints} */
  const result = {};
  if (operand) result.operandSize = [operand[0] === 2 ? 0 : 1];
  if (address) result.addressSize = [address === 2 ? 0 : 1];
  return result;
}

/** @param {number[]|null} operand @param {number|null} address @param {Set<string>} flags @returns {Constraints | {none: true}} */
function sizeConstraints64(operand, address, flags) {
  if (address === 2) return { none: true };
  /** @type {Constraints} */
  const result = {};
  if (address) result.addressSize = [address === 4 ? 1 : 2];
  const first = operand?.[0];
  if (operand === null) return result;
  if (flags.has("f64")) {
    // Near branches: 64-bit operand size whatever the prefixes say on Intel; AMD honours 66 (APM volume 3, "Near Branches in 64-Bit Mode").
    if (first === 4) return { none: true };
    if (first === 2) return { ...result, operandSize: [0], option0: [1] };
    return result;
  }
  if (flags.has("d64")) {
    if (first === 4 && operand.length === 1) return { none: true };
    return { ...result, operandSize: first === 2 ? [0] : [1, 2] };
  }
  return { ...result, operandSize: operand.map((bytes) => ({ 2: 0, 4: 1, 8: 2 })[bytes] ?? 0) };
}

/** @param {import("./operands.js").Operand[]} operands @param {Set<string>} flags */
function immediateKind(operands, flags) {
  const kinds = operands.map((operand) => operand.immediate).filter((kind) => kind !== 0);
  const second = operands.some((operand) => operand.kind === KIND.immediate2);
  const is4 = operands.some((operand) => operand.source === SOURCE.is4);
  if (is4) return IMMEDIATE.is4;
  if (second) return kinds[0] === IMMEDIATE.word ? IMMEDIATE.wordByte : IMMEDIATE.byteByte;
  if (flags.has("/is4")) return IMMEDIATE.is4;
  return kinds[0] ?? IMMEDIATE.none;
}

/** @param {import("./operands.js").Operand[]} operands */
function memoryKind(operands) {
  return operands.map((operand) => operand.memory).find((kind) => kind !== 0) ?? MEMORY.none;
}
