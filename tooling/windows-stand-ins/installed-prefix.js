// A Wine prefix in whose system directory the stand-ins lie: for programs that look for the platform where Windows has it.
// It shares the files of the prefix that `prepare.js` made, by hard links, and has a registry of its own.
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";
import { buildStandIns } from "./build.js";
import { cacheFolders } from "./cache.js";

/** The prefix, made once for each content of the stand-ins' sources. */
export function installedPrefix() {
  const { current } = buildStandIns();
  const target = path.join(path.dirname(current), "wine-prefix");
  if (existsSync(target)) return target;
  const work = mkdtempSync(path.join(cacheFolders.cache, "prefix-"));
  try {
    linkTree(cacheFolders.prefix, work);
    for (const library of readdirSync(current))
      copyFileSync(path.join(current, library), path.join(work, "drive_c/windows/system32", library));
    renameSync(work, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/** Files are linked; what Wine writes (the registry, at the top) is copied. */
function linkTree(/** @type {string} */ from, /** @type {string} */ to) {
  const top = from === cacheFolders.prefix;
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) {
      mkdirSync(target);
      linkTree(source, target);
    } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (top) copyFileSync(source, target);
    else linkSync(source, target);
  }
}
