/**
 * Moves of AVX-512 that change how elements lie: compression (the chosen ones close together), expansion (close ones to the
 * chosen places) and narrowing (each element cut or saturated to a smaller type). Memory is accessed by the elements that take
 * part, and all of them are checked before the first. Intel SDM volume 1, 15.6; volume 2, VCOMPRESSPS, VEXPANDPS, VPMOVDB and
 * their kin.
 */
import type { MnemonicName } from "@whvkit/x86-decoder";
import type { Builder, Definition, Operand, Value } from "../ir/builder.ts";
import { bitsOf, bytesOf, type IntegerType } from "../ir/operation.ts";
import { Intent } from "../machine/machine.ts";
import type { Family } from "./family.ts";
import { elementsOf, laneOf } from "./lane.ts";
import { opmaskBits, storeChosen } from "./masked-operand.ts";
import { readLanes, readWhole, vectorState, writeLanes, writeWholeRegister } from "./vector-operand.ts";

const LANE = 16;

const allElements = (b: Builder, lanes: readonly Value[], type: IntegerType): Value[] =>
  lanes.flatMap((lane) => elementsOf(b, lane, type));

/** Lanes of elements; a last one that is not full ends in zeros. */
function lanesOf(b: Builder, elements: readonly Value[], type: IntegerType): Value[] {
  const perLane = LANE / bytesOf(type);
  return Array.from({ length: Math.ceil(elements.length / perLane) }, (_, i) =>
    laneOf(b, elements.slice(i * perLane, (i + 1) * perLane)),
  );
}

/** What an element of the target is where nothing is moved to it: itself when merging, else 0. */
function othersOf(b: Builder, target: Operand, count: number, type: IntegerType): Value[] {
  return Array.from({ length: count }, (_, i) =>
    b.form.masking === "merging" ? b.operandRegister(target, type, bytesOf(type) * i) : b.constant(type, 0),
  );
}

/** The address of each chosen element of the memory operand, in which only they lie, close together; all are checked. */
function packedAddresses(b: Builder, chosen: readonly Value[], type: IntegerType, intent: number): Value[] {
  const [size, none] = [b.constant("i64", bytesOf(type)), b.constant("i64", 0)];
  let place = none;
  const addresses = chosen.map((bit) => {
    const address = b.memoryAddress(place);
    place = b.add(place, b.select(bit, size, none));
    return address;
  });
  for (const [i, address] of addresses.entries())
    b.when(chosen[i] as Value, () => b.probe("memory", address, bytesOf(type), intent));
  return addresses;
}

interface Step {
  readonly distance: number;
  /** For each place, whether what stands there moves down by the distance. */
  readonly moves: readonly Value[];
}

/** How the chosen elements come close together in steps of 1, 2, 4 … places: each goes down by the places left out below it. */
function stepsOf(b: Builder, chosen: readonly Value[]): Step[] {
  const zero = b.constant("i32", 0);
  let omitted = zero;
  let down = chosen.map((bit) => {
    const before = omitted;
    omitted = b.add(omitted, b.zeroExtend(b.not(bit), "i32"));
    return b.select(bit, before, zero);
  });
  const steps: Step[] = [];
  for (let bit = 0; 1 << bit < chosen.length; bit++) {
    const distance = 1 << bit;
    const moves = down.map((value) => b.bit(value, bit));
    down = moveDown(b, down, { distance, moves }, zero);
    steps.push({ distance, moves });
  }
  return steps;
}

const moveDown = (b: Builder, values: readonly Value[], { distance, moves }: Step, zero: Value): Value[] =>
  values.map((value, i) => {
    const stays = b.select(moves[i] as Value, zero, value);
    const from = values[i + distance];
    return from === undefined ? stays : b.or(stays, b.select(moves[i + distance] as Value, from, zero));
  });

const compress =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const lanes = readWhole(b, source);
    if (b.form.masking === "none") {
      writeLanes(b, target, lanes, "any", type);
      return;
    }
    const elements = allElements(b, lanes, type);
    const chosen = opmaskBits(b, elements.length);
    if (target.shape === "memory") {
      for (const [i, address] of packedAddresses(b, chosen, type, Intent.write).entries())
        b.when(chosen[i] as Value, () => b.store("memory", address, elements[i] as Value));
      return;
    }
    const zero = b.constant(type, 0);
    let packed = elements.map((element, i) => b.select(chosen[i] as Value, element, zero));
    for (const step of stepsOf(b, chosen)) packed = moveDown(b, packed, step, zero);
    const count = chosen.reduce((sum, bit) => b.add(sum, b.zeroExtend(bit, "i32")), b.constant("i32", 0));
    const others = othersOf(b, target, packed.length, type);
    const result = packed.map((element, i) =>
      b.select(b.unsignedLess(b.constant("i32", i), count), element, others[i] as Value),
    );
    writeWholeRegister(b, target, lanesOf(b, result, type));
  };

