/**
 * Data movement of MMX, SSE and AVX: whole registers, scalars, halves, duplicates, inserts and extracts. Intel SDM volume 1,
 * 5.4.1, 5.5.1, 5.6.1, 5.7 and 14.1; each instruction's page in volume 2. "v" forms have the same meaning with a separate
 * first source, and clear the rest of the register.
 */
import type { MnemonicName } from "@whvkit/x86-decoder";
import { type Builder, type Definition, General, type Operand, type Value } from "../ir/builder.ts";
import type { CarriedImmediates } from "../ir/instruction-form.ts";
import { bytesOf, type IntegerType, integerOfSize } from "../ir/operation.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import type { Family } from "./family.ts";
import { elementsOf, laneOf, zeroLane } from "./lane.ts";
import { anyOf, blend, loadChosen, opmaskBits, storeChosen } from "./masked-operand.ts";
import {
  type Alignment,
  readLanes,
  readMmx,
  readUnlessMasked,
  readWhole,
  requireWhole,
  vectorState,
  writeLanes,
  writeMmx,
  writeWholeRegister,
} from "./vector-operand.ts";

type Meanings = Partial<Record<MnemonicName, Definition>>;

/** Whole vectors, registers and memory both ways; an opmask counts elements of the type. */
const moveWhole =
  (alignment: Alignment, elements: IntegerType | null = null): Definition =>
  (b) => {
    const lanes = readLanes(b, b.operand(1), alignment, elements);
    writeLanes(b, b.operand(0), lanes, alignment, elements);
  };

/** The vector operands in order: target, then sources. Legacy forms have the target as their first source. */
function sourcesOf(b: Builder): { target: Operand; first: Operand; second: Operand } {
  const vectors = b.operands.filter(({ shape }) => shape !== "immediate");
  const [target, a, c] = vectors as [Operand, Operand, Operand | undefined];
  return c === undefined ? { target, first: target, second: a } : { target, first: a, second: c };
}

/** MOVSS and MOVSD: from memory the rest is cleared, between registers it stays (or comes from the first source). */
export const moveScalar =
  (size: 2 | 4 | 8): Definition =>
  (b) => {
    const type = integerOfSize(size);
    const target = b.operand(0);
    const source = b.operand(b.operands.length - 1);
    if (b.form.masking !== "none") {
      moveMaskedScalar(b, target, source, type);
    } else if (target.shape === "memory") {
      b.write(target, b.operandRegister(source, type));
    } else if (source.shape === "memory") {
      writeLanes(b, target, [b.zeroExtend(b.read(source, type), "v128")]);
    } else {
      const { first } = sourcesOf(b);
      writeLanes(b, target, [b.withLane(lowLane(b, first), 0, b.operandRegister(source, type))]);
    }
  };

/** Bit 0 of the opmask decides about the scalar alone; the rest of the target is as without it. */
function moveMaskedScalar(b: Builder, target: Operand, source: Operand, type: IntegerType): void {
  const chosen = b.bit(b.opmask(), 0);
  if (target.shape === "memory") {
    const [address, value] = [b.memoryAddress(), b.operandRegister(source, type)];
    b.when(chosen, () => b.store("memory", address, value));
    return;
  }
  const fromMemory = source.shape === "memory";
  const value = fromMemory ? b.loadIf(chosen, "memory", b.memoryAddress(), type) : b.operandRegister(source, type);
  const other = b.form.masking === "merging" ? b.operandRegister(target, type) : b.constant(type, 0);
  const rest = fromMemory ? zeroLane(b) : lowLane(b, sourcesOf(b).first);
  writeWholeRegister(b, target, [b.withLane(rest, 0, b.select(chosen, value, other))]);
}

const lowLane = (b: Builder, operand: Operand): Value => b.operandRegister(operand, "v128");

