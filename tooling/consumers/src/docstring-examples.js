// The examples of doc comments as programs: each `@example` of a package's declarations (`dist/index.d.ts`, which editors
// show) is one, and stands on its own with its imports. Marks and promises are those of example-blocks.js.
import { examplePrograms } from "./example-blocks.js";

/** @typedef {import("./example-blocks.js").ExampleProgram & { of: string }} DocstringProgram `of`: what it is an example of */

/**
 * @param {string} page the declarations, as messages name them
 * @param {string} text
 * @returns {{ programs: DocstringProgram[], problems: string[] }}
 */
export function docstringPrograms(page, text) {
  const programs = [];
  const problems = [];
  const lines = text.split("\n");
  for (let start = 0; start < lines.length; start++) {
    if (!/^\s*\/\*\*/.test(lines[start] ?? "")) continue;
    let end = start;
    while (end < lines.length - 1 && !lines[end]?.includes("*/")) end++;
    const of = (lines[end + 1] ?? "").trim();
    for (const { from, to } of examplesOf(lines, start, end)) {
      const block = lines.slice(from, to).map((line) => line.replace(/^\s*\* ?/, ""));
      const found = examplePrograms(page, [...Array(from).fill(""), ...block].join("\n"));
      problems.push(...found.problems);
      if (found.programs.length !== 1 && found.problems.length === 0)
        problems.push(`${page}:${from}: this @example is not one program in a block "\`\`\`ts"`);
      programs.push(...found.programs.map((program) => ({ ...program, of })));
    }
    start = end;
  }
  return { programs, problems };
}

/**
 * Where the examples of one doc comment stand: each from behind its tag to the next block tag or the comment's end.
 *
 * @param {readonly string[]} lines
 * @param {number} start
 * @param {number} end
 */
function examplesOf(lines, start, end) {
  /** @type {{ from: number, to: number }[]} */
  const examples = [];
  let fenced = false;
  let open = false;
  for (let at = start; at <= end; at++) {
    const line = (lines[at] ?? "").replace(/^\s*(\/\*)?\*+ ?/, "");
    if (line.startsWith("```")) fenced = !fenced;
    const last = examples.at(-1);
    if (!fenced && /^@\w/.test(line)) {
      open = line.startsWith("@example");
      if (open) examples.push({ from: at + 1, to: at + 1 });
    } else if (open && last !== undefined && at < end) last.to = at + 1;
  }
  return examples;
}
