#!/usr/bin/env node
// Fetches the Nodes of the full matrix, once, into `.cache/node-versions`, pinned. The rehearsal itself never fetches:
//
//   node tooling/release-rehearsal/prepare.js
//
// Exit status 1 when one could not be had.
import { fetchPinnedPackage } from "../pinned-packages/pinned-package.js";
import { nodeFolder, pinnedNodes } from "./node-versions.js";

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error("the pinned Nodes are those for Linux on x64");
  process.exit(1);
}
for (const pinned of pinnedNodes) {
  try {
    console.log(`${pinned.name}@${pinned.version}: ${fetchPinnedPackage(pinned, nodeFolder(pinned))}`);
  } catch (error) {
    console.error(`${pinned.name}@${pinned.version}: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