/** MOVD and MOVQ: an integer of the operand's size between general register, MMX, XMM and memory. */
const moveInteger: Definition = (b) => {
  requireWhole(b);
  const [target, source] = [b.operand(0), b.operand(1)];
  // Between vector registers the mnemonic says how much is moved; else the general register or memory has a size of its own.
  const sizes = [target, source].map(({ size }) => size).filter((size) => size <= 8);
  const between = b.form.mnemonic === "vmovw" ? 2 : b.form.mnemonic === "vmovd" ? 4 : 8;
  const type = integerOfSize(sizes.length === 0 ? between : Math.min(...sizes));
  const value = source.shape === "mmx" ? b.resize(readMmx(b, source), type) : b.read(source, type);
  if (target.shape === "mmx") writeMmx(b, target, b.zeroExtend(value, "i64"));
  else if (target.shape === "vector") writeLanes(b, target, [b.zeroExtend(value, "v128")]);
  else b.write(target, value);
};

/** MOVLPS and kin: eight bytes of memory and one half of a register. */
const moveHalf =
  (half: 0 | 1): Definition =>
  (b) => {
    requireWhole(b);
    const target = b.operand(0);
    if (target.shape === "memory") {
      b.write(target, b.lane(lowLane(b, b.operand(1)), "i64", half));
      return;
    }
    const { first, second } = sourcesOf(b);
    // MOVLPS and MOVHPS between registers are MOVHLPS and MOVLHPS.
    const value =
      second.shape === "memory" ? b.read(second, "i64") : b.lane(lowLane(b, second), "i64", half === 0 ? 1 : 0);
    writeLanes(b, target, [b.withLane(lowLane(b, first), half, value)]);
  };

/** A shuffle of 32-bit elements inside each lane: MOVSLDUP, MOVSHDUP. An opmask spares no part of memory. */
const duplicate =
  (order: readonly number[]): Definition =>
  (b) => {
    const bytes = order.flatMap((element) => [0, 1, 2, 3].map((byte) => 4 * element + byte));
    const lanes = readWhole(b, b.operand(1)).map((lane) => b.shuffle(lane, lane, bytes));
    writeLanes(b, b.operand(0), lanes, "legacy", "i32");
  };

/** MOVDDUP of 128 bits takes eight bytes of memory, without an alignment rule. */
const duplicateDouble: Definition = (b) => {
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7];
  const lanes = readWhole(b, b.operand(1), "any").map((lane) => b.shuffle(lane, lane, bytes));
  writeLanes(b, b.operand(0), lanes, "legacy", "i64");
};

/** PINSRx: an element from a general register or memory; the immediate counts modulo the elements. */
const insert =
  (type: IntegerType): Definition =>
  (b) => {
    requireWhole(b);
    const { target, first, second } = sourcesOf(b);
    const value = second.shape === "memory" ? b.read(second, type) : b.operandRegister(second, type);
    const count = target.size === 8 ? 4 : { i8: 16, i16: 8, i32: 4, i64: 2 }[type];
    const [lane] = readLanes(b, first) as [Value];
    writeLanes(b, target, [b.withLane(lane, b.immediate % count, value)]);
  };

/** PEXTRx: an element to a general register (zero-extended) or memory. */
const extract =
  (type: IntegerType): Definition =>
  (b) => {
    requireWhole(b);
    const [target, source] = [b.operand(0), b.operand(1)];
    const count = source.size === 8 ? 4 : { i8: 16, i16: 8, i32: 4, i64: 2 }[type];
    const [lane] = readLanes(b, source) as [Value];
    const value = b.lane(lane, type, b.immediate % count);
    b.write(target, target.shape === "memory" ? value : b.zeroExtend(value, integerOfSize(target.size)));
  };

/** INSERTPS: element from bits 7:6, to bits 5:4, zeros where bits 3:0 say; from memory always its four bytes. */
const insertps: Definition = (b) => {
  requireWhole(b);
  const { target, first, second } = sourcesOf(b);
  const control = b.immediate;
  const value = second.shape === "memory" ? b.read(second, "i32") : b.lane(lowLane(b, second), "i32", control >> 6);
  let lane = b.withLane(lowLane(b, first), (control >> 4) & 3, value);
  for (let i = 0; i < 4; i++) if ((control >> i) & 1) lane = b.withLane(lane, i, b.constant("i32", 0));
  writeLanes(b, target, [lane]);
};

