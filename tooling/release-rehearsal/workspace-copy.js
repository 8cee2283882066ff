// A copy of the workspace in a temporary folder, in which a release is made: the tracked files and what is not ignored,
// as they stand, with what the last build made of them, in a git repository of one commit. What a release writes
// (versions, changelogs) never touches the tree itself.
import { cpSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { runOrThrow } from "./child-processes.js";
import { pnpmFile } from "./client-environment.js";
import { publishedFolders } from "./publishing.js";

/**
 * @param {string} target a folder that is not there yet
 * @param {NodeJS.ProcessEnv} env
 */
export async function copyWorkspace(target, env) {
  // Our own environment: the store that this workspace was installed from is the caller's.
  const ours = { cwd: workspaceRoot, env: process.env };
  const store = (await runOrThrow(process.execPath, [pnpmFile, "store", "path"], ours)).trim();
  const files = await runOrThrow("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], ours);
  for (const file of new Set(files.split("\0"))) {
    // Without what is deleted and not committed yet.
    if (file === "" || !existsSync(path.join(workspaceRoot, file))) continue;
    mkdirSync(path.dirname(path.join(target, file)), { recursive: true });
    cpSync(path.join(workspaceRoot, file), path.join(target, file));
  }

  const there = { cwd: target, env };
  await runOrThrow("git", ["init", "--quiet", "--initial-branch", "main"], there);
  await commit(target, "The tree", env);
  await runOrThrow(
    process.execPath,
    // pnpm appends the version of its layout to the store's folder.
    [pnpmFile, "install", "--offline", "--frozen-lockfile", "--ignore-scripts", "--store-dir", path.dirname(store)],
    there,
  );
  for (const folder of publishedFolders(target)) {
    const built = path.join(workspaceRoot, folder, "dist");
    if (!existsSync(built)) throw new Error(`${folder} is not built`);
    cpSync(built, path.join(target, folder, "dist"), { recursive: true });
  }
}

/** Commits everything in a copy. */
export async function commit(
  /** @type {string} */ folder,
  /** @type {string} */ message,
  /** @type {NodeJS.ProcessEnv} */ env,
) {
  await runOrThrow("git", ["add", "--all"], { cwd: folder, env });
  const who = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false"];
  await runOrThrow("git", [...who, "commit", "--quiet", "--message", message], { cwd: folder, env });
}
