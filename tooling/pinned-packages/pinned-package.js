// npm packages that tests need but the workspace does not install, each pinned to one content and unpacked into a cache.
// Only prepare programs fetch; tests ask whether a package is there. It imports nothing that has to be installed, because
// prepare programs run before that, too.
import { execFileSync } from "node:child_process";
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

/**
 * @typedef {object} PinnedPackage
 * @property {string} name
 * @property {string} version
 * @property {string} sha512 of the published tarball, base64
 */

/**
 * Fetches a package with `npm pack`, from wherever npm is told to, unless it is there.
 *
 * @param {PinnedPackage} pinned
 * @param {string} folder where its content is to lie; replaced
 * @returns {"there" | "fetched"}
 * @throws Error when it cannot be had, or is not what was pinned
 */
export function fetchPinnedPackage(pinned, folder) {
  if (hasPinnedPackage(pinned, folder)) return "there";
  const parent = path.dirname(folder);
  mkdirSync(parent, { recursive: true });
  const temporary = mkdtempSync(path.join(parent, ".fetch-"));
  try {
    // `npm pack` runs no script of the package.
    execFileSync("npm", ["pack", "--silent", `${pinned.name}@${pinned.version}`, "--pack-destination", temporary], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [tarball] = readdirSync(temporary);
    if (tarball === undefined) throw new Error("npm pack wrote nothing");
    unpackPinned(path.join(temporary, tarball), pinned, folder);
    return "fetched";
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Unpacks a tarball that is what was pinned, and refuses any other.
 *
 * @param {string} tarball beside which it is unpacked first
 * @param {{ sha512: string }} pinned
 * @param {string} folder where its content is to lie; replaced
 */
export function unpackPinned(tarball, { sha512 }, folder) {
  const hash = createHash("sha512").update(readFileSync(tarball)).digest("base64");
  if (hash !== sha512) throw new Error(`the tarball's sha512 is ${hash}, not ${sha512}`);
  const parent = path.dirname(tarball);
  execFileSync("tar", ["xzf", tarball, "-C", parent]);
  writeFileSync(path.join(parent, "package", hashMark(sha512)), "");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  renameSync(path.join(parent, "package"), folder);
}

/** Whether a folder holds a package in its pinned content. */
export function hasPinnedPackage(/** @type {{ sha512: string }} */ { sha512 }, /** @type {string} */ folder) {
  return existsSync(path.join(folder, hashMark(sha512)));
}

/** A file in the package's folder that says which content was unpacked there. */
function hashMark(/** @type {string} */ sha512) {
  return `.content-${sha512.replace(/[^A-Za-z0-9]/g, "").slice(0, 24)}`;
}
