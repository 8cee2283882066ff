/**
 * Shifts and rotates, single and double. Intel SDM volume 1, 5.1.5 and 7.3.6; each instruction's page in volume 2. A count
 * is masked to 5 bits, to 6 for 64-bit operands; a masked count of 0 changes no flag.
 */
import type { Builder, Definition, Operand, Value } from "../ir/builder.ts";
import { bitsOf, type FlagsKind, type IntegerType } from "../ir/operation.ts";
import type { Family } from "./family.ts";

/** The masked count as i32: from CL, an immediate, or a register of any size. */
function maskedCount(b: Builder, operand: Operand, type: IntegerType): Value {
  const count = b.truncate(b.read(operand), "i8");
  return b.zeroExtend(b.and(count, b.constant("i8", type === "i64" ? 63 : 31)), "i32");
}

const wider = (type: IntegerType): IntegerType => (type === "i64" ? "i64" : "i32");

/** SHL, SHR, SAR of narrow types happen in 32 bits, where a count of up to 31 is exact. */
function shifted(b: Builder, kind: "shl" | "shr" | "sar", x: Value, count: Value): Value {
  const wide = wider(x.type as IntegerType);
  const extended = kind === "sar" ? b.signExtend(x, wide) : b.zeroExtend(x, wide);
  return b.truncate(b[kind](extended, count), x.type);
}

const shift =
  (kind: "shl" | "shr" | "sar"): Definition =>
  (b) => {
    const place = b.place(b.operand(0));
    const x = place.modify();
    const count = maskedCount(b, b.operand(1), x.type as IntegerType);
    const r = shifted(b, kind, x, count);
    place.write(r);
    b.flags(kind, x, count, r);
  };

/** Rotates an 8- or 16-bit value by shifting it both ways in 32 bits. */
function rotated(b: Builder, kind: "rol" | "ror", x: Value, count: Value): Value {
  const left = kind === "rol";
  const bits = bitsOf(x.type);
  if (bits >= 32) return left ? b.rotl(x, count) : b.rotr(x, count);
  const wide = b.zeroExtend(x, "i32");
  const one = b.and(count, b.constant("i32", bits - 1));
  const other = b.and(b.sub(b.constant("i32", bits), one), b.constant("i32", bits - 1));
  const [up, down] = left ? [one, other] : [other, one];
  return b.truncate(b.or(b.shl(wide, up), b.shr(wide, down)), x.type);
}

const rotate =
  (kind: "rol" | "ror"): Definition =>
  (b) => {
    const place = b.place(b.operand(0));
    const x = place.modify();
    const count = maskedCount(b, b.operand(1), x.type as IntegerType);
    const r = rotated(b, kind, x, count);
    place.write(r);
    b.flags(kind as FlagsKind, x, count, r);
  };

/** Is the highest bit unlike the one below it? */
function topBitsDiffer(b: Builder, r: Value): Value {
  return b.xor(b.sign(r), b.bit(r, bitsOf(r.type) - 2));
}

/** RCL and RCR: CF and the operand rotate as one number of one bit more. */
const rotateThroughCarry =
  (left: boolean): Definition =>
  (b) => {
    const place = b.place(b.operand(0));
    const x = place.modify();
    const type = x.type as IntegerType;
    const count = maskedCount(b, b.operand(1), type);
    const zero = b.constant("i32", 0);
    const none = b.equal(count, zero);
    const carryIn = b.flag("CF");
    let r: Value;
    let carry: Value;
    if (type === "i64") {
      // By parts, since 65 bits have no type: the count is 1 to 63 where it matters.
      const less = b.sub(count, b.constant("i32", 1));
      const rest = b.sub(b.constant("i32", 64), count);
      const wideCarry = b.zeroExtend(carryIn, "i64");
      const one = b.constant("i32", 1);
      const parts = left
        ? [b.shl(x, count), b.shl(wideCarry, less), b.shr(b.shr(x, one), rest)]
        : [b.shr(x, count), b.shl(wideCarry, rest), b.shl(b.shl(x, one), rest)];
      r = b.select(none, x, b.or(b.or(parts[0] as Value, parts[1] as Value), parts[2] as Value));
      carry = b.select(none, carryIn, b.truncate(b.shr(x, left ? rest : less), "i1"));
    } else {
      const bits = bitsOf(type) + 1;
      const whole = b.or(b.zeroExtend(x, "i64"), b.shl(b.zeroExtend(carryIn, "i64"), b.constant("i32", bits - 1)));
      // 8- and 16-bit counts go around: 9 and 17 are whole turns.
      const turn = bits > 32 ? count : b.remainder(count, b.constant("i32", bits));
      const rest = b.sub(b.constant("i32", bits), turn);
      const [up, down] = left ? [turn, rest] : [rest, turn];
      const sum = b.or(b.shl(whole, up), b.shr(whole, down));
      r = b.truncate(sum, type);
      carry = b.bit(sum, bits - 1);
    }
    place.write(r);
    const overflow = left ? b.xor(b.sign(r), carry) : topBitsDiffer(b, r);
    b.setFlags({ CF: carry, OF: b.select(none, b.flag("OF"), overflow) });
  };

