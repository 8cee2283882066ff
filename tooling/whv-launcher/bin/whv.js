#!/usr/bin/env node
// `pnpm whv …` in this repository: builds what changed (quietly, on stderr) and runs the whv command. It is a
// bin and not a script of package.json because pnpm announces scripts on stdout, where the command's output goes.
import { spawnSync } from "node:child_process";
import { buildWorkspace, workspaceRoot } from "@tooling/build-command";

const built = buildWorkspace("build");
if (built !== 0) process.exit(built);
const run = spawnSync(process.execPath, [`${workspaceRoot}apps/cli/bin/whv.js`, ...process.argv.slice(2)], {
  stdio: "inherit",
});
if (run.signal) process.kill(process.pid, run.signal);
process.exitCode = run.status ?? 1;
