/**
 * Single bits, bit counts and bit fields: BT and its kin, scans, BMI1 and BMI2. Intel SDM volume 1, 5.1.6, 5.1.16 and
 * 5.1.17; each instruction's page in volume 2.
 */
import type { Builder, Definition, Value } from "../ir/builder.ts";
import { Flag, STATUS_FLAGS } from "../ir/flag.ts";
import { bitsOf, type IntegerType, integerOfSize } from "../ir/operation.ts";
import type { Family } from "./family.ts";

const wideOf = (type: IntegerType): IntegerType => (type === "i64" ? "i64" : "i32");

/** An x with bit n set, cleared or inverted. */
type Change = (b: Builder, x: Value, bit: Value) => Value;

/**
 * BT, BTS, BTR, BTC. A register index into memory counts bits from the address up and down without limit (volume 1, 3.1.1.9,
 * "bit strings"); an immediate one stays inside the operand. Other flags than CF stay.
 */
const bitTest =
  (change: Change | null): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const type = integerOfSize(target.size);
    const bits = bitsOf(type);
    const index = b.read(source, type);
    let offset: Value | null = null;
    if (target.shape === "memory" && source.shape === "register") {
      const units = b.sar(b.signExtend(index, "i64"), b.constant("i32", Math.log2(bits)));
      offset = b.shl(units, b.constant("i32", Math.log2(target.size)));
    }
    const place = b.place(target, offset);
    const n = b.and(b.resize(index, "i32"), b.constant("i32", bits - 1));
    const x = change === null ? place.read() : place.modify();
    const wide = wideOf(type);
    const extended = b.zeroExtend(x, wide);
    if (change !== null) {
      place.write(b.truncate(change(b, extended, b.shl(b.constant(wide, 1), n)), type));
    }
    b.setFlags({ CF: b.truncate(b.shr(extended, n), "i1") });
  };

/** A count of zeros at an end, in the operand's type; its width for 0. */
function zeros(b: Builder, x: Value, leading: boolean): Value {
  if (x.type !== "i16") return leading ? b.countLeadingZeros(x) : b.countTrailingZeros(x);
  const wide = b.zeroExtend(x, "i32");
  const count = leading
    ? b.sub(b.countLeadingZeros(wide), b.constant("i32", 16))
    : b.countTrailingZeros(b.or(wide, b.constant("i32", 0x1_0000)));
  return b.truncate(count, "i16");
}

/** BSF and BSR. A source of 0 leaves the whole target as it was, which AMD documents and Intel processors do. */
const bitScan =
  (reverse: boolean): Definition =>
  (b) => {
    const target = b.operand(0);
    const x = b.read(b.operand(1));
    const type = x.type as IntegerType;
    const none = b.isZero(x);
    const count = zeros(b, x, reverse);
    const position = reverse ? b.sub(b.constant(type, bitsOf(type) - 1), count) : count;
    const kept: IntegerType = type === "i32" ? "i64" : type;
    b.setOperandRegister(target, b.select(none, b.operandRegister(target, kept), b.zeroExtend(position, kept)));
    const no = b.constant("i1", 0);
    b.setFlags({ CF: no, PF: b.or(none, b.parity(position)), AF: no, ZF: none, SF: no, OF: no });
  };

/** TZCNT and LZCNT leave OF alone. */
const zeroCount =
  (leading: boolean): Definition =>
  (b) => {
    const x = b.read(b.operand(1));
    const count = zeros(b, x, leading);
    b.write(b.operand(0), count);
    const no = b.constant("i1", 0);
    b.setFlags({ CF: b.isZero(x), PF: no, AF: no, ZF: b.isZero(count), SF: no });
  };

const popcnt: Definition = (b) => {
  const x = b.read(b.operand(1));
  const wide = b.zeroExtend(x, wideOf(x.type as IntegerType));
  b.write(b.operand(0), b.truncate(b.populationCount(wide), x.type));
  const no = b.constant("i1", 0);
  b.setFlags({ CF: no, PF: no, AF: no, ZF: b.isZero(x), SF: no, OF: no });
};

const NOT_CF: number = STATUS_FLAGS & ~Flag.CF;

/** Flags of a result with a CF of its own. */
function logicFlags(b: Builder, r: Value, carry: Value): void {
  b.flags("logic", r, r, r, NOT_CF);
  b.setFlags({ CF: carry });
}

const andn: Definition = (b) => {
  const r = b.and(b.not(b.read(b.operand(1))), b.read(b.operand(2)));
  b.write(b.operand(0), r);
  b.flags("logic", r, r, r);
};

/** Ones from bit 0 up to `length` (i32); all ones where it reaches the width. */
function lowOnes(b: Builder, type: IntegerType, length: Value): Value {
  const one = b.constant(type, 1);
  const inside = b.unsignedLess(length, b.constant("i32", bitsOf(type)));
  return b.select(inside, b.sub(b.shl(one, length), one), b.constant(type, -1, -1));
}

/** A byte of a control operand as i32. */
const controlByte = (b: Builder, control: Value, shift: number): Value => {
  const word = b.resize(control, "i32");
  return b.and(shift === 0 ? word : b.shr(word, b.constant("i32", shift)), b.constant("i32", 0xff));
};