/** The sign bits of the elements, in a general register. */
const signMask =
  (type: IntegerType): Definition =>
  (b) => {
    requireWhole(b);
    const [target, source] = [b.operand(0), b.operand(1)];
    const elements = readLanes(b, source).flatMap((lane) => elementsOf(b, lane, type));
    const bits = elements.map((element, i) => b.shl(b.zeroExtend(b.sign(element), "i32"), b.constant("i32", i)));
    const mask = bits.reduce((sum, bit) => b.or(sum, bit));
    // The upper half of an MMX source reads as zero.
    b.write(target, b.resize(mask, integerOfSize(target.size)));
  };

/** MASKMOVDQU and MASKMOVQ: the bytes whose mask has its sign set go to [rDI]. Without any, nothing is accessed. */
const maskedStore: Definition = (b) => {
  requireWhole(b);
  const vectors = b.operands.filter(({ shape }) => shape === "vector" || shape === "mmx");
  const [source, mask] = vectors as [Operand, Operand];
  const [data] = readLanes(b, source) as [Value];
  const [selects] = readLanes(b, mask) as [Value];
  const start = b.register(General.rdi, b.addressType);
  const bytes = Array.from({ length: source.size }, (_, i) => ({
    value: b.lane(data, "i8", i),
    chosen: b.sign(b.lane(selects, "i8", i)),
    address: b.linearAddress("memory", b.add(start, b.constant(b.addressType, i))),
  }));
  for (const { chosen, address } of bytes) b.when(chosen, () => b.probe("memory", address, 1, Intent.write));
  for (const { value, chosen, address } of bytes) b.when(chosen, () => b.store("memory", address, value));
};

/** VBROADCASTx and VPBROADCASTx: one element everywhere in the target. */
const broadcast =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const count = 16 / bytesOf(type);
    const value =
      source.shape === "memory"
        ? readUnlessMasked(b, source, type, target.size / bytesOf(type))
        : b.operandRegister(source, type);
    const lane = laneOf(
      b,
      Array.from({ length: count }, () => value),
    );
    writeLanes(
      b,
      target,
      Array.from({ length: target.size / 16 }, () => lane),
      "legacy",
      type,
    );
  };

/**
 * Eight, 16 or 32 bytes of memory (or of a register) everywhere in the target. An element of memory is accessed when the
 * opmask lets any of its copies take part.
 */
const broadcastLanes =
  (elements: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const lanes = source.shape === "memory" ? loadTuple(b, source, target.size, elements) : readWhole(b, source);
    // VBROADCASTF32X2 repeats half a lane.
    const half = source.size === 8 || /32x2$/.test(b.form.mnemonic);
    const whole = half ? lanes.map((lane) => b.withLane(lane, 1, b.lane(lane, "i64", 0))) : lanes;
    writeLanes(
      b,
      target,
      Array.from({ length: target.size / 16 }, (_, i) => whole[i % whole.length] as Value),
      "legacy",
      elements,
    );
  };

function loadTuple(b: Builder, source: Operand, targetSize: number, type: IntegerType): Value[] {
  if (b.form.masking === "none") return readWhole(b, source, "any");
  const size = bytesOf(type);
  const bits = opmaskBits(b, targetSize / size);
  const count = source.size / size;
  const chosen = Array.from({ length: count }, (_, i) =>
    anyOf(
      b,
      bits.filter((_bit, at) => at % count === i),
    ),
  );
  return loadChosen(b, chosen, type);
}

/** VEXTRACTF128 and kin: some lanes of the source. All of a memory target is checked, whatever the opmask says. */
const extractLanes =
  (elements: IntegerType | null): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const count = target.size / 16;
    const lanes = readWhole(b, source);
    const start = (b.immediate % (lanes.length / count)) * count;
    if (target.shape === "memory" && b.form.masking !== "none") {
      b.probe("memory", b.memoryAddress(), target.size, Intent.write);
    }
    writeLanes(b, target, lanes.slice(start, start + count), "any", elements);
  };

/** VINSERTF128 and kin: the first source with some lanes replaced. An opmask spares no part of memory. */
const insertLanes =
  (elements: IntegerType | null): Definition =>
  (b) => {
    const [target, first, second] = [b.operand(0), b.operand(1), b.operand(2)];
    const lanes = readWhole(b, first);
    const inserted = readWhole(b, second, "any");
    const start = (b.immediate % (lanes.length / inserted.length)) * inserted.length;
    const result = lanes.map((lane, i) => inserted[i - start] ?? lane);
    writeLanes(b, target, result, "legacy", elements);
  };

