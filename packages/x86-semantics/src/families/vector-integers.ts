/**
 * Packed integers and bitwise logic of MMX, SSE and AVX, and shuffles of bytes to quadwords, lane by lane. Intel SDM volume 1,
 * 5.4, 5.6.2 to 5.6.4, 5.9, 5.10 and 14.7; each instruction's page in volume 2. Floating-point arithmetic is not here.
 */
import type { MnemonicName } from "@whvkit/x86-decoder";
import type { Builder, Definition, Operand, Value } from "../ir/builder.ts";
import type { CarriedImmediates } from "../ir/instruction-form.ts";
import { bitsOf, type IntegerType } from "../ir/operation.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import type { Family } from "./family.ts";
import { elementsOf, laneOf, zeroLane } from "./lane.ts";
import { loadChosen, opmaskBits } from "./masked-operand.ts";
import { readLanes, readMmx, vectorState, writeLanes } from "./vector-operand.ts";

/** A lane from lanes of the two sources. */
type LaneFunction = (b: Builder, x: Value, y: Value) => Value;
type ElementFunction = (b: Builder, x: Value, y: Value) => Value;

const sources = (b: Builder): readonly Operand[] => b.operands.filter(({ shape }) => shape !== "immediate");

/** target = f(first, second), lane by lane; legacy forms have the target as the first source. */
const binary =
  (compute: LaneFunction): Definition =>
  (b) => {
    const vectors = sources(b);
    const [target, first, second] = (vectors.length > 2 ? vectors : [vectors[0], ...vectors]) as [
      Operand,
      Operand,
      Operand,
    ];
    const y = readLanes(b, second);
    const x = readLanes(b, first);
    writeLanes(
      b,
      target,
      x.map((lane, i) => compute(b, lane, y[i] as Value)),
    );
  };

/** target = f(source), lane by lane. */
const unary =
  (compute: (b: Builder, x: Value) => Value): Definition =>
  (b) =>
    writeLanes(
      b,
      b.operand(0),
      readLanes(b, b.operand(1)).map((lane) => compute(b, lane)),
    );

const perElement =
  (type: IntegerType, compute: ElementFunction): LaneFunction =>
  (b, x, y) => {
    const other = elementsOf(b, y, type);
    return laneOf(
      b,
      elementsOf(b, x, type).map((element, i) => compute(b, element, other[i] as Value)),
    );
  };

const elements = (type: IntegerType, compute: ElementFunction): Definition => binary(perElement(type, compute));

const wider = (type: IntegerType): IntegerType => (type === "i32" ? "i64" : "i32");

/** Both elements extended to a type with room, and the result clamped back to the range of `to`. */
const saturating =
  (from: IntegerType, signed: boolean, compute: ElementFunction): ElementFunction =>
  (b, x, y) => {
    const wide = wider(from);
    const extend = (value: Value): Value => (signed ? b.signExtend(value, wide) : b.zeroExtend(value, wide));
    return clamp(b, compute(b, extend(x), extend(y)), from, signed);
  };

/** A signed wide value cut to the nearest one that the narrow type holds. */
function clamp(b: Builder, value: Value, to: IntegerType, signed: boolean): Value {
  const wide = value.type as IntegerType;
  const bits = bitsOf(to);
  const highest = b.constant(wide, signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1);
  const lowest = b.constant(wide, signed ? -(2 ** (bits - 1)) : 0);
  const below = b.select(b.signedLess(highest, value), highest, value);
  return b.truncate(b.select(b.signedLess(below, lowest), lowest, below), to);
}

const add: ElementFunction = (b, x, y) => b.add(x, y);
const sub: ElementFunction = (b, x, y) => b.sub(x, y);
const mask =
  (holds: ElementFunction): ElementFunction =>
  (b, x, y) => {
    const type = x.type as IntegerType;
    return b.select(holds(b, x, y), b.constant(type, -1), b.constant(type, 0));
  };
