// The facts file: read and written here only. One line a field, so that a change reads well.
import { readFileSync } from "node:fs";

/** @typedef {ReturnType<typeof import("./extract.js").extractFacts>} Facts */

const FACTS = new URL("../data/facts.json", import.meta.url);

/** The committed facts. @returns {Facts} */
export function committedFacts() {
  return JSON.parse(readFileSync(FACTS, "utf8"));
}

/** @param {Facts} facts */
export function factsText(facts) {
  return `${print(facts, 0)}\n`;
}

/** JSON with everything on one line that has neither objects nor arrays inside. @param {unknown} value @param {number} depth */
function print(value, depth) {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isArray = Array.isArray(value);
  const entries = Object.entries(value);
  const flat = entries.every(([, inner]) => typeof inner !== "object");
  const indent = "  ".repeat(depth + 1);
  const parts = entries.map(([key, inner]) => (isArray ? "" : `${JSON.stringify(key)}: `) + print(inner, depth + 1));
  const [opening, closing] = isArray ? "[]" : "{}";
  // A long list of values, an enum's, is a table: one line each.
  if (flat && entries.length <= 6)
    return `${opening}${isArray ? "" : " "}${parts.join(", ")}${isArray ? "" : " "}${closing}`;
  return `${opening}\n${parts.map((part) => indent + part).join(",\n")}\n${"  ".repeat(depth)}${closing}`;
}
