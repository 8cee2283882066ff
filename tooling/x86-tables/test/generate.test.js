// The generated tables are what the generator makes of forms/*.txt and effects.txt.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generate, readForms } from "../src/generate.js";

test("the committed tables are what the generator makes", () => {
  for (const [name, text] of generate()) {
    const file = new URL(`../../../packages/x86-decoder/src/table/${name}`, import.meta.url);
    expect(readFileSync(file, "utf8") === text, `${name}: run node tooling/x86-tables/src/generate.js`).toBe(true);
  }
});

test("no two rows give the same form", () => {
  const seen = new Map();
  for (const form of readForms()) {
    const key = JSON.stringify([form.mnemonic, form.text, form.operands, form.mode32, form.mode64]);
    expect(seen.get(key), `${form.mnemonic} ${form.text} in ${form.place}`).toBeUndefined();
    seen.set(key, form.place);
  }
});
