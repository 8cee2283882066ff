// What one decoded instruction reads and writes: the form's effects with sizes, registers and prefixes filled in.

import type { Instruction } from "../instruction.ts";
import { Mnemonic, mnemonicName } from "../mnemonic.ts";
import { OperandKind } from "../operand.ts";
import { Register, RegisterClass, registerClass } from "../register.ts";
import { accessOf, DYNAMIC_ADDRESS, DYNAMIC_OPERAND, effectsOf, informationTable } from "./effect-table.ts";
import { type FlagEffects, formInfo } from "./form-information.ts";
import { type Access, accesses, type FlowControl, type Privilege } from "./names.ts";

/**
 * A register that an instruction uses.
 *
 * @public
 */
export interface UsedRegister {
  /** A value of `Register`. */
  readonly register: number;
  /** Whether it is read, written, or both; conditional where only some executions do. */
  readonly access: Access;
}

/**
 * Memory that an instruction uses.
 *
 * @public
 */
export interface UsedMemory {
  /** Segment register. */
  readonly segment: number;
  /** Base register, 0 for none; RIP or EIP: relative to the next instruction. */
  readonly base: number;
  /** Index register, 0 for none. */
  readonly index: number;
  /** Factor of the index register: 1, 2, 4 or 8. */
  readonly scale: number;
  /** Signed displacement. */
  readonly displacement: bigint;
  /** Bytes of one access; 0 where the instruction does not say (XSAVE); of one element for strings, gathers and broadcasts. */
  readonly size: number;
  /** Whether it is read, written, or both. */
  readonly access: Access;
}

/**
 * What an instruction reads, writes and needs.
 *
 * @public
 */
export interface InstructionInformation {
  /**
   * Registers: explicit operands, implicit ones, those of addresses, the opmask, and the counter of a REP prefix; each
   * once, with its accesses united. Segment registers of memory operands are there where they matter to the address:
   * all in 16- and 32-bit modes, FS and GS in 64-bit mode.
   */
  readonly registers: readonly UsedRegister[];
  /** Memory operands and stack accesses of PUSH, POP, CALL, RET and the like. */
  readonly memory: readonly UsedMemory[];
  /** What it does to RFLAGS. */
  readonly flags: FlagEffects;
  /** CPUID features that it needs, all of them. */
  readonly cpuid: readonly string[];
  /** Who may execute it. */
  readonly privilege: Privilege;
  /** Where execution goes on. */
  readonly flow: FlowControl;
  /** What is added to the stack pointer; `null` where that depends on registers or memory (LEAVE, POP SP, interrupts). */
  readonly stackChange: number | null;
}

const READ = 1;
const WRITE = 2;
/** Bits of an access: read, write, and either only perhaps. */
const accessBits: readonly number[] = [0, 1, 2, 3, 1 | 4, 2 | 8, 1 | 2 | 8];

/**
 * What a decoded instruction uses.
 *
 * @param instruction - as `Decoder.decode` left it with `ok`
 * @throws RangeError where it holds no instruction
 *
 * @example
 * ```ts
 * import { Decoder, Instruction, instructionInfo, registerName } from "@whvkit/x86-decoder";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction); // mov eax, [rdi]
 * const { registers } = instructionInfo(instruction);
 * registers.map(({ register, access }) => `${access} ${registerName(register)}`); // ["write eax", "read rdi"]
 * ```
 *
 * @public
 */
