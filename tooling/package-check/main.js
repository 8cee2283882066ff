#!/usr/bin/env node
// Packs every published package as a release would, and holds each packed file against publint (is the
// package.json true of the files?) and attw (do its types resolve as its code does, for importers of ESM?).
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandFile, packWorkspace, workspaceRoot } from "@tooling/build-command";

const packed = mkdtempSync(path.join(tmpdir(), "packed-"));
let failed = 0;
try {
  packWorkspace(packed);
  const checks = readdirSync(packed).flatMap((name) => {
    const file = path.join(packed, name);
    return [
      { what: `publint ${name}`, args: [commandFile("publint"), "run", file, "--strict"] },
      {
        what: `attw ${name}`,
        args: [commandFile("@arethetypeswrong/cli"), file, "--profile", "esm-only", "--format", "ascii", "--no-color"],
      },
    ];
  });
  if (checks.length === 0) report("pnpm pack", "no package was packed");
  await Promise.all([checkNext(), checkNext()]);

  async function checkNext() {
    for (let check = checks.shift(); check !== undefined; check = checks.shift()) {
      const { status, output } = await run(check.args);
      if (status !== 0) report(check.what, output);
    }
  }
} finally {
  rmSync(packed, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

/**
 * @param {string} what
 * @param {string} output
 */
function report(what, output) {
  failed += 1;
  process.stderr.write(`${what}\n${output}\n`);
}

/**
 * @param {string[]} args
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function run(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: workspaceRoot, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (part) => {
      output += part;
    });
    child.stderr.on("data", (part) => {
      output += part;
    });
    child.on("error", (error) => resolve({ status: 1, output: String(error) }));
    child.on("close", (status) => resolve({ status, output }));
  });
}
