// What is committed is what generator and headers give.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { extractFacts, installedToolchain } from "../src/extract.js";
import { committedFacts, factsText } from "../src/facts.js";
import { generatedFiles } from "../src/generate.js";

const source = new URL("../../../packages/whv-types/src/", import.meta.url);
const files = generatedFiles(committedFacts());

test.each([...files.keys()])("%s is what the generator writes", (file) => {
  expect(readFileSync(new URL(file, source), "utf8")).toBe(files.get(file));
});

test.each(["enums", "functions", "structures"])("%s/generated holds nothing else", (folder) => {
  const there = readdirSync(new URL(`${folder}/generated/`, source)).map((name) => `${folder}/generated/${name}`);
  expect(there.sort()).toEqual([...files.keys()].filter((file) => file.startsWith(folder)).sort());
});

test("the facts file is what the compiled headers say", ({ skip }) => {
  const installed = installedToolchain();
  const { headers, compiler } = committedFacts().meta;
  skip(installed === undefined, "x86_64-w64-mingw32-gcc is not installed");
  skip(
    installed?.headers !== headers || installed?.compiler !== compiler,
    `the facts come from ${headers} and ${compiler}; installed are ${installed?.headers} and ${installed?.compiler}`,
  );
  expect(readFileSync(new URL("../data/facts.json", import.meta.url), "utf8")).toBe(factsText(extractFacts()));
});

test("the facts hold every type, field, bit-field, enum and function", () => {
  const { types, enums, functions } = committedFacts();
  const fields = Object.values(types).flatMap((type) => type.fields);
  expect({
    types: Object.keys(types).length,
    fields: fields.filter((field) => field.bitSize === undefined).length,
    bitFields: fields.filter((field) => field.bitSize !== undefined).length,
    enums: Object.keys(enums).length,
    functions: Object.keys(functions).length,
  }).toEqual({ types: 85, fields: 360, bitFields: 289, enums: 37, functions: 70 });
});
