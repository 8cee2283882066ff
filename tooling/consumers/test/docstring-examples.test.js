// Every `@example` of every package's declarations compiles as it stands, runs, and comes to what its comments say; from
// the packed packages. They run one after the other in one process a package, those marked `windows` each in its own.
import { readFileSync } from "node:fs";
import path from "node:path";
import { windowsUnavailable } from "@tooling/windows-stand-ins/under-windows.js";
import { describe, expect, inject, test } from "vitest";
import { docstringPrograms } from "../src/docstring-examples.js";
import { compile, run, runSeries } from "../src/example-run.js";
import { packedManifests } from "../src/manifests.js";
import { runOnStandIns } from "../src/windows-run.js";

const consumer = inject("consumer");

const packages = [...packedManifests(consumer).keys()].map((name) => {
  const declarations = path.join(consumer, "node_modules", name, "dist/index.d.ts");
  return { name, ...docstringPrograms(`${name}/dist/index.d.ts`, readFileSync(declarations, "utf8")) };
});
const all = packages.flatMap(({ programs }) => programs);
// TypeScript has WebAssembly's types among the DOM's.
const errors = compile(consumer, all, { lib: ["es2022", "esnext.disposable", "dom"] });

for (const { name, programs, problems } of packages)
  describe(name, () => {
    test("every example stands on its own", () => {
      expect(problems).toEqual([]);
    });

    test("every example compiles", () => {
      const said = programs.map((program) => ({ of: program.of, errors: errors[all.indexOf(program)] }));
      expect(said.filter(({ errors }) => errors?.length !== 0)).toEqual([]);
    });

    test("every example runs, and comes to what it says", async () => {
      const anywhere = programs.filter(({ windows }) => !windows);
      const { status, output, failures, withoutPromise } = await runSeries(consumer, anywhere);
      expect({ failures, withoutPromise }).toEqual({ failures: [], withoutPromise: [] });
      expect(status, output).toBe(0);
    });

    for (const program of programs.filter(({ windows }) => windows)) {
      test.runIf(process.platform !== "win32")(`${program.of}, where there is no Windows: says so`, async () => {
        expect((await run(consumer, program)).output).toContain("E_NOTIMPL");
      });

      test(`${program.of}, on the stand-ins for Windows' libraries`, async ({ skip }) => {
        const unavailable = windowsUnavailable();
        skip(unavailable !== null, unavailable ?? "");
        expect(await runOnStandIns(consumer, program)).toEqual({ status: 0, output: "" });
      });
    }
  });