/** PCMPEQ and PCMPGT: elements of ones, or (EVEX) bits of an opmask, of which another opmask leaves out some. */
const compare =
  (type: IntegerType, holds: ElementFunction): Definition =>
  (b) => {
    const target = b.operand(0);
    if (target.shape !== "mask") {
      elements(type, mask(holds))(b);
      return;
    }
    const [first, second] = [b.operand(1), b.operand(2)];
    const y = readLanes(b, second, "legacy", type).flatMap((lane) => elementsOf(b, lane, type));
    const x = readLanes(b, first, "legacy", type).flatMap((lane) => elementsOf(b, lane, type));
    const chosen = b.form.masking === "none" ? null : opmaskBits(b, x.length);
    const bits = x.map((element, i) => {
      const result = holds(b, element, y[i] as Value);
      const bit = chosen === null ? result : b.and(result, chosen[i] as Value);
      return b.shl(b.zeroExtend(bit, "i64"), b.constant("i32", i));
    });
    b.setOperandRegister(
      target,
      bits.reduce((sum, bit) => b.or(sum, bit)),
    );
  };

const choose =
  (less: "signedLess" | "unsignedLess", largest: boolean): ElementFunction =>
  (b, x, y) =>
    largest ? b.select(b[less](x, y), y, x) : b.select(b[less](x, y), x, y);

/** The upper or lower half of a product of narrow elements. */
const product =
  (signed: boolean, shift: number): ElementFunction =>
  (b, x, y) => {
    const extend = (value: Value): Value => (signed ? b.signExtend(value, "i32") : b.zeroExtend(value, "i32"));
    return b.truncate(b.shr(b.mul(extend(x), extend(y)), b.constant("i32", shift)), x.type);
  };

/** PMULHRSW: the product's upper part, rounded. */
const roundedProduct: ElementFunction = (b, x, y) => {
  const whole = b.mul(b.signExtend(x, "i32"), b.signExtend(y, "i32"));
  const rounded = b.add(b.sar(whole, b.constant("i32", 14)), b.constant("i32", 1));
  return b.truncate(b.sar(rounded, b.constant("i32", 1)), "i16");
};

const average: ElementFunction = (b, x, y) => {
  const sum = b.add(b.add(b.zeroExtend(x, "i32"), b.zeroExtend(y, "i32")), b.constant("i32", 1));
  return b.truncate(b.shr(sum, b.constant("i32", 1)), x.type);
};

const absolute = (type: IntegerType): Definition =>
  unary((b, lane) =>
    laneOf(
      b,
      elementsOf(b, lane, type).map((x) => b.select(b.sign(x), b.negate(x), x)),
    ),
  );

const sign: ElementFunction = (b, x, y) =>
  b.select(b.sign(y), b.negate(x), b.select(b.isZero(y), b.constant(x.type as IntegerType, 0), x));

/** PMULUDQ and PMULDQ: the low halves of each quadword, multiplied to 64 bits. */
const multiplyEven = (signed: boolean): LaneFunction =>
  perElement("i64", (b, x, y) => {
    const half = (value: Value): Value => {
      const low = b.truncate(value, "i32");
      return signed ? b.signExtend(low, "i64") : b.zeroExtend(low, "i64");
    };
    return b.mul(half(x), half(y));
  });

/** PMADDWD: products of words, neighbours added. */
const multiplyAdd: LaneFunction = (b, x, y) => {
  const [xs, ys] = [elementsOf(b, x, "i16"), elementsOf(b, y, "i16")];
  const products = xs.map((value, i) => b.mul(b.signExtend(value, "i32"), b.signExtend(ys[i] as Value, "i32")));
  return laneOf(
    b,
    [0, 2, 4, 6].map((i) => b.add(products[i] as Value, products[i + 1] as Value)),
  );
};

