// A decoded instruction as a JSON object: the stable output of `whv decode --json`.

import { DecodeStatus } from "../decode-status.ts";
import { formatInstruction } from "../format/format.ts";
import type { FormatOptions } from "../format/options.ts";
import type { Instruction } from "../instruction.ts";
import { type MnemonicName, mnemonicName } from "../mnemonic.ts";
import { OperandKind } from "../operand.ts";
import { RegisterClass, registerClass, registerName } from "../register.ts";
import { formInfo } from "./form-information.ts";
import { instructionInfo, type UsedMemory } from "./instruction-information.ts";
import type { Access, FlagName, FlowControl, Privilege } from "./names.ts";

/**
 * An operand in {@link InstructionDescription}. Fields that do not belong to the kind are absent.
 *
 * @public
 */
export interface OperandDescription {
  /** Name of the kind, a key of `OperandKind`. */
  readonly kind: keyof typeof OperandKind;
  /** Whether the instruction reads it, writes it, or both. */
  readonly access: Access;
  /** Bytes. */
  readonly size: number;
  /** Register by name, of register operands. */
  readonly register?: string;
  /** Segment register by name, of memory operands. */
  readonly segment?: string;
  /** Base register by name; absent without one. */
  readonly base?: string;
  /** Index register by name; absent without one. */
  readonly index?: string;
  /** Factor of the index register: 1, 2, 4 or 8. */
  readonly scale?: number;
  /** Signed number, or `"0x…"` where it exceeds 32 bits. */
  readonly displacement?: number | string;
  /** Value of an immediate in the operand's size, unsigned; `"0x…"` where it exceeds 32 bits. */
  readonly value?: number | string;
  /** Branch target with the instruction at `ip`. */
  readonly target?: string;
  /** Selector of a far pointer, 0 to 0xffff. */
  readonly selector?: number;
  /** How many elements the operand is broadcast to. */
  readonly broadcast?: number;
}

/**
 * A memory access in {@link InstructionDescription}.
 *
 * @public
 */
export interface MemoryDescription {
  /** Whether it is read, written, or both. */
  readonly access: Access;
  /** Bytes of one access; 0 where the instruction does not say. */
  readonly size: number;
  /** Segment register, by name. */
  readonly segment: string;
  /** Base register by name; absent without one. */
  readonly base?: string;
  /** Index register by name; absent without one. */
  readonly index?: string;
  /** Factor of the index register: 1, 2, 4 or 8; absent without one. */
  readonly scale?: number;
  /** Signed number, or `"0x…"` where it exceeds 32 bits; absent where it is 0 beside a base register. */
  readonly displacement?: number | string;
}

/**
 * A valid instruction as JSON.
 *
 * @public
 */
export interface InstructionDescription {
  /** Version of the format. */
  readonly format: 1;
  /** The bytes of the instruction, as hex digits, lowest address first. */
  readonly bytes: string;
  /** Tells it apart from bytes that are no instruction. */
  readonly valid: true;
  /** Bytes, 1 to 15. */
  readonly length: number;
  /** The mnemonic in lower case. */
  readonly mnemonic: MnemonicName;
  /** The whole instruction, in the Intel syntax of `formatInstruction`. */
  readonly text: string;
  /** The encoding form in the manuals' notation. */
  readonly opcode: string;
  /** Explicit operands, in the order of the manuals. */
  readonly operands: readonly OperandDescription[];
  /** Memory that it accesses, implicit accesses included. */
  readonly memory: readonly MemoryDescription[];
  /** Registers by name. */
  readonly registers: readonly { readonly register: string; readonly access: Access }[];
  /** What it does to RFLAGS, as in {@link FlagEffects}. */
  readonly flags: {
    readonly read: readonly FlagName[];
    readonly written: readonly FlagName[];
    readonly undefined: readonly FlagName[];
    readonly cleared: readonly FlagName[];
    readonly set: readonly FlagName[];
  };
  /** CPUID features that it needs, all of them. */
  readonly cpuid: readonly string[];
  /** Who may execute it. */
  readonly privilege: Privilege;
  /** Where execution goes on. */
  readonly flow: FlowControl;
  /** Prefixes that stand before it, by name: `"lock"`, `"rep"` and the like. */
  readonly prefixes: readonly string[];
}

/**
 * Bytes that are no instruction, as JSON.
 *
 * @public
 */
export interface InvalidDescription {
  /** Version of the format. */
  readonly format: 1;
  /** The bytes that were decoded, as hex digits, lowest address first. */
  readonly bytes: string;
  /** Tells it apart from a valid instruction. */
  readonly valid: false;
  /** No instruction; bytes that end inside of one; more than 15 bytes. */
  readonly error: "invalid-opcode" | "truncated" | "too-long";
}

const kindNames: readonly (keyof typeof OperandKind)[] = Object.keys(OperandKind) as (keyof typeof OperandKind)[];
const errors = {
  [DecodeStatus.truncated]: "truncated",
  [DecodeStatus.invalid]: "invalid-opcode",
  [DecodeStatus.tooLong]: "too-long",
} as const;

