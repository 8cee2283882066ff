// How changesets become the lines of a CHANGELOG.md: the text as it was written, for people. No commit hashes, which say
// nothing to a reader and depend on the clone, and one line for all dependencies, which move together (RELEASING.md).
// `.changeset/config.json` names this file; the two functions are what @changesets/cli calls.

/**
 * @param {{ summary: string }} changeset
 * @returns {Promise<string>} one list item of Markdown
 */
export async function getReleaseLine({ summary }) {
  const [first = "", ...rest] = summary.trim().split(/\r?\n/);
  return [`- ${first}`, ...rest.map((line) => (line.trim() === "" ? "" : `  ${line}`))].join("\n");
}

/**
 * @param {readonly unknown[]} _changesets
 * @param {readonly { name: string, newVersion: string }[]} updated the dependencies that this release takes in a new version
 * @returns {Promise<string>} one list item, or nothing
 */
export async function getDependencyReleaseLine(_changesets, updated) {
  if (updated.length === 0) return "";
  const versions = new Set(updated.map(({ newVersion }) => newVersion));
  const names = updated.map(({ name, newVersion }) => (versions.size === 1 ? name : `${name} ${newVersion}`)).sort();
  return `- Depends on ${names.map((name) => `\`${name}\``).join(", ")}${versions.size === 1 ? ` ${[...versions][0]}` : ""}.`;
}

export default { getReleaseLine, getDependencyReleaseLine };
