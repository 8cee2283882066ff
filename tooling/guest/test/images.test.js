import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { assemble, guestFolder, guests, moduleFile, moduleText, nasmVersion } from "../images.js";

const image = (/** @type {string} */ name) => readFileSync(path.join(guestFolder, `${name}.bin`));

describe("guest images", () => {
  it.for(guests)("%s.bin is what nasm makes of its source", (name, { skip }) => {
    skip(nasmVersion() === null, "nasm is not installed");
    expect(assemble(name).equals(image(name)), "run node tooling/guest/rebuild.js").toBe(true);
  });

  it("the module carries the images", () => {
    const text = moduleText(Object.fromEntries(guests.map((name) => [name, image(name)])));
    expect(readFileSync(moduleFile, "utf8")).toBe(text);
  });
});
