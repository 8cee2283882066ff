#!/usr/bin/env node
// Writes anew what pages hold of measurements, by the tests that hold them to it: the tables of bundles' sizes in the READMEs
// and the list of licences in SECURITY.md.
import { spawnSync } from "node:child_process";
import { commandFile, workspaceRoot } from "@tooling/build-command";

const tests = ["sizes", "supply-chain"].map((name) => `tooling/consumers/test/${name}.test.js`);
const { status } = spawnSync(process.execPath, [commandFile("vitest"), "run", ...tests], {
  cwd: workspaceRoot,
  stdio: "inherit",
  env: { ...process.env, UPDATE_PAGES: "1" },
});
process.exitCode = status ?? 1;
