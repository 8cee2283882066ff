/**
 * Functions that compiled code shares because they are too long to stand at every use: what WebAssembly lacks of 64-bit
 * arithmetic (upper half of a product, 128-bit division, byte swap) and the status flags of a group kept for later. A
 * routine joins the module when it is first asked for.
 */
import { bitsOf, type FlagsKind, type IntegerType } from "../ir/operation.ts";
import { expandFlags, hasCount } from "./flag-expansion.ts";
import type { Code, FunctionReference, FunctionType, Local } from "./module/code.ts";
import type { ModuleWriter } from "./module/module.ts";

/** Names of the arithmetic routines. @public */
export type RoutineName =
  | "mulHighUnsigned"
  | "mulHighSigned"
  | "divideWide"
  | "remainderWide"
  | "byteSwap32"
  | "byteSwap64";

const I64_2: FunctionType = { parameters: ["i64", "i64"], result: "i64" };
const I64_3: FunctionType = { parameters: ["i64", "i64", "i64"], result: "i64" };
const TYPES: Readonly<Record<RoutineName, FunctionType>> = {
  mulHighUnsigned: I64_2,
  mulHighSigned: I64_2,
  divideWide: I64_3,
  remainderWide: I64_3,
  byteSwap32: { parameters: ["i32"], result: "i32" },
  byteSwap64: { parameters: ["i64"], result: "i64" },
};

/** Kinds and types of flag groups in the order of their numbers: `4 * kind + type`. */
export const FLAGS_KINDS: readonly FlagsKind[] = ["add", "sub", "logic", "shl", "shr", "sar", "rol", "ror"];
export const FLAGS_TYPES: readonly IntegerType[] = ["i8", "i16", "i32", "i64"];

/**
 * The number of a group's formula, as the routine `statusFlags` takes it.
 *
 * @example
 * ```ts
 * import { flagsFormula } from "@whvkit/x86-semantics";
 * flagsFormula("add", "i8"); // 0
 * flagsFormula("sub", "i32") !== flagsFormula("sub", "i64"); // true
 * ```
 *
 * @public
 */
export function flagsFormula(kind: FlagsKind, type: IntegerType): number {
  return 4 * FLAGS_KINDS.indexOf(kind) + FLAGS_TYPES.indexOf(type);
}

/**
 * The routines of one module.
 *
 * @example
 * ```ts
 * import { ModuleWriter, Routines } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i64");
 * const routines = new Routines(module);
 * const { name } = routines.get("byteSwap32");
 * routines.get("byteSwap32").name === name; // true
 * ```
 *
 * @public
 */
export class Routines {
  readonly #module: ModuleWriter;
  readonly #known = new Map<string, FunctionReference>();

  constructor(module: ModuleWriter) {
    this.#module = module;
  }

  /** The function of a name; it is written when first asked for. */
  get(name: RoutineName): FunctionReference {
    return this.#routine(name, TYPES[name], (code) => this.#body(name, code));
  }

  #routine(name: string, type: FunctionType, write: (code: Code) => void): FunctionReference {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const { reference, code } = this.#module.function(name, type);
    this.#known.set(name, reference);
    write(code);
    return reference;
  }

  #body(name: RoutineName, code: Code): void {
    switch (name) {
      case "mulHighUnsigned":
        writeMulHighUnsigned(code);
        return;
      case "mulHighSigned":
        writeMulHighSigned(code, this.get("mulHighUnsigned"));
        return;
      case "divideWide":
      case "remainderWide":
        writeDivideWide(code, name === "remainderWide");
        return;
      case "byteSwap32":
        writeByteSwap32(code);
        return;
      case "byteSwap64":
        writeByteSwap64(code);
        return;
    }
  }

  /**
   * All status flags of a group, given the number of its formula and its values as i64: (formula, x, y, r) to RFLAGS bits.
   * A count must not be 0: such a group changes no flag.
   */
  statusFlags(): FunctionReference {
    return this.#routine("statusFlags", { parameters: ["i32", "i64", "i64", "i64"], result: "i32" }, (code) => {
      const otherwise = code.block();
      const formulas = FLAGS_KINDS.flatMap((kind) => FLAGS_TYPES.map((type) => ({ kind, type })));
      const labels = formulas.map(() => code.block()).reverse();
      code.get(code.parameter(0));
      code.branchTable(labels, otherwise);
      for (const { kind, type } of formulas) {
        code.end();
        const values = ([1, 2, 3] as const).map((parameter) => {
          const narrow = bitsOf(type) < 64 || (parameter === 2 && hasCount(kind));
          code.get(code.parameter(parameter));
          if (narrow) code.op("i32.wrap_i64");
          const local = code.local(narrow ? "i32" : "i64");
          code.set(local);
          return local;
        });
        expandFlags(code, { kind, type, x: values[0] as Local, y: values[1] as Local, r: values[2] as Local }, -1);
        code.return();
      }
      code.end();
      code.unreachable();
    });
  }
}

/** Pushes the upper (unsigned) or the lower 32 bits of an i64. */
function half(code: Code, value: Local, upper: boolean): void {
  code.get(value);
  if (upper) {
    code.i64(32);
    code.op("i64.shr_u");
  } else {
    code.i64(-1, 0);
    code.op("i64.and");
  }
}

/**
 * Schoolbook product in base 2^32. With a = a1:a0 and b = b1:b0: m = a1 * b0 + (a0 * b0 >> 32) and
 * n = a0 * b1 + (m mod 2^32) fit in 64 bits, and the upper half is a1 * b1 + (m >> 32) + (n >> 32).
 */
