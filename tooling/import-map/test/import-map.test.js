import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { checkImportMap } from "../check.js";
import { findImports } from "../imports.js";

/** @type {string[]} */
const made = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

const map = {
  base: { folder: "packages/base", whvkit: [], external: [], node: false },
  upper: { folder: "packages/upper", whvkit: ["base"], external: ["koffi"], node: true },
};

/** A workspace with the two packages of `map`, whose src/index.ts and dependencies are as given. */
function workspace(/** @type {{ base?: string, upper?: string, dependencies?: Record<string, string> }} */ content) {
  const root = mkdtempSync(path.join(tmpdir(), "import-map-"));
  made.push(root);
  for (const name of /** @type {const} */ (["base", "upper"])) {
    const folder = path.join(root, "packages", name);
    mkdirSync(path.join(folder, "src"), { recursive: true });
    writeFileSync(path.join(folder, "src/index.ts"), content[name] ?? "export {};\n");
    const declared = name === "base" ? {} : { "@whvkit/base": "workspace:^", koffi: "1.0.0" };
    const dependencies = (name === "base" && content.dependencies) || declared;
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: `@whvkit/${name}`, dependencies }));
  }
  return root;
}

describe("the import map", () => {
  test("allows what it names", () => {
    const upper = `import { a } from "@whvkit/base";\nimport koffi from "koffi";\nimport fs from "node:fs";\nimport "./x.ts";\n`;
    expect(checkImportMap(workspace({ upper }), map)).toEqual([]);
  });

  test.each([
    ["an import upwards", `import { u } from "@whvkit/upper";`, `base may not import "@whvkit/upper"`],
    ["a type-only import", `import type { U } from "@whvkit/upper";`, `base may not import "@whvkit/upper"`],
    ["an import type", `export type U = import("@whvkit/upper").U;`, `base may not import "@whvkit/upper"`],
    ["a re-export", `export * from "@whvkit/upper";`, `base may not import "@whvkit/upper"`],
    ["a dynamic import", `export const u = () => import("@whvkit/upper");`, `base may not import "@whvkit/upper"`],
    ["a computed import", `export const u = (n: string) => import(n);`, "imports a computed module name"],
    ["a package of the registry", `import koffi from "koffi";`, `base may not import "koffi"`],
    ["a module of Node", `import fs from "node:fs";`, `may not import "node:fs"`],
    ["a module of Node without its prefix", `import fs from "fs";`, `may not import "fs"`],
    ["a relative import out of the package", `import "../../upper/src/index.ts";`, "leaves the package's src"],
    ["a relative import of tests", `import "../test/a.ts";`, "leaves the package's src"],
    ["a deep import", `import "@whvkit/upper/src/x.ts";`, "reaches into another package"],
  ])("catches %s", (_what, base, reason) => {
    const violations = checkImportMap(workspace({ base: `// first line\n${base}\n` }), map);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("packages/base/src/index.ts:2: ");
    expect(violations[0]).toContain(reason);
  });

  test("catches a dependency that is not allowed, and one that is not of the workspace", () => {
    expect(checkImportMap(workspace({ dependencies: { "@whvkit/upper": "^1.0.0" } }), map)).toEqual([
      "packages/base/package.json: depends on @whvkit/upper, which the import map does not allow",
      'packages/base/package.json: @whvkit/upper is to be "workspace:^", not "^1.0.0"',
    ]);
  });

  test("catches an import that package.json does not declare", () => {
    const undeclared = { ...map, base: { ...map.base, external: ["koffi"] } };
    expect(checkImportMap(workspace({ base: `import "koffi";` }), undeclared)).toEqual([
      'packages/base/src/index.ts:1: imports "koffi", which package.json does not depend on',
    ]);
  });

  test("catches a package that it does not name", () => {
    expect(checkImportMap(workspace({}), { base: map.base })).toEqual(["packages/upper: not in the import map"]);
  });

  test("reports a source that does not parse", () => {
    expect(checkImportMap(workspace({ base: "import {" }), map)[0]).toContain("not readable as TypeScript");
  });
});

test("imports are found where they stand, and not in strings or comments", () => {
  const source = `// import "a";\nconst s = 'import "b"';\nimport c = require("c");\nexport { d } from "d";\nexport { s };\n`;
  expect(findImports(source)).toEqual([
    { specifier: "c", line: 3 },
    { specifier: "d", line: 4 },
  ]);
});