/**
 * SHLD and SHRD: bits come in from the second operand. A 16-bit operand may be shifted by more than 16: then bits of the
 * second operand come in again and CF is 0; from 16 on SHLD's OF equals CF (undefined by the manual; as Zen does it).
 */
const doubleShift =
  (left: boolean): Definition =>
  (b) => {
    const place = b.place(b.operand(0));
    const x = place.modify();
    const type = x.type as IntegerType;
    const y = b.read(b.operand(1));
    const count = maskedCount(b, b.operand(2), type);
    const none = b.equal(count, b.constant("i32", 0));
    const bits = bitsOf(type);
    let r: Value;
    let carry: Value;
    let overflowLeft: (sign: Value) => Value = (sign) => b.xor(sign, carry);
    if (type === "i16") {
      const wide = (value: Value): Value => b.zeroExtend(value, "i64");
      const at = (value: Value, bit: number): Value => b.shl(wide(value), b.constant("i32", bit));
      const whole = left ? b.or(at(x, 32), b.or(at(y, 16), wide(y))) : b.or(wide(x), b.or(at(y, 16), at(y, 32)));
      const moved = left ? b.shr(b.shl(whole, count), b.constant("i32", 32)) : b.shr(whole, count);
      r = b.truncate(moved, "i16");
      const inside = b.unsignedLess(count, b.constant("i32", 17));
      const below = b.unsignedLess(count, b.constant("i32", 16));
      const less = b.sub(count, b.constant("i32", 1));
      const out = left ? b.bit(moved, 16) : b.truncate(b.shr(whole, less), "i1");
      carry = b.and(out, inside);
      overflowLeft = (sign) => b.xor(b.and(sign, below), carry);
    } else {
      const rest = b.sub(b.constant("i32", bits), count);
      const less = b.sub(count, b.constant("i32", 1));
      const sum = left ? b.or(b.shl(x, count), b.shr(y, rest)) : b.or(b.shr(x, count), b.shl(y, rest));
      r = b.select(none, x, sum);
      carry = b.truncate(b.shr(x, left ? rest : less), "i1");
    }
    place.write(r);
    const sign = b.sign(r);
    const kept = (flag: "CF" | "OF" | "SF" | "ZF" | "PF" | "AF", value: Value): Value =>
      b.select(none, b.flag(flag), value);
    b.setFlags({
      CF: kept("CF", carry),
      OF: kept("OF", left ? overflowLeft(sign) : topBitsDiffer(b, r)),
      SF: kept("SF", sign),
      ZF: kept("ZF", b.isZero(r)),
      PF: kept("PF", b.parity(r)),
      AF: kept("AF", b.constant("i1", 1)),
    });
  };

/** SARX, SHLX, SHRX: target, source, count; no flags. */
const shiftWithoutFlags =
  (kind: "shl" | "shr" | "sar"): Definition =>
  (b) => {
    const x = b.read(b.operand(1));
    b.write(b.operand(0), shifted(b, kind, x, maskedCount(b, b.operand(2), x.type as IntegerType)));
  };

const rorx: Definition = (b) => {
  const x = b.read(b.operand(1));
  b.write(b.operand(0), b.rotr(x, maskedCount(b, b.operand(2), x.type as IntegerType)));
};

export const shifts: Family = {
  name: "shifts",
  meanings: {
    shl: shift("shl"),
    sal: shift("shl"),
    shr: shift("shr"),
    sar: shift("sar"),
    rol: rotate("rol"),
    ror: rotate("ror"),
    rcl: rotateThroughCarry(true),
    rcr: rotateThroughCarry(false),
    shld: doubleShift(true),
    shrd: doubleShift(false),
    shlx: shiftWithoutFlags("shl"),
    shrx: shiftWithoutFlags("shr"),
    sarx: shiftWithoutFlags("sar"),
    rorx,
  },
};
