#!/usr/bin/env node
// The release rehearsal: makes two releases in a copy of the workspace, publishes both to a registry of its own on
// 127.0.0.1, and does with the packages what strangers do. README.md says what in order.
//
//   node tooling/release-rehearsal/main.js            on this Node; part of the test command
//   node tooling/release-rehearsal/main.js --matrix   every Node of prepare.js, both compilers, all resolutions; part of
//                                                     .ci/run
//
// Needs a build. The last line is `N passed, N failed`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ledger } from "./ledger.js";
import { rehearse } from "./rehearsal.js";

const [mode, ...rest] = process.argv.slice(2);
if ((mode !== undefined && mode !== "--matrix") || rest.length > 0) {
  process.stderr.write("usage: main.js [--matrix]\n");
  process.exit(2);
}

const folder = mkdtempSync(path.join(tmpdir(), "release-rehearsal-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const ledger = new Ledger((line) => process.stdout.write(`${line}\n`));
await ledger.check("the rehearsal came to its end", () => rehearse(folder, ledger, mode === "--matrix"));
process.stdout.write(`${ledger.summary}\n`);
process.exitCode = ledger.failed === 0 ? 0 : 1;