/** PMADDUBSW: unsigned bytes of the first by signed ones of the second, neighbours added with saturation. */
const multiplyAddBytes: LaneFunction = (b, x, y) => {
  const [xs, ys] = [elementsOf(b, x, "i8"), elementsOf(b, y, "i8")];
  const products = xs.map((value, i) => b.mul(b.zeroExtend(value, "i32"), b.signExtend(ys[i] as Value, "i32")));
  const sums = Array.from({ length: 8 }, (_, i) => b.add(products[2 * i] as Value, products[2 * i + 1] as Value));
  return laneOf(
    b,
    sums.map((sum) => clamp(b, sum, "i16", true)),
  );
};

/** PSADBW: the sum of absolute differences of each eight bytes. */
const sumOfDifferences: LaneFunction = (b, x, y) => {
  const [xs, ys] = [elementsOf(b, x, "i8"), elementsOf(b, y, "i8")];
  const differences = xs.map((value, i) => {
    const other = ys[i] as Value;
    const less = b.unsignedLess(value, other);
    return b.zeroExtend(b.select(less, b.sub(other, value), b.sub(value, other)), "i32");
  });
  const sum = (from: number): Value => differences.slice(from, from + 8).reduce((total, value) => b.add(total, value));
  return laneOf(b, [b.zeroExtend(sum(0), "i64"), b.zeroExtend(sum(8), "i64")]);
};

/** PHADD and PHSUB: neighbours of the first source, then of the second. For MMX each source has half as many. */
const horizontal =
  (type: IntegerType, compute: ElementFunction): Definition =>
  (b) => {
    const half = b.operand(0).shape === "mmx";
    binary((builder, x, y) => {
      const pairs = (lane: Value): Value[] => {
        const all = elementsOf(builder, lane, type);
        const list = half ? all.slice(0, all.length / 2) : all;
        return Array.from({ length: list.length / 2 }, (_, i) =>
          compute(builder, list[2 * i] as Value, list[2 * i + 1] as Value),
        );
      };
      const result = [...pairs(x), ...pairs(y)];
      return laneOf(builder, result);
    })(b);
  };

/** PACKxx: wide elements of the first source, then of the second, clamped to half their size. */
const pack =
  (from: IntegerType, to: IntegerType, signed: boolean): Definition =>
  (b) => {
    const half = b.operand(0).shape === "mmx";
    binary((builder, x, y) => {
      const narrow = (lane: Value): Value[] => {
        const all = elementsOf(builder, lane, from);
        const list = half ? all.slice(0, all.length / 2) : all;
        return list.map((value) =>
          clamp(builder, from === "i32" ? value : builder.signExtend(value, "i32"), to, signed),
        );
      };
      return laneOf(builder, [...narrow(x), ...narrow(y)]);
    })(b);
  };

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** PUNPCKxx: elements of `size` bytes from the low or high half of both sources, alternating. */
const interleave =
  (size: number, high: boolean): Definition =>
  (b) => {
    const half = b.operand(0).shape === "mmx" ? 4 : 8;
    const start = high ? half : 0;
    const order: number[] = [];
    for (let at = start; at < start + half; at += size) order.push(...range(at, size), ...range(16 + at, size));
    const bytes = [...order, ...range(0, 16)].slice(0, 16);
    binary((builder, x, y) => builder.shuffle(x, y, bytes))(b);
  };

/** Bytes of the elements of `size` bytes that a control picks, two bits each. */
const picked = (control: number, size: number, count: number, from: number): number[] =>
  range(0, count).flatMap((i) => range(from + size * ((control >> (2 * i)) & 3), size));

