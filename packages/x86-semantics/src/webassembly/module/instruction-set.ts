/**
 * The WebAssembly instructions that the compiler emits: binary code and stack signature of each (WebAssembly core
 * specification 2.0, chapter 5.4 and index of instructions; memory instructions name their natural alignment). Control
 * instructions, locals and constants carry immediates of their own and are methods of `Code` in `code.ts`.
 */

/** Types of values. @public */
export type ValueType = "i32" | "i64" | "v128";

/** Binary codes of value types, and of the empty block type. */
export const TYPE_CODE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };
export const EMPTY_BLOCK = 0x40;

/** Prefix byte of SIMD instructions. */
export const SIMD_PREFIX = 0xfd;

/** Code, operands, result. Codes of 0x100 and more are SIMD: the prefix byte, then the code less 0x100 as LEB128. */
export interface PlainInstruction {
  readonly code: number;
  readonly operands: readonly ValueType[];
  readonly result: ValueType | null;
}

const SIMD = 0x100;
const row = (code: number, operands: readonly ValueType[], result: ValueType | null): PlainInstruction => ({
  code,
  operands,
  result,
});
const I: readonly ValueType[] = ["i32"];
const II: readonly ValueType[] = ["i32", "i32"];
const L: readonly ValueType[] = ["i64"];
const LL: readonly ValueType[] = ["i64", "i64"];
const V: readonly ValueType[] = ["v128"];
const VV: readonly ValueType[] = ["v128", "v128"];

/** Instructions without immediates. */
export const PLAIN = {
  "i32.eqz": row(0x45, I, "i32"),
  "i32.eq": row(0x46, II, "i32"),
  "i32.ne": row(0x47, II, "i32"),
  "i32.lt_s": row(0x48, II, "i32"),
  "i32.lt_u": row(0x49, II, "i32"),
  "i32.gt_u": row(0x4b, II, "i32"),
  "i32.ge_u": row(0x4f, II, "i32"),
  "i64.eqz": row(0x50, L, "i32"),
  "i64.eq": row(0x51, LL, "i32"),
  "i64.ne": row(0x52, LL, "i32"),
  "i64.lt_s": row(0x53, LL, "i32"),
  "i64.lt_u": row(0x54, LL, "i32"),
  "i64.gt_u": row(0x56, LL, "i32"),
  "i64.le_s": row(0x57, LL, "i32"),
  "i64.ge_u": row(0x5a, LL, "i32"),

  "i32.clz": row(0x67, I, "i32"),
  "i32.ctz": row(0x68, I, "i32"),
  "i32.popcnt": row(0x69, I, "i32"),
  "i32.add": row(0x6a, II, "i32"),
  "i32.sub": row(0x6b, II, "i32"),
  "i32.mul": row(0x6c, II, "i32"),
  "i32.div_u": row(0x6e, II, "i32"),
  "i32.rem_u": row(0x70, II, "i32"),
  "i32.and": row(0x71, II, "i32"),
  "i32.or": row(0x72, II, "i32"),
  "i32.xor": row(0x73, II, "i32"),
  "i32.shl": row(0x74, II, "i32"),
  "i32.shr_s": row(0x75, II, "i32"),
  "i32.shr_u": row(0x76, II, "i32"),
  "i32.rotl": row(0x77, II, "i32"),
  "i32.rotr": row(0x78, II, "i32"),

  "i64.clz": row(0x79, L, "i64"),
  "i64.ctz": row(0x7a, L, "i64"),
  "i64.popcnt": row(0x7b, L, "i64"),
  "i64.add": row(0x7c, LL, "i64"),
  "i64.sub": row(0x7d, LL, "i64"),
  "i64.mul": row(0x7e, LL, "i64"),
  "i64.div_u": row(0x80, LL, "i64"),
  "i64.rem_u": row(0x82, LL, "i64"),
  "i64.and": row(0x83, LL, "i64"),
  "i64.or": row(0x84, LL, "i64"),
  "i64.xor": row(0x85, LL, "i64"),
  "i64.shl": row(0x86, LL, "i64"),
  "i64.shr_s": row(0x87, LL, "i64"),
  "i64.shr_u": row(0x88, LL, "i64"),
  "i64.rotl": row(0x89, LL, "i64"),
  "i64.rotr": row(0x8a, LL, "i64"),

  "i32.wrap_i64": row(0xa7, L, "i32"),
  "i64.extend_i32_s": row(0xac, I, "i64"),
  "i64.extend_i32_u": row(0xad, I, "i64"),
  "i32.extend8_s": row(0xc0, I, "i32"),
  "i32.extend16_s": row(0xc1, I, "i32"),

  "i64x2.splat": row(SIMD + 0x12, L, "v128"),
  "v128.not": row(SIMD + 0x4d, V, "v128"),
  "v128.and": row(SIMD + 0x4e, VV, "v128"),
  "v128.or": row(SIMD + 0x50, VV, "v128"),
  "v128.xor": row(SIMD + 0x51, VV, "v128"),
} as const satisfies Record<string, PlainInstruction>;
/** Names of instructions without immediates, in the specification's text format. @public */
export type PlainName = keyof typeof PLAIN;

