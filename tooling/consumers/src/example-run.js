// Compiles and runs the programs of example-blocks.js as somebody would who has installed the packages: types by the
// TypeScript compiler in strict mode, on the text exactly as it stands on the page, and then the same text, with its
// promises written in, by Node.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { commandFile } from "@tooling/build-command";
import { transformSync } from "esbuild";
import { withPromises } from "./promises.js";

const promiseKeeper = pathToFileURL(fileURLToPath(new URL("promise-keeper.js", import.meta.url))).href;

const compilerOptions = {
  target: "es2022",
  lib: ["es2022", "esnext.disposable"],
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  types: ["node"],
};

/**
 * @param {string} consumer the folder of packed-packages.js
 * @param {readonly { source: string }[]} programs
 * @param {Record<string, unknown>} [options] compiler options in place of those for a program for Node
 * @returns {string[][]} for each program, what the compiler says
 */
export function compile(consumer, programs, options = {}) {
  const folder = mkdtempSync(path.join(consumer, "types-"));
  const files = programs.map((_, index) => `example-${index}.ts`);
  for (const [index, { source }] of programs.entries()) writeFileSync(path.join(folder, files[index] ?? ""), source);
  writeFileSync(
    path.join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...compilerOptions, ...options }, files }),
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [commandFile("typescript", "tsc"), "-p", "tsconfig.json", "--pretty", "false"],
    { cwd: folder, encoding: "utf8" },
  );
  const lines = stdout.split("\n").filter(Boolean);
  const said = files.map((file) => lines.filter((line) => line.startsWith(`${file}(`)));
  const other = lines.filter((line) => !line.startsWith("example-") && !line.startsWith(" "));
  if (other.length > 0 || (status !== 0 && said.every((each) => each.length === 0)))
    throw new Error(`the TypeScript compiler ended with status ${status}: ${stdout}${stderr}`);
  return said;
}

/**
 * @param {string} consumer
 * @param {import("./example-blocks.js").ExampleProgram} program
 * @returns {Promise<{ status: number | null, output: string, promises: number }>}
 */
export async function run(consumer, program) {
  const folder = mkdtempSync(path.join(consumer, "run-"));
  const file = path.join(folder, "example.mjs");
  const promises = writeProgram(file, program);
  return { ...(await runFile(folder, file)), promises };
}

/**
 * Runs programs one after the other in one process, which takes a fraction of the time of a process each.
 *
 * @param {string} consumer
 * @param {readonly import("./example-blocks.js").ExampleProgram[]} programs their lines must differ
 * @returns {Promise<{ status: number | null, output: string, failures: string[], withoutPromise: number[] }>} `failures`:
 *   the line of each that failed, and with what; `withoutPromise`: the lines of those that promise nothing
 */
export async function runSeries(consumer, programs) {
  const folder = mkdtempSync(path.join(consumer, "series-"));
  const withoutPromise = programs
    .filter((program) => writeProgram(path.join(folder, `line-${program.line}.mjs`), program) === 0)
    .map(({ line }) => line);
  const report = path.join(folder, "failures.json");
  const series = path.join(folder, "series.mjs");
  writeFileSync(
    series,
    `import { writeFileSync } from "node:fs";
const failures = [];
for (const line of ${JSON.stringify(programs.map(({ line }) => line))})
  await import(\`./line-\${line}.mjs\`).catch((error) => failures.push(\`\${line}: \${error?.stack ?? error}\`));
writeFileSync(${JSON.stringify(report)}, JSON.stringify(failures));
`,
  );
  const ended = await runFile(folder, series);
  const failures = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : ["an example ended the process"];
  return { ...ended, failures, withoutPromise };
}

/**
 * @param {string} file
 * @param {import("./example-blocks.js").ExampleProgram} program
 * @returns {number} how many promises were written in
 */
function writeProgram(file, program) {
  const { source, promises } = withPromises(program.source);
  writeFileSync(file, transformSync(source, { loader: "ts", format: "esm", target: "es2022" }).code);
  return promises;
}

/**
 * @param {string} folder
 * @param {string} file
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function runFile(folder, file) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", promiseKeeper, file], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, HOME: folder },
      timeout: 60_000,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (part) => {
        output += part;
      });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}
