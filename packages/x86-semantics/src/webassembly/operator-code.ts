/**
 * WebAssembly for the operators of the representation: values from values, with nothing read and nothing changed.
 * Narrow integers are i32 with zeros above their width, and stay so. Registers, memory and flags are in `emitter.ts`.
 */
import { bitsOf, type IntegerType, type Type, type ValueOperation } from "../ir/operation.ts";
import type { Code } from "./module/code.ts";
import type { LaneName, PlainName, ValueType } from "./module/instruction-set.ts";
import type { Routines } from "./routines.ts";

const OPERATOR_NAMES = [
  "add",
  "sub",
  "mul",
  "and",
  "or",
  "xor",
  "divide",
  "remainder",
  "mulHighUnsigned",
  "mulHighSigned",
  "divideWide",
  "remainderWide",
  "shl",
  "shr",
  "sar",
  "rotl",
  "rotr",
  "eq",
  "ult",
  "slt",
  "not",
  "bswap",
  "clz",
  "ctz",
  "popcnt",
  "parity",
  "zext",
  "sext",
  "trunc",
  "select",
  "lane",
  "withLane",
  "shuffle",
] as const;
/** An operation that makes a value of values and of nothing else. */
export type OperatorOperation = Extract<ValueOperation, { readonly op: (typeof OPERATOR_NAMES)[number] }>;

const OPERATOR_SET: ReadonlySet<string> = new Set(OPERATOR_NAMES);

export function isOperator(operation: ValueOperation): operation is OperatorOperation {
  return OPERATOR_SET.has(operation.op);
}

const LANES: Readonly<Record<IntegerType, { readonly extract: LaneName; readonly replace: LaneName }>> = {
  i8: { extract: "i8x16.extract_lane_u", replace: "i8x16.replace_lane" },
  i16: { extract: "i16x8.extract_lane_u", replace: "i16x8.replace_lane" },
  i32: { extract: "i32x4.extract_lane", replace: "i32x4.replace_lane" },
  i64: { extract: "i64x2.extract_lane", replace: "i64x2.replace_lane" },
};
/** The WebAssembly name of an operator, after the type and a point. */
const OPERATORS: Readonly<Record<string, string>> = {
  add: "add",
  sub: "sub",
  mul: "mul",
  and: "and",
  or: "or",
  xor: "xor",
  divide: "div_u",
  remainder: "rem_u",
  shl: "shl",
  shr: "shr_u",
  sar: "shr_s",
  rotl: "rotl",
  rotr: "rotr",
  eq: "eq",
  ult: "lt_u",
  slt: "lt_s",
  clz: "clz",
  ctz: "ctz",
  popcnt: "popcnt",
};

/** How a value of the type is kept. */
export function valueTypeOf(type: Type): ValueType {
  return type === "i64" || type === "v128" ? type : "i32";
}

/** What operators ask of the code around them. */
export interface OperandValues {
  push(index: number): void;
  typeOf(index: number): Type;
  /** Refuses the operation by name. */
  fail(op: string, why: string): never;
}

export class OperatorCode {
  readonly #code: Code;
  readonly #routines: Routines;
  readonly #values: OperandValues;

  constructor(code: Code, routines: Routines, values: OperandValues) {
    this.#code = code;
    this.#routines = routines;
    this.#values = values;
  }

