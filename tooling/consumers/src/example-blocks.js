// The TypeScript examples of a Markdown page as programs: a fenced block with an import begins a program, one without
// continues the program before it, as the page reads. A line `expression; // value` is a promise: see promises.js. After
// "```ts" two marks may stand: `windows`, of a program that needs Windows, and `excerpt FILE`, of a block that is no
// program but stands in FILE to the letter.

/**
 * @typedef {object} ExampleProgram
 * @property {string} page the page, from the root of the workspace
 * @property {number} line where its first block begins in the page, from 1
 * @property {string} source TypeScript; every line of it stands on its line of the page, so that messages name that
 * @property {boolean} windows whether it needs Windows
 */

/** @typedef {{ page: string, line: number, text: string, file: string }} Excerpt */
/** @typedef {{ line: number, lines: string[], marks: string[] }} Block `line` is that of the first one inside the fence */

/**
 * @param {string} page
 * @param {string} text
 * @returns {{ programs: ExampleProgram[], excerpts: Excerpt[], problems: string[] }}
 */
export function examplePrograms(page, text) {
  /** @type {{ line: number, lines: string[], windows: boolean }[]} */
  const programs = [];
  const excerpts = [];
  const problems = [];
  for (const block of typescriptBlocks(text.split("\n"))) {
    if (block.marks[0] === "excerpt") {
      excerpts.push({ page, line: block.line, text: block.lines.join("\n"), file: block.marks[1] ?? "" });
      continue;
    }
    const first = /^import\s/m.test(block.lines.join("\n"));
    let program = programs.at(-1);
    if (first) {
      program = { line: block.line, lines: [], windows: block.marks.includes("windows") };
      programs.push(program);
    } else if (program === undefined) {
      problems.push(`${page}:${block.line}: the first example imports nothing, so it cannot be run as it stands`);
      continue;
    }
    while (program.lines.length < block.line - 1) program.lines.push("");
    program.lines.push(...block.lines);
  }
  return {
    programs: programs.map(({ line, lines, windows }) => ({ page, line, source: `${lines.join("\n")}\n`, windows })),
    excerpts,
    problems,
  };
}

/**
 * @param {readonly string[]} lines
 * @returns {Block[]}
 */
function typescriptBlocks(lines) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {(Block & { language: string, indent: string }) | null} */
  let open = null;
  for (const [index, line] of lines.entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (open === null) {
      if (fence === null) continue;
      const [language = "", ...marks] = (fence[2] ?? "").trim().split(/\s+/);
      open = { line: index + 2, lines: [], marks, language, indent: fence[1] ?? "" };
    } else if (fence === null) open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    else {
      const { language, indent, ...block } = open;
      if (language === "ts") blocks.push(block);
      open = null;
    }
  }
  return blocks;
}
