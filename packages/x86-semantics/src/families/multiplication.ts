/**
 * MUL, IMUL, MULX, DIV and IDIV. Intel SDM volume 1, 5.1.2 and 7.3.2; each instruction's page in volume 2.
 * Flags that the manual leaves undefined are in `undefined-results.ts`.
 */
import { type Builder, type Definition, General, type Value } from "../ir/builder.ts";
import { bitsOf, type IntegerType, integerOfSize } from "../ir/operation.ts";
import { Vector } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import type { Family } from "./family.ts";

const AH: number = RegisterOffset.general + 1;

/** A type that holds the product of two values of a type of up to 32 bits. */
const doubleOf = (type: IntegerType): IntegerType => (type === "i32" ? "i64" : type === "i16" ? "i32" : "i16");

interface Product {
  readonly low: Value;
  readonly high: Value;
  /** i1: the upper half is more than the extension of the lower one. */
  readonly overflow: Value;
}

function product(b: Builder, x: Value, y: Value, signed: boolean): Product {
  const type = x.type as IntegerType;
  if (type === "i64") {
    const low = b.mul(x, y);
    const high = b.mulHigh(x, y, signed);
    const extension = signed ? b.sar(low, b.constant("i32", 63)) : b.constant("i64", 0);
    return { low, high, overflow: b.not(b.equal(high, extension)) };
  }
  const double = doubleOf(type);
  const extend = (value: Value): Value => (signed ? b.signExtend(value, double) : b.zeroExtend(value, double));
  const whole = b.mul(extend(x), extend(y));
  const low = b.truncate(whole, type);
  const overflow = b.not(b.equal(whole, extend(low)));
  return { low, high: upperHalf(b, whole, type), overflow };
}

const upperHalf = (b: Builder, whole: Value, type: IntegerType): Value => {
  const wide = whole.type === "i16" ? b.zeroExtend(whole, "i32") : whole;
  return b.truncate(b.shr(wide, b.constant("i32", bitsOf(type))), type);
};

/** One operand: rDX:rAX (AX for bytes) = rAX * operand. SF, ZF, AF and PF stay. */
function multiplyAccumulator(b: Builder, signed: boolean): void {
  const y = b.read(b.operand(0));
  const type = y.type as IntegerType;
  const { low, high, overflow } = product(b, b.register(General.rax, type), y, signed);
  b.setRegister(General.rax, low);
  if (type === "i8") b.setRegisterAt(AH, 1, high);
  else b.setRegister(General.rdx, high);
  b.setFlags({ CF: overflow, OF: overflow });
}

const imul: Definition = (b) => {
  if (b.operands.length === 1) {
    multiplyAccumulator(b, true);
    return;
  }
  const target = b.operand(0);
  const type = integerOfSize(target.size);
  const [x, y] =
    b.operands.length === 2
      ? [b.read(target), b.read(b.operand(1))]
      : [b.read(b.operand(1)), b.read(b.operand(2), type)];
  const { low, overflow } = product(b, x, y, true);
  b.write(target, low);
  b.setFlags({ CF: overflow, OF: overflow });
};

/** MULX high, low, source: rDX * source without flags; where both targets are one register it gets the high half. */
const mulx: Definition = (b) => {
  const y = b.read(b.operand(2));
  const { low, high } = product(b, b.register(General.rdx, y.type as IntegerType), y, false);
  b.write(b.operand(1), low);
  b.write(b.operand(0), high);
};

/** Dividend rDX:rAX (AX for bytes): its two halves. */
function dividend(b: Builder, type: IntegerType): { low: Value; high: Value } {
  const low = b.register(General.rax, type);
  return { low, high: type === "i8" ? b.registerAt(AH, "i8") : b.register(General.rdx, type) };
}

function setQuotient(b: Builder, quotient: Value, remainder: Value): void {
  b.setRegister(General.rax, quotient);
  if (quotient.type === "i8") b.setRegisterAt(AH, 1, remainder);
  else b.setRegister(General.rdx, remainder);
  const [no, yes] = [b.constant("i1", 0), b.constant("i1", 1)];
  b.setFlags({ PF: no, AF: yes, ZF: no, SF: no });
}

/** high:low as one i32 or i64 wide enough for it. */
function joined(b: Builder, high: Value, low: Value): Value {
  const type: IntegerType = low.type === "i32" ? "i64" : "i32";
  const upper = b.shl(b.zeroExtend(high, type), b.constant("i32", bitsOf(low.type)));
  return b.or(upper, b.zeroExtend(low, type));
}

const div: Definition = (b) => {
  const divisor = b.read(b.operand(0));
  const type = divisor.type as IntegerType;
  const { low, high } = dividend(b, type);
  // The quotient is too large, or the divisor zero.
  b.faultIf(b.not(b.unsignedLess(high, divisor)), Vector.DE);
  if (type === "i64") {
    setQuotient(b, b.divideWide(high, low, divisor), b.remainderWide(high, low, divisor));
    return;
  }
  const whole = joined(b, high, low);
  const wide = b.zeroExtend(divisor, whole.type);
  setQuotient(b, b.truncate(b.divide(whole, wide), type), b.truncate(b.remainder(whole, wide), type));
};

/** By magnitudes; the quotient truncates towards zero and the remainder has the dividend's sign. */
const idiv: Definition = (b) => {
  const divisor = b.read(b.operand(0));
  const type = divisor.type as IntegerType;
  const { low, high } = dividend(b, type);
  const negativeDivisor = b.sign(divisor);
  const negative = b.sign(high);
  /** The value, negated on condition: a magnitude from a number, and the reverse. */
  const negateIf = (condition: Value, value: Value): Value => b.select(condition, b.negate(value), value);
  const differs = b.xor(negative, negativeDivisor);

  let quotient: Value;
  let remainder: Value;
  if (type === "i64") {
    const positive = negateIf(negativeDivisor, divisor);
    const lowMagnitude = negateIf(negative, low);
    // Negating 128 bits: the upper half takes the borrow of the lower one.
    const borrow = b.zeroExtend(b.not(b.isZero(low)), "i64");
    const highMagnitude = b.select(negative, b.sub(b.negate(high), borrow), high);
    b.faultIf(b.not(b.unsignedLess(highMagnitude, positive)), Vector.DE);
    quotient = b.divideWide(highMagnitude, lowMagnitude, positive);
    remainder = b.remainderWide(highMagnitude, lowMagnitude, positive);
  } else {
    const whole = joined(b, high, low);
    const wide = whole.type as IntegerType;
    const dividendMagnitude = negateIf(negative, type === "i8" ? b.signExtend(b.truncate(whole, "i16"), wide) : whole);
    const positive = negateIf(negativeDivisor, b.signExtend(divisor, wide));
    b.faultIf(b.isZero(positive), Vector.DE);
    quotient = b.divide(dividendMagnitude, positive);
    remainder = b.remainder(dividendMagnitude, positive);
  }
  // A negative quotient reaches one further than a positive one.
  const wide = quotient.type as IntegerType;
  const half = b.shl(b.constant(wide, 1), b.constant("i32", bitsOf(type) - 1));
  const bound = b.add(half, b.zeroExtend(differs, wide));
  b.faultIf(b.not(b.unsignedLess(quotient, bound)), Vector.DE);
  setQuotient(b, b.truncate(negateIf(differs, quotient), type), b.truncate(negateIf(negative, remainder), type));
};

export const multiplication: Family = {
  name: "multiplication",
  meanings: {
    mul: (b) => multiplyAccumulator(b, false),
    imul,
    mulx,
    div,
    idiv,
  },
};
