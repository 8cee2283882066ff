/**
 * Holds each operator of the representation, compiled, to its definition in arbitrary-precision integers: at the ends of
 * the ranges and on random values. The evaluator has no part in it.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Abort,
  Builder,
  bitsOf,
  compileForms,
  DEFAULT_OPTIONS,
  type FlagsKind,
  type Form,
  type FormsInstance,
  flagsFormula,
  type IntegerType,
  type Ir,
  instantiateForms,
  type Operation,
  ProcessorState,
  RegisterOffset,
  STATUS_FLAGS,
  type Type,
  type Value,
} from "../../src/index.ts";
import { HashedMachine } from "./hashed-machine.ts";

const SEED = 20_261_123;
const FORM: Form = {
  mnemonic: "nop",
  operands: [],
  operandSize: 8,
  addressSize: 8,
  vectorLength: 0,
  long: true,
  lock: false,
  masking: "none",
  broadcast: 0,
  immediate: null,
  immediate2: null,
  options: DEFAULT_OPTIONS,
};
/** Where arguments stand and the result goes: vector registers, so that all types have room. */
const [A, B, C, RESULT] = [0, 1, 2, 3].map((n) => RegisterOffset.vector + 64 * n) as [number, number, number, number];
const RECORD = 8192;

const memory = new WebAssembly.Memory({ initial: 1 });
const state = new ProcessorState(memory.buffer, 0);
const machine = new HashedMachine(state.registers, state.data);
const run = (define: (b: Builder) => void): FormsInstance => {
  const b = new Builder(FORM);
  define(b);
  return instantiateForms(compileForms([b.finish()]), memory, machine);
};

const mask = (type: Type): bigint => (1n << BigInt(bitsOf(type))) - 1n;
const signed = (value: bigint, type: Type): bigint => BigInt.asIntN(bitsOf(type), value);

function put(offset: number, value: bigint): void {
  state.registers.set64(offset, value & mask("i64"));
  state.registers.set64(offset + 8, value >> 64n);
}
const take = (offset: number): bigint => state.registers.get64(offset) | (state.registers.get64(offset + 8) << 64n);

const boundaries = (type: Type): bigint[] => {
  const all = mask(type);
  const top = (all >> 1n) + 1n;
  return [0n, 1n, 2n, top - 1n, top, top + 1n, all - 1n, all].map((value) => value & all);
};
/** Any value of a type, the ends of its range often. */
const anyValue = (type: Type): fc.Arbitrary<bigint> =>
  fc.oneof(fc.constantFrom(...boundaries(type)), fc.bigInt({ min: 0n, max: mask(type) }));

/** A value of type i1 comes from bit 0 of a byte. */
const argument = (b: Builder, offset: number, type: Type): Value =>
  type === "i1" ? b.truncate(b.registerAt(offset, "i8"), "i1") : b.registerAt(offset, type);
/** Stored whole: bits above the type would show. */
const store = (b: Builder, value: Value): void =>
  b.setRegisterAt(RESULT, 16, value.type === "v128" ? value : b.zeroExtend(value, "v128"));

interface Operator {
  readonly name: string;
  readonly types: readonly Type[];
  readonly define: (b: Builder, x: Value, y: Value) => Value;
  readonly means: (x: bigint, y: bigint, type: Type) => bigint;
  /** Type of y where it is not that of x. */
  readonly second?: Type;
}

const INTEGERS: readonly Type[] = ["i8", "i16", "i32", "i64"];
const WORDS: readonly Type[] = ["i32", "i64"];
const ALL: readonly Type[] = ["i1", ...INTEGERS, "v128"];
const WIDTH = (type: Type): bigint => BigInt(bitsOf(type));
const count = (y: bigint, type: Type): bigint => y % WIDTH(type);
const rotate = (x: bigint, n: bigint, type: Type): bigint => ((x << n) | (x >> (WIDTH(type) - n))) & mask(type);
const onesOf = (x: bigint): number => x.toString(2).replaceAll("0", "").length;
const bytesOf = (x: bigint, type: Type): string => x.toString(16).padStart(bitsOf(type) / 4, "0");

