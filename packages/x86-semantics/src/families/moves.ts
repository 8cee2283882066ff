/**
 * Instructions that move or reshape data without arithmetic: MOV in all forms, extensions, exchanges, LEA, conditional
 * moves and sets, flag bytes. Intel SDM volume 1, 5.1.1 and 5.1.3 to 5.1.11; each instruction's page in volume 2.
 */
import { type Builder, type Definition, General, type Operand, type Value } from "../ir/builder.ts";
import { type IntegerType, integerOfSize } from "../ir/operation.ts";
import { Helper } from "../machine/helper.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import { conditionHolds, forEachCondition } from "./conditions.ts";
import type { Family } from "./family.ts";

const typeOf = (operand: Operand): IntegerType => integerOfSize(operand.size);

/** MOV. The other operand's shape decides between data, segment, control and debug registers. */
const mov: Definition = (b) => {
  const [target, source] = [b.operand(0), b.operand(1)];
  if (target.shape === "segment") loadSegmentRegister(b, target, b.read(source, "i16"));
  else if (target.shape === "control") setSystemRegister(b, Helper.writeControl, target, source);
  else if (target.shape === "debug") setSystemRegister(b, Helper.writeDebug, target, source);
  else if (source.shape === "segment") b.write(target, b.zeroExtend(b.read(source, "i16"), typeOf(target)));
  else if (source.shape === "control") b.write(target, systemRegister(b, Helper.readControl, target, source));
  else if (source.shape === "debug") b.write(target, systemRegister(b, Helper.readDebug, target, source));
  else b.write(target, b.read(source, typeOf(target)));
};

const systemRegister = (b: Builder, helper: Helper, target: Operand, source: Operand): Value =>
  b.truncate(b.call(helper, b.registerNumber(source)), typeOf(target));

const setSystemRegister = (b: Builder, helper: Helper, target: Operand, source: Operand): void => {
  b.call(helper, b.registerNumber(target), b.read(source));
};

/** Loads the segment register that an operand names; after SS, interrupts wait for one instruction (volume 2, MOV and POP). */
export function loadSegmentRegister(b: Builder, segment: Operand, selector: Value): void {
  const number = b.registerNumber(segment);
  b.call(Helper.loadSegment, number, selector);
  b.when(b.equal(number, b.constant("i32", Segment.ss)), () => {
    b.call(Helper.inhibitInterrupts);
  });
}

const movsx: Definition = (b) => {
  const target = b.operand(0);
  b.write(target, b.signExtend(b.read(b.operand(1)), typeOf(target)));
};
const movzx: Definition = (b) => {
  const target = b.operand(0);
  b.write(target, b.zeroExtend(b.read(b.operand(1)), typeOf(target)));
};

/** XCHG locks a memory operand with or without the prefix (volume 2, XCHG). */
const xchg: Definition = (b) => {
  const [first, second] = [b.operand(0), b.operand(1)];
  const [memory, register] = second.shape === "memory" ? [second, first] : [first, second];
  const place = b.place(memory, null, true);
  const old = place.modify();
  place.write(b.read(register));
  b.write(register, old);
};

/** The address is rBX + AL, not the memory operand's usual sum. */
const xlatb: Definition = (b) => {
  const type = b.addressType;
  const offset = b.add(b.register(General.rbx, type), b.zeroExtend(b.register(General.rax, "i8"), type));
  b.setRegister(General.rax, b.load("memory", b.linearAddress("memory", offset), "i8"));
};

const lea: Definition = (b) => {
  const target = b.operand(0);
  b.write(target, b.truncate(b.effectiveAddress(), typeOf(target)));
};

/** BSWAP of a 16-bit register gives 0, as measured on Zen (undefined by the manual). */
const bswap: Definition = (b) => {
  const target = b.operand(0);
  const value = b.read(target);
  b.write(target, value.type === "i16" ? b.constant("i16", 0) : b.byteSwap(value));
};

/** CBW, CWDE, CDQE: the lower half of rAX sign-extended. */
const extendAccumulator =
  (from: IntegerType, to: IntegerType): Definition =>
  (b) =>
    b.setRegister(General.rax, b.signExtend(b.register(General.rax, from), to));

/** CWD, CDQ, CQO: rDX filled with the sign of rAX. */
const signIntoData =
  (type: IntegerType): Definition =>
  (b) => {
    const zero = b.constant(type, 0);
    const sign = b.sign(b.register(General.rax, type));
    b.setRegister(General.rdx, b.select(sign, b.constant(type, -1), zero));
  };

const AH: number = RegisterOffset.general + 1;

/** AH = SF:ZF:0:AF:0:PF:1:CF. */
const lahf: Definition = (b) => {
  const low = b.registerAt(RegisterOffset.rflags, "i8");
  b.setRegisterAt(AH, 1, b.or(b.and(low, b.constant("i8", 0xd5)), b.constant("i8", 2)));
};
const sahf: Definition = (b) => {
  const value = b.registerAt(AH, "i8");
  b.setFlags({
    CF: b.bit(value, 0),
    PF: b.bit(value, 2),
    AF: b.bit(value, 4),
    ZF: b.bit(value, 6),
    SF: b.bit(value, 7),
  });
};

/** SALC (undocumented): AL = CF ? 0xff : 0. */
const salc: Definition = (b) =>
  b.setRegister(General.rax, b.select(b.flag("CF"), b.constant("i8", 0xff), b.constant("i8", 0)));

export const moves: Family = {
  name: "moves",
  meanings: {
    mov,
    movzx,
    movsx,
    movsxd: movsx,
    movbe: (b) => {
      const target = b.operand(0);
      b.write(target, b.byteSwap(b.read(b.operand(1))));
    },
    movnti: mov,
    movdiri: mov,
    umov: mov,
    xchg,
    xlatb,
    lea,
    bswap,
    cbw: extendAccumulator("i8", "i16"),
    cwde: extendAccumulator("i16", "i32"),
    cdqe: extendAccumulator("i32", "i64"),
    cwd: signIntoData("i16"),
    cdq: signIntoData("i32"),
    cqo: signIntoData("i64"),
    lahf,
    sahf,
    salc,
    // The source is read, and a 32-bit target's upper half cleared, whatever the condition (volume 2, CMOVcc).
    ...forEachCondition("cmov", (name) => (b) => {
      const target = b.operand(0);
      b.write(target, b.select(conditionHolds(b, name), b.read(b.operand(1)), b.read(target)));
    }),
    ...forEachCondition("set", (name) => (b) => b.write(b.operand(0), b.zeroExtend(conditionHolds(b, name), "i8"))),
  },
};
