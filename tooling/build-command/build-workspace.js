// Starts the workspace's own tools, from wherever the caller stands.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the workspace, with a separator at its end. */
export const workspaceRoot = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The JavaScript file behind a command of one of the workspace's dependencies, to be run by `process.execPath`:
 * the links in node_modules/.bin are shell scripts, and others on Windows.
 *
 * @param {string} dependency a dependency of the root package.json
 * @param {string} [command] the command's name; the dependency's only one when left out
 * @returns {string}
 */
export function commandFile(dependency, command) {
  const folder = path.join(workspaceRoot, "node_modules", dependency);
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = typeof bin === "string" ? bin : command === undefined ? Object.values(bin)[0] : bin[command];
  return path.join(folder, file);
}

/**
 * Runs one turbo task in every package that has it. Nothing is printed but, on stderr, what failed.
 *
 * @param {string} task a task of turbo.json
 * @returns {number} turbo's exit status
 */
export function buildWorkspace(task) {
  const args = [
    "run",
    task,
    "--output-logs=errors-only",
    "--log-prefix=none",
    "--no-color",
    "--continue=dependencies-successful",
  ];
  const result = spawnSync(process.execPath, [commandFile("turbo"), ...args], {
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

/**
 * Packs every published package as a release would. The packages must have been built.
 *
 * @param {string} folder where the tarballs go
 * @throws when pnpm fails, with what it printed
 */
export function packWorkspace(folder) {
  const args = ["--filter", "@whvkit/*", "--recursive", "pack", "--pack-destination", folder];
  const packing = spawnSync(process.execPath, [commandFile("pnpm", "pnpm"), ...args], {
    cwd: workspaceRoot,
    encoding: "utf8",
  });
  if (packing.status !== 0) throw new Error(`pnpm pack: ${packing.error ?? ""}${packing.stdout}${packing.stderr}`);
}
