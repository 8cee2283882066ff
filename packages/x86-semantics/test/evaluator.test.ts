/** The evaluator's own parts: that its case labels are the opcodes they claim, and its wide arithmetic. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Opcode } from "../src/evaluator/opcode.ts";
import {
  divide64,
  divideWide,
  multiply64,
  multiplyHighSigned64,
  multiplyHighUnsigned64,
  populationCount,
  rotateLeft64,
  swapWord,
  trailingZeros,
} from "../src/evaluator/wide-arithmetic.ts";

describe("the switch", () => {
  it("has each opcode once, under its number", () => {
    const source = readFileSync(new URL("../src/evaluator/evaluator.ts", import.meta.url), "utf8");
    const labels = [...source.matchAll(/case (\d+):(?: \{\s*)?\s*\/\/ (\w+)/g)].map(([, number, name]) => [
      name,
      Number(number),
    ]);
    expect(Object.fromEntries(labels)).toEqual(Opcode);
    expect(labels).toHaveLength(Object.keys(Opcode).length);
  });

  it("is small enough for V8 to optimise (60 KB of bytecode; a case takes some 200 bytes)", () => {
    expect(Object.keys(Opcode).length).toBeLessThan(200);
  });
});

const long = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 32n, 2n ** 32n - 1n, 2n ** 31n),
);

describe("arithmetic on pairs of words", () => {
  const slots = new Int32Array(16);
  const wide = new BigUint64Array(slots.buffer);
  const [D, A, B, C] = [0, 2, 4, 6];
  const set = (a: bigint, b: bigint, c = 0n): void => {
    wide[A / 2] = a;
    wide[B / 2] = b;
    wide[C / 2] = c;
  };
  const check = (property: fc.IProperty<[bigint, bigint]> | fc.IProperty<[bigint, bigint, bigint]>): void =>
    fc.assert(property as fc.IProperty<[bigint, bigint]>, { numRuns: 3000, seed: 64 });

  it("multiplies", () => {
    check(
      fc.property(long, long, (a, b) => {
        set(a, b);
        multiply64(slots, D, A, B);
        expect(wide[0]).toBe(BigInt.asUintN(64, a * b));
        multiplyHighUnsigned64(slots, D, A, B);
        expect(wide[0]).toBe((a * b) >> 64n);
        multiplyHighSigned64(slots, D, A, B);
        expect(wide[0]).toBe(BigInt.asUintN(64, (BigInt.asIntN(64, a) * BigInt.asIntN(64, b)) >> 64n));
      }),
    );
  });

  it("divides 64 by 64 and 128 by 64 bits", () => {
    check(
      fc.property(long, long, long, (a, b, c) => {
        if (b === 0n) return;
        set(a, b, c);
        divide64(slots, D, A, B, false);
        expect(wide[0]).toBe(a / b);
        divide64(slots, D, A, B, true);
        expect(wide[0]).toBe(a % b);
        const upper = c % b;
        set(a, b, upper);
        divideWide(slots, D, C, A, B, false);
        expect(wide[0]).toBe(((upper << 64n) | a) / b);
        divideWide(slots, D, C, A, B, true);
        expect(wide[0]).toBe(((upper << 64n) | a) % b);
      }),
    );
  });

  it("rotates, swaps and counts", () => {
    check(
      fc.property(long, fc.bigInt({ min: 0n, max: 63n }), (a, n) => {
        set(a, 0n);
        rotateLeft64(slots, D, A, Number(n));
        expect(wide[0]).toBe(BigInt.asUintN(64, (a << n) | (a >> (64n - n))));
        const word = Number(BigInt.asIntN(32, a));
        const bits = (word >>> 0).toString(2);
        expect(populationCount(word)).toBe(bits.replaceAll("0", "").length);
        expect(trailingZeros(word)).toBe(word === 0 ? 32 : bits.length - bits.lastIndexOf("1") - 1);
        expect(swapWord(swapWord(word))).toBe(word);
        expect(swapWord(word) & 0xff).toBe(word >>> 24);
      }),
    );
  });
});
