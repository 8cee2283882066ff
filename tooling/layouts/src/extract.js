// Compiles the Windows headers of mingw-w64 and writes what they say to data/facts.json: sizes, offsets, bit positions,
// values, prototypes. Run again, it writes the same file.
//
//   node src/extract.js            needs Debian's gcc-mingw-w64-x86-64
//   node src/extract.js --check    compares with the committed file and writes nothing
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { layoutsOf } from "./extraction/layouts.js";
import { bitFieldsOf, compareBits, compareIntegers, integerProbes, probeSource } from "./extraction/probes.js";
import { callbacksOf, definesOf, prototypesOf } from "./extraction/prototypes.js";
import { factsText } from "./facts.js";

const TOOLS = "x86_64-w64-mingw32";
const INCLUDES = ["windows.h", "winhvplatform.h", "winhvemulation.h"];
const FACTS = new URL("../data/facts.json", import.meta.url);

/**
 * Which cross compiler and headers are installed, as the facts' `meta` states it; `undefined` where none is. Facts of
 * one version are compared with that version only: a newer header has more.
 */
export function installedToolchain() {
  try {
    const compiler = execFileSync(`${TOOLS}-gcc`, ["-dumpfullversion"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const input =
      "#include <_mingw.h>\nversion __MINGW64_VERSION_MAJOR __MINGW64_VERSION_MINOR __MINGW64_VERSION_BUGFIX\n";
    const text = execFileSync(`${TOOLS}-gcc`, ["-E", "-P", "-"], { encoding: "utf8", input });
    const headers = /^version (.*)$/m.exec(text)?.[1].trim().replaceAll(" ", ".");
    return { headers: `mingw-w64 ${headers}`, compiler: `${TOOLS}-gcc ${compiler.trim()}` };
  } catch {
    return undefined;
  }
}

/** The facts of the installed headers. A difference between debugging information and constants is an error. */
export function extractFacts() {
  const folder = mkdtempSync(path.join(tmpdir(), "layouts-"));
  try {
    return extractIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder for what is compiled */
function extractIn(folder) {
  const file = (/** @type {string} */ name) => path.join(folder, name);
  const run = (/** @type {string} */ tool, /** @type {string[]} */ ...args) =>
    execFileSync(`${TOOLS}-${tool}`, args, { encoding: "utf8", maxBuffer: 1 << 28 });

  writeFileSync(file("headers.c"), INCLUDES.map((name) => `#include <${name}>\n`).join(""));
  // Unused types are what it is all about; DWARF 4 is what extraction/layouts.js reads.
  run("gcc", "-c", "-g", "-gdwarf-4", "-fno-eliminate-unused-debug-types", "-o", file("headers.o"), file("headers.c"));
  const { types, enums } = layoutsOf(run("objdump", "--dwarf=info", file("headers.o")));

  const headerFile = (/** @type {string} */ name) => {
    const dependencies = run("gcc", "-M", file("headers.c")).split(/[\s\\]+/);
    const found = dependencies.find((dependency) => path.basename(dependency) === name);
    if (!found) throw new Error(`the compiler does not find ${name}`);
    return readFileSync(found, "utf8");
  };
  const platform = headerFile("winhvplatform.h");
  const definitions = headerFile("winhvplatformdefs.h");
  const emulation = headerFile("winhvemulation.h");
  const defines = definesOf(definitions + emulation);

  const integers = integerProbes(types, enums, defines);
  const bitFields = bitFieldsOf(types);
  writeFileSync(file("probes.c"), probeSource(INCLUDES, integers, bitFields));
  run("gcc", "-c", "-w", "-fno-toplevel-reorder", "-o", file("probes.o"), file("probes.c"));
  const section = (/** @type {string} */ name) => {
    run("objcopy", "-O", "binary", "-j", name, file("probes.o"), file(name));
    return new Uint8Array(readFileSync(file(name)));
  };
  const { values, differences } = compareIntegers(integers, section("probes"));
  differences.push(...compareBits(bitFields, section("bits")));
  if (differences.length > 0) throw new Error(`debugging information and constants differ:\n${differences.join("\n")}`);
  for (const [name, type] of Object.entries(types)) type.align = Number(values.get(`alignof ${name}`));

  return {
    meta: {
      abi: "x86_64-w64-mingw32 (LLP64, ms-bitfields)",
      ...installedToolchain(),
      method: "debugging information; every number evaluated again by the compiler as a constant",
    },
    constants: Object.fromEntries(defines.map(({ name }) => [name, `0x${values.get(name)?.toString(16)}`])),
    enums,
    types,
    functions: { ...prototypesOf(platform, "WinHvPlatform.dll"), ...prototypesOf(emulation, "WinHvEmulation.dll") },
    callbacks: callbacksOf(emulation, "WinHvEmulation.dll"),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = factsText(extractFacts());
  if (!process.argv.includes("--check")) writeFileSync(FACTS, text);
  else if (text !== readFileSync(FACTS, "utf8")) {
    process.stderr.write("data/facts.json is not what the installed headers say\n");
    process.exitCode = 1;
  }
}
