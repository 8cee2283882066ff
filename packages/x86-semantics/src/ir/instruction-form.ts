/**
 * From a decoded instruction to its form, and to the number that names the form in caches. The only place that knows
 * both the decoder's operands and the IR's.
 */
import { type Instruction, mnemonicName, OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { DEFAULT_OPTIONS, type Form, type OperandForm, type OperandShape, type SemanticOptions } from "./form.ts";

const SHAPE_BY_KIND: Readonly<Record<number, OperandShape>> = {
  [OperandKind.memory]: "memory",
  [OperandKind.immediate]: "immediate",
  [OperandKind.branch]: "branch",
  [OperandKind.farPointer]: "farPointer",
  [OperandKind.stringSource]: "stringSource",
  [OperandKind.stringDestination]: "stringDestination",
  [OperandKind.immediate2]: "immediate2",
  [OperandKind.maskDestination]: "maskDestination",
};

const SHAPE_BY_CLASS: Readonly<Record<number, OperandShape>> = {
  [RegisterClass.gpr8]: "register",
  [RegisterClass.gpr8High]: "register",
  [RegisterClass.gpr16]: "register",
  [RegisterClass.gpr32]: "register",
  [RegisterClass.gpr64]: "register",
  [RegisterClass.segment]: "segment",
  [RegisterClass.control]: "control",
  [RegisterClass.debug]: "debug",
  [RegisterClass.mm]: "mmx",
  [RegisterClass.xmm]: "vector",
  [RegisterClass.ymm]: "vector",
  [RegisterClass.zmm]: "vector",
  [RegisterClass.mask]: "mask",
  [RegisterClass.st]: "x87",
};

function operandForm(instruction: Instruction, index: number): OperandForm {
  const kind = instruction.operandKind(index);
  const shape =
    kind === OperandKind.register ? SHAPE_BY_CLASS[instruction.operandRegister(index) >> 5] : SHAPE_BY_KIND[kind];
  return { shape: shape ?? "other", size: instruction.operandSizeAt(index) };
}

/** Which immediates a meaning depends on at definition time, so that their low bytes belong to the form. */
export type CarriedImmediates = "none" | "immediate" | "immediate2" | "both";

/**
 * The form of a decoded instruction.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { formOf } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0x0f), 0, instruction); // add [rdi], ecx
 * const form = formOf(instruction, "none");
 * form.operands; // [{ shape: "memory", size: 4 }, { shape: "register", size: 4 }]
 * ```
 *
 * @public
 */
export function formOf(
  instruction: Instruction,
  carried: CarriedImmediates,
  options: SemanticOptions = DEFAULT_OPTIONS,
): Form {
  const operands: OperandForm[] = [];
  for (let i = 0; i < instruction.operandCount; i++) operands.push(operandForm(instruction, i));
  return {
    mnemonic: mnemonicName(instruction.mnemonic),
    operands,
    operandSize: instruction.operandSize as 2 | 4 | 8,
    addressSize: instruction.addressSize as 2 | 4 | 8,
    vectorLength: instruction.vectorLength as 0 | 16 | 32 | 64,
    long: instruction.mode === 64,
    lock: instruction.lock,
    masking: instruction.opmask === 0 ? "none" : instruction.zeroing ? "zeroing" : "merging",
    broadcast: instruction.broadcast,
    immediate: carried === "immediate" || carried === "both" ? instruction.immediateLow & 0xff : null,
    immediate2: carried === "immediate2" || carried === "both" ? instruction.immediate2 & 0xff : null,
    options,
  };
}

/**
 * A number that instructions of one form share: below 2^53, the decoder's form number times a fixed factor plus what the
 * prefixes and ModRM decide. Options of the host are not in it; neither are the immediates that {@link Form} may carry.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { formKey } from "@whvkit/x86-semantics";
 * const decoder = new Decoder(64);
 * const key = (...bytes: number[]) => {
 *   const instruction = new Instruction();
 *   decoder.decode(Uint8Array.from(bytes), 0, instruction);
 *   return formKey(instruction);
 * };
 * key(0x01, 0x0f) === key(0x01, 0x16); // true
 * key(0x01, 0x0f) === key(0x01, 0xc8); // false
 * ```
 *
 * @public
 */
export function formKey(instruction: Instruction): number {
  let memory = 0;
  for (let i = 0; i < instruction.operandCount; i++) {
    if (instruction.operandKind(i) === OperandKind.memory) memory = 1;
  }
  const sizes = (instruction.operandSize >> 1) | ((instruction.addressSize >> 1) << 3); // 1, 2, 4 each
  const masking = instruction.opmask === 0 ? 0 : instruction.zeroing ? 2 : 1;
  const flags =
    memory |
    (instruction.mode === 64 ? 2 : 0) |
    (instruction.lock ? 4 : 0) |
    (masking << 3) |
    ((instruction.vectorLength >> 4) << 5) |
    (instruction.broadcast << 8);
  return (instruction.form * 64 + sizes) * 0x4000 + flags;
}

/**
 * The form in one line: "add r32, m32 (64-bit, 64-bit addresses)". For people, not for caches.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { formName, formOf } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0x0f), 0, instruction); // add [rdi], ecx
 * formName(formOf(instruction, "none")); // "add memory32, register32 (64-bit mode, operands 32, addresses 64)"
 * ```
 *
 * @public
 */
export function formName(form: Form): string {
  const operands = form.operands.map(({ shape, size }) => `${shape}${size === 0 ? "" : size * 8}`).join(", ");
  const mode = form.long ? "64-bit mode" : "16/32-bit mode";
  const lock = form.lock ? "lock " : "";
  return `${lock}${form.mnemonic}${operands === "" ? "" : ` ${operands}`} (${mode}, operands ${form.operandSize * 8}, addresses ${form.addressSize * 8})`;
}
