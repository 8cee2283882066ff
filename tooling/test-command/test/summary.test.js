import { describe, expect, test } from "vitest";
import { summarise } from "../summary.js";

const passedTest = { file: "a.test.ts", name: "adds", state: /** @type {const} */ ("passed") };
const failedTest = { file: "a.test.ts", name: "carries", state: /** @type {const} */ ("failed") };
const skippedTest = { file: "b.test.ts", name: "assembles", state: /** @type {const} */ ("skipped"), note: "no nasm" };
const good = { name: "build", passed: true };
const bad = { name: "lint", passed: false };

describe("the test command's last lines", () => {
  test("count checks and tests alike", () => {
    expect(summarise([good], { tests: [passedTest], errors: [] }, 0)).toEqual({
      lines: ["2 passed, 0 failed"],
      exitCode: 0,
    });
  });

  test("name every failure and every skip with its reason", () => {
    const report = { tests: [passedTest, failedTest, skippedTest], errors: ["c.test.ts: does not load"] };
    expect(summarise([good, bad], report, 1)).toEqual({
      lines: [
        "skipped: b.test.ts > assembles: no nasm",
        "failed: check: lint",
        "failed: a.test.ts > carries",
        "failed: c.test.ts: does not load",
        "2 passed, 3 failed",
      ],
      exitCode: 1,
    });
  });

  test("a skip without a note is listed by its name", () => {
    const report = {
      tests: [passedTest, { file: "b.test.ts", name: "x (no Wine)", state: /** @type {const} */ ("skipped") }],
      errors: [],
    };
    expect(summarise([], report, 0).lines).toEqual(["skipped: b.test.ts > x (no Wine)", "1 passed, 0 failed"]);
  });

  test("a runner that died without a report has failed", () => {
    expect(summarise([good], null, null)).toEqual({
      lines: ["failed: the test runner ended without a report", "1 passed, 1 failed"],
      exitCode: 1,
    });
  });

  test("a runner that failed for no reason it reported has failed", () => {
    const { lines, exitCode } = summarise([], { tests: [passedTest], errors: [] }, 1);
    expect(lines.at(-1)).toBe("1 passed, 1 failed");
    expect(exitCode).toBe(1);
  });

  test.each([[[]], [[skippedTest]]])("a run without a test that ran has failed", (tests) => {
    const { lines, exitCode } = summarise([good], { tests, errors: [] }, 0);
    expect(lines).toContain("failed: no test ran");
    expect(exitCode).toBe(1);
  });
});
