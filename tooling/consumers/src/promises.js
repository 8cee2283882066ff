// What an example promises: in `expression; // value` the comment is what the expression comes to, where it reads as a
// literal (`// 0x41n`, `// "ret"`, `// { limit: 8 }`) or as an error (`// RangeError: …`); after `const x = …;` it is what
// x holds, and after a console.log what that call prints in the course of the program, by commas. Other comments are prose.
// `withPromises` writes each promise into the program as a call that keeps it or throws; the calls are those of
// promise-keeper.js.
import { parse, parseExpression } from "@babel/parser";

/**
 * @param {string} source TypeScript
 * @returns {{ source: string, promises: number }}
 */
export function withPromises(source) {
  const { program, comments } = parse(source, { sourceType: "module", plugins: ["typescript"] });
  const trailing = new Map();
  for (const comment of comments ?? [])
    if (comment.type === "CommentLine") trailing.set(comment.loc?.start.line, comment);
  /** @type {{ at: number, text: string }[]} */
  const insertions = [];
  let promises = 0;
  visit(program, (/** @type {any} */ statement) => {
    const comment = trailing.get(statement.loc.end.line);
    if (comment === undefined || comment.start < statement.end) return;
    const between = source.slice(statement.end, comment.start);
    if (between.trim() !== "") return;
    const promise = promiseOf(comment.value.trim());
    if (promise === null) return;
    const line = statement.loc.end.line;
    if (statement.type === "VariableDeclaration") {
      const [{ id }] = statement.declarations;
      if (statement.declarations.length !== 1 || id.type !== "Identifier" || promise.kind !== "value") return;
      insertions.push({ at: statement.end, text: ` promised.value(${id.name}, ${promise.text}, ${line});` });
    } else {
      const { expression } = statement;
      const wrap = (/** @type {string} */ before, /** @type {string} */ after) =>
        insertions.push({ at: expression.start, text: before }, { at: expression.end, text: after });
      if (isConsoleLog(expression)) {
        if (promise.kind !== "value") return;
        const [first, last] = [expression.arguments.at(0), expression.arguments.at(-1)];
        insertions.push({ at: first.start, text: "...promised.printed([" });
        insertions.push({ at: last.end, text: `], [${promise.list}], ${line})` });
      } else if (promise.kind === "error") wrap("promised.error(() => (", `), ${promise.text}, ${line})`);
      else wrap("promised.value((", `), ${promise.text}, ${line})`);
    }
    promises += 1;
  });
  let result = source;
  for (const { at, text } of insertions.sort((a, b) => b.at - a.at))
    result = result.slice(0, at) + text + result.slice(at);
  return { source: result, promises };
}

/**
 * @param {string} comment
 * @returns {{ kind: "value" | "error", text: string, list: string } | null}
 */
function promiseOf(comment) {
  if (/^[A-Z]\w*Error: /.test(comment)) return { kind: "error", text: JSON.stringify(comment), list: "" };
  try {
    const list = /** @type {any} */ (parseExpression(`[${comment}]`));
    if (!list.elements.every(isLiteral)) return null;
    // More than one value can only be what a console.log prints.
    return { kind: "value", text: list.elements.length === 1 ? `(${comment})` : `[${comment}]`, list: comment };
  } catch {
    return null; // prose
  }
}

function isLiteral(/** @type {any} */ node) {
  if (node === null) return false;
  switch (node.type) {
    case "StringLiteral":
    case "NumericLiteral":
    case "BigIntLiteral":
    case "BooleanLiteral":
    case "NullLiteral":
      return true;
    case "Identifier":
      return node.name === "undefined";
    case "UnaryExpression":
      return node.operator === "-" && isLiteral(node.argument);
    case "ArrayExpression":
      return node.elements.every(isLiteral);
    case "ObjectExpression":
      return node.properties.every(
        (/** @type {any} */ each) => each.type === "ObjectProperty" && isLiteral(each.value),
      );
    default:
      return false;
  }
}

function isConsoleLog(/** @type {any} */ node) {
  const { callee } = node;
  return node.type === "CallExpression" && callee.object?.name === "console" && callee.property?.name === "log";
}

/**
 * Every statement that can hold a promise, wherever it stands.
 *
 * @param {any} node
 * @param {(statement: any) => void} report
 */
function visit(node, report) {
  if (node === null || typeof node !== "object") return;
  if (Array.isArray(node)) {
    for (const each of node) visit(each, report);
    return;
  }
  if (typeof node.type !== "string") return;
  if (node.type === "ExpressionStatement" || node.type === "VariableDeclaration") report(node);
  for (const [key, value] of Object.entries(node)) if (key !== "loc" && !key.endsWith("Comments")) visit(value, report);
}
