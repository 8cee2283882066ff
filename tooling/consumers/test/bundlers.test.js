// The packed packages in bundles for browsers: they build without a warning, hold nothing of Node, run where there is nothing
// but what Node and browsers share, and hold only what is used.
import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { importMap } from "@tooling/import-map/map.js";
import { describe, expect, inject, test } from "vitest";
import { bundlers, project } from "../src/bundles.js";

const consumer = inject("consumer");
const forBrowsers = Object.keys(importMap).filter((name) => !importMap[name].node);
const everything = forBrowsers
  .map((name, index) => `import * as package${index} from "@whvkit/${name}";\nexport { package${index} };\n`)
  .join("");

describe.each(Object.entries(bundlers))("%s", (_name, bundle) => {
  test("bundles every package for browsers, without a warning and without Node's modules", async () => {
    const { code, warnings } = await bundle(project(consumer, everything));
    expect(warnings).toEqual([]);
    expect(importsOf(code)).toEqual([]);
    // Each package is there: a bundle that lost them would pass all else.
    expect(code.length).toBeGreaterThan(500_000);
    expect(forBrowsers.length).toBe(10);
  });

  test("the bundle of the first steps runs without anything of Node", async () => {
    const { code, warnings } = await bundle(project(consumer, 'export * from "./first-steps.js";\n'));
    expect(warnings).toEqual([]);
    const { decode, emulate, boot } = await withoutNode(code);
    expect(decode()).toBe("mov eax, dword ptr [rdi]");
    expect(emulate()).toEqual({ status: ["EmulationSuccessful"], set: { Rax: "0xdeadbeef", Rip: "0x1002" } });
    let text = "";
    const { exitStatus, screen } = await boot((/** @type {string} */ part) => {
      text += part;
    });
    expect(exitStatus).toBe(0);
    expect(text).toContain("Hello, whvkit!");
    expect(screen).toContain("64 bits");
  });

  test("a module of Node would be noticed", async () => {
    const program = 'import { readFileSync } from "node:fs";\nexport const read = () => readFileSync("file");\n';
    const found = await bundle(project(consumer, program)).then(({ code }) => importsOf(code), String);
    expect(found).not.toEqual([]);
    expect(String(found)).toMatch(/a module of Node, replaced|Could not resolve "node:fs"/);
  });

  test("one structure does not bring the others, nor the decoder its formatter", async () => {
    const view = await bundle(project(consumer, 'export { MemoryAccessInfoView } from "@whvkit/whv-types";\n'));
    const views = await bundle(project(consumer, 'export * from "@whvkit/whv-types";\n'));
    expect(views.code).toContain("VpciDeviceProperty");
    expect(view.code).not.toContain("VpciDeviceProperty");
    expect(view.code.length).toBeLessThan(views.code.length / 50);

    const decoder = await bundle(project(consumer, 'export { Decoder, Instruction } from "@whvkit/x86-decoder";\n'));
    const formatting = await bundle(project(consumer, 'export * from "@whvkit/x86-decoder";\n'));
    expect(formatting.code).toContain("dword ptr");
    expect(decoder.code).not.toContain("dword ptr");
    expect(decoder.code.length).toBeLessThan(formatting.code.length * 0.6);
  });

  test("an import for nothing leaves nothing", async () => {
    for (const name of forBrowsers) {
      const { code } = await bundle(project(consumer, `import "@whvkit/${name}";\nexport const kept = 1;\n`));
      expect(`${name}: ${code.length < 200}`).toBe(`${name}: true`);
    }
  });
});

/** What a bundle still imports or reads of Node; Vite puts an object that throws in the place of a module of Node. */
function importsOf(/** @type {string} */ code) {
  const imports = [...code.matchAll(/(?:\bfrom|\bimport|\brequire\()\s*["'`]([^"'`]+)["'`]/g)].map(([, name]) => name);
  const builtins = [...code.matchAll(/["'`](node:[a-z/_]+)["'`]/g)].map(([, name]) => name);
  const replaced = code.includes("externalized for browser compatibility") ? ["a module of Node, replaced"] : [];
  return [...imports, ...builtins, ...replaced, ...(/\bprocess\.(?!on\b)\w/.test(code) ? ["process"] : [])];
}

/**
 * The bundle's exports, imported in a realm whose global object has lost what only Node has.
 *
 * @param {string} code
 */
async function withoutNode(code) {
  const folder = mkdtempSync(path.join(consumer, "module-"));
  const file = path.join(folder, "bundle.mjs");
  // Shadowed for the whole module: any use of them is that of undefined.
  const hidden = ["process", "Buffer", "global", "require", "module", "setImmediate", "__dirname"];
  writeFileSync(file, `const ${hidden.map((name) => `${name} = undefined`).join(", ")};\n${code}`);
  return await import(/* @vite-ignore */ pathToFileURL(file).href);
}
