/**
 * The stack: PUSH and POP of everything, PUSHA, PUSHF, ENTER, LEAVE. Intel SDM volume 1, chapter 6; each instruction's page
 * in volume 2. CALL and RET are in `control.ts`.
 */
import { type Builder, type Definition, General, type StackPointer, type Value } from "../ir/builder.ts";
import type { IntegerType } from "../ir/operation.ts";
import { Helper } from "../machine/helper.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import type { Family } from "./family.ts";
import { loadSegmentRegister } from "./moves.ts";

const stackAddress = (b: Builder, pointer: StackPointer): Value => b.linearAddress(Segment.ss, pointer.offset);

/** Stores a value below the stack pointer; RSP moves when the instruction is done. */
export function push(b: Builder, value: Value): void {
  const pointer = b.stackPointer(-b.form.operandSize);
  b.store(Segment.ss, stackAddress(b, pointer), value);
  b.setRegister(General.rsp, pointer.rsp);
}

/** The value at the stack pointer; RSP moves past it and `release` more bytes when the instruction is done. */
export function pop(b: Builder, type: IntegerType, release: Value | null = null): Value {
  const value = b.load(Segment.ss, stackAddress(b, b.stackPointer(0)), type);
  const size = b.constant("i64", b.form.operandSize);
  b.setRegister(General.rsp, b.stackPointer(release === null ? size : b.add(size, release)).rsp);
  return value;
}

/** PUSH rSP stores the value from before (all processors since the 286). */
const pushOperand: Definition = (b) => {
  const source = b.operand(0);
  const type = b.operandType;
  const value = source.shape === "segment" ? b.zeroExtend(b.read(source, "i16"), type) : b.read(source, type);
  push(b, value);
};

const popOperand: Definition = (b) => {
  const target = b.operand(0);
  const type = b.operandType;
  if (target.shape === "segment") {
    const selector = b.truncate(pop(b, type), "i16");
    loadSegmentRegister(b, target, selector);
  } else if (target.shape === "memory") {
    const value = pop(b, type);
    // An address from rSP counts from the moved one (volume 2, POP).
    const address = b.linearAddress("memory", b.effectiveAddress(b.form.operandSize));
    b.store("memory", address, value);
  } else {
    // POP rSP: what was read wins over the moved pointer, so it is written second.
    b.write(target, pop(b, type));
  }
};

const ORDER: readonly General[] = [
  General.rax,
  General.rcx,
  General.rdx,
  General.rbx,
  General.rsp,
  General.rbp,
  General.rsi,
  General.rdi,
];

/** Eight stores: all are checked first, so that a fault leaves nothing behind. */
const pushAll =
  (type: IntegerType): Definition =>
  (b) => {
    const size = b.form.operandSize;
    const addresses = ORDER.map((_, i) => stackAddress(b, b.stackPointer(-size * (i + 1))));
    for (const address of addresses) b.probe(Segment.ss, address, size, Intent.write);
    for (const [i, address] of addresses.entries()) b.store(Segment.ss, address, b.register(ORDER[i] as General, type));
    b.setRegister(General.rsp, b.stackPointer(-8 * size).rsp);
  };

/** From the last one stored to the first; the stored rSP is skipped. All are checked first. */
const popAll =
  (type: IntegerType): Definition =>
  (b) => {
    const size = b.form.operandSize;
    const places = ORDER.map((register, i) => ({ register, address: stackAddress(b, b.stackPointer(size * (7 - i))) }))
      .filter(({ register }) => register !== General.rsp)
      .reverse();
    for (const { address } of places) b.probe(Segment.ss, address, size, Intent.read);
    for (const { register, address } of places) b.setRegister(register, b.load(Segment.ss, address, type));
    b.setRegister(General.rsp, b.stackPointer(8 * size).rsp);
  };

/** PUSHF and POPF are #GP(0) in virtual-8086 mode with IOPL below 3; POPF's check is the helper's. */
const pushFlags =
  (type: IntegerType): Definition =>
  (b) => {
    const image = b.registerAt(RegisterOffset.rflags, "i32");
    if (!b.long) {
      const iopl = b.and(image, b.constant("i32", 0x3000));
      const virtual = b.bit(image, 17);
      b.faultIf(b.and(virtual, b.not(b.equal(iopl, b.constant("i32", 0x3000)))), Vector.GP, 0);
    }
    // VM and RF read as 0 in the image.
    push(b, b.resize(b.and(image, b.constant("i32", 0x00fc_ffff)), type));
  };

const popFlags =
  (type: IntegerType): Definition =>
  (b) => {
    const image = pop(b, type);
    b.call(Helper.writeFlags, image);
  };

/** ENTER: push rBP, copy `level - 1` frame pointers, push the new one, reserve bytes (volume 2, ENTER). */
const enter: Definition = (b) => {
  const size = b.form.operandSize;
  const type = b.operandType;
  const level = b.immediate2 & 31;
  const rbp = b.register(General.rbp, "i64");
  const frame = b.stackPointer(-size);
  b.store(Segment.ss, stackAddress(b, frame), b.register(General.rbp, type));
  for (let i = 1; i < level; i++) {
    const link = b.stackAt(b.add(rbp, b.constant("i64", -size * i)));
    const value = b.load(Segment.ss, stackAddress(b, link), type);
    b.store(Segment.ss, stackAddress(b, b.stackPointer(-size * (i + 1))), value);
  }
  if (level > 0) {
    b.store(Segment.ss, stackAddress(b, b.stackPointer(-size * (level + 1))), b.truncate(frame.rsp, type));
  }
  const pushed = size * (level === 0 ? 1 : level + 1);
  const reserved = b.zeroExtend(b.field("immediate", "i16"), "i64");
  const pointer = b.stackPointer(b.sub(b.constant("i64", -pushed), reserved));
  // The last word of the new frame must be writable.
  b.probe(Segment.ss, stackAddress(b, pointer), size, Intent.write);
  b.setRegister(General.rbp, b.truncate(frame.rsp, type));
  b.setRegister(General.rsp, pointer.rsp);
};

const leave: Definition = (b) => {
  const size = b.form.operandSize;
  const rbp = b.register(General.rbp, "i64");
  const value = b.load(Segment.ss, stackAddress(b, b.stackAt(rbp)), b.operandType);
  b.setRegister(General.rsp, b.stackAt(b.add(rbp, b.constant("i64", size))).rsp);
  b.setRegister(General.rbp, value);
};

export const stack: Family = {
  name: "stack",
  immediates: { enter: "immediate2" },
  meanings: {
    push: pushOperand,
    pop: popOperand,
    pusha: pushAll("i16"),
    pushad: pushAll("i32"),
    popa: popAll("i16"),
    popad: popAll("i32"),
    pushf: pushFlags("i16"),
    pushfd: pushFlags("i32"),
    pushfq: pushFlags("i64"),
    popf: popFlags("i16"),
    popfd: popFlags("i32"),
    popfq: popFlags("i64"),
    enter,
    leave,
  },
};
