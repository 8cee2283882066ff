// Holds a report of a package's public API to what every export must have: a release tag, and a description, of each of its
// members too. Described by somebody else are members that implement a described member of an interface in the same
// report (editors show that one's description), and nothing is asked of what is tagged @internal.

/**
 * @typedef {object} Export
 * @property {string} name
 * @property {readonly string[]} bases names after `implements` and `extends`
 * @property {boolean} documented
 * @property {{ name: string, documented: boolean }[]} members
 */

/**
 * @param {string} report text of `etc/<package>.api.md`
 * @returns {string[]} one line for each thing that is missing
 */
export function missingDocumentation(report) {
  const missing = [];
  for (const [, name] of report.matchAll(/\(ae-missing-release-tag\) "(\w+)"/g))
    missing.push(`${name} has no release tag`);
  const exports = exportsOf(report);
  for (const one of exports) {
    if (!one.documented) missing.push(`${one.name} has no description`);
    for (const member of one.members) {
      if (!member.documented && !isInherited(one, member.name))
        missing.push(`${one.name}.${member.name} has no description`);
    }
  }
  return missing;

  /** @returns {boolean} */
  function isInherited(/** @type {Export} */ { bases }, /** @type {string} */ member) {
    return exports
      .filter(({ name }) => bases.includes(name))
      .some(
        (base) =>
          base.members.some(({ name, documented }) => name === member && documented) || isInherited(base, member),
      );
  }
}

/** The exports of a report; overloads and the two halves of a name (value and type) are one each. @returns {Export[]} */
function exportsOf(/** @type {string} */ report) {
  /** @type {Export[]} */
  const exports = [];
  let undocumented = false;
  for (const line of report.split("\n")) {
    if (/^\s*\/\//.test(line)) {
      if (line.includes("(undocumented)")) undocumented = !line.includes("@internal");
      continue;
    }
    const exported = /^export (?:abstract )?(?:class|interface|type|const|function|enum) (\w+)(.*)$/.exec(line);
    if (exported !== null) {
      const heritage = /(?:extends|implements) (.*)\{$/.exec(exported[2])?.[1] ?? "";
      const bases = heritage.replace(/<[^>]*>/g, "").match(/\w+/g) ?? [];
      exports.push({ name: exported[1], bases, documented: !undocumented, members: [] });
    } else {
      const member = /^ {4}(?:(?:readonly|static|abstract|protected|get|set) )*(\w+)(?=[?(:<\s;])/.exec(line);
      const last = exports.at(-1);
      if (member !== null) last?.members.push({ name: member[1], documented: !undocumented });
      else if (undocumented && /^ {4}\S/.test(line)) last?.members.push({ name: line.trim(), documented: false });
    }
    if (line.trim() !== "") undocumented = false;
  }
  return exports;
}