const OPERATORS: readonly Operator[] = [
  { name: "add", types: INTEGERS, define: (b, x, y) => b.add(x, y), means: (x, y) => x + y },
  { name: "sub", types: INTEGERS, define: (b, x, y) => b.sub(x, y), means: (x, y) => x - y },
  { name: "mul", types: INTEGERS, define: (b, x, y) => b.mul(x, y), means: (x, y) => x * y },
  {
    name: "mulHighUnsigned",
    types: ["i64"],
    define: (b, x, y) => b.mulHigh(x, y, false),
    means: (x, y) => (x * y) >> 64n,
  },
  {
    name: "mulHighSigned",
    types: ["i64"],
    define: (b, x, y) => b.mulHigh(x, y, true),
    means: (x, y, type) => (signed(x, type) * signed(y, type)) >> 64n,
  },
  { name: "and", types: ALL, define: (b, x, y) => b.and(x, y), means: (x, y) => x & y },
  { name: "or", types: ALL, define: (b, x, y) => b.or(x, y), means: (x, y) => x | y },
  { name: "xor", types: ALL, define: (b, x, y) => b.xor(x, y), means: (x, y) => x ^ y },
  { name: "not", types: ALL, define: (b, x) => b.not(x), means: (x) => ~x },
  {
    name: "divide",
    types: WORDS,
    // The divisor must not be 0: 1 stands for it.
    define: (b, x, y) => b.divide(x, b.or(y, b.constant(y.type as IntegerType, 1))),
    means: (x, y) => x / (y | 1n),
  },
  {
    name: "remainder",
    types: WORDS,
    define: (b, x, y) => b.remainder(x, b.or(y, b.constant(y.type as IntegerType, 1))),
    means: (x, y) => x % (y | 1n),
  },
  { name: "shl", types: WORDS, second: "i32", define: (b, x, y) => b.shl(x, y), means: (x, y, t) => x << count(y, t) },
  { name: "shr", types: WORDS, second: "i32", define: (b, x, y) => b.shr(x, y), means: (x, y, t) => x >> count(y, t) },
  {
    name: "sar",
    types: WORDS,
    second: "i32",
    define: (b, x, y) => b.sar(x, y),
    means: (x, y, t) => signed(x, t) >> count(y, t),
  },
  {
    name: "rotl",
    types: WORDS,
    second: "i32",
    define: (b, x, y) => b.rotl(x, y),
    means: (x, y, t) => rotate(x, count(y, t), t),
  },
  {
    name: "rotr",
    types: WORDS,
    second: "i32",
    define: (b, x, y) => b.rotr(x, y),
    means: (x, y, t) => rotate(x, WIDTH(t) - count(y, t), t),
  },
  { name: "eq", types: INTEGERS, define: (b, x, y) => b.equal(x, y), means: (x, y) => BigInt(x === y) },
  { name: "ult", types: INTEGERS, define: (b, x, y) => b.unsignedLess(x, y), means: (x, y) => BigInt(x < y) },
  {
    name: "slt",
    types: INTEGERS,
    define: (b, x, y) => b.signedLess(x, y),
    means: (x, y, t) => BigInt(signed(x, t) < signed(y, t)),
  },
  {
    name: "bswap",
    types: ["i16", "i32", "i64"],
    define: (b, x) => b.byteSwap(x),
    means: (x, _, t) => BigInt(`0x${(bytesOf(x, t).match(/../g) as string[]).reverse().join("")}`),
  },
  {
    name: "clz",
    types: WORDS,
    define: (b, x) => b.countLeadingZeros(x),
    means: (x, _, t) => WIDTH(t) - BigInt(x === 0n ? 0 : x.toString(2).length),
  },
  {
    name: "ctz",
    types: WORDS,
    define: (b, x) => b.countTrailingZeros(x),
    means: (x, _, t) => (x === 0n ? WIDTH(t) : BigInt((x & -x).toString(2).length - 1)),
  },
  { name: "popcnt", types: WORDS, define: (b, x) => b.populationCount(x), means: (x) => BigInt(onesOf(x)) },
  {
    name: "parity",
    types: ["i8"],
    define: (b, x) => b.parity(x),
    means: (x) => BigInt(1 - (onesOf(x) % 2)),
  },
  {
    name: "select",
    types: ALL,
    define: (b, x, y) => b.select(b.truncate(b.registerAt(C, "i8"), "i1"), x, y),
    means: (x, y) => (take(C) % 2n === 1n ? x : y),
  },
  {
    name: "signExtend to i64",
    types: ["i8", "i16", "i32"],
    define: (b, x) => b.signExtend(x, "i64"),
    means: (x, _, t) => signed(x, t) & mask("i64"),
  },
  {
    name: "signExtend i8 to i16",
    types: ["i8"],
    define: (b, x) => b.signExtend(x, "i16"),
    means: (x, _, t) => signed(x, t) & mask("i16"),
  },
  {
    name: "zeroExtend to i64",
    types: ["i1", "i8", "i16", "i32"],
    define: (b, x) => b.zeroExtend(x, "i64"),
    means: (x) => x,
  },
  { name: "truncate to i1", types: ["i8", "i64"], define: (b, x) => b.truncate(x, "i1"), means: (x) => x & 1n },
  { name: "truncate to i16", types: ["i32", "i64"], define: (b, x) => b.truncate(x, "i16"), means: (x) => x & 0xffffn },
  {
    name: "truncate to i32",
    types: ["i64", "v128"],
    define: (b, x) => b.truncate(x, "i32"),
    means: (x) => x & mask("i32"),
  },
  ...INTEGERS.map((type): Operator => {
    const lanes = 128 / bitsOf(type);
    const lane = lanes - 1;
    return {
      name: `lane ${lane} of ${type}`,
      types: ["v128"],
      define: (b, x) => b.lane(x, type as IntegerType, lane),
      means: (x) => (x >> BigInt(lane * bitsOf(type))) & mask(type),
    };
  }),
  ...INTEGERS.map((type): Operator => {
    const at = BigInt(bitsOf(type));
    return {
      name: `withLane 1 of ${type}`,
      types: ["v128"],
      second: type,
      define: (b, x, y) => b.withLane(x, 1, y),
      means: (x, y) => (x & ~(mask(type) << at)) | (y << at),
    };
  }),
  {
    name: "shuffle",
    types: ["v128"],
    define: (b, x, y) => b.shuffle(x, y, [31, 0, 16, 15, 1, 1, 30, 2, 17, 3, 4, 5, 6, 7, 8, 9]),
    means: (x, y) => {
      const both = x | (y << 128n);
      return [31, 0, 16, 15, 1, 1, 30, 2, 17, 3, 4, 5, 6, 7, 8, 9].reduce(
        (sum, from, to) => sum | (((both >> BigInt(8 * from)) & 0xffn) << BigInt(8 * to)),
        0n,
      );
    },
  },
];