/** What the elements of a tuple are: "…32x4" and "…64x2" say it; the VEX forms have no opmask. */
const tupleElements = (name: string): IntegerType => (/32x\d$/.test(name) ? "i32" : "i64");

/** VMASKMOVPS and kin: elements whose mask has its sign set; the others of a register target become 0. */
const moveBySigns =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, mask, source] = [b.operand(0), b.operand(1), b.operand(2)];
    const chosen = readWhole(b, mask)
      .flatMap((lane) => elementsOf(b, lane, type))
      .map((element) => b.sign(element));
    if (target.shape === "memory") storeChosen(b, chosen, readWhole(b, source), type);
    else writeLanes(b, target, loadChosen(b, chosen, type));
  };

/** VPMOVM2x: elements of ones where the opmask operand has a 1. */
const spreadMask =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const mask = b.operandRegister(source, "i64");
    const perLane = 16 / bytesOf(type);
    const lanes = Array.from({ length: target.size / 16 }, (_, lane) =>
      laneOf(
        b,
        Array.from({ length: perLane }, (_element, i) =>
          b.select(b.bit(mask, lane * perLane + i), b.constant(type, -1), b.constant(type, 0)),
        ),
      ),
    );
    writeLanes(b, target, lanes);
  };

/** VPMOVx2M: the signs of the elements. */
const gatherSigns =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const elements = readLanes(b, source).flatMap((lane) => elementsOf(b, lane, type));
    const bits = elements.map((element, i) => b.shl(b.zeroExtend(b.sign(element), "i64"), b.constant("i32", i)));
    b.setOperandRegister(
      target,
      bits.reduce((sum, bit) => b.or(sum, bit)),
    );
  };

/** VPBLENDMx: elements of the second source where the opmask has a 1, else of the first, or zeros. */
const blendByOpmask =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, first, second] = [b.operand(0), b.operand(1), b.operand(2)];
    const lanes = readLanes(b, second, "any", type);
    const others = b.form.masking === "zeroing" ? lanes.map(() => zeroLane(b)) : readWhole(b, first);
    const count = target.size / bytesOf(type);
    const result = b.form.masking === "none" ? lanes : blend(b, opmaskBits(b, count), lanes, others, type);
    writeWholeRegister(b, target, result);
  };

/** VPERM2F128: each half of the target is a lane of either source, or zero. */
const permuteHalves: Definition = (b) => {
  const [target, first, second] = [b.operand(0), b.operand(1), b.operand(2)];
  const lanes = [...readLanes(b, first), ...readLanes(b, second)];
  const choose = (control: number): Value => ((control & 8) !== 0 ? zeroLane(b) : (lanes[control & 3] as Value));
  writeLanes(b, target, [choose(b.immediate), choose(b.immediate >> 4)]);
};

/** VPERMQ and VPERMPD by immediate: four quadwords in any order. */
const permuteQuadwords: Definition = (b) => {
  const [target, source] = [b.operand(0), b.operand(1)];
  const lanes = readWhole(b, source, "legacy", "i64");
  const result: Value[] = [];
  for (let at = 0; at < lanes.length; at += 2) {
    const quadwords = lanes.slice(at, at + 2).flatMap((lane) => elementsOf(b, lane, "i64"));
    const pick = (i: number): Value => quadwords[(b.immediate >> (2 * i)) & 3] as Value;
    result.push(laneOf(b, [pick(0), pick(1)]), laneOf(b, [pick(2), pick(3)]));
  }
  writeLanes(b, target, result, "legacy", "i64");
};

/** VZEROUPPER and VZEROALL: registers 0 to 15 in 64-bit mode, 0 to 7 else. */
const zeroRegisters =
  (from: 0 | 16): Definition =>
  (b) => {
    for (let register = 0; register < (b.long ? 16 : 8); register++) {
      for (let at = from; at < 64; at += 16) {
        b.setRegisterAt(RegisterOffset.vector + 64 * register + at, 16, zeroLane(b));
      }
    }
  };

