#!/usr/bin/env node
// Runs before any package is published, as its `prepublishOnly` script in its folder, and ends the publishing with status 1
// unless guard.js lets it go on.
import { readdirSync, readFileSync } from "node:fs";
import { refusalOf } from "./guard.js";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const changesets = readdirSync(new URL("../../.changeset", import.meta.url)).filter((file) => file.endsWith(".md"));
const refusal = refusalOf(manifest, process.env, changesets);
if (refusal !== null) {
  process.stderr.write(`${manifest.name} is not published: ${refusal}\n`);
  process.exitCode = 1;
}
