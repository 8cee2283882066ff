#!/usr/bin/env node
// Fails when a package imports, or depends on, what the import map does not allow.
import { fileURLToPath } from "node:url";
import { checkImportMap } from "./check.js";

const violations = checkImportMap(fileURLToPath(new URL("../..", import.meta.url)));
for (const violation of violations) process.stderr.write(`${violation}\n`);
process.exitCode = violations.length === 0 ? 0 : 1;