const pshufd: Definition = (b) => {
  const bytes = picked(b.immediate, 4, 4, 0);
  unary((builder, lane) => builder.shuffle(lane, lane, bytes))(b);
};
const pshuflw: Definition = (b) => {
  const bytes = [...picked(b.immediate, 2, 4, 0), ...range(8, 8)];
  unary((builder, lane) => builder.shuffle(lane, lane, bytes))(b);
};
const pshufhw: Definition = (b) => {
  const bytes = [...range(0, 8), ...picked(b.immediate, 2, 4, 8)];
  unary((builder, lane) => builder.shuffle(lane, lane, bytes))(b);
};
/** SHUFPS: two elements of the first source, two of the second. */
const shufps: Definition = (b) => {
  const control = b.immediate;
  const element = (i: number): number[] => range((i < 2 ? 0 : 16) + 4 * ((control >> (2 * i)) & 3), 4);
  const bytes = range(0, 4).flatMap(element);
  binary((builder, x, y) => builder.shuffle(x, y, bytes))(b);
};
/** SHUFPD: one bit a lane and source. */
const shufpd: Definition = (b) => {
  let lane = 0;
  binary((builder, x, y) => {
    const control = b.immediate >> (2 * lane++);
    return builder.shuffle(x, y, [...range(8 * (control & 1), 8), ...range(16 + 8 * ((control >> 1) & 1), 8)]);
  })(b);
};

/** PALIGNR: the sources side by side, shifted right by bytes. */
const palignr: Definition = (b) => {
  const width = b.operand(0).shape === "mmx" ? 8 : 16;
  const shift = b.immediate;
  binary((builder, x, y) => {
    // First source above the second; zeros above both.
    if (shift >= 2 * width) return zeroLane(builder);
    if (width === 8) {
      const both = builder.shuffle(y, x, [...range(0, 8), ...range(16, 8)]);
      return builder.shuffle(both, zeroLane(builder), range(shift, 16));
    }
    return shift < 16
      ? builder.shuffle(y, x, range(shift, 16))
      : builder.shuffle(x, zeroLane(builder), range(shift - 16, 16));
  })(b);
};

/** PSLLDQ and PSRLDQ: a lane by bytes. */
const shiftBytes =
  (left: boolean): Definition =>
  (b) => {
    const vectors = sources(b);
    const source = vectors[vectors.length - 1] as Operand;
    const shift = Math.min(b.immediate, 16);
    const bytes = range(left ? 16 - shift : shift, 16);
    const lanes = readLanes(b, source).map((lane) =>
      left ? b.shuffle(zeroLane(b), lane, bytes) : b.shuffle(lane, zeroLane(b), bytes),
    );
    writeLanes(b, vectors[0] as Operand, lanes);
  };

/** PSLL, PSRL and PSRA: a count beyond the width gives zeros, or the sign everywhere. */
const shift =
  (kind: "shl" | "shr" | "sar", type: IntegerType): Definition =>
  (b) => {
    const last = b.operand(b.operands.length - 1);
    const vectors = sources(b);
    const target = vectors[0] as Operand;
    const bits = bitsOf(type);
    let source: Operand;
    let count: Value;
    if (last.shape === "immediate") {
      source = vectors[vectors.length - 1] as Operand;
      count = b.zeroExtend(b.field("immediate", "i8"), "i64");
    } else {
      source = vectors.length > 2 ? (vectors[1] as Operand) : target;
      // The count is the low quadword of the last operand, whose size is 16 bytes (8 for MMX) whatever the vector length.
      count = last.shape === "mmx" ? readMmx(b, last) : b.lane(readLanes(b, last)[0] as Value, "i64", 0);
    }
    const inside = b.unsignedLess(count, b.constant("i64", bits));
    const amount = b.truncate(b.select(inside, count, b.constant("i64", bits - 1)), "i32");
    const wide: IntegerType = type === "i64" ? "i64" : "i32";
    const move = (value: Value): Value => {
      const extended = kind === "sar" ? b.signExtend(value, wide) : b.zeroExtend(value, wide);
      const moved = b.truncate(b[kind](extended, amount), type);
      return kind === "sar" ? moved : b.select(inside, moved, b.constant(type, 0));
    };
    writeLanes(
      b,
      target,
      readLanes(b, source).map((lane) => laneOf(b, elementsOf(b, lane, type).map(move))),
    );
  };