/**
 * What a decoding gave, as the object that `whv decode --json` prints. Numbers above 32 bits are `"0x…"` strings.
 *
 * @param instruction - as `Decoder.decode` left it
 * @param bytes - the bytes that were decoded, from the start of the instruction; may be longer than it
 * @param status - what `Decoder.decode` returned
 * @param options - for the text and the branch targets
 *
 * @example
 * ```ts
 * import { Decoder, describeInstruction, Instruction } from "@whvkit/x86-decoder";
 * const bytes = Uint8Array.of(0x01, 0x0f);
 * const instruction = new Instruction();
 * const status = new Decoder(64).decode(bytes, 0, instruction);
 * const description = describeInstruction(instruction, bytes, status);
 * if (description.valid) {
 *   description.text; // "add dword ptr [rdi], ecx"
 *   description.flags.written; // ["of", "sf", "zf", "af", "pf", "cf"]
 * }
 * ```
 *
 * @public
 */
export function describeInstruction(
  instruction: Instruction,
  bytes: Uint8Array,
  status: DecodeStatus = DecodeStatus.ok,
  options: FormatOptions = {},
): InstructionDescription | InvalidDescription {
  if (status !== DecodeStatus.ok) return { format: 1, bytes: hex(bytes), valid: false, error: errors[status] };
  const form = formInfo(instruction.form);
  const information = instructionInfo(instruction);
  return {
    format: 1,
    bytes: hex(bytes.subarray(0, instruction.length)),
    valid: true,
    length: instruction.length,
    mnemonic: mnemonicName(instruction.mnemonic),
    text: formatInstruction(instruction, options),
    opcode: form.opcode,
    operands: form.operands.map((operand, index) => describeOperand(instruction, index, operand.access, options)),
    memory: information.memory.map(({ access, size, ...used }) => ({ access, size, ...address(used) })),
    registers: information.registers.map(({ register, access }) => ({ register: registerName(register), access })),
    flags: information.flags,
    cpuid: information.cpuid,
    privilege: information.privilege,
    flow: information.flow,
    prefixes: prefixes(instruction),
  };
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function numeric(value: bigint): number | string {
  return value >= -0x8000_0000n && value <= 0xffff_ffffn
    ? Number(value)
    : `${value < 0n ? "-" : ""}0x${(value < 0n ? -value : value).toString(16)}`;
}

/** The fields of an address that say something. */
function address(used: Omit<UsedMemory, "access" | "size">): {
  segment: string;
  base?: string;
  index?: string;
  scale?: number;
  displacement?: number | string;
} {
  return {
    segment: registerName(used.segment),
    ...(used.base === 0 ? {} : { base: registerName(used.base) }),
    ...(used.index === 0 ? {} : { index: registerName(used.index), scale: used.scale }),
    ...(used.displacement === 0n && used.base !== 0 ? {} : { displacement: numeric(used.displacement) }),
  };
}

function describeOperand(
  instruction: Instruction,
  index: number,
  access: Access,
  options: FormatOptions,
): OperandDescription {
  const kind = instruction.operandKind(index);
  const size = instruction.operandSizeAt(index);
  const common = { kind: kindNames[kind] ?? "none", access, size };
  switch (kind) {
    case OperandKind.register:
      return { ...common, register: registerName(instruction.operandRegister(index)) };
    case OperandKind.memory:
      return {
        ...common,
        ...address({
          segment: instruction.memorySegment,
          base: instruction.memoryBase,
          index: instruction.memoryIndex,
          scale: instruction.memoryScale,
          displacement: instruction.displacement,
        }),
        ...(instruction.broadcast === 0 ? {} : { broadcast: instruction.broadcast }),
      };
    case OperandKind.stringSource:
    case OperandKind.maskDestination:
      return { ...common, segment: registerName(instruction.memorySegment) };
    case OperandKind.stringDestination:
      return { ...common, segment: "es" };
    case OperandKind.branch:
      return { ...common, target: `0x${instruction.branchTarget(options.ip ?? 0n).toString(16)}` };
    case OperandKind.farPointer:
      return { ...common, selector: instruction.immediate2, value: instruction.immediateLow >>> 0 };
    case OperandKind.immediate2:
      return { ...common, value: instruction.immediate2 };
    default:
      return { ...common, value: numeric(BigInt.asUintN(size * 8, instruction.immediate)) };
  }
}

function prefixes(instruction: Instruction): string[] {
  const list: string[] = [];
  if (instruction.lock) list.push("lock");
  if (instruction.repeat !== 0) list.push(instruction.repeat === 0xf2 ? "repne" : "rep");
  if (registerClass(instruction.segmentPrefix) === RegisterClass.segment)
    list.push(registerName(instruction.segmentPrefix));
  if (instruction.operandSizePrefix) list.push("operand-size");
  if (instruction.addressSizePrefix) list.push("address-size");
  if (instruction.rex !== 0) list.push("rex");
  return list;
}
