// Bundles of typical consumers stay within their bounds, and the READMEs' tables say what they weigh. `pnpm docs:update`
// writes the tables anew.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { describe, expect, inject, test } from "vitest";
import { pages } from "../src/pages.js";
import { consumers, measure, tabulated, withTables } from "../src/sizes.js";

const sizes = await measure(inject("consumer"));

if (process.env.UPDATE_PAGES !== undefined)
  for (const { page, text } of pages()) {
    const updated = withTables(text, sizes);
    if (updated !== text) writeFileSync(path.join(workspaceRoot, page), updated);
  }

describe.each(Object.entries(consumers))("%s", (id, { minified, compressed }) => {
  test("is within its bounds, and the bounds bind", () => {
    const size = sizes[id] ?? { minified: Number.NaN, compressed: Number.NaN };
    expect(size.minified).toBeGreaterThan(0);
    if (minified === undefined || compressed === undefined) return; // iced-x86's size is not ours to bound
    expect(size.minified).toBeLessThanOrEqual(minified);
    expect(size.compressed).toBeLessThanOrEqual(compressed);
    expect(size.minified).toBeGreaterThan(minified * 0.6);
    expect(size.compressed).toBeGreaterThan(compressed * 0.6);
  });
});

test("the decoder weighs a tenth of iced-x86, after gzip a sixth", () => {
  const { decoder, iced } = sizes;
  expect((iced?.minified ?? 0) / (decoder?.minified ?? 1)).toBeGreaterThan(10);
  expect((iced?.compressed ?? 0) / (decoder?.compressed ?? 1)).toBeGreaterThan(6);
});

test("the READMEs' tables are right to a twentieth", () => {
  const figures = pages().flatMap(({ page, text }) => tabulated(text).map((figure) => ({ page, ...figure })));
  expect(new Set(figures.map(({ page }) => page))).toEqual(new Set(["README.md", "packages/x86-decoder/README.md"]));
  for (const { page, id, title, minified, compressed } of figures) {
    const size = sizes[id];
    expect(`${page}: ${title}`).toBe(`${page}: ${consumers[id]?.title}`);
    for (const [figure, measured] of [
      [minified, size?.minified ?? 0],
      [compressed, size?.compressed ?? 0],
    ])
      expect(Math.abs(figure - measured), `${page}: ${title}`).toBeLessThan(0.05 + measured * 0.05);
  }
});
