// Comments, imports and the number forms that all generated files share.

/**
 * A documentation comment.
 *
 * @param {string[]} lines paragraphs; an empty one is a blank line
 * @param {string} indent
 */
export function comment(lines, indent) {
  const text = lines.flatMap((line) => wrap(line, 116 - indent.length));
  if (text.length === 1) return `${indent}/** ${text[0]} */`;
  return [`${indent}/**`, ...text.map((line) => (line ? `${indent} * ${line}` : `${indent} *`)), `${indent} */`].join(
    "\n",
  );
}

/** @param {string} text @param {number} width @returns {string[]} */
function wrap(text, width) {
  const out = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + 1 + word.length > width) {
      out.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  out.push(line);
  return out;
}

/**
 * An import; names that are types are given as `type Name`.
 *
 * @param {string[]} names
 * @param {string} file
 */
export function importLine(names, file) {
  const bare = (/** @type {string} */ name) => name.replace(/^type /, "");
  const sorted = [...new Set(names)].sort((a, b) => bare(a).localeCompare(bare(b), "en"));
  if (sorted.every((name) => name.startsWith("type ")))
    return `import type { ${sorted.map(bare).join(", ")} } from "${file}";`;
  return `import { ${sorted.join(", ")} } from "${file}";`;
}
