// Intel and NASM syntax.

import type { Instruction } from "../instruction.ts";
import { Mnemonic, mnemonicName } from "../mnemonic.ts";
import { OperandKind } from "../operand.ts";
import { addressText, registerText, segmentText } from "./memory-text.ts";
import { numberText, unsignedText } from "./number-text.ts";
import type { FormatOptions } from "./options.ts";
import { hidesOperands, prefixText } from "./prefix-text.ts";

const intelSizes: Readonly<Record<number, string>> = {
  1: "byte ptr ",
  2: "word ptr ",
  4: "dword ptr ",
  6: "fword ptr ",
  8: "qword ptr ",
  10: "tbyte ptr ",
  16: "xmmword ptr ",
  32: "ymmword ptr ",
  64: "zmmword ptr ",
};
const nasmSizes: Readonly<Record<number, string>> = {
  1: "byte ",
  2: "word ",
  4: "dword ",
  8: "qword ",
  10: "tword ",
  16: "oword ",
  32: "yword ",
  64: "zword ",
};
const roundingNames: readonly string[] = ["", "rn-sae", "rd-sae", "ru-sae", "rz-sae"];

/** The text in Intel or NASM syntax. */
export function intelText(instruction: Instruction, options: FormatOptions): string {
  let text = prefixText(instruction) + mnemonicName(instruction.mnemonic);
  if (hidesOperands(instruction)) return text;
  const count = instruction.operandCount;
  for (let i = 0; i < count; i++) {
    text += `${i === 0 ? " " : ", "}${operandText(instruction, i, options)}`;
    if (i === 0) text += maskText(instruction);
  }
  if (instruction.suppressExceptions) text += `, {${roundingNames[instruction.rounding] || "sae"}}`;
  return text;
}

/** `far ` before the pointer in memory that a far CALL or JMP goes through. */
function farText(instruction: Instruction, size: number): string {
  const branches = instruction.mnemonic === Mnemonic.call || instruction.mnemonic === Mnemonic.jmp;
  return branches && size === instruction.operandSize + 2 ? "far " : "";
}

function maskText(instruction: Instruction): string {
  const mask = instruction.opmask & 7;
  return (mask === 0 ? "" : `{k${mask}}`) + (instruction.zeroing ? "{z}" : "");
}

function operandText(instruction: Instruction, index: number, options: FormatOptions): string {
  const kind = instruction.operandKind(index);
  const size = instruction.operandSizeAt(index);
  switch (kind) {
    case OperandKind.register:
      return registerText(instruction.operandRegister(index), options);
    case OperandKind.memory:
    case OperandKind.stringSource:
    case OperandKind.stringDestination:
    case OperandKind.maskDestination: {
      const segment = segmentText(instruction, kind, options);
      const address = addressText(instruction, kind, options);
      const broadcast = instruction.broadcast === 0 ? "" : `{1to${instruction.broadcast}}`;
      if (options.syntax === "nasm")
        return `${farText(instruction, size) || (nasmSizes[size] ?? "")}[${segment}${address}]${broadcast}`;
      return `${farText(instruction, size)}${intelSizes[size] ?? ""}${segment}[${address}]${broadcast}`;
    }
    case OperandKind.branch: {
      const target = instruction.branchTarget(options.ip ?? 0n);
      return options.symbol?.(target, "branch") ?? numberText(target);
    }
    case OperandKind.farPointer:
      return `${numberText(instruction.immediate2)}:${unsignedText(instruction.immediateLow, 0, size - 2)}`;
    case OperandKind.immediate2:
      return numberText(instruction.immediate2);
    default:
      return immediateText(instruction, size, options);
  }
}

/** The immediate, as a port's name where it is one. */
export function immediateText(instruction: Instruction, size: number, options: FormatOptions): string {
  if (options.port && (instruction.mnemonic === Mnemonic.in || instruction.mnemonic === Mnemonic.out)) {
    const name = options.port(instruction.immediateLow);
    if (name !== undefined) return name;
  }
  return unsignedText(instruction.immediateLow, instruction.immediateHigh, size);
}
