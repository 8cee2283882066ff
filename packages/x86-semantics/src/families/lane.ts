/** A vector register's 128-bit lanes and their elements, as values of a definition. Operands are not here. */
import type { Builder, Value } from "../ir/builder.ts";
import { bytesOf, type IntegerType } from "../ir/operation.ts";

/** Bytes. */
const LANE = 16;

export const zeroLane = (b: Builder): Value => b.constant128([0, 0, 0, 0]);

/** The elements of a lane, lowest first. */
export function elementsOf(b: Builder, lane: Value, type: IntegerType): Value[] {
  return Array.from({ length: LANE / bytesOf(type) }, (_, i) => b.lane(lane, type, i));
}

/** A lane from its elements. */
export function laneOf(b: Builder, elements: readonly Value[]): Value {
  return elements.reduce((lane, element, i) => b.withLane(lane, i, element), zeroLane(b));
}
