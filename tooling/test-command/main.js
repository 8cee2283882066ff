#!/usr/bin/env node
// The test command: every check of the repository, then every test, then what was skipped and why, then one
// line with the numbers.
//
//   node tooling/test-command/main.js              everything
//   node tooling/test-command/main.js FILTER…      only the tests whose file name holds a FILTER
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandFile, workspaceRoot } from "@tooling/build-command";
import { checks } from "./checks.js";
import { summarise } from "./summary.js";

const filters = process.argv.slice(2);
/** @type {import("./summary.js").CheckResult[]} */
const checkResults = [];

if (filters.length === 0) {
  for (const { name, args, needsBuild } of checks) {
    if (needsBuild && !checkResults.some((result) => result.name === "build" && result.passed)) {
      process.stdout.write(`FAILED ${name} (not run: the build failed)\n`);
      checkResults.push({ name, passed: false });
      continue;
    }
    const start = performance.now();
    const result = spawnSync(process.execPath, args, {
      cwd: workspaceRoot,
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const passed = result.status === 0;
    process.stdout.write(`${passed ? "ok    " : "FAILED"} ${name} (${seconds(performance.now() - start)})\n`);
    if (!passed) process.stdout.write(`${result.error ?? ""}${result.stdout}${result.stderr}\n`);
    checkResults.push({ name, passed });
  }
}

const { status, report } = runTests();
const { lines, exitCode } = summarise(checkResults, report, status);
process.stdout.write(`${lines.join("\n")}\n`);
process.exitCode = exitCode;

/** Runs the tests under vitest, which prints as it goes; what came of each is read from our own reporter. */
function runTests() {
  const folder = mkdtempSync(path.join(tmpdir(), "test-report-"));
  const file = path.join(folder, "report.json");
  try {
    const reporter = path.join(workspaceRoot, "tooling/test-command/report-writer.js");
    const args = [commandFile("vitest"), "run", ...filters, "--reporter=default", `--reporter=${reporter}`];
    const result = spawnSync(process.execPath, args, {
      cwd: workspaceRoot,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }), TEST_REPORT_FILE: file },
    });
    return { status: result.status, report: readReport(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {import("./summary.js").TestReport | null} null when the runner ended without writing one */
function readReport(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

function seconds(/** @type {number} */ milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
