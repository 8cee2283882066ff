// Which prefixes appear in the text: those that mean something, under the name that says what they mean.

import type { Instruction } from "../instruction.ts";
import { Mnemonic } from "../mnemonic.ts";
import { OperandKind } from "../operand.ts";
import { RegisterClass, registerClass } from "../register.ts";
import { LOCKABLE, MEMORY_MASK, MEMORY_MODRM, MEMORY_SHIFT } from "../table/form-fields.ts";
import { formFlags } from "../table/form-table.ts";
import { overridingSegment } from "./memory-text.ts";

const comparesStrings: ReadonlySet<number> = /* @__PURE__ */ new Set([
  Mnemonic.cmpsb,
  Mnemonic.cmpsw,
  Mnemonic.cmpsd,
  Mnemonic.cmpsq,
  Mnemonic.scasb,
  Mnemonic.scasw,
  Mnemonic.scasd,
  Mnemonic.scasq,
]);
const withoutBnd: ReadonlySet<number> = /* @__PURE__ */ new Set([
  Mnemonic.loop,
  Mnemonic.loope,
  Mnemonic.loopne,
  Mnemonic.jcxz,
  Mnemonic.jecxz,
  Mnemonic.jrcxz,
  Mnemonic.xbegin,
]);
const indirectBranches: ReadonlySet<number> = /* @__PURE__ */ new Set([Mnemonic.call, Mnemonic.jmp]);
const bndBranches: ReadonlySet<number> = /* @__PURE__ */ new Set([Mnemonic.call, Mnemonic.jmp, Mnemonic.ret]);

/** Whether an operand is memory that a string instruction walks over. */
export function isString(instruction: Instruction): boolean {
  for (let i = 0; i < instruction.operandCount; i++) {
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.stringSource || kind === OperandKind.stringDestination) return true;
  }
  return false;
}

/** Whether the operands of a string instruction or XLATB say nothing beyond the mnemonic, so that the text leaves them out. */
export function hidesOperands(instruction: Instruction): boolean {
  if (!isString(instruction) && instruction.mnemonic !== Mnemonic.xlatb) return false;
  return overridingSegment(instruction) === 0 && instruction.addressSize * 8 === instruction.mode;
}

/** The prefixes as text, each followed by a space. */
export function prefixText(instruction: Instruction): string {
  let text = "";
  const mnemonic = instruction.mnemonic;
  const repeat = instruction.repeat;
  const lockable = (formFlags(instruction.form) & LOCKABLE) !== 0 && instruction.operandKind(0) === OperandKind.memory;
  if (repeat !== 0 && lockable && (instruction.lock || mnemonic === Mnemonic.xchg)) {
    // Hardware lock elision; SDM volume 1, 16.3.
    text += repeat === 0xf2 ? "xacquire " : "xrelease ";
  }
  if (repeat === 0xf3 && mnemonic === Mnemonic.mov && isStoreOfRegister(instruction)) text += "xrelease ";
  if (instruction.lock) text += "lock ";
  if (repeat !== 0 && isString(instruction)) {
    if (comparesStrings.has(mnemonic)) text += repeat === 0xf2 ? "repne " : "repe ";
    else text += repeat === 0xf2 ? "repne " : "rep ";
  }
  if (
    repeat === 0xf2 &&
    ((instruction.operandKind(0) === OperandKind.branch && !withoutBnd.has(mnemonic)) || bndBranches.has(mnemonic)) &&
    isNear(instruction)
  )
    text += "bnd ";
  // NOTRACK is 3E before a near indirect branch; SDM volume 1, 17.3.
  if (
    indirectBranches.has(mnemonic) &&
    isNear(instruction) &&
    instruction.segmentPrefix === ((RegisterClass.segment << 5) | 3) &&
    instruction.operandKind(0) !== OperandKind.branch
  )
    text += "notrack ";
  return text;
}

/** The forms of MOV that XRELEASE may precede: 88, 89, C6 and C7 with memory. */
function isStoreOfRegister(instruction: Instruction): boolean {
  const memoryKind = (formFlags(instruction.form) >> MEMORY_SHIFT) & MEMORY_MASK;
  const segment = registerClass(instruction.operandRegister(1)) === RegisterClass.segment;
  return instruction.operandKind(0) === OperandKind.memory && memoryKind === MEMORY_MODRM && !segment;
}

function isNear(instruction: Instruction): boolean {
  const kind = instruction.operandKind(0);
  if (kind === OperandKind.farPointer) return false;
  if (kind === OperandKind.memory) return instruction.operandSizeAt(0) === instruction.operandSize;
  return kind !== OperandKind.register || registerClass(instruction.operandRegister(0)) !== RegisterClass.segment;
}
