// Starts turbo on the whole workspace, from wherever the caller stands.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const workspaceRoot = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Runs one turbo task in every package that has it; prints only what failed, on stderr.
 *
 * @param {string} task a task of turbo.json
 * @returns {number} turbo's exit status
 */
export function buildWorkspace(task) {
  const turbo = createRequire(`${workspaceRoot}package.json`).resolve("turbo/bin/turbo");
  const args = ["run", task, "--output-logs=errors-only", "--log-prefix=none", "--no-color"];
  const result = spawnSync(process.execPath, [turbo, ...args], {
    cwd: workspaceRoot,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: {
      ...process.env,
      // turbo looks for pnpm on the path; the pinned one is a dependency of the workspace.
      PATH: `${workspaceRoot}node_modules/.bin${path.delimiter}${process.env.PATH ?? ""}`,
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
    },
  });
  if (result.status !== 0) process.stderr.write(`${result.error ?? ""}${result.stdout}${result.stderr}`);
  return result.status ?? 1;
}
