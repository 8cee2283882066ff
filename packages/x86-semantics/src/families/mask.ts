/** Opmask instructions on K0 to K7 as 64-bit integers. Intel SDM volume 1, 15.6.3; each instruction's page in volume 2. */
import type { MnemonicName } from "@whvkit/x86-decoder";
import type { Builder, Definition, Operand, Value } from "../ir/builder.ts";
import type { CarriedImmediates } from "../ir/instruction-form.ts";
import { bitsOf, type IntegerType, integerOfSize } from "../ir/operation.ts";
import type { Family } from "./family.ts";

const WIDTHS = { b: "i8", w: "i16", d: "i32", q: "i64" } as const;
type Suffix = keyof typeof WIDTHS;

const readMask = (b: Builder, operand: Operand, type: IntegerType): Value => b.operandRegister(operand, type);
/** A write clears the bits above the instruction's width. */
const writeMask = (b: Builder, operand: Operand, value: Value): void =>
  b.setOperandRegister(operand, b.zeroExtend(value, "i64"));

const binary =
  (compute: (b: Builder, x: Value, y: Value) => Value) =>
  (type: IntegerType): Definition =>
  (b) =>
    writeMask(b, b.operand(0), compute(b, readMask(b, b.operand(1), type), readMask(b, b.operand(2), type)));

const move =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const value = source.shape === "memory" ? b.read(source, type) : b.operandRegister(source, type);
    if (target.shape === "mask") writeMask(b, target, value);
    else b.write(target, target.shape === "memory" ? value : b.zeroExtend(value, integerOfSize(target.size)));
  };

const not =
  (type: IntegerType): Definition =>
  (b) =>
    writeMask(b, b.operand(0), b.not(readMask(b, b.operand(1), type)));

/** KORTEST: ZF for no one, CF for all ones; KTEST: ZF of x & y, CF of ~x & y. */
const test =
  (zero: (b: Builder, x: Value, y: Value) => Value, carry: (b: Builder, x: Value, y: Value) => Value) =>
  (type: IntegerType): Definition =>
  (b) => {
    const x = readMask(b, b.operand(0), type);
    const y = readMask(b, b.operand(1), type);
    const no = b.constant("i1", 0);
    b.setFlags({ ZF: b.isZero(zero(b, x, y)), CF: b.isZero(carry(b, x, y)), OF: no, SF: no, AF: no, PF: no });
  };

const shift =
  (left: boolean) =>
  (type: IntegerType): Definition =>
  (b) => {
    const x = b.zeroExtend(readMask(b, b.operand(1), type), "i64");
    const count = b.constant("i32", b.immediate & 63);
    const moved = b.truncate(left ? b.shl(x, count) : b.shr(x, count), type);
    writeMask(b, b.operand(0), b.immediate < bitsOf(type) ? moved : b.constant(type, 0));
  };

/** KUNPCK: the low half of the first source above the low half of the second. */
const unpack =
  (half: IntegerType): Definition =>
  (b) => {
    const wide = (operand: Operand): Value => b.zeroExtend(readMask(b, operand, half), "i64");
    const high = b.shl(wide(b.operand(1)), b.constant("i32", bitsOf(half)));
    writeMask(b, b.operand(0), b.or(high, wide(b.operand(2))));
  };

const forWidths = (name: string, define: (type: IntegerType) => Definition): [string, Definition][] =>
  (Object.keys(WIDTHS) as Suffix[]).map((suffix) => [`${name}${suffix}`, define(WIDTHS[suffix])]);

const shifts = [...forWidths("kshiftl", shift(true)), ...forWidths("kshiftr", shift(false))];

export const mask: Family = {
  name: "mask",
  requires: () => "avx512",
  immediates: Object.fromEntries(shifts.map(([name]) => [name, "immediate"])) as Partial<
    Record<MnemonicName, CarriedImmediates>
  >,
  meanings: Object.fromEntries([
    ...forWidths("kmov", move),
    ...forWidths("knot", not),
    ...forWidths(
      "kand",
      binary((b, x, y) => b.and(x, y)),
    ),
    ...forWidths(
      "kandn",
      binary((b, x, y) => b.and(b.not(x), y)),
    ),
    ...forWidths(
      "kor",
      binary((b, x, y) => b.or(x, y)),
    ),
    ...forWidths(
      "kxor",
      binary((b, x, y) => b.xor(x, y)),
    ),
    ...forWidths(
      "kxnor",
      binary((b, x, y) => b.not(b.xor(x, y))),
    ),
    ...forWidths(
      "kadd",
      binary((b, x, y) => b.add(x, y)),
    ),
    ...forWidths(
      "kortest",
      test(
        (b, x, y) => b.or(x, y),
        (b, x, y) => b.not(b.or(x, y)),
      ),
    ),
    ...forWidths(
      "ktest",
      test(
        (b, x, y) => b.and(x, y),
        (b, x, y) => b.and(b.not(x), y),
      ),
    ),
    ...shifts,
    ["kunpckbw", unpack("i8")],
    ["kunpckwd", unpack("i16")],
    ["kunpckdq", unpack("i32")],
  ]) as Partial<Record<MnemonicName, Definition>>,
};
