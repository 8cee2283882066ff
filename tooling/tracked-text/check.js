// What no tracked file may hold: a path of somebody's machine, or the host of a package registry (a lockfile
// that names one installs only where that one is reached).

/** @type {readonly { what: string, pattern: RegExp }[]} */
const forbidden = [
  { what: "a path in a home folder", pattern: /(?<![\w.])\/(?:home|Users)\/[a-z][\w.-]*\//i },
  { what: "a path in a work folder", pattern: /(?<![\w.@-])\/(?:work|root|workspace)\/[\w.-]+/ },
  { what: "a Windows user's folder", pattern: /\b[a-z]:\\+users\\+\w/i },
  { what: "a package registry's host", pattern: /\bregistry\.[a-z0-9-]+\.(?:org|com|io|net)\b/i },
  { what: "a tarball's address", pattern: /^\s*(?:tarball|resolved):?\s*"?https?:/m },
];

/**
 * @param {string} file its path from the root
 * @param {string} text
 * @returns {string[]} one line for each thing found
 */
export function forbiddenText(file, text) {
  const found = [];
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    for (const { what, pattern } of forbidden) {
      const hit = pattern.exec(line);
      if (hit !== null) found.push(`${file}:${index + 1}: ${what}: ${hit[0].trim()}`);
    }
  }
  return found;
}