/** LDMXCSR is #GP(0) for bits that the processor does not have. */
const ldmxcsr: Definition = (b) => {
  const value = b.read(b.operand(0), "i32");
  const mask = b.registerAt(RegisterOffset.mxcsrMask, "i32");
  // A mask of 0 means the default one (volume 1, 11.6.6).
  const allowed = b.select(b.isZero(mask), b.constant("i32", 0xffbf), mask);
  b.faultIf(b.not(b.isZero(b.and(value, b.not(allowed)))), Vector.GP, 0);
  b.setRegisterAt(RegisterOffset.mxcsr, 4, value);
};
const stmxcsr: Definition = (b) => b.write(b.operand(0), b.registerAt(RegisterOffset.mxcsr, "i32"));

/** MOVDIR64B: 64 bytes from memory to [operand 0] in ES, which must be aligned. */
const movdir64b: Definition = (b) => {
  const offset = b.operandRegister(b.operand(0), b.addressType);
  const target = (bytes: number): Value => b.linearAddress(Segment.es, b.add(offset, b.constant(b.addressType, bytes)));
  b.probe("memory", b.memoryAddress(), 64, Intent.read);
  b.faultIf(b.not(b.isZero(b.and(target(0), b.constant("i64", 63)))), Vector.GP, 0);
  b.probe(Segment.es, target(0), 64, Intent.write);
  const lanes = [0, 16, 32, 48].map((at) => b.load("memory", b.memoryAddress(at), "v128"));
  for (const [i, lane] of lanes.entries()) b.store(Segment.es, target(16 * i), lane);
};

/** SSE instructions that exist with and without "v". */
const withAndWithoutV: readonly (readonly [readonly string[], Definition])[] = [
  [["movups"], moveWhole("any", "i32")],
  [["movupd"], moveWhole("any", "i64")],
  [["movdqu", "lddqu"], moveWhole("any")],
  [["movaps"], moveWhole("always", "i32")],
  [["movapd"], moveWhole("always", "i64")],
  [["movdqa", "movntps", "movntpd", "movntdq", "movntdqa"], moveWhole("always")],
  [["movss"], moveScalar(4)],
  [["movd", "movq"], moveInteger],
  [["movlps", "movlpd", "movhlps"], moveHalf(0)],
  [["movhps", "movhpd", "movlhps"], moveHalf(1)],
  [["movsldup"], duplicate([0, 0, 2, 2])],
  [["movshdup"], duplicate([1, 1, 3, 3])],
  [["movddup"], duplicateDouble],
  [["pinsrb"], insert("i8")],
  [["pinsrw"], insert("i16")],
  [["pinsrd"], insert("i32")],
  [["pinsrq"], insert("i64")],
  [["pextrb"], extract("i8")],
  [["pextrw"], extract("i16")],
  [["pextrd", "extractps"], extract("i32")],
  [["pextrq"], extract("i64")],
  [["insertps"], insertps],
  [["movmskps"], signMask("i32")],
  [["movmskpd"], signMask("i64")],
  [["pmovmskb"], signMask("i8")],
  [["maskmovdqu"], maskedStore],
];
const both: Meanings = Object.fromEntries(
  withAndWithoutV.flatMap(([names, definition]) =>
    names.flatMap((name) => [
      [name, definition],
      [`v${name}`, definition],
    ]),
  ),
);

const withControl = [
  "pinsrb",
  "pinsrw",
  "pinsrd",
  "pinsrq",
  "pextrb",
  "pextrw",
  "pextrd",
  "pextrq",
  "extractps",
  "insertps",
].flatMap((name) => [name, `v${name}`]);
const laneControl = [
  "vextractf128",
  "vextracti128",
  "vextractf32x4",
  "vextractf64x2",
  "vextracti32x4",
  "vextracti64x2",
  "vextractf32x8",
  "vextractf64x4",
  "vextracti32x8",
  "vextracti64x4",
  "vinsertf128",
  "vinserti128",
  "vinsertf32x4",
  "vinsertf64x2",
  "vinserti32x4",
  "vinserti64x2",
  "vinsertf32x8",
  "vinsertf64x4",
  "vinserti32x8",
  "vinserti64x4",
] as const;

