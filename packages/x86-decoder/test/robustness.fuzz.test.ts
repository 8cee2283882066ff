// Whatever the bytes: no exception, nothing read outside the given range, no length above 15, and a prefix of an
// instruction is truncated, never something else.

import { describe, expect, test } from "vitest";
import { Decoder, DecodeStatus, describeInstruction, formatInstruction, Instruction } from "../src/index.ts";
import { Random, randomInstruction } from "./oracle/byte-strings.ts";

/** Bytes of which reads outside `end` are counted. */
function watched(bytes: Uint8Array, end: number, outside: { count: number }): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key) && Number(key) >= end) outside.count++;
      return Reflect.get(target, key) as unknown;
    },
  });
}

describe.each([16, 32, 64] as const)("%i-bit mode", (mode) => {
  const seed = 0xf022 + mode;
  test(`50,000 random strings (seed ${seed})`, () => {
    const random = new Random(seed);
    const decoder = new Decoder(mode);
    const instruction = new Instruction();
    const again = new Instruction();
    const bytes = new Uint8Array(40);
    for (let i = 0; i < 50_000; i++) {
      randomInstruction(random, mode, bytes);
      const end = random.next(34);
      const status = decoder.decode(bytes, 0, instruction, end);
      if (status === DecodeStatus.ok) {
        expect(instruction.length).toBeGreaterThan(0);
        expect(instruction.length).toBeLessThanOrEqual(Math.min(15, end));
        expect(decoder.decode(bytes, 0, again, instruction.length - 1)).toBe(DecodeStatus.truncated);
        expect(again.bytesNeeded).toBeGreaterThan(0);
        expect(again.bytesNeeded).toBeLessThanOrEqual(15);
        if (i % 10 === 0) {
          for (const syntax of ["intel", "nasm", "att"] as const)
            expect(formatInstruction(instruction, { syntax })).toMatch(/^[a-z]/);
          JSON.stringify(describeInstruction(instruction, bytes));
        }
      } else if (status === DecodeStatus.truncated) {
        expect(instruction.bytesNeeded).toBeGreaterThan(0);
        expect(end + instruction.bytesNeeded).toBeLessThanOrEqual(15);
      }
    }
  });

  test("reads nothing outside the range", () => {
    const random = new Random(seed);
    const decoder = new Decoder(mode);
    const instruction = new Instruction();
    for (let i = 0; i < 2_000; i++) {
      const bytes = new Uint8Array(64);
      randomInstruction(random, mode, bytes);
      const outside = { count: 0 };
      decoder.decode(watched(bytes, 1 + random.next(40), outside), 0, instruction, 1 + random.next(1));
      expect(outside.count).toBe(0);
    }
  });
});
