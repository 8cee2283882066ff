// What counts as an example of a doc comment, and that one that is not true is found.
import { expect, inject, test } from "vitest";
import { docstringPrograms } from "../src/docstring-examples.js";
import { compile, runSeries } from "../src/example-run.js";

const importLine = 'import { Mnemonic } from "@whvkit/x86-decoder";';

/** @param {...string} lines of one doc comment */
function declaration(...lines) {
  return ["/**", ...lines.map((line) => ` * ${line}`), " */", "export declare function f(): void;", ""].join("\n");
}

test("an example is a program on the lines of the declarations, up to the next tag", () => {
  const text = declaration("Does.", "@example", "```ts", importLine, "Mnemonic.mov; // 1", "```", "@public");
  expect(docstringPrograms("index.d.ts", text)).toEqual({
    problems: [],
    programs: [
      {
        page: "index.d.ts",
        line: 5,
        source: `\n\n\n\n${importLine}\nMnemonic.mov; // 1\n`,
        windows: false,
        of: "export declare function f(): void;",
      },
    ],
  });
});

test("every example counts: of a comment with two, and of a member", () => {
  const example = ["@example", "```ts", importLine, "```"];
  const member = declaration(...example).replace(/^/gm, "    ");
  const text = `${declaration(...example, ...example)}export declare class C {\n${member}}\n`;
  expect(docstringPrograms("index.d.ts", text).programs.map(({ line }) => line)).toEqual([4, 8, 16]);
});

test("a tag inside of a program ends nothing", () => {
  const { programs } = docstringPrograms(
    "index.d.ts",
    declaration("@example", "```ts", importLine, "@f class A {}", "```"),
  );
  expect(programs[0]?.source).toContain("@f class A {}");
});

test("one that imports nothing, or is no block, is a problem", () => {
  const { problems } = docstringPrograms(
    "index.d.ts",
    `${declaration("@example", "```ts", "f();", "```")}${declaration("@example", "f();")}`,
  );
  expect(problems).toEqual([
    "index.d.ts:4: the first example imports nothing, so it cannot be run as it stands",
    'index.d.ts:9: this @example is not one program in a block "```ts"',
  ]);
});

test("what does not compile, breaks its promise, throws or promises nothing is told by its line", async () => {
  const examples = ['Mnemonic.none satisfies "x"; // 0', "Mnemonic.mov > 0; // false", "null.x; // 1", "Mnemonic.mov;"];
  const text = examples.map((line) => declaration("@example", "```ts", importLine, line, "```")).join("");
  const { programs } = docstringPrograms("index.d.ts", text);
  const consumer = inject("consumer");
  expect(compile(consumer, programs).map((errors) => errors.length > 0)).toEqual([true, false, true, false]);
  const { failures, withoutPromise } = await runSeries(consumer, programs.slice(1));
  expect(failures.map((failure) => failure.split("\n")[0])).toEqual([
    "12: AssertionError [ERR_ASSERTION]: line 13 of the page promises another value",
    expect.stringContaining("20: TypeError"),
  ]);
  expect(withoutPromise).toEqual([28]);
});
