// Every function of the two libraries has its place in the platform interfaces.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { functions } from "./support/facts.ts";

const folder = path.join(import.meta.dirname, "../src/platform");
const sources = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), "utf8"));

// An idiomatic emulator is made by a function of the package that implements it.
const elsewhere = ["WHvEmulatorCreateEmulator", "WHvEmulatorTryIoEmulation", "WHvEmulatorTryMmioEmulation"];

test.each(Object.keys(functions).filter((name) => !elsewhere.includes(name)))("%s", (name) => {
  expect(sources.some((source) => source.includes(`\`${name}\``))).toBe(true);
});