/** PSHUFB: each byte of the result is the byte of the first source that the second names, or 0. */
const shuffleBytes: Definition = (b) => {
  const half = b.operand(0).shape === "mmx";
  binary((builder, x, y) => {
    const [low, high] = elementsOf(builder, x, "i64") as [Value, Value];
    const byte = (control: Value): Value => {
      const wide = builder.zeroExtend(control, "i32");
      const part = half ? low : builder.select(builder.bit(wide, 3), high, low);
      const amount = builder.shl(builder.and(wide, builder.constant("i32", 7)), builder.constant("i32", 3));
      const value = builder.truncate(builder.shr(part, amount), "i8");
      return builder.select(builder.sign(control), builder.constant("i8", 0), value);
    };
    return laneOf(builder, elementsOf(builder, y, "i8").map(byte));
  })(b);
};

/** PMOVSX and PMOVZX: the low elements of the source, widened to fill the target. */
const extend =
  (from: IntegerType, to: IntegerType, signed: boolean): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const perLane = 128 / bitsOf(to);
    const fromMemory = source.shape === "memory" && b.form.masking !== "none";
    const sourceLanes = fromMemory
      ? loadChosen(b, opmaskBits(b, (target.size / 16) * perLane), from)
      : readLanes(b, source, "any", from);
    const narrow = sourceLanes.flatMap((lane) => elementsOf(b, lane, from));
    const lanes = range(0, target.size / 16).map((lane) =>
      laneOf(
        b,
        narrow
          .slice(lane * perLane, (lane + 1) * perLane)
          .map((value) => (signed ? b.signExtend(value, to) : b.zeroExtend(value, to))),
      ),
    );
    writeLanes(b, target, lanes, "legacy", to);
  };

/** PBLENDW, BLENDPS and kin: a bit of the immediate for each element; words repeat for each lane. */
const blend =
  (size: number, repeats: boolean): Definition =>
  (b) => {
    const perLane = 16 / size;
    let lane = 0;
    binary((builder, x, y) => {
      const control = b.immediate >> (repeats ? 0 : perLane * lane);
      lane++;
      return builder.shuffle(
        x,
        y,
        range(0, 16).map((at) => at + 16 * ((control >> Math.floor(at / size)) & 1)),
      );
    })(b);
  };

/** PBLENDVB and kin: the sign of each element of XMM0 (VEX: of the fourth operand) chooses. */
const blendBySign =
  (type: IntegerType): Definition =>
  (b) => {
    const vectors = sources(b);
    const vex = b.form.vectorLength !== 0;
    const [target, first, second] = (vex ? vectors : [vectors[0], ...vectors]) as [Operand, Operand, Operand];
    const control = vex ? readLanes(b, vectors[3] as Operand) : [b.registerAt(RegisterOffset.vector, "v128")];
    const y = readLanes(b, second);
    const lanes = readLanes(b, first).map((lane, i) => {
      const [ys, signs] = [elementsOf(b, y[i] as Value, type), elementsOf(b, control[i] as Value, type)];
      return laneOf(
        b,
        elementsOf(b, lane, type).map((x, j) => b.select(b.sign(signs[j] as Value), ys[j] as Value, x)),
      );
    });
    writeLanes(b, target, lanes);
  };

/** PTEST: ZF for no common one, CF for no one of the second outside the first; the other flags are 0. */
const ptest: Definition = (b) => {
  const y = readLanes(b, b.operand(1));
  const x = readLanes(b, b.operand(0));
  const any = (lanes: Value[]): Value => {
    const whole = lanes.reduce((sum, lane) => b.or(sum, lane));
    return b.isZero(b.or(b.lane(whole, "i64", 0), b.lane(whole, "i64", 1)));
  };
  const no = b.constant("i1", 0);
  b.setFlags({
    ZF: any(x.map((lane, i) => b.and(lane, y[i] as Value))),
    CF: any(x.map((lane, i) => b.and(b.not(lane), y[i] as Value))),
    PF: no,
    AF: no,
    SF: no,
    OF: no,
  });
};