  /** Pushes the operation's value. */
  push(operation: OperatorOperation): void {
    const code = this.#code;
    const { type } = operation;
    switch (operation.op) {
      case "add":
      case "sub":
      case "mul":
        this.#binary(operation.op, type, operation.a, operation.b);
        this.#mask(type);
        return;
      case "and":
      case "or":
      case "xor":
        if (type !== "v128") {
          this.#binary(operation.op, type, operation.a, operation.b);
          return;
        }
        this.#push(operation.a);
        this.#push(operation.b);
        code.op(`v128.${operation.op}`);
        return;
      case "divide":
      case "remainder":
        this.#binary(operation.op, type, operation.a, operation.b);
        return;
      case "mulHighUnsigned":
      case "mulHighSigned":
        this.#push(operation.a);
        this.#push(operation.b);
        code.call(this.#routines.get(operation.op));
        return;
      case "divideWide":
      case "remainderWide":
        this.#push(operation.upper);
        this.#push(operation.lower);
        this.#push(operation.b);
        code.call(this.#routines.get(operation.op));
        return;
      case "shl":
      case "shr":
      case "sar":
      case "rotl":
      case "rotr":
        // Narrower shifts would have to say what becomes of the bits above; the builder makes none.
        if (type !== "i32" && type !== "i64") this.#fail(operation.op, `of ${type}`);
        this.#push(operation.a);
        this.#push(operation.count);
        if (type === "i64") code.op("i64.extend_i32_u");
        this.#operator(operation.op, type);
        return;
      case "eq":
      case "ult":
      case "slt":
        this.#compare(operation.op, operation.a, operation.b);
        return;
      case "not":
        this.#not(type, operation.a);
        return;
      case "bswap":
        this.#byteSwap(type, operation.a);
        return;
      case "clz":
      case "ctz":
      case "popcnt":
        if (type !== "i32" && type !== "i64") this.#fail(operation.op, `of ${type}`);
        this.#push(operation.a);
        this.#operator(operation.op, type);
        return;
      case "parity":
        this.#push(operation.a);
        code.op("i32.popcnt");
        code.i32(1);
        code.op("i32.and");
        code.op("i32.eqz");
        return;
      case "zext":
        this.#zeroExtend(type, operation.a);
        return;
      case "sext":
        this.#signExtend(operation.type, operation.a);
        return;
      case "trunc":
        this.#truncate(type, operation.a);
        return;
      case "select":
        this.#push(operation.a);
        this.#push(operation.b);
        this.#push(operation.condition);
        code.select();
        return;
      case "lane":
        this.#push(operation.a);
        code.lane(LANES[operation.type].extract, operation.lane);
        return;
      case "withLane": {
        const lane = this.#typeOf(operation.value);
        if (lane === "i1" || lane === "v128") this.#fail(operation.op, `a lane of ${lane}`);
        this.#push(operation.a);
        this.#push(operation.value);
        code.lane(LANES[lane].replace, operation.lane);
        return;
      }
      case "shuffle":
        this.#push(operation.a);
        this.#push(operation.b);
        code.shuffle(operation.bytes);
        return;
    }
  }

  #push(index: number): void {
    this.#values.push(index);
  }
  #typeOf(index: number): Type {
    return this.#values.typeOf(index);
  }
  #fail(op: string, why: string): never {
    return this.#values.fail(op, why);
  }

  #operator(op: string, type: Type): void {
    if (type === "v128") this.#fail(op, "of v128");
    this.#code.op(`${valueTypeOf(type)}.${OPERATORS[op]}` as PlainName);
  }
  #binary(op: string, type: Type, a: number, b: number): void {
    this.#push(a);
    this.#push(b);
    this.#operator(op, type);
  }

  /** Clears the bits above a narrow type. */
  #mask(type: Type): void {
    if (bitsOf(type) >= 32) return;
    this.#code.i32(maskOf(type));
    this.#code.op("i32.and");
  }

  /** From a zero-extended narrow value to one sign-extended to 32 bits. */
  #signExtend32(type: Type): void {
    const code = this.#code;
    if (type === "i8") code.op("i32.extend8_s");
    else if (type === "i16") code.op("i32.extend16_s");
    else if (type === "i1") {
      code.i32(31);
      code.op("i32.shl");
      code.i32(31);
      code.op("i32.shr_s");
    }
  }

  #compare(op: "eq" | "ult" | "slt", a: number, b: number): void {
    const type = this.#typeOf(a);
    for (const value of [a, b]) {
      this.#push(value);
      if (op === "slt") this.#signExtend32(type);
    }
    this.#operator(op, type);
  }

  #not(type: Type, a: number): void {
    const code = this.#code;
    this.#push(a);
    if (type === "v128") {
      code.op("v128.not");
      return;
    }
    if (type === "i64") {
      code.i64(-1);
      code.op("i64.xor");
      return;
    }
    code.i32(maskOf(type));
    code.op("i32.xor");
  }

  #byteSwap(type: Type, a: number): void {
    const code = this.#code;
    this.#push(a);
    if (type === "i64") {
      code.call(this.#routines.get("byteSwap64"));
      return;
    }
    if (type !== "i32" && type !== "i16") this.#fail("bswap", `of ${type}`);
    code.call(this.#routines.get("byteSwap32"));
    if (type === "i32") return;
    code.i32(16);
    code.op("i32.shr_u");
  }

  #zeroExtend(type: Type, a: number): void {
    const code = this.#code;
    const source = valueTypeOf(this.#typeOf(a));
    if (type === "v128") {
      code.v128([0, 0, 0, 0]);
      this.#push(a);
      if (source === "i32") code.op("i64.extend_i32_u");
      code.lane("i64x2.replace_lane", 0);
      return;
    }
    this.#push(a);
    if (type === "i64" && source === "i32") code.op("i64.extend_i32_u");
  }

  #signExtend(type: IntegerType, a: number): void {
    this.#push(a);
    this.#signExtend32(this.#typeOf(a));
    if (type === "i64") this.#code.op("i64.extend_i32_s");
    else this.#mask(type);
  }

  #truncate(type: Type, a: number): void {
    const code = this.#code;
    this.#push(a);
    const source = this.#typeOf(a);
    if (source === "v128") {
      if (type === "i64") {
        code.lane("i64x2.extract_lane", 0);
        return;
      }
      code.lane("i32x4.extract_lane", 0);
    } else if (source === "i64") {
      code.op("i32.wrap_i64");
    }
    this.#mask(type);
  }
}

/** Mask of a type of less than 32 bits; all ones for the others. */
export function maskOf(type: Type): number {
  const bits = bitsOf(type);
  return bits < 32 ? (1 << bits) - 1 : -1;
}
