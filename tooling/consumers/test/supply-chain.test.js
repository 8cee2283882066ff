// What somebody takes in who installs a package: few dependencies, each with its reason in ARCHITECTURE.md and its licence in
// SECURITY.md, no script at install, and nothing in a tarball that does not belong there. `pnpm docs:update` writes the list
// of licences anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { describe, expect, inject, test } from "vitest";
import { licences, withLicences } from "../src/licences.js";
import { dependenciesOf, packedManifests } from "../src/manifests.js";

const consumer = inject("consumer");
const manifests = [...packedManifests(consumer)];
const packages = licences(consumer);
const page = path.join(workspaceRoot, "SECURITY.md");
const own = new Set(manifests.map(([name]) => name));

if (process.env.UPDATE_PAGES !== undefined) writeFileSync(page, withLicences(readFileSync(page, "utf8"), packages));

test("there are twelve packages, and two dependencies from outside", () => {
  expect(manifests.length).toBe(12);
  const outside = manifests.flatMap(([, manifest]) =>
    Object.keys(dependenciesOf(manifest)).filter((name) => !own.has(name)),
  );
  expect(outside.sort()).toEqual(["commander", "koffi"]);
});

test("the list of licences in SECURITY.md is that of what gets installed", () => {
  const text = readFileSync(page, "utf8");
  expect(withLicences(text, packages)).toBe(text);
  expect(text).toContain("<!-- licences -->");
});

test("every licence is one that asks for no more than to be named", () => {
  expect(packages.length).toBeGreaterThanOrEqual(4);
  for (const { name, licence } of packages)
    expect(`${name}: ${licence}`).toMatch(/: (MIT|ISC|BSD-[23]-Clause|Apache-2.0)$/);
});

describe.each(manifests)("%s", (name, manifest) => {
  const folder = path.join(consumer, "node_modules", name);
  const outside = Object.keys(dependenciesOf(manifest)).filter((dependency) => !own.has(dependency));

  test("names in ARCHITECTURE.md why it needs each dependency", () => {
    const text = readFileSync(path.join(workspaceRoot, "ARCHITECTURE.md"), "utf8");
    const reasons = /^Dependencies at run time from the registry, and why: ([\s\S]*?)\n\n/m.exec(text)?.[1] ?? "";
    const short = name.replace("@whvkit/", "");
    for (const dependency of outside)
      expect(reasons.replace(/\s+/g, " ")).toMatch(new RegExp(`\`${dependency}\` \\(${short}\\) \\w+ \\w+`));
  });

  test("pins what it takes from outside to one version", () => {
    for (const dependency of outside) expect(dependenciesOf(manifest)[dependency]).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("runs nothing when it is installed", () => {
    const scripts = Object.keys(manifest.scripts ?? {});
    expect(scripts.filter((script) => /^(pre|post)?(install|prepare)$/.test(script))).toEqual([]);
    expect(existsSync(path.join(folder, "binding.gyp"))).toBe(false);
  });

  test("holds its licence, its README, and nothing but what it says", () => {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) =>
      file.split(path.sep).join("/"),
    );
    for (const file of ["LICENSE", "README.md", "package.json", "dist/index.js", "dist/index.d.ts"])
      expect(files).toContain(file);
    const allowed = new Set(["LICENSE", "README.md", "CHANGELOG.md", "package.json", ...manifest.files]);
    expect(files.filter((file) => !allowed.has(file.split("/")[0] ?? ""))).toEqual([]);
    expect(files.filter((file) => /\.test\.|\.tsbuildinfo$|(^|\/)\.|node_modules/.test(file))).toEqual([]);
  });
});
