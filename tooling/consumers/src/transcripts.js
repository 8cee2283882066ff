// The console sessions of a page: lines `$ command` and what each prints. `…` stands for anything, on its own line for any
// lines. A file that a session shows with `cat` is there when it runs.

/** @typedef {{ line: number, commands: { command: string, output: string }[] }} Transcript */

/**
 * @param {string} text
 * @returns {Transcript[]}
 */
export function transcripts(text) {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)];
  return blocks.map(({ 1: block = "", index }) => ({
    line: text.slice(0, index).split("\n").length + 1,
    commands: block
      .split(/^\$ /m)
      .filter(Boolean)
      .map((part) => {
        const end = part.indexOf("\n");
        return { command: part.slice(0, end), output: part.slice(end + 1) };
      }),
  }));
}

/**
 * What the output has to be, as a pattern.
 *
 * @param {string} output
 */
export function outputPattern(output) {
  const literal = (/** @type {string} */ part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${output.split("…").map(literal).join("[\\s\\S]*")}$`);
}

/**
 * The files that sessions show.
 *
 * @param {readonly Transcript[]} sessions
 * @returns {Map<string, string>}
 */
export function shownFiles(sessions) {
  const shown = sessions.flatMap(({ commands }) =>
    commands.flatMap(({ command, output }) => {
      const file = /^cat (\S+)$/.exec(command)?.[1];
      return file === undefined ? [] : [/** @type {const} */ ([file, output])];
    }),
  );
  return new Map(shown);
}
