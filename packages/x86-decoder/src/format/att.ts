// AT&T syntax, as the GNU assembler reads it.

import type { Instruction } from "../instruction.ts";
import { mnemonicName } from "../mnemonic.ts";
import { OperandKind } from "../operand.ts";
import { Register, RegisterClass, registerClass } from "../register.ts";
import { immediateText } from "./intel.ts";
import { baseRegister, displacementOf, overridingSegment, registerText } from "./memory-text.ts";
import { numberText, unsignedText } from "./number-text.ts";
import type { FormatOptions } from "./options.ts";
import { hidesOperands, prefixText } from "./prefix-text.ts";

const roundingNames: readonly string[] = ["", "rn-sae", "rd-sae", "ru-sae", "rz-sae"];
const suffixes: Readonly<Record<number, string>> = { 1: "b", 2: "w", 4: "l", 8: "q" };
const floatSuffixes: Readonly<Record<number, string>> = { 4: "s", 8: "l", 10: "t" };
const integerSuffixes: Readonly<Record<number, string>> = { 2: "s", 4: "l", 8: "ll" };
const conversions: Readonly<Record<string, string>> = {
  cbw: "cbtw",
  cwde: "cwtl",
  cdqe: "cltq",
  cwd: "cwtd",
  cdq: "cltd",
  cqo: "cqto",
};
/** Mnemonics whose last operand may be a count in CL. */
const counted = /^(ro[lr]|rc[lr]|sh[lr]d?|sa[lr])$/;
const sizeByLetter = /^(mov[sz]x|movsxd)$/;

/** The text in AT&T syntax: sources first, `%` before registers, `$` before immediates. */
export function attText(instruction: Instruction, options: FormatOptions): string {
  let text = prefixText(instruction) + attMnemonic(instruction);
  if (hidesOperands(instruction)) return text;
  const parts: string[] = [];
  for (let i = instruction.operandCount - 1; i >= 0; i--) {
    let part = operandText(instruction, i, options);
    if (i === 0) {
      const mask = instruction.opmask & 7;
      part += (mask === 0 ? "" : `{%k${mask}}`) + (instruction.zeroing ? "{z}" : "");
    }
    parts.push(part);
  }
  if (instruction.suppressExceptions) parts.unshift(`{${roundingNames[instruction.rounding] || "sae"}}`);
  if (parts.length > 0) text += ` ${parts.join(", ")}`;
  return text;
}

/** The mnemonic with the size letter that AT&T syntax needs where no register tells the size. */
function attMnemonic(instruction: Instruction): string {
  const name = mnemonicName(instruction.mnemonic);
  const converted = conversions[name];
  if (converted !== undefined) return converted;
  let memorySize = -1;
  let general = false;
  for (let i = 0; i < instruction.operandCount; i++) {
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.memory) memorySize = instruction.operandSizeAt(i);
    if (kind === OperandKind.register) {
      const register = instruction.operandRegister(i);
      // Neither a segment register nor a shift's count in CL tells the size of the other operand.
      const tells =
        registerClass(register) !== RegisterClass.segment && !(register === Register.cl && counted.test(name));
      if (tells) general = true;
    }
  }
  if (sizeByLetter.test(name)) {
    const source = suffixes[instruction.operandSizeAt(1)] ?? "";
    return `${name === "movzx" ? "movz" : "movs"}${source}${suffixes[instruction.operandSizeAt(0)] ?? ""}`;
  }
  if (memorySize < 0 || general) return name;
  if (/^fi/.test(name) && !/^fi(nit|ncstp)/.test(name)) return name + (integerSuffixes[memorySize] ?? "");
  if (/^f(ld|stp?|add|mul|comp?|subr?|divr?)$/.test(name)) return name + (floatSuffixes[memorySize] ?? "");
  if (
    /^(add|or|adc|sbb|and|sub|xor|cmp|inc|dec|test|not|neg|i?mul|i?div|ro[lr]|rc[lr]|sh[lr]|sa[lr]|mov|push|pop|bt[src]?|shld|shrd|nop|call|jmp)$/.test(
      name,
    )
  ) {
    return memorySize === instruction.operandSize + 2 ? `l${name}` : name + (suffixes[memorySize] ?? "");
  }
  return name;
}

function operandText(instruction: Instruction, index: number, options: FormatOptions): string {
  const kind = instruction.operandKind(index);
  const size = instruction.operandSizeAt(index);
  const indirect = /^(call|jmp)$/.test(mnemonicName(instruction.mnemonic)) ? "*" : "";
  switch (kind) {
    case OperandKind.register:
      return `${indirect}${attRegister(instruction.operandRegister(index), options)}`;
    case OperandKind.branch: {
      const target = instruction.branchTarget(options.ip ?? 0n);
      return options.symbol?.(target, "branch") ?? numberText(target);
    }
    case OperandKind.farPointer:
      return `$${numberText(instruction.immediate2)}, $${unsignedText(instruction.immediateLow, 0, size - 2)}`;
    case OperandKind.immediate2:
      return `$${numberText(instruction.immediate2)}`;
    case OperandKind.immediate:
      return `$${immediateText(instruction, size, options)}`;
    default: {
      const broadcast = instruction.broadcast === 0 ? "" : `{1to${instruction.broadcast}}`;
      return `${indirect}${memoryText(instruction, kind, options)}${broadcast}`;
    }
  }
}

function attRegister(register: number, options: FormatOptions): string {
  const name = registerText(register, options);
  return registerClass(register) === RegisterClass.st ? `%st(${register & 31})`.replace("(0)", "") : `%${name}`;
}

function memoryText(instruction: Instruction, kind: number, options: FormatOptions): string {
  const base = baseRegister(instruction, kind);
  const segment = kind === OperandKind.stringDestination ? Register.es : overridingSegment(instruction);
  const index = kind === OperandKind.memory ? instruction.memoryIndex : 0;
  let text = segment === 0 ? "" : `${attRegister(segment, options)}:`;
  if (kind === OperandKind.memory) {
    const displacement = displacementOf(instruction, base !== 0 || index !== 0, options);
    if (!displacement.zero || (base === 0 && index === 0) || displacement.symbol !== undefined)
      text += `${displacement.negative ? "-" : ""}${displacement.text}`;
  }
  if (base === 0 && index === 0) return text;
  const scale =
    index === 0
      ? ""
      : `,${attRegister(index, options)}${instruction.memoryScale === 1 && instruction.addressSize === 2 ? "" : `,${instruction.memoryScale}`}`;
  return `${text}(${base === 0 ? "" : attRegister(base, options)}${scale})`;
}
