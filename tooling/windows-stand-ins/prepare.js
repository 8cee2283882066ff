#!/usr/bin/env node
// Fetches what the tests under Wine need, once, into `.cache/windows`: Node for Windows and koffi's Windows binary, both
// pinned, and a Wine prefix. Tests never fetch; where something is missing they are skipped and name this command:
//
//   node tooling/windows-stand-ins/prepare.js
//
// Exit status 1 when something could not be had.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { cacheFolders, hashMark, hasPinnedPackage, pinnedPackages } from "./cache.js";
import { wineEnvironment } from "./wine.js";

mkdirSync(cacheFolders.cache, { recursive: true });
let complete = true;
for (const pinned of pinnedPackages) attempt(`${pinned.name}@${pinned.version}`, () => fetchPackage(pinned));
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

function fetchPackage(/** @type {{ name: string, version: string, sha512: string }} */ pinned) {
  if (hasPinnedPackage(pinned)) return "there";
  const folder = mkdtempSync(path.join(cacheFolders.cache, "fetch-"));
  try {
    // `npm pack` runs no script of the package.
    execFileSync("npm", ["pack", "--silent", `${pinned.name}@${pinned.version}`, "--pack-destination", folder], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [tarball] = readdirSync(folder);
    if (tarball === undefined) throw new Error("npm pack wrote nothing");
    const file = path.join(folder, tarball);
    const hash = createHash("sha512").update(readFileSync(file)).digest("base64");
    if (hash !== pinned.sha512) throw new Error(`the tarball's sha512 is ${hash}, not ${pinned.sha512}`);
    execFileSync("tar", ["xzf", file, "-C", folder]);
    writeFileSync(path.join(folder, "package", hashMark(pinned.sha512)), "");
    const target = path.join(cacheFolders.modules, pinned.name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(path.dirname(target), { recursive: true });
    renameSync(path.join(folder, "package"), target);
    return "fetched";
  } finally {
    rmSync(folder, { recursive: true, force: true });
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
