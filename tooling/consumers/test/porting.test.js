// The guide to porting a host from C: its C program, on the stand-ins for the Windows libraries, and its two TypeScript
// programs, from the packed packages, print what the guide says.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { runHost, windowsUnavailable } from "@tooling/windows-stand-ins/under-windows.js";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { examplePrograms } from "../src/example-blocks.js";
import { compile, run } from "../src/example-run.js";
import { runOnStandIns } from "../src/windows-run.js";

const page = "packages/emulator-core/docs/porting-from-c.md";
const text = readFileSync(path.join(workspaceRoot, page), "utf8");
const blocks = (/** @type {string} */ language) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, block]) => block ?? "");
const [printed = ""] = blocks("text");
const { programs } = examplePrograms(page, text);
const unavailable = windowsUnavailable();

test("the C program compiles without a warning, and prints it", async ({ skip }) => {
  skip(unavailable !== null, unavailable ?? "");
  const source = path.join(mkdtempSync(path.join(inject("consumer"), "c-")), "host.c");
  writeFileSync(source, blocks("c").join("\n"));
  const { status, output } = await runHost(source, []);
  expect({ status, output: output.replaceAll("\r\n", "\n") }).toEqual({ status: 0, output: printed });
});

test("there are two TypeScript programs, step by step and anew", () => {
  expect(programs.length).toBe(2);
  expect(printed.split("\n").length).toBe(6);
  expect(compile(inject("consumer"), programs)).toEqual([[], []]);
});

test.each(programs.map((program, index) => [index, program]))(
  "TypeScript program %i prints it",
  async (_index, program) => {
    expect(await run(inject("consumer"), program)).toMatchObject({ status: 0, output: printed });
  },
);

describe("on the native backend, over the stand-ins", () => {
  beforeEach(({ skip }) => skip(unavailable !== null, unavailable ?? ""));

  test.each(programs.map((program, index) => [index, program]))(
    "TypeScript program %i prints it",
    async (_index, program) => {
      expect(await runOnStandIns(inject("consumer"), program)).toEqual({ status: 0, output: printed });
    },
  );
});
