// Finds every module that a TypeScript source names: import and export declarations, type-only ones too,
// import() as an expression and as a type, and require().
import { parse } from "@babel/parser";

/**
 * @typedef {object} FoundImport
 * @property {string | null} specifier the module named, or null when it is not a plain string
 * @property {number} line where, counted from 1
 */

/**
 * @param {string} source the text of a TypeScript module
 * @returns {FoundImport[]} in the order of the text
 */
export function findImports(source) {
  const file = parse(source, { sourceType: "module", plugins: ["typescript"], createImportExpressions: true });
  /** @type {FoundImport[]} */
  const found = [];
  walk(file.program, (node) => {
    const named = moduleNamedBy(node);
    if (named !== undefined) found.push({ specifier: stringOf(named), line: node.loc.start.line });
  });
  return found;
}

/** The part of a node that names a module; undefined for a node that imports nothing. */
function moduleNamedBy(/** @type {any} */ node) {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node.source ?? node.argument;
    case "ExportNamedDeclaration":
      return node.source ?? undefined;
    case "TSExternalModuleReference":
      return node.expression;
    case "CallExpression":
      return node.callee.type === "Identifier" && node.callee.name === "require" ? node.arguments[0] : undefined;
    default:
      return undefined;
  }
}

function stringOf(/** @type {any} */ node) {
  if (node?.type === "StringLiteral") return node.value;
  if (node?.type === "TSLiteralType") return stringOf(node.literal);
  return null;
}

/**
 * @param {any} node
 * @param {(node: any) => void} visit
 */
function walk(node, visit) {
  visit(node);
  for (const [key, child] of Object.entries(node)) {
    if (key === "loc" || key.endsWith("Comments")) continue;
    for (const one of Array.isArray(child) ? child : [child]) {
      if (typeof one?.type === "string" && typeof one.start === "number") walk(one, visit);
    }
  }
}
