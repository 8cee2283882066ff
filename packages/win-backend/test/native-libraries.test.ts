/**
 * The binding as Windows sees it: suites of checks in Node for Windows, under Wine where this is no Windows, with stand-in
 * libraries compiled from the Windows headers' own prototypes.
 */
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { runSuite, type SuiteOutcome } from "../../../tooling/windows-stand-ins/under-windows.js";

const suites = [
  { title: "with every function of the headers", file: "native.suite.ts", libraries: "current" },
  { title: "as Windows 10, version 2004 has it", file: "version2004.suite.ts", libraries: "version2004" },
  { title: "beside the simulator", file: "simulator.suite.ts", libraries: "current" },
] as const;

for (const { title, file, libraries } of suites) {
  const entry = fileURLToPath(new URL(`windows/${file}`, import.meta.url));
  // The checks are known when they have run: each becomes a test.
  const outcome: SuiteOutcome = await runSuite(entry, libraries);
  describe(title, () => {
    if (outcome.unavailable !== null) {
      test("runs", ({ skip }) => skip(outcome.unavailable ?? ""));
      return;
    }
    for (const { name, error, skipped } of outcome.results) {
      test(name, ({ skip }) => {
        skip(skipped !== null, skipped ?? "");
        if (error !== null) throw new Error(error);
      });
    }
  });
}