const and: LaneFunction = (b, x, y) => b.and(x, y);
const andNot: LaneFunction = (b, x, y) => b.and(b.not(x), y);
const or: LaneFunction = (b, x, y) => b.or(x, y);
const xor: LaneFunction = (b, x, y) => b.xor(x, y);

/** By the name without "v". */
const packed: Readonly<Record<string, Definition>> = {
  pand: binary(and),
  andps: binary(and),
  andpd: binary(and),
  pandn: binary(andNot),
  andnps: binary(andNot),
  andnpd: binary(andNot),
  por: binary(or),
  orps: binary(or),
  orpd: binary(or),
  pxor: binary(xor),
  xorps: binary(xor),
  xorpd: binary(xor),
  paddb: elements("i8", add),
  paddw: elements("i16", add),
  paddd: elements("i32", add),
  paddq: elements("i64", add),
  psubb: elements("i8", sub),
  psubw: elements("i16", sub),
  psubd: elements("i32", sub),
  psubq: elements("i64", sub),
  paddsb: elements("i8", saturating("i8", true, add)),
  paddsw: elements("i16", saturating("i16", true, add)),
  paddusb: elements("i8", saturating("i8", false, add)),
  paddusw: elements("i16", saturating("i16", false, add)),
  psubsb: elements("i8", saturating("i8", true, sub)),
  psubsw: elements("i16", saturating("i16", true, sub)),
  psubusb: elements("i8", saturating("i8", false, sub)),
  psubusw: elements("i16", saturating("i16", false, sub)),
  pmullw: elements("i16", product(true, 0)),
  pmulhw: elements("i16", product(true, 16)),
  pmulhuw: elements("i16", product(false, 16)),
  pmulld: elements("i32", (b, x, y) => b.mul(x, y)),
  pmulhrsw: elements("i16", roundedProduct),
  pmuludq: binary(multiplyEven(false)),
  pmuldq: binary(multiplyEven(true)),
  pmaddwd: binary(multiplyAdd),
  pmaddubsw: binary(multiplyAddBytes),
  psadbw: binary(sumOfDifferences),
  pavgb: elements("i8", average),
  pavgw: elements("i16", average),
  pcmpeqb: compare("i8", (b, x, y) => b.equal(x, y)),
  pcmpeqw: compare("i16", (b, x, y) => b.equal(x, y)),
  pcmpeqd: compare("i32", (b, x, y) => b.equal(x, y)),
  pcmpeqq: compare("i64", (b, x, y) => b.equal(x, y)),
  pcmpgtb: compare("i8", (b, x, y) => b.signedLess(y, x)),
  pcmpgtw: compare("i16", (b, x, y) => b.signedLess(y, x)),
  pcmpgtd: compare("i32", (b, x, y) => b.signedLess(y, x)),
  pcmpgtq: compare("i64", (b, x, y) => b.signedLess(y, x)),
  pminub: elements("i8", choose("unsignedLess", false)),
  pmaxub: elements("i8", choose("unsignedLess", true)),
  pminuw: elements("i16", choose("unsignedLess", false)),
  pmaxuw: elements("i16", choose("unsignedLess", true)),
  pminud: elements("i32", choose("unsignedLess", false)),
  pmaxud: elements("i32", choose("unsignedLess", true)),
  pminsb: elements("i8", choose("signedLess", false)),
  pmaxsb: elements("i8", choose("signedLess", true)),
  pminsw: elements("i16", choose("signedLess", false)),
  pmaxsw: elements("i16", choose("signedLess", true)),
  pminsd: elements("i32", choose("signedLess", false)),
  pmaxsd: elements("i32", choose("signedLess", true)),
  pabsb: absolute("i8"),
  pabsw: absolute("i16"),
  pabsd: absolute("i32"),
  psignb: elements("i8", sign),
  psignw: elements("i16", sign),
  psignd: elements("i32", sign),
  phaddw: horizontal("i16", add),
  phaddd: horizontal("i32", add),
  phaddsw: horizontal("i16", saturating("i16", true, add)),
  phsubw: horizontal("i16", sub),
  phsubd: horizontal("i32", sub),
  phsubsw: horizontal("i16", saturating("i16", true, sub)),
  packsswb: pack("i16", "i8", true),
  packssdw: pack("i32", "i16", true),
  packuswb: pack("i16", "i8", false),
  packusdw: pack("i32", "i16", false),
  punpcklbw: interleave(1, false),
  punpcklwd: interleave(2, false),
  punpckldq: interleave(4, false),
  punpcklqdq: interleave(8, false),
  punpckhbw: interleave(1, true),
  punpckhwd: interleave(2, true),
  punpckhdq: interleave(4, true),
  punpckhqdq: interleave(8, true),
  unpcklps: interleave(4, false),
  unpckhps: interleave(4, true),
  unpcklpd: interleave(8, false),
  unpckhpd: interleave(8, true),
  psllw: shift("shl", "i16"),
  pslld: shift("shl", "i32"),
  psllq: shift("shl", "i64"),
  psrlw: shift("shr", "i16"),
  psrld: shift("shr", "i32"),
  psrlq: shift("shr", "i64"),
  psraw: shift("sar", "i16"),
  psrad: shift("sar", "i32"),
  pslldq: shiftBytes(true),
  psrldq: shiftBytes(false),
  pshufb: shuffleBytes,
  pshufd,
  pshuflw,
  pshufhw,
  shufps,
  shufpd,
  palignr,
  ptest,
  pblendw: blend(2, true),
  blendps: blend(4, false),
  blendpd: blend(8, false),
  pblendvb: blendBySign("i8"),
  blendvps: blendBySign("i32"),
  blendvpd: blendBySign("i64"),
  pmovsxbw: extend("i8", "i16", true),
  pmovsxbd: extend("i8", "i32", true),
  pmovsxbq: extend("i8", "i64", true),
  pmovsxwd: extend("i16", "i32", true),
  pmovsxwq: extend("i16", "i64", true),
  pmovsxdq: extend("i32", "i64", true),
  pmovzxbw: extend("i8", "i16", false),
  pmovzxbd: extend("i8", "i32", false),
  pmovzxbq: extend("i8", "i64", false),
  pmovzxwd: extend("i16", "i32", false),
  pmovzxwq: extend("i16", "i64", false),
  pmovzxdq: extend("i32", "i64", false),
};

const controlled = [
  "pshufd",
  "pshuflw",
  "pshufhw",
  "shufps",
  "shufpd",
  "palignr",
  "pslldq",
  "psrldq",
  "pblendw",
  "blendps",
  "blendpd",
];

export const vectorIntegers: Family = {
  name: "vector-integers",
  requires: vectorState,
  immediates: Object.fromEntries(
    [...controlled.flatMap((name) => [name, `v${name}`]), "pshufw", "vpblendd"].map((name) => [name, "immediate"]),
  ) as Partial<Record<MnemonicName, CarriedImmediates>>,
  meanings: {
    ...(Object.fromEntries(
      Object.entries(packed).flatMap(([name, definition]) => [
        [name, definition],
        [`v${name}`, definition],
      ]),
    ) as Partial<Record<MnemonicName, Definition>>),
    pshufw: pshuflw,
    vpblendd: blend(4, false),
    vpandd: binary(and),
    vpandq: binary(and),
    vpandnd: binary(andNot),
    vpandnq: binary(andNot),
    vpord: binary(or),
    vporq: binary(or),
    vpxord: binary(xor),
    vpxorq: binary(xor),
  },
};
