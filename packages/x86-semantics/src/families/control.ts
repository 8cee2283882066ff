/**
 * Transfers of control: jumps, calls, returns, loops, software interrupts. Near ones are data flow on RIP; far ones are
 * helpers. Intel SDM volume 1, 5.1.7 and 6.4; each instruction's page in volume 2.
 */
import { type Builder, type Definition, General, type Operand, type Value } from "../ir/builder.ts";
import { type IntegerType, integerOfSize } from "../ir/operation.ts";
import { Helper } from "../machine/helper.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import { conditionHolds, forEachCondition } from "./conditions.ts";
import type { Family } from "./family.ts";
import { pop, push } from "./stack.ts";
import { readFarPointer } from "./system.ts";

/** Next instruction plus displacement, cut to the operand size. */
const relativeTarget = (b: Builder): Value =>
  b.truncate(b.add(b.nextIp("i64"), b.field("immediate", "i64")), b.operandType);

/**
 * A far operand: a pointer in the instruction, or one in memory: two bytes more than the operand size, and with AMD's decoding
 * six bytes with a 64-bit operand size too.
 */
const isFar = (b: Builder, operand: Operand): boolean =>
  operand.shape === "farPointer" ||
  (operand.shape === "memory" && (operand.size === b.form.operandSize + 2 || operand.size === 6));

interface FarTarget {
  readonly selector: Value;
  readonly offset: Value;
}

function farTarget(b: Builder, operand: Operand): FarTarget {
  if (operand.shape === "farPointer") {
    return { selector: b.field("immediate2", "i16"), offset: b.field("immediate", b.operandType) };
  }
  const { offset, selector } = readFarPointer(b, operand);
  return { selector, offset: b.zeroExtend(offset, b.operandType) };
}

const nearTarget = (b: Builder, operand: Operand): Value =>
  operand.shape === "branch" ? relativeTarget(b) : b.read(operand, b.operandType);

const jmp: Definition = (b) => {
  const target = b.operand(0);
  if (isFar(b, target)) {
    const { selector, offset } = farTarget(b, target);
    b.call(Helper.farJump, selector, offset);
    b.helperWritesIp();
  } else {
    b.jump(nearTarget(b, target));
  }
};

/** The target is read and checked before the return address goes to the stack. */
const call: Definition = (b) => {
  const operand = b.operand(0);
  if (isFar(b, operand)) {
    const { selector, offset } = farTarget(b, operand);
    b.call(Helper.farCall, selector, offset);
    b.helperWritesIp();
    return;
  }
  const target = nearTarget(b, operand);
  b.jump(target);
  push(b, b.nextIp(b.operandType));
};

/** Bytes that RET and RETF release beyond the return address. */
const released = (b: Builder): Value | null =>
  b.operands.length === 0 ? null : b.zeroExtend(b.field("immediate", "i16"), "i64");

const ret: Definition = (b) => b.jump(pop(b, b.operandType, released(b)));

const retf: Definition = (b) => {
  b.call(Helper.farReturn, released(b) ?? b.constant("i64", 0));
  b.helperWritesIp();
};

const jcc: (holds: (b: Builder) => Value) => Definition = (holds) => (b) => b.jumpIf(holds(b), relativeTarget(b));

/** LOOP counts rCX of the address size down without touching flags, then jumps while it is not 0. */
const loop =
  (also: ((b: Builder) => Value) | null): Definition =>
  (b) => {
    const type = b.addressType;
    const count = b.sub(b.register(General.rcx, type), b.constant(type, 1));
    const more = b.not(b.isZero(count));
    b.jumpIf(also === null ? more : b.and(more, also(b)), relativeTarget(b));
    b.setRegister(General.rcx, count);
  };

const countIsZero =
  (type: IntegerType): Definition =>
  (b) =>
    b.jumpIf(b.isZero(b.register(General.rcx, type)), relativeTarget(b));

/** Kinds of software interrupt, as the helper takes them. */
const SoftwareInterrupt = { intN: 0, int3: 1, into: 2, int1: 3 } as const;

const interrupt =
  (vector: (b: Builder) => Value, kind: number): Definition =>
  (b) => {
    b.call(Helper.softwareInterrupt, vector(b), b.constant("i64", kind));
    b.helperWritesIp();
  };

const fixedVector =
  (vector: number) =>
  (b: Builder): Value =>
    b.constant("i64", vector);

/** INTO interrupts when OF is set; else execution goes on. RIP is read after the helper, which may have written it. */
const into: Definition = (b) => {
  const overflow = b.flag("OF");
  b.when(overflow, () => {
    b.call(Helper.softwareInterrupt, b.constant("i64", Vector.OF), b.constant("i64", SoftwareInterrupt.into));
  });
  const rip = b.registerAt(RegisterOffset.rip, "i64");
  b.setIp(b.select(overflow, rip, b.nextIp("i64")));
};

/** BOUND: #BR when the index is below the first bound or above the second, both signed. */
const bound: Definition = (b) => {
  const operand = b.operand(0);
  const type = integerOfSize(operand.size);
  const index = b.read(operand);
  for (const at of [0, operand.size]) b.probe("memory", b.memoryAddress(at), operand.size, Intent.read);
  const lower = b.load("memory", b.memoryAddress(), type);
  const upper = b.load("memory", b.memoryAddress(operand.size), type);
  b.faultIf(b.or(b.signedLess(index, lower), b.signedLess(upper, index)), Vector.BR);
};

const undefinedInstruction: Definition = (b) => b.faultIf(b.constant("i1", 1), Vector.UD);

export const control: Family = {
  name: "control",
  meanings: {
    jmp,
    call,
    ret,
    retf,
    ...forEachCondition("j", (name) => jcc((b) => conditionHolds(b, name))),
    jcxz: countIsZero("i16"),
    jecxz: countIsZero("i32"),
    jrcxz: countIsZero("i64"),
    loop: loop(null),
    loope: loop((b) => b.flag("ZF")),
    loopne: loop((b) => b.not(b.flag("ZF"))),
    int: interrupt((b) => b.zeroExtend(b.field("immediate", "i8"), "i64"), SoftwareInterrupt.intN),
    int3: interrupt(fixedVector(Vector.BP), SoftwareInterrupt.int3),
    int1: interrupt(fixedVector(Vector.DB), SoftwareInterrupt.int1),
    into,
    bound,
    ud0: undefinedInstruction,
    ud1: undefinedInstruction,
    ud2: undefinedInstruction,
  },
};
