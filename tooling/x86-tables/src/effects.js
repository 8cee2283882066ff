// @ts-check
// Reads effects.txt and says what a form does besides its operands: flags, implicit registers, flow, stack, privilege.

import { readFileSync } from "node:fs";
import { CLASS, KIND } from "./operands.js";

/** Flags in the order of their bits in the generated table. */
export const FLAGS = ["of", "sf", "zf", "af", "pf", "cf", "df", "if", "ac", "c0", "c1", "c2", "c3"];
const LETTERS = "oszapcdixklmn";
/** The five sets of flags, in the order of the generated table. */
export const FLAG_SETS = ["r", "w", "u", "z", "s"];
/** How control goes on, in the order of the generated table. */
export const FLOWS = [
  "next",
  "conditional-branch",
  "branch",
  "indirect-branch",
  "call",
  "indirect-call",
  "return",
  "interrupt",
  "exception",
  "xbegin",
];
/** What happens to the stack pointer, in the order of the generated table. */
export const STACKS = ["none", "push", "pop", "push2", "pop2", "pop3", "push8", "pop8", "enter", "leave"];
export const PRIVILEGES = ["any", "iopl", "cpl0"];
const MARKS = /** @type {Record<string, number>} */ ({ "": 1, "=": 2, "+": 3, "?": 5 });
const SIZED = ["AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"];
/** Classes that stand for a size known only with the instruction. */
export const DYNAMIC = { operand: 24, address: 25, stack: 26 };

/**
 * @typedef {object} Effects
 * @property {number[]} flags a mask for each of FLAG_SETS
 * @property {number[]} registers access << 12 | register
 * @property {string} flow @property {string} stack @property {string} privilege
 */
/** @typedef {{ name: string, condition: string, flags: string, registers: string, rest: string[] }} Rule */

/** @param {URL} file @returns {Map<string, Rule[]>} */
export function readEffects(file) {
  /** @type {Map<string, Rule[]>} */
  const rules = new Map();
  for (const raw of readFileSync(file, "utf8").split("\n")) {
    if (raw.trim() === "" || raw.startsWith("#")) continue;
    const [names = "", flags = "", registers = "", rest = ""] = raw.split("|").map((column) => column.trim());
    for (const word of names.split(/\s+/)) {
      const [name = "", condition = ""] = word.split("@");
      const list = rules.get(name) ?? [];
      list.push({ name, condition, flags, registers, rest: rest.split(/\s+/) });
      rules.set(name, list);
    }
  }
  return rules;
}

/** @param {Map<string, Rule[]>} rules @param {import("./expansion.js").Form} form @returns {Effects} */
export function effectsOf(rules, form) {
  /** @type {Effects} */
  const effects = {
    flags: [0, 0, 0, 0, 0],
    registers: [],
    flow: "next",
    stack: "none",
    privilege: form.flags.has("cpl0") ? "cpl0" : "any",
  };
  for (const rule of rules.get(form.mnemonic) ?? []) {
    if (!fits(rule.condition, form)) continue;
    if (rule.flags !== "-") {
      effects.flags = [0, 0, 0, 0, 0];
      for (const part of rule.flags.split(/\s+/)) {
        const [set = "", letters = ""] = part.split("=");
        for (const letter of letters) {
          const bit = LETTERS.indexOf(letter);
          if (bit < 0 || !FLAG_SETS.includes(set)) throw new Error(`effects.txt: unknown flags "${rule.flags}"`);
          effects.flags[FLAG_SETS.indexOf(set)] = (effects.flags[FLAG_SETS.indexOf(set)] ?? 0) | (1 << bit);
        }
      }
    }
    if (rule.registers !== "-")
      effects.registers = rule.registers.split(/\s+/).map((text) => implicitRegister(text, form));
    for (const word of rule.rest) {
      if (word === "-") continue;
      if (FLOWS.includes(word)) effects.flow = word;
      else if (STACKS.includes(word)) effects.stack = word;
      else if (PRIVILEGES.includes(word)) effects.privilege = word;
      else throw new Error(`effects.txt: unknown word "${word}"`);
    }
  }
  return effects;
}

/** @param {string} condition @param {import("./expansion.js").Form} form */
function fits(condition, form) {
  const { operands } = form;
  const first = operands[0];
  switch (condition) {
    case "":
      return true;
    case "string":
      return operands.some((operand) => operand.kind === KIND.stringSource || operand.kind === KIND.stringDestination);
    case "control":
      return operands.some((operand) => operand.cls === CLASS.control || operand.cls === CLASS.debug);
    case "one":
      return operands.some((operand) => operand.immediate === 15);
    case "byte":
      return (
        ((first?.size || first?.memorySize) === 1 && form.mnemonic !== "imul") ||
        (form.mnemonic === "imul" && operands.length === 1 && first?.size === 1)
      );
    case "mem":
      return first?.allowsMemory === true;
    case "reg":
      return first?.kind === KIND.register;
    case "farp":
      return first?.kind === KIND.farPointer;
    case "farm":
      return first?.allowsMemory === true && !first.allowsRegister;
    case "imm":
      return first?.kind === KIND.branch || first?.kind === KIND.farPointer;
    default:
      return operands.length === Number(condition);
  }
}

/** @param {string} text @param {import("./expansion.js").Form} form */
function implicitRegister(text, form) {
  const match = /^([=+?]?)([vyas]?)([A-Z0-9]+)$/.exec(text);
  if (!match) throw new Error(`effects.txt: unreadable register "${text}"`);
  const [, mark = "", size = "", name = ""] = match;
  const access = (MARKS[mark] ?? 1) << 12;
  const of = (/** @type {number} */ cls, /** @type {number} */ number) => access | (cls << 5) | number;
  const index = SIZED.indexOf(name);
  if (size === "v") return of(DYNAMIC.operand, index);
  if (size === "a") return of(DYNAMIC.address, index);
  if (size === "s") return of(DYNAMIC.stack, index);
  if (size === "y") return of(form.operands[0]?.size === 8 ? CLASS.gpr64 : CLASS.gpr32, index);
  if (index >= 0) return of(CLASS.gpr16, index);
  if (/^E/.test(name) && SIZED.includes(name.slice(1))) return of(CLASS.gpr32, SIZED.indexOf(name.slice(1)));
  if (/^R/.test(name) && SIZED.includes(name.slice(1))) return of(CLASS.gpr64, SIZED.indexOf(name.slice(1)));
  if (/^R\d+$/.test(name)) return of(CLASS.gpr64, Number(name.slice(1)));
  if (name === "AL") return of(CLASS.gpr8, 0);
  if (name === "AH") return of(CLASS.gpr8High, 0);
  if (name === "CR0") return of(CLASS.control, 0);
  const numbered = /^(XMM|ST)(\d)$/.exec(name);
  if (numbered) return of(numbered[1] === "ST" ? CLASS.st : CLASS.xmm, Number(numbered[2]));
  throw new Error(`effects.txt: unknown register "${text}"`);
}
