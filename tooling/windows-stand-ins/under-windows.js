// Runs TypeScript programs in Node for Windows: under Wine, or on Windows itself. A program is bundled first (every
// @whvkit package from its source), so that it starts quickly and needs no build. What `prepare.js` has not fetched is not
// fetched here: then there is a reason, and tests are skipped with it.
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { hasPinnedPackage } from "../pinned-packages/pinned-package.js";
import { buildStandIns, hasCompiler, run } from "./build.js";
import { cacheFolders, folderOf, pinnedPackages } from "./cache.js";
import { installedPrefix } from "./installed-prefix.js";
import { windowsPath, wineEnvironment } from "./wine.js";

export { windowsPath } from "./wine.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const onWindows = process.platform === "win32";
/** A program that hangs must not hang the tests. */
const TIMEOUT = 90_000;
/** Where Windows has its libraries. */
const SYSTEM_FOLDER = "C:\\windows\\system32";

export function windowsUnavailable() {
  const prepare = "run `node tooling/windows-stand-ins/prepare.js`";
  if (!hasCompiler()) return "x86_64-w64-mingw32-gcc is not installed (Debian package gcc-mingw-w64-x86-64)";
  if (onWindows) return null;
  if (process.platform !== "linux" || process.arch !== "x64")
    return `Wine is not tried on ${process.platform} ${process.arch}`;
  if (spawnSync("wine", ["--version"], { stdio: "ignore" }).status !== 0)
    return "wine is not installed (Debian packages wine and wine64)";
  for (const pinned of pinnedPackages)
    if (!hasPinnedPackage(pinned, folderOf(pinned))) return `${pinned.name}@${pinned.version} is not there; ${prepare}`;
  return existsSync(path.join(cacheFolders.prefix, "system.reg")) ? null : `there is no Wine prefix; ${prepare}`;
}

export function standInFolders() {
  const { current, version2004 } = buildStandIns();
  return { current: windowsPath(current), version2004: windowsPath(version2004), installed: SYSTEM_FOLDER };
}

/**
 * @param {string} entry
 * @param {readonly string[]} args
 * @param {{ timeout?: number, prefix?: string }} [options]
 */
export async function runProgram(entry, args, { timeout = TIMEOUT, prefix } = {}) {
  mkdirSync(cacheFolders.bundles, { recursive: true });
  const folder = mkdtempSync(path.join(cacheFolders.bundles, "run-"));
  try {
    await bundle(entry, folder);
    // The command's version stands there, as seen from its code.
    writeFileSync(path.join(cacheFolders.bundles, "package.json"), '{ "type": "module", "version": "0.0.0" }\n');
    const node = onWindows ? [process.execPath] : ["wine", cacheFolders.node];
    const command = [...node, windowsPath(path.join(folder, "main.mjs")), ...args];
    return await start(command, path.join(folder, "output.txt"), timeout, prefix);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} entry
 * @param {"current" | "version2004" | "installed"} [libraries]
 * @returns {Promise<import("./under-windows.js").SuiteOutcome>}
 */
export async function runSuite(entry, libraries = "current") {
  const unavailable = windowsUnavailable();
  if (unavailable !== null) return { unavailable, results: [], output: "" };
  if (libraries === "installed" && onWindows)
    return { unavailable: "the system directory of Windows itself is left alone", results: [], output: "" };
  mkdirSync(cacheFolders.cache, { recursive: true });
  const results = mkdtempSync(path.join(cacheFolders.cache, "results-"));
  try {
    const file = path.join(results, "results.json");
    const options = libraries === "installed" ? { prefix: installedPrefix() } : {};
    const { status, output } = await runProgram(entry, [standInFolders()[libraries], windowsPath(file)], options);
    if (!existsSync(file)) {
      const error = `the program ended with status ${status} and without results:\n${output}`;
      return { unavailable: null, results: [{ name: "runs to its end", error, skipped: null }], output };
    }
    const report = JSON.parse(readFileSync(file, "utf8"));
    const ended = {
      name: "runs to its end",
      error: status === 0 ? null : `status ${status}:\n${output}`,
      skipped: null,
    };
    return { unavailable: null, results: [...report, ended], output };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/**
 * Compiles a C program against the stand-ins and runs it; its argument is a file that it may write.
 *
 * @param {string} source
 * @param {readonly string[]} includes
 */
export async function runHost(source, includes) {
  mkdirSync(cacheFolders.cache, { recursive: true });
  const folder = mkdtempSync(path.join(cacheFolders.cache, "host-"));
  try {
    const standIns = buildStandIns().current;
    const libraries = ["WinHvPlatform.dll", "WinHvEmulation.dll"].map((name) => path.join(standIns, name));
    const program = path.join(folder, "host.exe");
    const options = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-static-libgcc"];
    run([...options, ...includes.map((each) => `-I${each}`), "-o", program, source, ...libraries]);
    for (const library of libraries) copyFileSync(library, path.join(folder, path.basename(library)));
    const written = path.join(folder, "written.txt");
    const command = onWindows ? [program] : ["wine", program];
    const { status, output } = await start(
      [...command, windowsPath(written)],
      path.join(folder, "output.txt"),
      TIMEOUT,
    );
    return { status, output, written: existsSync(written) ? readFileSync(written, "utf8") : "" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One file, `main.mjs`, with everything but koffi and Node's own modules. */
async function bundle(/** @type {string} */ entry, /** @type {string} */ outDir) {
  await build({
    configFile: false,
    logLevel: "error",
    root,
    resolve: { alias: [{ find: /^@whvkit\/([a-z0-9-]+)$/, replacement: `${root}packages/$1/src/index.ts` }] },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      minify: false,
      target: "node22",
      rollupOptions: { input: entry, external: ["koffi"], output: { format: "es", entryFileNames: "main.mjs" } },
    },
    ssr: { noExternal: true },
  });
}

/**
 * Output goes to a file: under Wine 8, Node cannot write to a Unix pipe.
 *
 * @param {string[]} command
 * @param {string} outputFile
 * @param {number} timeout
 * @param {string} [prefix] - Wine's, where it is not the one that `prepare.js` made
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function start(command, outputFile, timeout, prefix) {
  // On Windows koffi is the one that is installed; under Wine, the one beside the bundles.
  const installed = path.join(root, "packages/win-backend/node_modules");
  const env = onWindows ? { ...process.env, NODE_PATH: installed } : wineEnvironment(prefix);
  const file = openSync(outputFile, "w");
  return new Promise((resolve, reject) => {
    const child = spawn(/** @type {string} */ (command[0]), command.slice(1), {
      env,
      stdio: ["ignore", file, file],
      timeout,
      killSignal: "SIGKILL",
    });
    closeSync(file);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output: readFileSync(outputFile, "utf8") }));
  });
}
