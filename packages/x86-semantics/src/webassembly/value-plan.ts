/**
 * The plan of an Ir's values: which are needed at all, and which are computed where they are used instead of being kept
 * in a local. A value is computed at its use when it has one use, which takes it once, and when nothing that it reads
 * can change in between: registers and flags are read in the state before the instruction, so a read never moves across
 * a write or a call.
 */
import { usesOf } from "../ir/dataflow.ts";
import { STATUS_FLAGS } from "../ir/flag.ts";
import type { Operation, ValueOperation } from "../ir/operation.ts";

/**
 * Does the operation make its value and do nothing else, so that it may be left out when nobody uses the value? By name,
 * so that an operation that this compiler does not know is never left out but refused.
 */
const PURE: Readonly<Record<ValueOperation["op"], boolean>> = {
  const: true,
  const128: true,
  field: true,
  registerNumber: true,
  register: true,
  flag: true,
  effectiveAddress: true,
  linearAddress: true,
  load: false,
  loadIf: false,
  in: false,
  add: true,
  sub: true,
  mul: true,
  mulHighUnsigned: true,
  mulHighSigned: true,
  and: true,
  or: true,
  xor: true,
  divide: true,
  remainder: true,
  shl: true,
  shr: true,
  sar: true,
  rotl: true,
  rotr: true,
  eq: true,
  ult: true,
  slt: true,
  not: true,
  bswap: true,
  clz: true,
  ctz: true,
  popcnt: true,
  divideWide: true,
  remainderWide: true,
  parity: true,
  zext: true,
  sext: true,
  trunc: true,
  select: true,
  lane: true,
  withLane: true,
  shuffle: true,
  call: false,
  callSecond: true,
};
/** Operations whose code takes some operand more than once, so that the operand has to be in a local. */
const TAKES_TWICE: ReadonlySet<Operation["op"]> = new Set([
  "flags",
  "checkBranch",
  "load",
  "loadIf",
  "store",
  "probe",
  "call",
]);
/** Operations that read what a write or a call may change. */
const READS_STATE: ReadonlySet<Operation["op"]> = new Set(["register", "flag", "effectiveAddress", "linearAddress"]);
/** Operations that may change what others read. */
const CHANGES_STATE: ReadonlySet<Operation["op"]> = new Set(["setRegister", "setFlag", "flags", "call"]);

export interface ValuePlan {
  /** Must operation i be carried out? */
  readonly needed: Uint8Array;
  /** Is value i computed at its use? */
  readonly atUse: Uint8Array;
}

/** The flags (bits of RFLAGS) that an operation writes and that somebody wants. */
export function wantedFlags(operation: Operation, wanted: number): number {
  if (operation.op === "flags") return operation.mask & wanted;
  if (operation.op === "setFlag") return (1 << operation.bit) & (wanted | ~STATUS_FLAGS);
  return 0;
}

/** @param wanted - status flags that are read afterwards; writes of others are left out. */
export function planValues(operations: readonly Operation[], wanted: number): ValuePlan {
  const count = operations.length;
  const needed = new Uint8Array(count);
  const atUse = new Uint8Array(count);
  const uses = new Int32Array(count);
  const user = new Int32Array(count).fill(-1);
  /** How many state changes stand before operation i. */
  const changesBefore = new Int32Array(count + 1);
  operations.forEach((operation, i) => {
    changesBefore[i + 1] = (changesBefore[i] as number) + (CHANGES_STATE.has(operation.op) ? 1 : 0);
  });
  /** Where the code of value i stands in the end: its own place, or that of the operation it is computed in. */
  const place = new Int32Array(count);
  for (let i = count - 1; i >= 0; i--) {
    const operation = operations[i] as Operation;
    const isFlagWrite = operation.op === "flags" || operation.op === "setFlag";
    const pure = PURE[operation.op as ValueOperation["op"]] === true;
    const acts = isFlagWrite ? wantedFlags(operation, wanted) !== 0 : !pure;
    if (!acts && uses[i] === 0) continue;
    needed[i] = 1;
    place[i] = i;
    const target = user[i] as number;
    if (pure && operation.op !== "callSecond" && uses[i] === 1 && target >= 0) {
      const at = place[target] as number;
      if (!READS_STATE.has(operation.op) || changesBefore[at] === changesBefore[i]) {
        atUse[i] = 1;
        place[i] = at;
      }
    }
    const weight = TAKES_TWICE.has(operation.op) ? 2 : 1;
    for (const used of usesOf(operation)) {
      uses[used] = (uses[used] as number) + weight;
      user[used] = i;
    }
  }
  return { needed, atUse };
}