/** Bits start to start + length - 1 of the source, both from the control (volume 2, BEXTR). On Zen AF is 1 and SF 0. */
const bextr: Definition = (b) => {
  const x = b.read(b.operand(1));
  const type = x.type as IntegerType;
  const control = b.read(b.operand(2), type);
  const start = controlByte(b, control, 0);
  const length = controlByte(b, control, 8);
  const inside = b.unsignedLess(start, b.constant("i32", bitsOf(type)));
  const moved = b.select(inside, b.shr(x, start), b.constant(type, 0));
  const r = b.and(moved, lowOnes(b, type, length));
  b.write(b.operand(0), r);
  b.flags("logic", r, r, r, STATUS_FLAGS & ~(Flag.AF | Flag.SF));
  b.setFlags({ AF: b.constant("i1", 1), SF: b.constant("i1", 0) });
};

const bzhi: Definition = (b) => {
  const x = b.read(b.operand(1));
  const type = x.type as IntegerType;
  const length = controlByte(b, b.read(b.operand(2)), 0);
  const r = b.and(x, lowOnes(b, type, length));
  b.write(b.operand(0), r);
  logicFlags(b, r, b.not(b.unsignedLess(length, b.constant("i32", bitsOf(type)))));
};

/** BLSI, BLSR, BLSMSK: the lowest one of the source alone, cleared, or with all below it. */
const lowestOne =
  (compute: Change, carryOfZero: boolean): Definition =>
  (b) => {
    const x = b.read(b.operand(1));
    const r = compute(b, x, b.constant(x.type as IntegerType, 1));
    b.write(b.operand(0), r);
    logicFlags(b, r, carryOfZero ? b.isZero(x) : b.not(b.isZero(x)));
  };

/** TBM (AMD family 15h): the lowest zero or one of the source and what lies below it. APM volume 3, BLCFILL to TZMSK. */
const trailing =
  (compute: Change, step: "add" | "sub"): Definition =>
  (b) => {
    const x = b.read(b.operand(1));
    const one = b.constant(x.type as IntegerType, 1);
    const stepped = step === "add" ? b.add(x, one) : b.sub(x, one);
    const r = compute(b, x, stepped);
    b.write(b.operand(0), r);
    // CF is the carry of the step: x was all ones, or zero.
    logicFlags(b, r, step === "add" ? b.isZero(stepped) : b.isZero(x));
  };

/**
 * The moves of a parallel suffix: for step i, which bits of the mask travel by 2^i. With them PEXT gathers bits and PDEP
 * spreads them in log2(width) steps.
 */
function travels(b: Builder, mask: Value): Value[] {
  const type = mask.type as IntegerType;
  const bits = bitsOf(type);
  const by = (n: number): Value => b.constant("i32", n);
  const result: Value[] = [];
  let rest = mask;
  let below = b.shl(b.not(mask), by(1));
  for (let distance = 1; distance < bits; distance *= 2) {
    let odd = below;
    for (let n = 1; n < bits; n *= 2) odd = b.xor(odd, b.shl(odd, by(n)));
    const moving = b.and(odd, rest);
    result.push(moving);
    rest = b.or(b.xor(rest, moving), b.shr(moving, by(distance)));
    below = b.and(below, b.not(odd));
  }
  return result;
}

const pext: Definition = (b) => {
  const mask = b.read(b.operand(2));
  let x = b.and(b.read(b.operand(1)), mask);
  travels(b, mask).forEach((moving, step) => {
    const part = b.and(x, moving);
    x = b.or(b.xor(x, part), b.shr(part, b.constant("i32", 1 << step)));
  });
  b.write(b.operand(0), x);
};

const pdep: Definition = (b) => {
  const mask = b.read(b.operand(2));
  const moves = travels(b, mask);
  let x = b.read(b.operand(1));
  for (let step = moves.length - 1; step >= 0; step--) {
    const moving = moves[step] as Value;
    const moved = b.and(b.shl(x, b.constant("i32", 1 << step)), moving);
    x = b.or(b.and(x, b.not(moving)), moved);
  }
  b.write(b.operand(0), b.and(x, mask));
};

export const bits: Family = {
  name: "bits",
  meanings: {
    bt: bitTest(null),
    bts: bitTest((b, x, bit) => b.or(x, bit)),
    btr: bitTest((b, x, bit) => b.and(x, b.not(bit))),
    btc: bitTest((b, x, bit) => b.xor(x, bit)),
    bsf: bitScan(false),
    bsr: bitScan(true),
    tzcnt: zeroCount(false),
    lzcnt: zeroCount(true),
    popcnt,
    andn,
    bextr,
    bzhi,
    blsi: lowestOne((b, x) => b.and(x, b.negate(x)), false),
    blsr: lowestOne((b, x, one) => b.and(x, b.sub(x, one)), true),
    blsmsk: lowestOne((b, x, one) => b.xor(x, b.sub(x, one)), true),
    pext,
    pdep,
    blcfill: trailing((b, x, next) => b.and(x, next), "add"),
    blci: trailing((b, x, next) => b.or(x, b.not(next)), "add"),
    blcic: trailing((b, x, next) => b.and(b.not(x), next), "add"),
    blcmsk: trailing((b, x, next) => b.xor(x, next), "add"),
    blcs: trailing((b, x, next) => b.or(x, next), "add"),
    blsfill: trailing((b, x, next) => b.or(x, next), "sub"),
    blsic: trailing((b, x, next) => b.or(b.not(x), next), "sub"),
    t1mskc: trailing((b, x, next) => b.or(b.not(x), next), "add"),
    tzmsk: trailing((b, x, next) => b.and(b.not(x), next), "sub"),
  },
};
