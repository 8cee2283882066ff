// Runs the programs of a rehearsal, and sees to it that none outlives it: each is ended by its own process id.
import { spawn } from "node:child_process";

/** @type {Set<import("node:child_process").ChildProcess>} */
const living = new Set();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(signal, () => process.exit(1));

/** Has a child process ended with this one, whatever ends it but SIGKILL. */
export function endWithUs(/** @type {import("node:child_process").ChildProcess} */ child) {
  living.add(child);
  child.on("close", () => living.delete(child));
}

/**
 * @typedef {object} Result
 * @property {number | null} status null when a signal ended it
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * Runs a program to its end. Never throws: a program that cannot be started has status null and says why on stderr.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, seconds?: number }} options `seconds`: a program that runs longer is killed
 * @returns {Promise<Result>}
 */
export function run(command, args, { cwd, env, seconds = 180 }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: seconds * 1000 });
    endWithUs(child);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (part) => {
      stdout += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part) => {
      stderr += part;
    });
    child.on("error", (error) => resolve({ status: null, stdout, stderr: `${stderr}${error}` }));
    child.on("close", (status, signal) =>
      resolve({ status, stdout, stderr: signal === null ? stderr : `${stderr}ended by ${signal}` }),
    );
  });
}

/** {@link run}, for a program that has to succeed: answers its stdout, and throws with everything it said otherwise. */
export async function runOrThrow(
  /** @type {string} */ command,
  /** @type {readonly string[]} */ args,
  /** @type {Parameters<typeof run>[2]} */ options,
) {
  const { status, stdout, stderr } = await run(command, args, options);
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(" ")}\nended with status ${status}\n${stdout}${stderr}`);
}