export function instructionInfo(instruction: Instruction): InstructionInformation {
  const form = formInfo(instruction.form);
  const effects = effectsOf(instruction.form);
  const registers = new Map<number, number>();
  const use = (register: number, access: number): void => {
    if (register !== 0 && access !== 0)
      registers.set(register, unite(registers.get(register) ?? 0, accessBits[access]));
  };
  const memory: UsedMemory[] = [];
  for (let i = 0; i < instruction.operandCount; i++) {
    const access = accessOf(instruction.form, i);
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.register) {
      // With merging, elements that the mask leaves out keep their value: the destination is read.
      const merges =
        i === 0 &&
        instruction.opmask !== 0 &&
        !blends.test(mnemonicName(instruction.mnemonic)) &&
        !instruction.zeroing &&
        access === WRITE &&
        registerClass(instruction.operandRegister(0)) !== RegisterClass.mask;
      use(instruction.operandRegister(i), merges ? 3 : access);
      continue;
    }
    const used = usedMemory(instruction, i, kind, accesses[access] ?? "none");
    if (used === undefined) continue;
    if (access !== 0) memory.push(used);
    if (kind === OperandKind.memory && !ignoresAddress.has(instruction.mnemonic)) {
      if (registerClass(used.base) !== RegisterClass.ip) use(used.base, READ);
      use(used.index, READ);
    }
    if (access !== 0 && (instruction.mode !== 64 || (used.segment & 31) >= 4)) use(used.segment, READ);
  }
  use(instruction.opmask, READ);
  for (const packed of effects.registers) use(resolve(packed & 0xfff, instruction), packed >> 12);
  if (form.repeat !== "none" && instruction.repeat !== 0) use(sized(instruction.addressSize, 1), 3);
  const stackChange = stackEffect(instruction, effects.stack, use, memory);
  return {
    registers: [...registers].map(([register, bits]) => ({ register, access: accessName(bits) })),
    memory,
    flags: countedFlags(instruction, form.flags),
    cpuid: informationTable().features[informationTable().formFeatures[instruction.form - 1]] ?? [],
    privilege: form.privilege,
    flow: form.flow,
    stackChange,
  };
}

/** Instructions whose memory operand is not even addressed. */
const ignoresAddress: ReadonlySet<number> = /* @__PURE__ */ new Set([
  Mnemonic.nop,
  Mnemonic.reservednop,
  Mnemonic.ud0,
  Mnemonic.ud1,
]);
/** Instructions whose opmask chooses between two sources, so that it merges nothing. */
const blends = /^vp?blendm/;
const shifts: ReadonlySet<number> = /* @__PURE__ */ new Set([
  Mnemonic.rol,
  Mnemonic.ror,
  Mnemonic.rcl,
  Mnemonic.rcr,
  Mnemonic.shl,
  Mnemonic.sal,
  Mnemonic.shr,
  Mnemonic.sar,
  Mnemonic.shld,
  Mnemonic.shrd,
]);
const noFlags: FlagEffects = { read: [], written: [], undefined: [], cleared: [], set: [] };

/** A shift or rotate by an immediate 0 leaves the flags alone, one by 1 defines OF; SDM volume 2, SHL and RCL. */
function countedFlags(instruction: Instruction, flags: FlagEffects): FlagEffects {
  if (
    !shifts.has(instruction.mnemonic) ||
    instruction.operandKind(instruction.operandCount - 1) !== OperandKind.immediate
  )
    return flags;
  const count = instruction.immediateLow & (instruction.operandSizeAt(0) === 8 ? 63 : 31);
  if (count === 0) return noFlags;
  if (count !== 1 || !flags.undefined.includes("of")) return flags;
  return { ...flags, written: ["of", ...flags.written], undefined: flags.undefined.filter((name) => name !== "of") };
}

/** A certain access makes a perhaps of the same direction certain. */
function unite(a: number, b: number): number {
  const both = a | b;
  const readIsCertain = (a & 5) === 1 || (b & 5) === 1;
  const writeIsCertain = (a & 10) === 2 || (b & 10) === 2;
  return both & ~(readIsCertain ? 4 : 0) & ~(writeIsCertain ? 8 : 0);
}

function accessName(bits: number): Access {
  switch (bits & 3) {
    case READ:
      return (bits & 4) !== 0 ? "conditional-read" : "read";
    case WRITE:
      return (bits & 8) !== 0 ? "conditional-write" : "write";
    default:
      return (bits & 8) !== 0 ? "read-conditional-write" : "readwrite";
  }
}

