// Writes the generated sources of @whvkit/whv-types from the committed facts. `node src/write.js`
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { committedFacts } from "./facts.js";
import { generatedFiles } from "./generate.js";

const target = new URL("../../../packages/whv-types/src/", import.meta.url);
const files = generatedFiles(committedFacts());
const folders = new Set([...files.keys()].map((file) => file.replace(/[^/]*$/, "")));
for (const folder of folders) {
  mkdirSync(new URL(folder, target), { recursive: true });
  // What a renamed group left behind.
  for (const name of readdirSync(new URL(folder, target))) {
    if (!files.has(folder + name)) rmSync(new URL(folder + name, target));
  }
}
for (const [file, source] of files) writeFileSync(new URL(file, target), source);
