// Decodes with iced-x86 and lists where the two results differ. Only tests import this.

import {
  Code,
  type Instruction as IcedInstruction,
  Mnemonic as IcedMnemonic,
  Register as IcedRegister,
  MemorySize,
  MemorySizeExt,
  OpKind,
} from "iced-x86";
import {
  DecodeStatus,
  formInfo,
  type Instruction,
  mnemonicName,
  OperandKind,
  Register,
  RegisterClass,
  registerName,
} from "../../src/index.ts";

/** iced's register numbers to ours. */
export const registerOf: Map<number, number> = new Map();
for (const [name, value] of Object.entries(IcedRegister)) {
  if (typeof value !== "number") continue;
  const lower = name.toLowerCase();
  const own = (Register as Record<string, number>)[lower.replace(/^r(\d+)l$/, "r$1b")];
  if (own !== undefined) registerOf.set(value, own);
}

const mnemonicNames: string[] = [];
for (const [name, value] of Object.entries(IcedMnemonic))
  if (typeof value === "number") mnemonicNames[value] = name.toLowerCase();
const codeNames: string[] = [];
for (const [name, value] of Object.entries(Code)) if (typeof value === "number") codeNames[value] = name;
const opKindNames: string[] = [];
for (const [name, value] of Object.entries(OpKind)) if (typeof value === "number") opKindNames[value] = name;

const memorySizeNames: string[] = [];
for (const [name, value] of Object.entries(MemorySize)) if (typeof value === "number") memorySizeNames[value] = name;

export const icedMnemonic = (value: number): string => mnemonicNames[value] ?? "?";
export const icedCode = (value: number): string => codeNames[value] ?? "?";

const ofName = (register: number): string =>
  registerName(registerOf.get(register) ?? 0) || (register === 0 ? "" : `?${IcedRegister[register]}`);

const branchKinds = new Set<number>([OpKind.NearBranch16, OpKind.NearBranch32, OpKind.NearBranch64]);
const farKinds = new Set<number>([OpKind.FarBranch16, OpKind.FarBranch32]);
const sources = new Set<number>([OpKind.MemorySegSI, OpKind.MemorySegESI, OpKind.MemorySegRSI]);
const destinations = new Set<number>([OpKind.MemoryESDI, OpKind.MemoryESEDI, OpKind.MemoryESRDI]);
const maskDestinations = new Set<number>([OpKind.MemorySegDI, OpKind.MemorySegEDI, OpKind.MemorySegRDI]);
const signedImmediates = new Map<number, number>([
  [OpKind.Immediate8to16, 16],
  [OpKind.Immediate8to32, 32],
  [OpKind.Immediate8to64, 64],
  [OpKind.Immediate32to64, 64],
]);

/** The operand as one string, in a notation that both sides can be brought to. */
function icedOperand(instruction: IcedInstruction, index: number): string {
  const kind = instruction.opKind(index);
  if (kind === OpKind.Register) return `reg ${ofName(instruction.opRegister(index))}`;
  if (kind === OpKind.Memory) return "mem";
  if (branchKinds.has(kind)) return `branch ${BigInt.asUintN(64, instruction.nearBranchTarget)}`;
  if (farKinds.has(kind))
    return `far ${instruction.farBranchSelector}:${kind === OpKind.FarBranch16 ? instruction.farBranch16 : instruction.farBranch32 >>> 0}`;
  if (sources.has(kind)) return "source";
  if (destinations.has(kind)) return "destination";
  if (maskDestinations.has(kind)) return "maskDestination";
  if (kind === OpKind.Immediate8_2nd) return `imm2 ${instruction.immediate8_2nd}`;
  return `imm ${BigInt.asUintN(signedImmediates.get(kind) ?? 64, instruction.immediate(index))}`;
}

function ownOperand(instruction: Instruction, index: number, ip: bigint): string {
  switch (instruction.operandKind(index)) {
    case OperandKind.register:
      return `reg ${registerName(instruction.operandRegister(index))}`;
    case OperandKind.memory:
      return "mem";
    case OperandKind.branch:
      return `branch ${instruction.branchTarget(ip)}`;
    case OperandKind.farPointer:
      return `far ${instruction.immediate2}:${instruction.immediateLow >>> 0}`;
    case OperandKind.stringSource:
      return "source";
    case OperandKind.stringDestination:
      return "destination";
    case OperandKind.maskDestination:
      return "maskDestination";
    case OperandKind.immediate2:
      return `imm2 ${instruction.immediate2}`;
    case OperandKind.immediate:
      return `imm ${BigInt.asUintN(instruction.operandSizeAt(index) * 8, instruction.immediate)}`;
    default:
      return "none";
  }
}

