/** Which forms the WebAssembly interpreter takes in when there are more than it has places for. */
import { expect, test } from "vitest";
import { oftenCalled } from "../src/engine/interpreter.ts";
import { FIRST_FORM } from "../src/engine/record-layout.ts";

test("the most frequent come first, and what is rare stays out", () => {
  const counts = new Int32Array(FIRST_FORM + 8);
  counts.set([10, 9000, 1, 500, 9000, 0], FIRST_FORM);
  expect(oftenCalled(counts, FIRST_FORM + 6).map((number) => number - FIRST_FORM)).toEqual([1, 4, 3, 0]);
  expect(oftenCalled(counts, FIRST_FORM + 1)).toEqual([FIRST_FORM]);
});