export const vectorMoves: Family = {
  name: "vector-moves",
  // MOVDIR64B names no vector register.
  requires: (form) => (form.mnemonic === "movdir64b" ? null : vectorState(form)),
  immediates: Object.fromEntries(
    [...withControl, ...laneControl, "vperm2f128", "vperm2i128", "vpermq", "vpermpd"].map((name) => [
      name,
      "immediate",
    ]),
  ) as Partial<Record<MnemonicName, CarriedImmediates>>,
  meanings: {
    ...both,
    vmovsd: moveScalar(8),
    movntss: moveScalar(4),
    movntsd: moveScalar(8),
    movntq: moveInteger,
    movq2dq: moveInteger,
    movdq2q: moveInteger,
    maskmovq: maskedStore,
    vmovdqu8: moveWhole("any", "i8"),
    vmovdqu16: moveWhole("any", "i16"),
    vmovdqu32: moveWhole("any", "i32"),
    vmovdqu64: moveWhole("any", "i64"),
    vmovdqa32: moveWhole("always", "i32"),
    vmovdqa64: moveWhole("always", "i64"),
    vmaskmovps: moveBySigns("i32"),
    vmaskmovpd: moveBySigns("i64"),
    vpmaskmovd: moveBySigns("i32"),
    vpmaskmovq: moveBySigns("i64"),
    vpmovm2b: spreadMask("i8"),
    vpmovm2w: spreadMask("i16"),
    vpmovm2d: spreadMask("i32"),
    vpmovm2q: spreadMask("i64"),
    vpmovb2m: gatherSigns("i8"),
    vpmovw2m: gatherSigns("i16"),
    vpmovd2m: gatherSigns("i32"),
    vpmovq2m: gatherSigns("i64"),
    vpblendmb: blendByOpmask("i8"),
    vpblendmw: blendByOpmask("i16"),
    vpblendmd: blendByOpmask("i32"),
    vpblendmq: blendByOpmask("i64"),
    vblendmps: blendByOpmask("i32"),
    vblendmpd: blendByOpmask("i64"),
    vmovw: moveInteger,
    vmovsh: moveScalar(2),
    vbroadcastss: broadcast("i32"),
    vbroadcastsd: broadcast("i64"),
    vpbroadcastb: broadcast("i8"),
    vpbroadcastw: broadcast("i16"),
    vpbroadcastd: broadcast("i32"),
    vpbroadcastq: broadcast("i64"),
    vbroadcastf128: broadcastLanes("i64"),
    vbroadcasti128: broadcastLanes("i64"),
    vbroadcastf32x2: broadcastLanes("i32"),
    vbroadcasti32x2: broadcastLanes("i32"),
    vbroadcastf32x4: broadcastLanes("i32"),
    vbroadcastf64x2: broadcastLanes("i64"),
    vbroadcastf32x8: broadcastLanes("i32"),
    vbroadcastf64x4: broadcastLanes("i64"),
    vbroadcasti32x4: broadcastLanes("i32"),
    vbroadcasti64x2: broadcastLanes("i64"),
    vbroadcasti32x8: broadcastLanes("i32"),
    vbroadcasti64x4: broadcastLanes("i64"),
    ...Object.fromEntries(
      laneControl.map((name) => [
        name,
        (name.startsWith("vextract") ? extractLanes : insertLanes)(tupleElements(name)),
      ]),
    ),
    vperm2f128: permuteHalves,
    vperm2i128: permuteHalves,
    vpermq: (b) =>
      b.operand(2).shape === "immediate"
        ? permuteQuadwords(b)
        : b.unsupported("permutation by a register has no meaning yet"),
    vpermpd: (b) =>
      b.operand(2).shape === "immediate"
        ? permuteQuadwords(b)
        : b.unsupported("permutation by a register has no meaning yet"),
    vzeroupper: zeroRegisters(16),
    vzeroall: zeroRegisters(0),
    ldmxcsr,
    vldmxcsr: ldmxcsr,
    stmxcsr,
    vstmxcsr: stmxcsr,
    movdir64b,
  },
};
