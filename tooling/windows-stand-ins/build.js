// Compiles the stand-in libraries with mingw into `.cache/windows/stand-ins/<content>/`, once for each content of the
// sources: one folder with everything that the headers declare, and one as the first Windows with the platform has it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
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
import { fileURLToPath } from "node:url";
import { cacheFolders } from "./cache.js";

const here = fileURLToPath(new URL(".", import.meta.url));
/** The registers that there are, also those that are newer than the headers of mingw. */
const registerNames = path.join(here, "../../packages/whv-types/src/enums/generated/register-names.ts");
const compiler = "x86_64-w64-mingw32-gcc";

/**
 * What Windows 10, version 2004 exports, in short: everything that a guest needs, and the older generation of the functions
 * for extended state. What came later is missing there (Microsoft's pages, "Requirements").
 */
const version2004 = [
  "WHvGetCapability",
  "WHvCreatePartition",
  "WHvSetupPartition",
  "WHvDeletePartition",
  "WHvGetPartitionProperty",
  "WHvSetPartitionProperty",
  "WHvMapGpaRange",
  "WHvUnmapGpaRange",
  "WHvTranslateGva",
  "WHvCreateVirtualProcessor",
  "WHvDeleteVirtualProcessor",
  "WHvRunVirtualProcessor",
  "WHvCancelRunVirtualProcessor",
  "WHvGetVirtualProcessorRegisters",
  "WHvSetVirtualProcessorRegisters",
  "WHvSuspendPartitionTime",
  "WHvResumePartitionTime",
  "WHvQueryGpaRangeDirtyBitmap",
  "WHvRequestInterrupt",
  "WHvGetPartitionCounters",
  "WHvGetVirtualProcessorCounters",
  "WHvGetVirtualProcessorXsaveState",
  "WHvSetVirtualProcessorXsaveState",
  "WHvGetVirtualProcessorInterruptControllerState",
  "WHvSetVirtualProcessorInterruptControllerState",
];

/** Whether the compiler can be started. */
export function hasCompiler() {
  return spawnSync(compiler, ["--version"], { stdio: "ignore" }).status === 0;
}

/**
 * The folders of the compiled libraries: `current` has every function, `version2004` what Windows 10 of that version has.
 * Beside them lies `search-order`.
 *
 * @returns {{ current: string, version2004: string }}
 */
export function buildStandIns() {
  const sources = ["platform", "emulation", "search-order"].flatMap((folder) =>
    readdirSync(path.join(here, folder))
      .sort()
      .map((file) => path.join(here, folder, file)),
  );
  const hash = createHash("sha256");
  for (const file of [...sources, registerNames, fileURLToPath(import.meta.url)])
    hash.update(readFileSync(file)).update("\0");
  const target = path.join(cacheFolders.standIns, hash.digest("hex").slice(0, 16));
  if (!existsSync(target)) compileInto(target);
  return { current: path.join(target, "current"), version2004: path.join(target, "version2004") };
}

/** Compiles beside the target and renames, so that two test files cannot see half of it. */
function compileInto(/** @type {string} */ target) {
  mkdirSync(cacheFolders.standIns, { recursive: true });
  const work = mkdtempSync(path.join(cacheFolders.standIns, "build-"));
  try {
    const values = new Set(readFileSync(registerNames, "utf8").match(/(?<=^ {2}WHv\w+: )\w+(?=,$)/gm));
    writeFileSync(
      path.join(work, "known-registers.h"),
      `/* Every WHV_REGISTER_NAME. */\nstatic const UINT32 known_registers[] = {${[...values].join(", ")}};\n`,
    );
    const platform = compileAll(work, "platform");
    link(work, "current", "WinHvPlatform.dll", platform, ["-Wl,--export-all-symbols"]);
    link(work, "current", "WinHvEmulation.dll", compileAll(work, "emulation"), ["-Wl,--export-all-symbols"]);
    // With a list of exports nothing else is exported.
    const standIn = ["record.c", "run.c"].flatMap(
      (file) => readFileSync(path.join(here, "platform", file), "utf8").match(/StandIn\w+(?=\((?!\)))/g) ?? [],
    );
    const list = path.join(work, "version2004.def");
    writeFileSync(list, `EXPORTS\n${[...version2004, ...new Set(standIn)].map((name) => `  ${name}\n`).join("")}`);
    link(work, "version2004", "WinHvPlatform.dll", [...platform, list], ["-Wl,--exclude-all-symbols"]);
    linkSearchOrder(work);
    renameSync(work, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * `search-order/`: a WinHvPlatform.dll without the library that it depends on, that library in a folder of its own, and both
 * in one folder.
 */
function linkSearchOrder(/** @type {string} */ work) {
  const source = (/** @type {string} */ name) => path.join(here, "search-order", name);
  const [planted, dependent] = ["search-order/planted", "search-order/dependent"];
  link(work, planted, "planted.dll", [source("planted.c")], []);
  link(work, dependent, "WinHvPlatform.dll", [source("dependent.c"), path.join(work, planted, "planted.dll")], []);
  mkdirSync(path.join(work, "search-order/complete"));
  for (const file of [`${planted}/planted.dll`, `${dependent}/WinHvPlatform.dll`])
    copyFileSync(path.join(work, file), path.join(work, "search-order/complete", path.basename(file)));
}

/** The folder's sources as object files. */
function compileAll(/** @type {string} */ work, /** @type {string} */ folder) {
  const options = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-DWIN32_LEAN_AND_MEAN", "-I", work];
  const sources = readdirSync(path.join(here, folder)).filter((file) => file.endsWith(".c"));
  return sources.map((file) => {
    const object = path.join(work, `${file}.o`);
    run([...options, "-c", "-o", object, path.join(here, folder, file)]);
    return object;
  });
}

/**
 * @param {string} work
 * @param {string} folder
 * @param {string} library
 * @param {string[]} inputs
 * @param {string[]} options
 */
function link(work, folder, library, inputs, options) {
  mkdirSync(path.join(work, folder), { recursive: true });
  run(["-shared", "-static-libgcc", ...options, "-o", path.join(work, folder, library), ...inputs]);
}

/** Runs the compiler. */
export function run(/** @type {string[]} */ args) {
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${compiler} ${args.at(-1)}: ${error?.message ?? stderr}`);
}