/** The general register of a size in bytes. */
function sized(size: number, number: number): number {
  const generalClass =
    size === 8
      ? RegisterClass.gpr64
      : size === 4
        ? RegisterClass.gpr32
        : size === 2
          ? RegisterClass.gpr16
          : RegisterClass.gpr8;
  return (generalClass << 5) | number;
}

/** Stack pointer size of the mode's usual stack segment, in bytes. */
function stackSize(instruction: Instruction): number {
  return instruction.mode / 8;
}

function resolve(register: number, instruction: Instruction): number {
  const number = register & 31;
  if (registerClass(register) === DYNAMIC_OPERAND) return sized(instruction.operandSize, number);
  if (registerClass(register) === DYNAMIC_ADDRESS) return sized(instruction.addressSize, number);
  if (registerClass(register) > DYNAMIC_ADDRESS) return sized(stackSize(instruction), number);
  return register;
}

function usedMemory(instruction: Instruction, index: number, kind: number, access: Access): UsedMemory | undefined {
  const size = instruction.operandSizeAt(index);
  const pointer = { index: 0, scale: 1, displacement: 0n, size, access };
  switch (kind) {
    case OperandKind.memory:
      return {
        segment: instruction.memorySegment,
        base: instruction.memoryBase,
        index: instruction.memoryIndex,
        scale: instruction.memoryScale,
        displacement: instruction.displacement,
        size,
        access,
      };
    case OperandKind.stringSource:
      return { ...pointer, segment: instruction.memorySegment, base: sized(instruction.addressSize, 6) };
    case OperandKind.stringDestination:
      return { ...pointer, segment: Register.es, base: sized(instruction.addressSize, 7) };
    case OperandKind.maskDestination:
      return { ...pointer, segment: instruction.memorySegment, base: sized(instruction.addressSize, 7) };
    default:
      return undefined;
  }
}

/** Adds the stack accesses and returns the change of the stack pointer. */
function stackEffect(
  instruction: Instruction,
  effect: string,
  use: (register: number, access: number) => void,
  memory: UsedMemory[],
): number | null {
  if (effect === "none") return 0;
  const size = instruction.operandSize;
  const pointer = sized(stackSize(instruction), 4);
  const at = (displacement: number, bytes: number, access: Access): void => {
    memory.push({
      segment: Register.ss,
      base: pointer,
      index: 0,
      scale: 1,
      displacement: BigInt(displacement),
      size: bytes,
      access,
    });
  };
  if (instruction.mode !== 64) use(Register.ss, READ);
  switch (effect) {
    case "push":
      at(-size, size, "write");
      return -size;
    case "push2":
      at(-size, size, "write");
      at(-2 * size, size, "write");
      return -2 * size;
    case "push8":
      at(-8 * size, 8 * size, "write");
      return -8 * size;
    case "pop": {
      at(0, size, "read");
      if (
        instruction.operandKind(0) === OperandKind.register &&
        (instruction.operandRegister(0) & 31) === 4 &&
        registerClass(instruction.operandRegister(0)) !== RegisterClass.segment
      )
        return null;
      return size + (instruction.operandKind(0) === OperandKind.immediate ? instruction.immediateLow : 0);
    }
    case "pop2":
      at(0, size, "read");
      at(size, size, "read");
      return 2 * size + (instruction.operandKind(0) === OperandKind.immediate ? instruction.immediateLow : 0);
    case "pop3": {
      const count = instruction.mode === 64 ? 5 : 3;
      at(0, count * size, "read");
      return count * size;
    }
    case "pop8":
      at(0, 8 * size, "read");
      return 8 * size;
    case "enter": {
      const level = instruction.immediate2 & 31;
      at(-size, size, "write");
      return -size * (1 + level) - instruction.immediateLow;
    }
    default: {
      // LEAVE pops where the frame pointer points to.
      memory.push({
        segment: Register.ss,
        base: sized(stackSize(instruction), 5),
        index: 0,
        scale: 1,
        displacement: 0n,
        size,
        access: "read",
      });
      return null;
    }
  }
}
