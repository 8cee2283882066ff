#!/usr/bin/env node
// Fetches what the tests under Wine need, once, into `.cache/windows`: Node for Windows and koffi's Windows binary, both
// pinned, and a Wine prefix. Tests never fetch; where something is missing they are skipped and name this command:
//
//   node tooling/windows-stand-ins/prepare.js
//
// Exit status 1 when something could not be had.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fetchPinnedPackage } from "../pinned-packages/pinned-package.js";
import { cacheFolders, folderOf, pinnedPackages } from "./cache.js";
import { wineEnvironment } from "./wine.js";

mkdirSync(cacheFolders.cache, { recursive: true });
let complete = true;
for (const pinned of pinnedPackages)
  attempt(`${pinned.name}@${pinned.version}`, () => fetchPinnedPackage(pinned, folderOf(pinned)));
attempt("the Wine prefix", preparePrefix);
process.exitCode = complete ? 0 : 1;

function attempt(/** @type {string} */ what, /** @type {() => string} */ action) {
  try {
    console.log(`${what}: ${action()}`);
  } catch (error) {
    console.error(`${what}: ${error instanceof Error ? error.message : error}`);
    complete = false;
  }
}

/** A fresh prefix takes about ten seconds, so it is made here and not by the first test. */
function preparePrefix() {
  if (process.platform === "win32") return "not needed on Windows";
  if (existsSync(path.join(cacheFolders.prefix, "system.reg"))) return "there";
  const env = wineEnvironment();
  // Wine 8 presents Windows 7, which Node 22 refuses.
  for (const args of [
    ["wineboot", "--init"],
    ["winecfg", "/v", "win10"],
    ["wineboot", "--shutdown"],
  ]) {
    const { error, status } = spawnSync("wine", args, { env, stdio: "ignore" });
    if (error !== undefined)
      throw new Error(`wine cannot be started (Debian packages wine and wine64): ${error.message}`);
    if (status !== 0) throw new Error(`wine ${args.join(" ")} ended with status ${status}`);
  }
  return "made";
}
