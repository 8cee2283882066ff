// Memory operands as text.

import type { Instruction } from "../instruction.ts";
import { OperandKind } from "../operand.ts";
import { Register, RegisterClass, registerClass, registerName } from "../register.ts";
import { numberText, unsignedText } from "./number-text.ts";
import type { FormatOptions } from "./options.ts";

/** A register's name as the options want it. */
export function registerText(register: number, options: FormatOptions): string {
  return options.register?.(register) ?? registerName(register);
}

/** The registers rSI and rDI of the instruction's address size. */
function pointer(instruction: Instruction, number: 6 | 7): number {
  const registerClasses =
    instruction.addressSize === 8
      ? RegisterClass.gpr64
      : instruction.addressSize === 4
        ? RegisterClass.gpr32
        : RegisterClass.gpr16;
  return (registerClasses << 5) | number;
}

/** Base register of any memory operand, of string operands too. */
export function baseRegister(instruction: Instruction, kind: number): number {
  if (kind === OperandKind.stringSource) return pointer(instruction, 6);
  if (kind === OperandKind.stringDestination || kind === OperandKind.maskDestination) return pointer(instruction, 7);
  return instruction.memoryBase;
}

/** The segment register that an override prefix makes the operand use, or 0 where the prefix is absent or does not count. */
export function overridingSegment(instruction: Instruction): number {
  const segment = instruction.memorySegment;
  if (segment === 0 || instruction.segmentPrefix !== segment) return 0;
  return instruction.mode === 64 && segment !== Register.fs && segment !== Register.gs ? 0 : segment;
}

/** The segment register to print with its colon: an override that counts, or ES of a string destination. */
export function segmentText(instruction: Instruction, kind: number, options: FormatOptions): string {
  const segment = kind === OperandKind.stringDestination ? Register.es : overridingSegment(instruction);
  return segment === 0 ? "" : `${registerText(segment, options)}:`;
}

/** The displacement of a memory operand as a signed number or, where there is no register, as an address. */
export interface Displacement {
  readonly symbol: string | undefined;
  readonly negative: boolean;
  readonly text: string;
  readonly zero: boolean;
}

/** The displacement as it is printed: cut to the address size, negative where a register precedes it. */
export function displacementOf(instruction: Instruction, hasRegister: boolean, options: FormatOptions): Displacement {
  const size = instruction.addressSize;
  let low = instruction.displacementLow;
  let high = instruction.displacementHigh;
  if (options.symbol) {
    const relative =
      registerClass(instruction.memoryBase) === RegisterClass.ip ? (options.ip ?? 0n) + BigInt(instruction.length) : 0n;
    const symbol =
      instruction.displacementSize === 0
        ? undefined
        : options.symbol(BigInt.asUintN(size * 8, instruction.displacement + relative), "memory");
    if (symbol !== undefined) return { symbol, negative: false, text: symbol, zero: false };
  }
  const zero = low === 0 && high === 0;
  if (hasRegister && high < 0) {
    high = ~high + (low === 0 ? 1 : 0);
    low = -low | 0;
    return { symbol: undefined, negative: true, text: unsignedText(low, high, size), zero };
  }
  return { symbol: undefined, negative: false, text: unsignedText(low, high, size), zero };
}

/** What stands between the brackets in Intel syntax. */
export function addressText(instruction: Instruction, kind: number, options: FormatOptions): string {
  const base = baseRegister(instruction, kind);
  if (kind !== OperandKind.memory) return registerText(base, options);
  if (registerClass(base) === RegisterClass.ip && options.absolute) {
    const target = BigInt.asUintN(
      instruction.addressSize * 8,
      instruction.displacement + (options.ip ?? 0n) + BigInt(instruction.length),
    );
    const text = options.symbol?.(target, "memory") ?? numberText(target);
    return options.syntax === "nasm" ? `rel ${text}` : text;
  }
  const index = instruction.memoryIndex;
  let text = base === 0 ? "" : registerText(base, options);
  if (index !== 0) {
    if (text !== "") text += "+";
    text += registerText(index, options);
    const scale = instruction.memoryScale;
    // A scaled index without base needs its factor to be told from a base.
    if (scale !== 1 || (base === 0 && registerClass(index) <= RegisterClass.gpr64)) text += `*${scale}`;
  }
  const displacement = displacementOf(instruction, text !== "", options);
  if (text === "") return displacement.text;
  if (displacement.zero && registerClass(base) !== RegisterClass.ip) return text;
  return `${text}${displacement.negative ? "-" : "+"}${displacement.text}`;
}
