/**
 * Vector operands of which some elements do not take part: by an opmask (EVEX), or by the signs of a vector (VMASKMOV). An
 * element that is left out is not accessed, so that it cannot fault either. All checks of a store come before its first
 * access, and so do those of a load, since reading a device may change it. Where eight bytes take part as a whole they are one
 * access. Intel SDM volume 1, 15.6; volume 2, 2.8.
 */
import type { Builder, Operand, Value } from "../ir/builder.ts";
import { bytesOf, type IntegerType } from "../ir/operation.ts";
import { Intent } from "../machine/machine.ts";
import { elementsOf, laneOf, zeroLane } from "./lane.ts";

const QUADWORD = 8;
const LANE = 16;

/** For each of `count` elements whether the opmask lets it take part. */
export function opmaskBits(b: Builder, count: number): Value[] {
  const mask = b.opmask();
  return Array.from({ length: count }, (_, i) => b.bit(mask, i));
}

/** Do any of them take part? */
export const anyOf = (b: Builder, chosen: readonly Value[]): Value => chosen.reduce((any, bit) => b.or(any, bit));

/** Eight bytes of memory, or all where there are fewer: what is accessed as a whole, and what by its elements. */
interface Quadword {
  readonly address: Value;
  /** All eight bytes take part; null where there are fewer. */
  readonly whole: Value | null;
  /** Elements that take part where the whole does not; none where an element is the whole. */
  readonly parts: readonly { readonly chosen: Value; readonly address: Value }[];
}

function quadwords(b: Builder, chosen: readonly Value[], type: IntegerType, intent: number): Quadword[] {
  const size = bytesOf(type);
  const perQuadword = QUADWORD / size;
  const result = Array.from({ length: Math.ceil(chosen.length / perQuadword) }, (_, q): Quadword => {
    const bits = chosen.slice(q * perQuadword, (q + 1) * perQuadword);
    const whole = bits.length < perQuadword ? null : bits.reduce((all, bit) => b.and(all, bit));
    const parts = bits.map((bit, i) => ({
      chosen: whole === null ? bit : b.and(bit, b.not(whole)),
      address: b.memoryAddress(q * QUADWORD + i * size),
    }));
    return { address: b.memoryAddress(q * QUADWORD), whole, parts: perQuadword === 1 ? [] : parts };
  });
  for (const { address, whole, parts } of result) {
    if (whole !== null) b.when(whole, () => b.probe("memory", address, QUADWORD, intent));
    for (const part of parts) b.when(part.chosen, () => b.probe("memory", part.address, size, intent));
  }
  return result;
}

/** The chosen elements of the memory operand in whole lanes; those left out are 0. */
export function loadChosen(b: Builder, chosen: readonly Value[], type: IntegerType): Value[] {
  const values = quadwords(b, chosen, type, Intent.read).map(({ address, whole, parts }) => {
    const all = whole === null ? b.constant("i64", 0) : b.loadIf(whole, "memory", address, "i64");
    if (parts.length === 0) return all;
    const elements = parts.map((part) => b.loadIf(part.chosen, "memory", part.address, type));
    return b.or(all, b.lane(laneOf(b, elements), "i64", 0));
  });
  const lanes: Value[] = [];
  for (let q = 0; q < values.length; q += 2) lanes.push(laneOf(b, values.slice(q, q + 2)));
  return lanes;
}

/** Writes the chosen elements to the memory operand. */
export function storeChosen(b: Builder, chosen: readonly Value[], lanes: readonly Value[], type: IntegerType): void {
  const perQuadword = QUADWORD / bytesOf(type);
  for (const [q, { address, whole, parts }] of quadwords(b, chosen, type, Intent.write).entries()) {
    const lane = lanes[q >> 1] as Value;
    const all = b.lane(lane, "i64", q & 1);
    if (whole !== null) b.when(whole, () => b.store("memory", address, all));
    for (const [i, part] of parts.entries()) {
      const element = b.lane(lane, type, (q & 1) * perQuadword + i);
      b.when(part.chosen, () => b.store("memory", part.address, element));
    }
  }
}

/** Elements of `lanes` where chosen, else of `others`. */
export function blend(
  b: Builder,
  chosen: readonly Value[],
  lanes: readonly Value[],
  others: readonly Value[],
  type: IntegerType,
): Value[] {
  const perLane = LANE / bytesOf(type);
  return lanes.map((lane, at) => {
    const old = elementsOf(b, others[at] as Value, type);
    const elements = elementsOf(b, lane, type);
    return laneOf(
      b,
      elements.map((element, i) => b.select(chosen[at * perLane + i] as Value, element, old[i] as Value)),
    );
  });
}

/** What the opmask leaves in a register target: its old elements when merging, else zeros. */
export function masked(b: Builder, target: Operand, lanes: readonly Value[], type: IntegerType): Value[] {
  const chosen = opmaskBits(b, (lanes.length * LANE) / bytesOf(type));
  const merging = b.form.masking === "merging";
  const others = lanes.map((_, i) => (merging ? b.operandRegister(target, "v128", LANE * i) : zeroLane(b)));
  return blend(b, chosen, lanes, others, type);
}