/** Instructions with a lane number. `operands` of replace_lane: the vector, then the lane's new value. */
export const LANE = {
  "i8x16.extract_lane_u": row(SIMD + 0x16, V, "i32"),
  "i8x16.replace_lane": row(SIMD + 0x17, ["v128", "i32"], "v128"),
  "i16x8.extract_lane_u": row(SIMD + 0x19, V, "i32"),
  "i16x8.replace_lane": row(SIMD + 0x1a, ["v128", "i32"], "v128"),
  "i32x4.extract_lane": row(SIMD + 0x1b, V, "i32"),
  "i32x4.replace_lane": row(SIMD + 0x1c, ["v128", "i32"], "v128"),
  "i64x2.extract_lane": row(SIMD + 0x1d, V, "i64"),
  "i64x2.replace_lane": row(SIMD + 0x1e, ["v128", "i64"], "v128"),
} as const satisfies Record<string, PlainInstruction>;
/** Names of instructions with a lane number. @public */
export type LaneName = keyof typeof LANE;

/** A memory instruction: `value` is what it loads or stores, `alignment` the base-2 logarithm of the natural one. */
export interface MemoryInstruction {
  readonly code: number;
  readonly value: ValueType;
  readonly alignment: number;
}
const memory = (code: number, value: ValueType, alignment: number): MemoryInstruction => ({ code, value, alignment });

export const LOAD = {
  "i32.load": memory(0x28, "i32", 2),
  "i64.load": memory(0x29, "i64", 3),
  "i32.load8_u": memory(0x2d, "i32", 0),
  "i32.load16_u": memory(0x2f, "i32", 1),
  "i64.load8_u": memory(0x31, "i64", 0),
  "i64.load16_u": memory(0x33, "i64", 1),
  "i64.load32_u": memory(0x35, "i64", 2),
  "v128.load": memory(SIMD + 0x00, "v128", 4),
} as const satisfies Record<string, MemoryInstruction>;
/** Names of loads. @public */
export type LoadName = keyof typeof LOAD;

export const STORE = {
  "i32.store": memory(0x36, "i32", 2),
  "i64.store": memory(0x37, "i64", 3),
  "i32.store8": memory(0x3a, "i32", 0),
  "i32.store16": memory(0x3b, "i32", 1),
  "v128.store": memory(SIMD + 0x0b, "v128", 4),
} as const satisfies Record<string, MemoryInstruction>;
/** Names of stores. @public */
export type StoreName = keyof typeof STORE;

/** Codes of the instructions that `Code` has methods for. */
export const CONTROL = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  branchTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  v128Const: SIMD + 0x0c,
  shuffle: SIMD + 0x0d,
} as const;
