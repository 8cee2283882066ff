// Every TypeScript example of every page compiles as it stands, runs, and comes to what its comments say; from the packed
// packages.
import { readFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { windowsUnavailable } from "@tooling/windows-stand-ins/under-windows.js";
import { describe, expect, inject, test } from "vitest";
import { examplePrograms } from "../src/example-blocks.js";
import { compile, run } from "../src/example-run.js";
import { pages } from "../src/pages.js";
import { runOnStandIns } from "../src/windows-run.js";

const consumer = inject("consumer");
const examples = pages().map(({ page, text }) => ({ page, text, ...examplePrograms(page, text) }));
const programs = examples.flatMap((each) => each.programs);
const errors = compile(consumer, programs);

for (const { page, text, programs: ofPage, excerpts, problems } of examples) {
  const readme = page.endsWith("/README.md");
  if (ofPage.length + excerpts.length + problems.length === 0 && !readme) continue;
  describe(page, () => {
    if (readme)
      test("says how to install it, and shows a first example", () => {
        const name = `@whvkit/${page.split("/").at(-2)}`;
        expect(text).toMatch(new RegExp(`npm install (--global )?${name}( |$)`, "m"));
        expect(ofPage.length).toBeGreaterThan(0);
      });

    if (readme || page.includes("/docs/"))
      test("says how to install all that its examples import", () => {
        const lines = [...text.matchAll(/^npm install (?:--global )?(.*)$/gm)].flatMap(([, names = ""]) =>
          names.split(" "),
        );
        const imported = ofPage.flatMap(({ source }) => [
          ...source.matchAll(/^(?:import\b[^;\n]*|\}) from "(@whvkit\/[\w-]+)"/gm),
        ]);
        expect(imported.map(([, name]) => name).filter((name) => !lines.includes(name ?? ""))).toEqual([]);
      });

    test("every example stands on its own or continues one that does", () => {
      expect(problems).toEqual([]);
    });

    for (const program of ofPage)
      test.concurrent(`line ${program.line}`, async () => {
        expect(errors[programs.indexOf(program)]).toEqual([]);
        const { status, output, promises } = await run(consumer, program);
        if (program.windows && process.platform !== "win32") {
          // What it needs is not here, and that is what it says.
          expect(output).toContain("E_NOTIMPL");
          return;
        }
        expect({ status, output: status === 0 ? "" : output }).toEqual({ status: 0, output: "" });
        // Every example shows something: what an expression comes to, or what is printed.
        expect(promises > 0 || output !== "").toBe(true);
      });

    for (const program of ofPage.filter(({ windows }) => windows))
      test(`line ${program.line}, on the stand-ins for Windows' libraries`, async ({ skip }) => {
        const unavailable = windowsUnavailable();
        skip(unavailable !== null, unavailable ?? "");
        expect(await runOnStandIns(consumer, program)).toEqual({ status: 0, output: "" });
      });

    for (const { line, text: excerpt, file } of excerpts)
      test(`line ${line} stands in ${file}`, () => {
        expect(readFileSync(path.join(workspaceRoot, file), "utf8")).toContain(excerpt);
      });
  });
}
