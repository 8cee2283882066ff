// What typical consumers pay for in a bundle, with a bound for each, and iced-x86 measured in the same way; and the tables of
// the READMEs that are made from it. A table stands between `<!-- sizes: id id … -->` and `<!-- end of sizes -->`.
import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import esbuildPlugin from "@size-limit/esbuild";
import filePlugin from "@size-limit/file";
import sizeLimit from "size-limit";

/**
 * @typedef {object} Consumer
 * @property {string} title
 * @property {string} [entry] the program
 * @property {string[]} [files] in its place: files of iced-x86
 * @property {number} [minified] the bound, in kB
 * @property {number} [compressed] the bound after gzip, in kB
 */

/** @typedef {{ minified: number, compressed: number }} Sizes in kB */

const iced = path.dirname(fileURLToPath(import.meta.resolve("iced-x86")));

/** @type {Readonly<Record<string, Consumer>>} */
export const consumers = {
  structure: {
    title: "one structure: `MemoryAccessInfoView` of `whv-types`",
    entry: 'export { MemoryAccessInfoView } from "@whvkit/whv-types";',
    minified: 2.1,
    compressed: 1,
  },
  message: {
    title: "`hresultMessage` of `whv-types`",
    entry: 'export { hresultMessage } from "@whvkit/whv-types";',
    minified: 2.5,
    compressed: 1.2,
  },
  enum: {
    title: "one enum of `whv-types`",
    entry: 'export { WHV_TRANSLATE_GVA_RESULT_CODE } from "@whvkit/whv-types";',
    minified: 0.4,
    compressed: 0.2,
  },
  contexts: {
    title: "the emulator's contexts and registers, of `whv-types`",
    entry:
      'export { VpExitContextView, MemoryAccessContextView, IoPortAccessContextView, RegisterValues } from "@whvkit/whv-types";',
    minified: 44,
    compressed: 8,
  },
  types: { title: "all of `whv-types`", entry: 'export * from "@whvkit/whv-types";', minified: 310, compressed: 42 },
  decoder: {
    title: "decoder: `Decoder`, `Instruction` of `x86-decoder`",
    entry: 'export { Decoder, Instruction } from "@whvkit/x86-decoder";',
    minified: 92,
    compressed: 45,
  },
  formatter: {
    title: "decoder and formatter",
    entry: 'export { Decoder, formatInstruction, Instruction } from "@whvkit/x86-decoder";',
    minified: 125,
    compressed: 58,
  },
  decoding: {
    title: "all of `x86-decoder`",
    entry: 'export * from "@whvkit/x86-decoder";',
    minified: 195,
    compressed: 80,
  },
  emulator: {
    title: "emulator: `createEmulator` of `emulator-core`",
    entry: 'export { createEmulator } from "@whvkit/emulator-core";',
    minified: 350,
    compressed: 126,
  },
  machine: {
    title: "simulator, monitor, devices and demonstration guest: `sim-backend`, `microvm`",
    entry:
      'export { createMachine, demoGuest } from "@whvkit/microvm";\nexport { simHypervisor } from "@whvkit/sim-backend";',
    minified: 630,
    compressed: 205,
  },
  iced: {
    title: "iced-x86 1.21.0: its JavaScript, minified, and its WebAssembly",
    files: [path.join(iced, "iced_x86.js"), path.join(iced, "iced_x86_bg.wasm")],
  },
};

/**
 * @param {string} consumer the folder of packed-packages.js
 * @returns {Promise<Record<string, Sizes>>}
 */
export async function measure(consumer) {
  const folder = mkdtempSync(path.join(consumer, "sizes-"));
  /** @type {Record<string, Sizes>} */
  const sizes = {};
  for (const [id, { entry, files }] of Object.entries(consumers)) {
    if (entry !== undefined) writeFileSync(path.join(folder, `${id}.js`), entry);
    const parts = files ?? [path.join(folder, `${id}.js`)];
    const sum = { minified: 0, compressed: 0 };
    for (const part of parts) {
      sum.minified += await sizeOf(part, false);
      sum.compressed += await sizeOf(part, true);
    }
    sizes[id] = sum;
  }
  return sizes;
}

/**
 * @param {string} file
 * @param {boolean} gzip
 * @returns {Promise<number>} kB
 */
async function sizeOf(file, gzip) {
  // Of iced-x86 the JavaScript loads the WebAssembly with modules of Node.
  const check = { files: [file], gzip, brotli: false, ignore: ["fs", "path", "util"], esbuild: file.endsWith(".js") };
  const [result] = /** @type {any} */ (await sizeLimit([esbuildPlugin, filePlugin], { checks: [check] }));
  return result.size / 1000;
}

const place = /(<!-- sizes: ([a-z ]+) -->\n)([\s\S]*?)(<!-- end of sizes -->)/g;

/**
 * A page with its tables as these sizes make them.
 *
 * @param {string} text
 * @param {Record<string, Sizes>} sizes
 */
export function withTables(text, sizes) {
  return text.replace(place, (_all, begin, ids, _table, end) => `${begin}${tableOf(ids.split(" "), sizes)}${end}`);
}

/**
 * The figures of a page's tables, in their order.
 *
 * @param {string} text
 */
export function tabulated(text) {
  return [...text.matchAll(place)].flatMap(([, , ids = "", table = ""]) => {
    const rows = table.trimEnd().split("\n").slice(2);
    return ids.split(" ").map((id, index) => {
      const [, title = "", minified, compressed] = (rows[index] ?? "").split("|").map((cell) => cell.trim());
      return { id, title, minified: Number(minified), compressed: Number(compressed) };
    });
  });
}

/**
 * @param {readonly string[]} ids
 * @param {Record<string, Sizes>} sizes
 */
function tableOf(ids, sizes) {
  const rows = ids.map((id) => {
    const { minified, compressed } = /** @type {Sizes} */ (sizes[id]);
    return `| ${consumers[id]?.title} | ${rounded(minified)} | ${rounded(compressed)} |\n`;
  });
  return `| in a bundle | minified, kB | after gzip |\n| --- | --- | --- |\n${rows.join("")}`;
}

const rounded = (/** @type {number} */ size) => (size < 10 ? size.toFixed(1) : size.toFixed(0));
