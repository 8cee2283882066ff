#!/usr/bin/env node
// Holds etc/<package>.api.md, the tracked report of each package's public API, against the one of the last build, and the
// API to its documentation (documentation.js, examples.js) and to the changesets (unannounced-changes.js).
//
//   node tooling/api-report/reports.js check            fails, and prints the difference, when one differs; when an export
//                                                       has no description or no release tag; when a function or class
//                                                       has no example; when a changed report has no changeset
//   node tooling/api-report/reports.js update [NAME…]   copies the built reports (of these packages) to etc/
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { missingDocumentation } from "./documentation.js";
import { missingExamples } from "./examples.js";
import { unannouncedChanges } from "./unannounced-changes.js";

const [mode, ...names] = process.argv.slice(2);
if (mode !== "check" && mode !== "update") {
  process.stderr.write("usage: reports.js check | update [NAME…]\n");
  process.exit(2);
}

for (const group of ["packages", "apps"]) {
  for (const name of readdirSync(path.join(workspaceRoot, group))) {
    const folder = path.join(workspaceRoot, group, name);
    if (!existsSync(path.join(folder, "tsconfig.build.json"))) continue;
    if (names.length > 0 && !names.includes(name)) continue;
    const built = path.join(folder, "build/api", `${name}.api.md`);
    const tracked = path.join(folder, "etc", `${name}.api.md`);
    if (mode === "update") update(built, tracked);
    else check(name, built, tracked);
  }
}

if (mode === "check") {
  const { unannounced, notes } = unannouncedChanges(workspaceRoot);
  for (const note of notes) process.stdout.write(`${note}\n`);
  for (const change of unannounced) fail(`${change}; run \`pnpm changeset\``);
}

/**
 * @param {string} built
 * @param {string} tracked
 */
function update(built, tracked) {
  mkdirSync(path.dirname(tracked), { recursive: true });
  copyFileSync(built, tracked);
}

/**
 * @param {string} name
 * @param {string} built
 * @param {string} tracked
 */
function check(name, built, tracked) {
  if (!existsSync(built)) return fail(`${name}: not built`);
  if (!existsSync(tracked)) return fail(`${name}: etc/${name}.api.md is missing; run \`pnpm api:update\``);
  const report = readFileSync(built, "utf8");
  for (const missing of missingDocumentation(report)) fail(`${name}: ${missing}`);
  const declarations = path.join(path.dirname(built), "../../dist/index.d.ts");
  for (const missing of missingExamples(readFileSync(declarations, "utf8"))) fail(`${name}: ${missing}`);
  if (readFileSync(tracked, "utf8") === report) return;
  const difference = spawnSync("git", ["diff", "--no-index", "--", tracked, built], { encoding: "utf8" }).stdout ?? "";
  fail(
    `${name}: the public API differs from etc/${name}.api.md; run \`pnpm api:update\` and review it.\n${difference}`,
  );
}

/** @param {string} reason */
function fail(reason) {
  process.stderr.write(`${reason}\n`);
  process.exitCode = 1;
}
