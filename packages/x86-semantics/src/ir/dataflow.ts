/**
 * The operations of an Ir as a graph: which make values, which can stop the instruction, what uses what, and the removal of
 * values that nothing uses.
 */
import type { Operation, ValueOperation } from "./operation.ts";

/** Operations that can end the instruction; queued writes come after the last of them. */
const CAN_STOP: ReadonlySet<Operation["op"]> = new Set([
  "load",
  "loadIf",
  "store",
  "in",
  "out",
  "probe",
  "faultIf",
  "checkBranch",
  "call",
  "if",
  "endIf",
]);
const EFFECTS: ReadonlySet<Operation["op"]> = new Set([
  "store",
  "out",
  "probe",
  "faultIf",
  "checkBranch",
  "if",
  "endIf",
  "setRegister",
  "setFlag",
  "flags",
]);

/**
 * Does the operation possibly end the instruction before its end?
 *
 * @example
 * ```ts
 * import { canStop } from "@whvkit/x86-semantics";
 * canStop({ op: "in", type: "i8", port: 0 }); // true
 * canStop({ op: "add", type: "i32", a: 0, b: 1 }); // false
 * ```
 *
 * @public
 */
export function canStop(operation: Operation): boolean {
  return CAN_STOP.has(operation.op);
}

/**
 * Does the operation make a value?
 *
 * @example
 * ```ts
 * import { makesValue } from "@whvkit/x86-semantics";
 * makesValue({ op: "add", type: "i32", a: 0, b: 1 }); // true
 * makesValue({ op: "out", port: 0, value: 1 }); // false
 * ```
 *
 * @public
 */
export function makesValue(operation: Operation): operation is ValueOperation {
  return !EFFECTS.has(operation.op);
}

/**
 * The values that an operation uses.
 *
 * @example
 * ```ts
 * import { usesOf } from "@whvkit/x86-semantics";
 * usesOf({ op: "add", type: "i32", a: 3, b: 5 }); // [3, 5]
 * usesOf({ op: "const", type: "i8", low: 1, high: 0 }); // []
 * ```
 *
 * @public
 */
export function usesOf(operation: Operation): number[] {
  const uses: number[] = [];
  const fields = operation as unknown as Readonly<Record<string, unknown>>;
  for (const name of VALUE_FIELDS) {
    const value = fields[name];
    if (typeof value === "number") uses.push(value);
  }
  return uses;
}
const VALUE_FIELDS = [
  "a",
  "b",
  "c",
  "count",
  "condition",
  "upper",
  "lower",
  "value",
  "address",
  "offset",
  "port",
  "target",
  "x",
  "y",
  "r",
  "call",
] as const;

/** Drops values that nothing uses and renumbers the rest. */
export function removeUnused(operations: readonly Operation[]): Operation[] {
  const used = new Uint8Array(operations.length);
  for (let i = operations.length - 1; i >= 0; i--) {
    const operation = operations[i] as Operation;
    if (makesValue(operation) && !canStop(operation) && used[i] === 0) continue;
    used[i] = 1;
    for (const use of usesOf(operation)) used[use] = 1;
  }
  const place = new Int32Array(operations.length);
  const kept: Operation[] = [];
  operations.forEach((operation, i) => {
    if (used[i] === 0) return;
    place[i] = kept.length;
    kept.push(renumber(operation, place));
  });
  return kept;
}

function renumber(operation: Operation, place: Int32Array): Operation {
  const copy: Record<string, unknown> = { ...operation };
  for (const name of VALUE_FIELDS) {
    const value = copy[name];
    if (typeof value === "number") copy[name] = place[value];
  }
  return copy as unknown as Operation;
}
