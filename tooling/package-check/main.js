#!/usr/bin/env node
// Packs every published package as a release would, and holds each packed file against publint (is the
// package.json true of the files?), attw (do its types resolve as its code does, for importers of ESM?) and the rules of
// manifest.js.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandFile, packWorkspace, workspaceRoot } from "@tooling/build-command";
import { manifestProblems } from "./manifest.js";

const packed = mkdtempSync(path.join(tmpdir(), "packed-"));
let failed = 0;
try {
  packWorkspace(packed);
  const { engines } = JSON.parse(readFileSync(path.join(workspaceRoot, "package.json"), "utf8"));
  for (const name of readdirSync(packed)) {
    const problems = manifestProblems(readPacked(path.join(packed, name)), engines.node);
    if (problems.length > 0) report(`package.json, files and README of ${name}`, problems.join("\n"));
  }

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

/** @returns {import("./manifest.js").PackedPackage} */
function readPacked(/** @type {string} */ tarball) {
  const tar = (/** @type {string[]} */ ...args) => execFileSync("tar", args, { encoding: "utf8", maxBuffer: 1 << 26 });
  const files = tar("-tzf", tarball)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^package\//, ""));
  const manifest = JSON.parse(tar("-xzOf", tarball, "package/package.json"));
  const readme = tar("-xzOf", tarball, "package/README.md");
  return { manifest, files, readme, folder: manifest.repository?.directory ?? "" };
}

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
