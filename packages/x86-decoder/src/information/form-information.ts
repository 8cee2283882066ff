// What a row of the form table says about all instructions of that form.

import { type MnemonicName, mnemonicName } from "../mnemonic.ts";
import {
  FIELD_MASK,
  KIND_MASK,
  OperandKind,
  REGISTER_SHIFT,
  SIZE_SHIFT,
  SOURCE_BASE,
  SOURCE_FIXED,
  SOURCE_IS4,
  SOURCE_REG,
  SOURCE_RM,
  SOURCE_SHIFT,
  SOURCE_VVVV,
  THROUGH_MODRM,
} from "../operand.ts";
import * as columns from "../table/form-columns.generated.ts";
import { CHECK_MASK, CHECK_SHIFT, LOCKABLE, MOD_IGNORED } from "../table/form-fields.ts";
import { formFlags, formMemory, formMnemonic, formOperand, formOperandCount } from "../table/form-table.ts";
import { accessOf, effectsOf, flagsOf, informationTable } from "./effect-table.ts";
import { type Access, accesses, type FlagName, type FlowControl, type Privilege } from "./names.ts";

/**
 * Number of encoding forms; forms are numbered from 1 to this.
 *
 * @public
 */
export const formCount: number = columns.formCount;

/**
 * Flags that an instruction touches. A flag is in at most one of `written`, `undefined`, `cleared` and `set`.
 *
 * @public
 */
export interface FlagEffects {
  /** Whose value before the instruction matters. */
  readonly read: readonly FlagName[];
  /** Written according to the result. */
  readonly written: readonly FlagName[];
  /** Left undefined by the manuals. */
  readonly undefined: readonly FlagName[];
  /** Always 0 afterwards. */
  readonly cleared: readonly FlagName[];
  /** Always 1 afterwards. */
  readonly set: readonly FlagName[];
}

/**
 * An operand as its form describes it.
 *
 * @public
 */
export interface OperandSpecification {
  /** Kind where it is not memory through ModRM: a value of `OperandKind`. `OperandKind.memory` where it is only ever memory. */
  readonly kind: number;
  /** Whether the instruction reads it, writes it, or both. */
  readonly access: Access;
  /** Where the encoding holds it. */
  readonly encoding:
    | "fixed"
    | "modrm.reg"
    | "modrm.rm"
    | "vvvv"
    | "opcode"
    | "is4"
    | "immediate"
    | "address"
    | "implicit";
  /** Size in bytes of the register, immediate or branch. */
  readonly size: number;
  /** Whether ModRM.rm may make it memory. */
  readonly allowsMemory: boolean;
  /** Size in bytes where it is memory (before broadcast); 0 where memory has no size or it cannot be memory. */
  readonly memorySize: number;
  /** Class of the register, a value of `RegisterClass`; 0 where it is no register. */
  readonly registerClass: number;
  /** The register where it is fixed (`SHL r, CL`), else 0. */
  readonly register: number;
}

/**
 * What all instructions of one encoding form have in common.
 *
 * @public
 */
export interface FormInformation {
  /** Number of the form, as in `Instruction.form`. */
  readonly form: number;
  /** A value of `Mnemonic`. */
  readonly mnemonic: number;
  /** The mnemonic in lower case. */
  readonly name: MnemonicName;
  /** The encoding in the notation of the manuals: `"o32 81 /0"`, `"VEX.128.66.0F.WIG FE /r"`. */
  readonly opcode: string;
  /** The operands in the order of the manuals, implicit ones included. */
  readonly operands: readonly OperandSpecification[];
  /** What it does to RFLAGS. */
  readonly flags: FlagEffects;
  /** CPUID features that it needs, all of them. */
  readonly cpuid: readonly string[];
  /** Who may execute it. */
  readonly privilege: Privilege;
  /** Whether LOCK may precede it, provided that its first operand is memory. */
  readonly lockable: boolean;
  /** Whether REP (or REPE and REPNE) repeats it. */
  readonly repeat: "none" | "rep" | "repe";
  /** Where execution goes on. */
  readonly flow: FlowControl;
  /** Whether it exists in 16- and 32-bit modes, and in 64-bit mode. */
  readonly legacyModes: boolean;
  /** Whether it exists in 64-bit mode. */
  readonly longMode: boolean;
}