describe(`operators (seed ${SEED})`, () => {
  for (const { name, types, define, means, second } of OPERATORS) {
    for (const type of types) {
      test(`${name} ${type}`, () => {
        const secondType = second ?? type;
        let result: Type = type;
        const instance = run((b) => {
          const value = define(b, argument(b, A, type), argument(b, B, secondType));
          result = value.type;
          store(b, value);
        });
        fc.assert(
          fc.property(anyValue(type), anyValue(secondType), fc.boolean(), (x, y, condition) => {
            put(A, x);
            put(B, y);
            put(C, BigInt(condition));
            put(RESULT, mask("v128"));
            expect(instance.execute(RECORD)).toBe(Abort.none);
            expect(take(RESULT).toString(16)).toBe((means(x, y, type) & mask(result)).toString(16));
          }),
          { seed: SEED, numRuns: 200 },
        );
      });
    }
  }

  test("divideWide and remainderWide", () => {
    const instance = run((b) => {
      const [upper, lower, divisor] = [A, B, C].map((at) => b.registerAt(at, "i64")) as [Value, Value, Value];
      b.setRegisterAt(RESULT, 8, b.divideWide(upper, lower, divisor));
      b.setRegisterAt(RESULT + 8, 8, b.remainderWide(upper, lower, divisor));
    });
    const check = (quotient: bigint, divisor: bigint, remainder: bigint): void => {
      const dividend = quotient * divisor + remainder;
      put(A, dividend >> 64n);
      put(B, dividend & mask("i64"));
      put(C, divisor);
      expect(instance.execute(RECORD)).toBe(Abort.none);
      expect(take(RESULT)).toBe(quotient | (remainder << 64n));
    };
    // Exact divisions and the largest remainders are where a guessed digit is off by one or two.
    for (const quotient of boundaries("i64").concat(boundaries("i32"), [0xffff_ffff_0000_0000n, 0x1_0000_0000n])) {
      for (const divisor of boundaries("i64").concat(boundaries("i32"), [0xffff_ffff_0000_0000n, 0x1_0000_0001n])) {
        if (divisor === 0n) continue;
        for (const remainder of [0n, 1n, divisor / 2n, divisor - 1n]) check(quotient, divisor, remainder % divisor);
      }
    }
    fc.assert(
      fc.property(anyValue("i64"), anyValue("i64"), anyValue("i64"), fc.nat({ max: 63 }), (quotient, d, r, shift) => {
        const divisor = (d >> BigInt(shift)) | 1n;
        check(quotient, divisor, 0n);
        check(quotient, divisor, r % divisor);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test("constants of every size", () => {
    for (const value of boundaries("i64").concat(boundaries("i32"), [63n, 64n, 0x7f_ffffn, 0x80_0000n, 1n << 62n])) {
      const instance = run((b) => {
        store(b, b.constant("i64", Number(value & mask("i32")) | 0, Number(value >> 32n) | 0));
      });
      instance.execute(RECORD);
      expect(take(RESULT)).toBe(value);
    }
    const instance = run((b) => store(b, b.constant128([1, -2, 0x7fff_ffff, 0x8000_0000 | 0])));
    instance.execute(RECORD);
    expect(take(RESULT)).toBe(0x8000_0000_7fff_ffff_ffff_fffe_0000_0001n);
  });
});

describe("status flags kept for later", () => {
  const KINDS: readonly FlagsKind[] = ["add", "sub", "logic", "shl", "shr", "sar", "rol", "ror"];

  test(`statusFlags answers what the group writes at once (seed ${SEED})`, () => {
    for (const kind of KINDS) {
      for (const type of ["i8", "i16", "i32", "i64"] as const) {
        const shift = kind !== "add" && kind !== "sub" && kind !== "logic";
        const instance = run((b) => {
          b.flags(kind, b.registerAt(A, type), b.registerAt(B, shift ? "i32" : type), b.registerAt(C, type));
        });
        const limit = type === "i64" ? 63n : 31n;
        const second = shift ? fc.bigInt({ min: 1n, max: limit }) : anyValue(type);
        fc.assert(
          fc.property(anyValue(type), second, anyValue(type), (x, y, r) => {
            put(A, x);
            put(B, y);
            put(C, r);
            state.registers.set64(RegisterOffset.rflags, 0n);
            instance.execute(RECORD);
            const written = Number(state.registers.get64(RegisterOffset.rflags));
            expect(written & ~STATUS_FLAGS).toBe(0);
            expect(instance.statusFlags(flagsFormula(kind, type), x, y, r)).toBe(written);
          }),
          { seed: SEED, numRuns: 60 },
        );
      }
    }
  });
});

describe("what cannot be compiled is refused by name", () => {
  const ir = (operations: readonly unknown[]): Ir => ({
    form: FORM,
    operations: operations as readonly Operation[],
    string: null,
    writesIp: false,
    requires: null,
  });
  const zero = { op: "const", type: "i8", low: 0, high: 0 };
  const keep = { op: "setRegister", register: { from: "fixed", offset: 0, size: 8 }, value: 1 };

  test.each([
    ["an unknown value", [zero, { op: "squareRoot", type: "i8", a: 0 }, keep], /squareRoot/],
    ["an unknown effect", [zero, { op: "reboot", a: 0 }], /reboot/],
    ["a shift of a narrow type", [zero, { op: "shl", type: "i8", a: 0, count: 0 }, keep], /shl: of i8/],
    ["counting zeros of a narrow type", [zero, { op: "clz", type: "i8", a: 0 }, keep], /clz: of i8/],
    ["a sum of vectors", [zero, { op: "add", type: "v128", a: 0, b: 0 }, keep], /add: of v128/],
    ["values of two types", [zero, { op: "mulHighSigned", type: "i64", a: 0, b: 0 }, keep], /i64 expected, found i32/],
  ])("%s", (_, operations, message) => {
    expect(() => compileForms([ir(operations)])).toThrow(message);
  });
});
