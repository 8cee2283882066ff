/** The JSON of `whv decode --json`: one instruction, its operands, and what the decoder's tables know about it. */
import { caseFormat } from "@whvkit/conformance";
import { formatInstruction, type Instruction, mnemonicName, OperandKind, registerName } from "@whvkit/x86-decoder";

/** One answer of `whv decode --json`. */
export interface InstructionJson {
  readonly format: typeof caseFormat;
  readonly bytes: string;
  readonly valid: boolean;
  readonly error?: "invalid-opcode" | "truncated" | "too-long";
  readonly length?: number;
  /** The name that iced-x86 gives, in lower case. */
  readonly mnemonic?: string;
  /** Intel syntax. */
  readonly text?: string;
  readonly operands?: readonly OperandJson[];
}

/** One operand, in the order of Intel's syntax. Sizes are in bytes. */
export type OperandJson =
  | { readonly kind: "register"; readonly register: string; readonly size: number }
  | ({ readonly kind: "memory"; readonly size: number } & AddressJson)
  | { readonly kind: "immediate"; readonly value: string; readonly size: number }
  | { readonly kind: "branch"; readonly target: string }
  | { readonly kind: "far-pointer"; readonly selector: number; readonly offset: string };

interface AddressJson {
  readonly segment: string;
  readonly base: string | null;
  readonly index: string | null;
  readonly scale: number;
  /** Signed. */
  readonly displacement: string;
  readonly addressSize: number;
}

/** A decoded instruction; `bytes` is its own, `ip` where it stands. */
export function instructionJson(instruction: Instruction, bytes: string, ip: bigint): InstructionJson {
  return {
    format: caseFormat,
    bytes,
    valid: true,
    length: instruction.length,
    mnemonic: mnemonicName(instruction.mnemonic),
    text: formatInstruction(instruction, { ip }),
    operands: Array.from({ length: instruction.operandCount }, (_, index) => operandJson(instruction, index, ip)),
  };
}

function operandJson(instruction: Instruction, index: number, ip: bigint): OperandJson {
  const size = instruction.operandSizeAt(index);
  const stringAddress = (segment: string, name: string): OperandJson => {
    const base = `${{ 2: "", 4: "e", 8: "r" }[instruction.addressSize] ?? ""}${name}`;
    const { addressSize } = instruction;
    return { kind: "memory", size, segment, base, index: null, scale: 1, displacement: "0x0", addressSize };
  };
  switch (instruction.operandKind(index)) {
    case OperandKind.register:
      return { kind: "register", register: registerName(instruction.operandRegister(index)), size };
    case OperandKind.stringSource:
      return stringAddress(registerName(instruction.memorySegment), "si");
    case OperandKind.stringDestination:
      return stringAddress("es", "di");
    case OperandKind.maskDestination:
      return stringAddress(registerName(instruction.memorySegment), "di");
    case OperandKind.branch:
      return { kind: "branch", target: hex(instruction.branchTarget(ip)) };
    case OperandKind.farPointer:
      return { kind: "far-pointer", selector: instruction.immediate2, offset: hex(unsigned(instruction.immediate, 4)) };
    case OperandKind.immediate2:
      return { kind: "immediate", value: hex(BigInt(instruction.immediate2)), size };
    case OperandKind.memory:
      return { kind: "memory", size, ...addressJson(instruction) };
    default:
      return { kind: "immediate", value: hex(unsigned(instruction.immediate, size)), size };
  }
}

function addressJson(instruction: Instruction): AddressJson {
  const name = (register: number): string | null => (register === 0 ? null : registerName(register));
  return {
    segment: registerName(instruction.memorySegment),
    base: name(instruction.memoryBase),
    index: name(instruction.memoryIndex),
    scale: instruction.memoryScale,
    displacement: hex(instruction.displacement),
    addressSize: instruction.addressSize,
  };
}

function unsigned(value: bigint, size: number): bigint {
  return BigInt.asUintN(8 * size, value);
}

/** Negative numbers as `-0x…`. */
function hex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
