import { describe, expect, test } from "vitest";
import { manifestProblems } from "../manifest.js";

const node = ">=20.19.0";
const manifest = {
  name: "@whvkit/devices",
  version: "0.1.0",
  description: "Device models for virtual machines.",
  keywords: ["whvkit", "devices", "uart"],
  license: "MIT",
  homepage: "https://github.com/whvkit/whvkit/tree/main/packages/devices#readme",
  bugs: "https://github.com/whvkit/whvkit/issues",
  repository: { type: "git", url: "git+https://github.com/whvkit/whvkit.git", directory: "packages/devices" },
  type: "module",
  sideEffects: false,
  engines: { node },
  exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" }, "./package.json": "./package.json" },
  files: ["CHANGELOG.md", "dist", "src"],
  dependencies: { "@whvkit/whv-types": "^0.1.0" },
};
const files = ["LICENSE", "README.md", "package.json", "dist/index.js", "dist/index.d.ts", "src/index.ts"];
const readme = "# @whvkit/devices\n\nDevices.\n\n```sh\nnpm install @whvkit/devices\n```\n\n```ts\nnew Bus();\n```\n";
const good = { manifest, files, readme, folder: "packages/devices" };

test("a package that keeps every rule has no problem", () => {
  expect(manifestProblems(good, node)).toEqual([]);
});

describe("a problem is named", () => {
  test.each([
    [{ name: "@whvkit/device" }, 'name is not "@whvkit/devices"'],
    [{ description: "Devices" }, "description is no sentence of 20 to 160 characters"],
    [{ keywords: ["whvkit", "uart"] }, "keywords are fewer than three, or lack whvkit"],
    [{ keywords: ["whvkit", "uart", "uart"] }, "a keyword is there twice"],
    [{ license: "ISC" }, 'license is not "MIT"'],
    [{ engines: { node: ">=18" } }, 'engines is not {"node":">=20.19.0"}'],
    [{ sideEffects: undefined }, "sideEffects is not false"],
    [{ repository: "whvkit/whvkit" }, /^repository is not/],
    [{ exports: "./dist/index.js" }, /^exports is not/],
    [{ main: "dist/index.js" }, "main is there beside exports"],
    [{ scripts: { postinstall: "node build.js" } }, "the script postinstall runs at install"],
    [{ peerDependencies: {} }, /^peerDependencies:/],
    [{ dependencies: { "@whvkit/whv-types": "workspace:^" } }, "dependencies: @whvkit/whv-types is workspace:^"],
    [{ dependencies: { "@whvkit/whv-types": "^0.0.9" } }, "dependencies: @whvkit/whv-types is ^0.0.9"],
    [{ optionalDependencies: { koffi: "^3.3.4" } }, "optionalDependencies: koffi is ^3.3.4"],
    [{ files: ["CHANGELOG.md", "dist", "src", "guest"] }, "files: nothing of guest is packed"],
    [{ files: ["dist", "src"] }, "files: CHANGELOG.md is not named"],
    [{ bin: { whv: "bin/whv.js" } }, "bin: bin/whv.js is not packed"],
  ])("%o", (change, problem) => {
    const problems = manifestProblems({ ...good, manifest: { ...manifest, ...change } }, node);
    expect(problems).toEqual([typeof problem === "string" ? problem : expect.stringMatching(problem)]);
  });

  test("a file that is missing, and one that nobody needs", () => {
    const packed = [...files.filter((file) => file !== "LICENSE"), "test/bus.test.ts"];
    expect(manifestProblems({ ...good, files: packed }, node)).toEqual([
      "LICENSE is not packed",
      "test/bus.test.ts is packed",
    ]);
  });

  test("a README that does not say how to begin", () => {
    expect(manifestProblems({ ...good, readme: "# Devices\n" }, node)).toEqual([
      "README: the heading is not the package's name",
      "README: no line installs the package",
      "README: no example after the install line",
    ]);
  });
});
