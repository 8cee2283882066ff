// Holds a package's declarations to the rule that every exported function and every exported class has an `@example`; of
// overloads one has it. Whether the examples are true is for the tests of tooling/consumers, which run them.

/**
 * @param {string} declarations text of `dist/index.d.ts`
 * @returns {string[]} one line for each export that has none
 */
export function missingExamples(declarations) {
  /** @type {Map<string, boolean>} */
  const exports = new Map();
  let comment = "";
  for (const line of declarations.split("\n")) {
    if (/^\s*\/\*\*/.test(line)) comment = "";
    comment += `${line}\n`;
    const declared = /^\s*export declare (?:abstract )?(?:function|class) (\w+)/.exec(line)?.[1];
    if (declared !== undefined)
      exports.set(declared, /^\s*\*? ?@example\b/m.test(comment) || exports.get(declared) === true);
    if (!/^\s*(?:\/\*)?\*/.test(line)) comment = "";
  }
  return [...exports].filter(([, has]) => !has).map(([name]) => `${name} has no @example`);
}
