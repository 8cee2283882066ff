// Runs an example that needs Windows: bundled from the packed packages, in Node for Windows (under Wine where this is no
// Windows), over the stand-ins for the platform's libraries. The text of the example stays as it is; it gets a `win-backend`
// whose libraries come from the stand-ins' folder instead of the system's, and where it asks for the simulator it gets that
// backend: what runs on one has to run on the other.
import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runProgram, standInFolders } from "@tooling/windows-stand-ins/under-windows.js";
import { build } from "esbuild";
import { withPromises } from "./promises.js";

const promiseKeeper = path.join(import.meta.dirname, "promise-keeper.js");

/**
 * @param {string} consumer the folder of packed-packages.js
 * @param {import("./example-blocks.js").ExampleProgram} program
 */
export async function runOnStandIns(consumer, program) {
  const folder = mkdtempSync(path.join(consumer, "windows-"));
  const packed = path.join(consumer, "node_modules/@whvkit/win-backend/dist/index.js");
  const options = JSON.stringify({ libraryDirectory: standInFolders().current });
  const overStandIns = [
    `export * from ${JSON.stringify(packed)};`,
    `import * as packed from ${JSON.stringify(packed)};`,
    `export const winHypervisor = packed.createWinHypervisor(${options});`,
    `export const bindWinHvPlatform = () => packed.bindWinHvPlatform(${options});`,
    `export const createWinHypervisor = (given) => packed.createWinHypervisor({ ...given, ...${options} });`,
    `export const bindWinHvEmulation = () => packed.bindWinHvEmulation(${options});`,
    `export const createNativeEmulator = (callbacks) => packed.createNativeEmulator(callbacks, ${options});`,
    `export const describeHost = () => packed.describeHost(${options});`,
  ];
  const inPlaceOfSimulator = 'export { winHypervisor as simHypervisor } from "@whvkit/win-backend";\n';
  const files = {
    "backend.js": overStandIns.join("\n"),
    "simulator.js": inPlaceOfSimulator,
    "example.ts": withPromises(program.source).source,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  writeFileSync(path.join(folder, "entry.js"), `import ${JSON.stringify(promiseKeeper)};\nimport "./example.ts";\n`);
  const outfile = path.join(folder, "bundle.mjs");
  await build({
    entryPoints: [path.join(folder, "entry.js")],
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["koffi"],
    alias: {
      "@whvkit/win-backend": path.join(folder, "backend.js"),
      "@whvkit/sim-backend": path.join(folder, "simulator.js"),
    },
    outfile,
    logLevel: "silent",
  });
  return runProgram(outfile, [], { timeout: 60_000 });
}