const expand =
  (type: IntegerType): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    if (b.form.masking === "none") {
      writeLanes(b, target, readWhole(b, source, "any"), "any", type);
      return;
    }
    const chosen = opmaskBits(b, target.size / bytesOf(type));
    const others = othersOf(b, target, chosen.length, type);
    const moved =
      source.shape === "memory"
        ? packedAddresses(b, chosen, type, Intent.read).map((address, i) =>
            b.loadIf(chosen[i] as Value, "memory", address, type),
          )
        : stepsOf(b, chosen).reduceRight<Value[]>(
            (values, { distance, moves }) =>
              values.map((value, i) =>
                i < distance ? value : b.select(moves[i] as Value, values[i - distance] as Value, value),
              ),
            allElements(b, readWhole(b, source), type),
          );
    const result = moved.map((element, i) => b.select(chosen[i] as Value, element, others[i] as Value));
    writeWholeRegister(b, target, lanesOf(b, result, type));
  };

/** How an element that does not fit its new type gets there. */
type Narrowing = "truncate" | "signed" | "unsigned";

function narrowed(b: Builder, value: Value, to: IntegerType, how: Narrowing): Value {
  if (how === "truncate") return b.truncate(value, to);
  const from = value.type as IntegerType;
  const bits = bitsOf(to);
  const highest = b.constant(from, 2 ** (how === "signed" ? bits - 1 : bits) - 1, 0);
  if (how === "unsigned") return b.truncate(b.select(b.unsignedLess(highest, value), highest, value), to);
  const lowest = b.constant(from, -(2 ** (bits - 1)));
  const notAbove = b.select(b.signedLess(highest, value), highest, value);
  return b.truncate(b.select(b.signedLess(notAbove, lowest), lowest, notAbove), to);
}

const narrow =
  (from: IntegerType, to: IntegerType, how: Narrowing): Definition =>
  (b) => {
    const [target, source] = [b.operand(0), b.operand(1)];
    const elements = allElements(b, readLanes(b, source, "any", from), from).map((value) =>
      narrowed(b, value, to, how),
    );
    if (b.form.masking === "none") {
      writeLanes(b, target, lanesOf(b, elements, to), "any", to);
      return;
    }
    const chosen = opmaskBits(b, elements.length);
    if (target.shape === "memory") {
      storeChosen(b, chosen, lanesOf(b, elements, to), to);
      return;
    }
    const others = othersOf(b, target, elements.length, to);
    const result = elements.map((element, i) => b.select(chosen[i] as Value, element, others[i] as Value));
    writeWholeRegister(b, target, lanesOf(b, result, to));
  };

const TYPES = { b: "i8", w: "i16", d: "i32", q: "i64" } as const;
const NARROWED = ["wb", "db", "dw", "qb", "qw", "qd"] as const;
const HOW: readonly (readonly [string, Narrowing])[] = [
  ["", "truncate"],
  ["s", "signed"],
  ["us", "unsigned"],
];

const narrowing = HOW.flatMap(([infix, how]) =>
  NARROWED.map((pair) => {
    const [from, to] = [pair[0], pair[1]] as [keyof typeof TYPES, keyof typeof TYPES];
    return [`vpmov${infix}${pair}`, narrow(TYPES[from], TYPES[to], how)] as const;
  }),
);

const packing = (Object.entries(TYPES) as [string, IntegerType][]).flatMap(
  ([suffix, type]) =>
    [
      [`vpcompress${suffix}`, compress(type)],
      [`vpexpand${suffix}`, expand(type)],
    ] as const,
);

export const vectorPacking: Family = {
  name: "vector-packing",
  requires: vectorState,
  meanings: {
    vcompressps: compress("i32"),
    vcompresspd: compress("i64"),
    vexpandps: expand("i32"),
    vexpandpd: expand("i64"),
    ...(Object.fromEntries([...narrowing, ...packing]) as Partial<Record<MnemonicName, Definition>>),
  },
};