function writeMulHighUnsigned(code: Code): void {
  const [a, b] = [code.parameter(0), code.parameter(1)];
  const m = code.local("i64");
  half(code, a, true);
  half(code, b, false);
  code.op("i64.mul");
  half(code, a, false);
  half(code, b, false);
  code.op("i64.mul");
  code.i64(32);
  code.op("i64.shr_u");
  code.op("i64.add");
  code.set(m);

  half(code, a, true);
  half(code, b, true);
  code.op("i64.mul");
  half(code, m, true);
  code.op("i64.add");
  half(code, a, false);
  half(code, b, true);
  code.op("i64.mul");
  half(code, m, false);
  code.op("i64.add");
  code.i64(32);
  code.op("i64.shr_u");
  code.op("i64.add");
}

/** Signed from unsigned: less b where a is negative, less a where b is. */
function writeMulHighSigned(code: Code, unsigned: FunctionReference): void {
  const [a, b] = [code.parameter(0), code.parameter(1)];
  code.get(a);
  code.get(b);
  code.call(unsigned);
  for (const [sign, other] of [
    [a, b],
    [b, a],
  ] as const) {
    code.get(sign);
    code.i64(63);
    code.op("i64.shr_s");
    code.get(other);
    code.op("i64.and");
    code.op("i64.sub");
  }
}

/**
 * Division of upper:lower by b, upper < b, in two digits of 32 bits. b is shifted up until its highest bit is set, the
 * dividend by as much; then a digit guessed from b's upper half is too large by at most 2, which two comparisons find
 * (Knuth, The Art of Computer Programming volume 2, 4.3.1, algorithm D).
 */
function writeDivideWide(code: Code, remainder: boolean): void {
  const [upper, lower, b] = [code.parameter(0), code.parameter(1), code.parameter(2)];
  // A quotient of 64 by 64 bits is one instruction.
  code.get(upper);
  code.op("i64.eqz");
  code.if();
  code.get(lower);
  code.get(b);
  code.op(remainder ? "i64.rem_u" : "i64.div_u");
  code.return();
  code.end();

  const shift = code.local("i64");
  code.get(b);
  code.op("i64.clz");
  code.set(shift);
  // upper = upper << shift | lower >> 64 - shift, without a shift by 64 where shift is 0
  code.get(upper);
  code.get(shift);
  code.op("i64.shl");
  code.get(lower);
  code.i64(1);
  code.op("i64.shr_u");
  code.i64(63);
  code.get(shift);
  code.op("i64.sub");
  code.op("i64.shr_u");
  code.op("i64.or");
  code.set(upper);
  for (const value of [lower, b]) {
    code.get(value);
    code.get(shift);
    code.op("i64.shl");
    code.set(value);
  }

  const high = code.local("i64");
  const low = code.local("i64");
  writeDigit(code, upper, lower, b, true, high);
  writeDigit(code, upper, lower, b, false, low);
  if (remainder) {
    code.get(upper);
    code.get(shift);
    code.op("i64.shr_u");
  } else {
    code.get(high);
    code.i64(32);
    code.op("i64.shl");
    code.get(low);
    code.op("i64.or");
  }
}

/** digit = upper:(half of lower) / b, and upper = the remainder of that. upper < b and b has its highest bit set. */
function writeDigit(code: Code, upper: Local, lower: Local, b: Local, upperHalf: boolean, digit: Local): void {
  const rest = code.local("i64");
  code.get(upper);
  half(code, b, true);
  code.op("i64.div_u");
  code.set(digit);
  code.get(upper);
  half(code, b, true);
  code.op("i64.rem_u");
  code.set(rest);
  const exact = code.block();
  const again = code.loop();
  // Too large when it does not fit in 32 bits or digit * b0 > rest:(half of lower).
  code.get(digit);
  code.i64(32);
  code.op("i64.shr_u");
  code.op("i64.eqz");
  code.if();
  code.get(digit);
  half(code, b, false);
  code.op("i64.mul");
  code.get(rest);
  code.i64(32);
  code.op("i64.shl");
  half(code, lower, upperHalf);
  code.op("i64.or");
  code.op("i64.gt_u");
  code.op("i32.eqz");
  code.branchIf(exact);
  code.end();
  code.get(digit);
  code.i64(1);
  code.op("i64.sub");
  code.set(digit);
  code.get(rest);
  half(code, b, true);
  code.op("i64.add");
  code.tee(rest);
  // Once the rest needs more than 32 bits the digit is right.
  code.i64(32);
  code.op("i64.shr_u");
  code.op("i64.eqz");
  code.branchIf(again);
  code.end();
  code.end();
  // upper = (upper:half) - digit * b, modulo 2^64
  code.get(upper);
  code.i64(32);
  code.op("i64.shl");
  half(code, lower, upperHalf);
  code.op("i64.or");
  code.get(digit);
  code.get(b);
  code.op("i64.mul");
  code.op("i64.sub");
  code.set(upper);
}

/** Bytes 0 and 2 go left by 8 (with wrap-around), bytes 1 and 3 right by 8. */
function writeByteSwap32(code: Code): void {
  const value = code.parameter(0);
  code.get(value);
  code.i32(8);
  code.op("i32.rotl");
  code.i32(0x00ff_00ff);
  code.op("i32.and");
  code.get(value);
  code.i32(8);
  code.op("i32.rotr");
  code.i32(0xff00_ff00 | 0);
  code.op("i32.and");
  code.op("i32.or");
}

function writeByteSwap64(code: Code): void {
  code.get(code.parameter(0));
  code.op("i64x2.splat");
  code.get(code.parameter(0));
  code.op("i64x2.splat");
  code.shuffle([7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8]);
  code.lane("i64x2.extract_lane", 0);
}
