#!/usr/bin/env node
// Fails when a tracked text file holds what tooling/tracked-text/check.js forbids.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { workspaceRoot } from "@tooling/build-command";
import { forbiddenText } from "./check.js";

const listed = spawnSync("git", ["ls-files", "-z"], { cwd: workspaceRoot, encoding: "utf8", maxBuffer: 1 << 28 });
if (listed.status !== 0) {
  process.stderr.write("not a git checkout: no tracked files to look at\n");
  process.exit(0);
}

let found = 0;
for (const file of listed.stdout.split("\0")) {
  // The test holds samples of what is forbidden.
  if (file === "" || file.startsWith("tooling/tracked-text/test/")) continue;
  let bytes;
  try {
    bytes = readFileSync(`${workspaceRoot}${file}`);
  } catch {
    continue; // deleted, or a link that leads nowhere
  }
  if (bytes.subarray(0, 8192).includes(0)) continue;
  for (const line of forbiddenText(file, bytes.toString("utf8"))) {
    found += 1;
    process.stderr.write(`${line}\n`);
  }
}
process.exitCode = found === 0 ? 0 : 1;
