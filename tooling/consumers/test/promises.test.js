// The mechanism behind examples.test.js: what is taken for a program and for a promise, and that a broken promise fails.
import { describe, expect, inject, test } from "vitest";
import { examplePrograms } from "../src/example-blocks.js";
import { run } from "../src/example-run.js";
import { withPromises } from "../src/promises.js";

const fence = "```";

describe("examples of a page", () => {
  test("an import begins a program, what has none continues it; lines keep their numbers", () => {
    const text = ["# Page", `${fence}ts`, 'import "a";', "one();", fence, "words", `${fence}ts`, "two();", fence];
    const more = [`${fence}ts windows`, 'import "b";', fence, `${fence}sh`, "three", fence];
    expect(examplePrograms("p.md", [...text, ...more].join("\n"))).toEqual({
      programs: [
        { page: "p.md", line: 3, source: '\n\nimport "a";\none();\n\n\n\ntwo();\n', windows: false },
        { page: "p.md", line: 11, source: '\n\n\n\n\n\n\n\n\n\nimport "b";\n', windows: true },
      ],
      excerpts: [],
      problems: [],
    });
  });

  test("a first block without imports is a problem, and an excerpt is no program", () => {
    const text = [`${fence}ts`, "one();", fence, `   ${fence}ts excerpt a/b.ts`, "   x", "     y", `   ${fence}`];
    expect(examplePrograms("p.md", text.join("\n"))).toEqual({
      programs: [],
      excerpts: [{ page: "p.md", line: 5, text: "x\n  y", file: "a/b.ts" }],
      problems: ["p.md:2: the first example imports nothing, so it cannot be run as it stands"],
    });
  });
});

describe("promises", () => {
  test.each([
    "f(); // the value",
    "f(); // eight bits",
    "f(); // { passed, failed }",
    "f(); // at 0x20",
    "f();\n// 5",
    "const { a } = f(); // 5",
    "if (f()) g(); else h(); /* 5 */",
  ])("none: %s", (source) => {
    expect(withPromises(source)).toEqual({ source, promises: 0 });
  });

  const kept = [
    'const a = 40 + 2; // 42\na; // 42\n[a, 1n]; // [42, 1n]\n"x" + a; // "x42"',
    "new Uint8Array(2); // [0, 0]",
    "({ a: { b: undefined } }); // { a: { b: undefined } }",
    'for (const x of ["a", "b"]) console.log(x); // "a", "b"',
    "null.x; // TypeError: Cannot read properties of null (reading 'x')",
    "if (true) {\n  -1; // -1\n}",
  ];
  test.each(kept)("kept: %s", async (source) => {
    const program = { page: "p.md", line: 1, source, windows: false };
    const { status, output, promises } = await run(inject("consumer"), program);
    expect({ status, output: status === 0 ? "" : output }).toEqual({ status: 0, output: "" });
    expect(promises).toBeGreaterThan(0);
  });

  const broken = [
    "const a = 41; // 42",
    "42; // 42n",
    "({ a: 1 }); // { a: 2 }",
    'for (const x of ["a"]) console.log(x); // "a", "b"',
    "1; // TypeError: nothing is thrown",
    "null.x; // RangeError: another one",
    "if (true) {\n  1; // -1\n}",
  ];
  test.each(broken)("broken: %s", async (source) => {
    const program = { page: "p.md", line: 1, source, windows: false };
    const { status, output } = await run(inject("consumer"), program);
    expect(status).not.toBe(0);
    expect(output).toMatch(/line [12] of the page promises|toThrow|AssertionError/);
  });
});
