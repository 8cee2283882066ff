// Bundles programs for browsers with Vite and with esbuild, as a consumer of the packed packages would: with the bundlers'
// defaults, and every warning kept. (Only Vite's about chunks of more than 500 kB is not asked for: sizes have their own
// bounds, in sizes.js.)
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as vite from "vite";

/** @typedef {{ code: string, warnings: string[] }} Bundle */

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));

/**
 * A folder of the consumer with the fixtures and one more module in it.
 *
 * @param {string} consumer the folder of packed-packages.js
 * @param {string} entry the text of `entry.js`
 */
export function project(consumer, entry = "") {
  const folder = mkdtempSync(path.join(consumer, "bundle-"));
  cpSync(fixtures, folder, { recursive: true });
  writeFileSync(path.join(folder, "entry.js"), entry);
  return folder;
}

/** Each answers what a bundler makes of `entry.js` of the folder, as one minified file. */
export const bundlers = {
  /** @returns {Promise<Bundle>} */
  async vite(/** @type {string} */ folder) {
    return await buildWithVite(folder, path.join(folder, "entry.js"));
  },
  /** @returns {Promise<Bundle>} */
  async esbuild(/** @type {string} */ folder) {
    const { outputFiles, warnings } = await esbuild.build({
      absWorkingDir: folder,
      entryPoints: ["entry.js"],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
    return { code: outputFiles.map((file) => file.text).join("\n"), warnings: warnings.map(({ text }) => text) };
  },
};

/**
 * Builds the page of the folder with Vite, into its `dist`.
 *
 * @returns {Promise<Bundle & { folder: string }>}
 */
export async function buildPage(/** @type {string} */ folder) {
  return { ...(await buildWithVite(folder, path.join(folder, "index.html"))), folder: path.join(folder, "dist") };
}

/**
 * @param {string} folder
 * @param {string} input
 * @returns {Promise<Bundle>}
 */
async function buildWithVite(folder, input) {
  /** @type {string[]} */
  const warnings = [];
  const logger = vite.createLogger("warn");
  logger.warn = (message) => void warnings.push(message);
  logger.warnOnce = logger.warn;
  logger.error = logger.warn;
  await vite.build({
    root: folder,
    configFile: false,
    customLogger: logger,
    logLevel: "warn",
    publicDir: false,
    build: {
      outDir: "dist",
      chunkSizeWarningLimit: 2000,
      reportCompressedSize: false,
      rollupOptions: { input, preserveEntrySignatures: "strict" },
    },
  });
  const assets = path.join(folder, "dist", "assets");
  const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
  return { code: scripts.map((name) => readFileSync(path.join(assets, name), "utf8")).join("\n"), warnings };
}