const scratch = new Map<number, number>();
/** Size in bytes that iced gives the memory operand. */
function icedMemorySize(size: number): number {
  let bytes = scratch.get(size);
  if (bytes === undefined) {
    bytes = MemorySizeExt.size(size);
    scratch.set(size, bytes);
  }
  return bytes;
}

/** What differs, or an empty string. */
export function compare(status: number, own: Instruction, iced: IcedInstruction, ip: bigint): string {
  const icedValid = iced.code !== Code.INVALID;
  if ((status === DecodeStatus.ok) !== icedValid) {
    return icedValid
      ? `we reject ${icedCode(iced.code)}`
      : `we accept ${mnemonicName(own.mnemonic)} (${formInfo(own.form).cpuid.join(" ")}, form ${own.form})`;
  }
  if (!icedValid) return "";
  const name = mnemonicName(own.mnemonic);
  if (name !== icedMnemonic(iced.mnemonic)) return `mnemonic ${name}, iced ${icedCode(iced.code)}`;
  const what = `${icedCode(iced.code)}: `;
  if (own.length !== iced.length) return `${what}length ${own.length}, iced ${iced.length}`;
  if (own.operandCount !== iced.opCount) return `${what}${own.operandCount} operands, iced ${iced.opCount}`;
  let memory = false;
  for (let i = 0; i < own.operandCount; i++) {
    const a = ownOperand(own, i, ip),
      b = icedOperand(iced, i);
    if (a !== b) return `${what}operand ${i} is ${a}, iced ${b}`;
    if (b === "mem" || b === "source" || b === "destination" || b === "maskDestination") {
      const broadcast = iced.isBroadcast;
      const size = icedMemorySize(iced.memorySize);
      if (own.operandSizeAt(i) !== size) return `${what}memory size ${own.operandSizeAt(i)}, iced ${size}`;
      if (broadcast !== (own.broadcast !== 0)) return `${what}broadcast ${own.broadcast}, iced ${broadcast}`;
      const total = Number(/^Broadcast(\d+)/.exec(memorySizeNames[iced.memorySize] ?? "")?.[1] ?? 0) / 8;
      if (broadcast && own.broadcast * size !== total)
        return `${what}broadcast ${own.broadcast} of ${size}, iced ${total}`;
    }
    if (b === "mem") memory = true;
    if (b === "mem" || b === "source" || b === "maskDestination") {
      const segment = ofName(iced.memorySegment);
      if (
        !(own.mode === 64 && /[edsc]s/.test(segment) && /[ds]s/.test(registerName(own.memorySegment))) &&
        registerName(own.memorySegment) !== segment
      )
        return `${what}segment ${registerName(own.memorySegment)}, iced ${segment}`;
    }
  }
  if (memory) {
    if (registerName(own.memoryBase) !== ofName(iced.memoryBase))
      return `${what}base ${registerName(own.memoryBase)}, iced ${ofName(iced.memoryBase)}`;
    if (registerName(own.memoryIndex) !== ofName(iced.memoryIndex))
      return `${what}index ${registerName(own.memoryIndex)}, iced ${ofName(iced.memoryIndex)}`;
    if (own.memoryIndex !== 0 && own.memoryScale !== iced.memoryIndexScale)
      return `${what}scale ${own.memoryScale}, iced ${iced.memoryIndexScale}`;
    let displacement = own.displacement;
    if (own.memoryBase >> 5 === RegisterClass.ip) {
      displacement += ip + BigInt(own.length);
    }
    const bits = own.addressSize * 8;
    if (BigInt.asUintN(bits, displacement) !== BigInt.asUintN(bits, iced.memoryDisplacement))
      return `${what}displacement ${displacement}, iced ${iced.memoryDisplacement}`;
    if (
      own.displacementSize !== 0 &&
      own.displacementSize !== (iced.memoryDisplSize === 8 && own.displacementSize === 4 ? 4 : iced.memoryDisplSize)
    )
      return `${what}displacement size ${own.displacementSize}, iced ${iced.memoryDisplSize}`;
  }
  if (own.opmask !== (registerOf.get(iced.opMask) ?? 0)) return `${what}opmask`;
  if (own.zeroing !== iced.zeroingMasking) return `${what}zeroing`;
  if (own.rounding !== iced.roundingControl) return `${what}rounding ${own.rounding}, iced ${iced.roundingControl}`;
  if ((own.suppressExceptions && own.rounding === 0) !== iced.suppressAllExceptions) return `${what}sae`;
  if (own.lock !== iced.hasLockPrefix) return `${what}lock`;
  return "";
}

export type { IcedInstruction };