const encodings: Readonly<Record<number, OperandSpecification["encoding"]>> = {
  [SOURCE_FIXED]: "fixed",
  [SOURCE_REG]: "modrm.reg",
  [SOURCE_RM]: "modrm.rm",
  [SOURCE_VVVV]: "vvvv",
  [SOURCE_IS4]: "is4",
};

/**
 * The information of a form.
 *
 * @param form - 1 to {@link formCount}
 * @throws RangeError where there is no such form
 *
 * @example
 * ```ts
 * import { Decoder, formInfo, Instruction } from "@whvkit/x86-decoder";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0xd8), 0, instruction);
 * formInfo(instruction.form).opcode; // "o32 01 /r"
 * ```
 *
 * @public
 */
export function formInfo(form: number): FormInformation {
  if (!Number.isInteger(form) || form < 1 || form > formCount)
    throw new RangeError(`form ${form} is not in 1 to ${formCount}`);
  const { formAttributes, formFeatures, features, texts } = informationTable();
  const effects = effectsOf(form);
  const attributes = formAttributes[form - 1];
  return {
    form,
    mnemonic: formMnemonic(form),
    name: mnemonicName(formMnemonic(form)),
    opcode: texts[form - 1] ?? "",
    operands: Array.from({ length: formOperandCount(form) }, (_, index) => specification(form, index)),
    flags: {
      read: flagsOf(effects.flags[0]),
      written: flagsOf(effects.flags[1]),
      undefined: flagsOf(effects.flags[2]),
      cleared: flagsOf(effects.flags[3]),
      set: flagsOf(effects.flags[4]),
    },
    cpuid: features[formFeatures[form - 1]] ?? [],
    privilege: effects.privilege,
    lockable: (formFlags(form) & LOCKABLE) !== 0,
    repeat: (attributes & 8) !== 0 ? "repe" : (attributes & 4) !== 0 ? "rep" : "none",
    flow: effects.flow,
    legacyModes: (attributes & 1) !== 0,
    longMode: (attributes & 2) !== 0,
  };
}

function specification(form: number, index: number): OperandSpecification {
  const template = formOperand(form, index);
  const kind = template & KIND_MASK;
  const source = (template >> SOURCE_SHIFT) & 7;
  const register = (template >> REGISTER_SHIFT) & FIELD_MASK;
  const allowsMemory = (template & THROUGH_MODRM) !== 0;
  const isRegister = kind === OperandKind.register;
  let encoding: OperandSpecification["encoding"] = "implicit";
  if (isRegister)
    encoding =
      source === SOURCE_BASE
        ? allowsMemory || usesModrm(form)
          ? "modrm.rm"
          : "opcode"
        : (encodings[source] ?? "fixed");
  else if (allowsMemory) encoding = "modrm.rm";
  else if (
    kind === OperandKind.immediate ||
    kind === OperandKind.immediate2 ||
    kind === OperandKind.branch ||
    kind === OperandKind.farPointer
  )
    encoding = "immediate";
  else if (kind === OperandKind.memory) encoding = "address";
  return {
    kind,
    access: accesses[accessOf(form, index)] ?? "none",
    encoding,
    size: (template >> SIZE_SHIFT) & FIELD_MASK,
    allowsMemory,
    memorySize: allowsMemory || kind === OperandKind.memory ? (formMemory(form) >> SIZE_SHIFT) & FIELD_MASK : 0,
    registerClass: isRegister ? register >> 5 : 0,
    register: isRegister && source === SOURCE_FIXED ? register : 0,
  };
}

/** Whether a form that has only a register in ModRM.rm has a ModRM byte: its opcode text says so. */
function usesModrm(form: number): boolean {
  return (
    (formFlags(form) & MOD_IGNORED) !== 0 ||
    /\/|\bmod3\b/.test(informationTable().texts[form - 1] ?? "") ||
    ((formFlags(form) >> CHECK_SHIFT) & CHECK_MASK) === 13
  );
}
