/**
 * The command as Windows sees it: the suites of windows/ in Node for Windows, under Wine where this is no Windows, with
 * stand-ins for the platform's libraries.
 */
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { runSuite } from "../../../tooling/windows-stand-ins/under-windows.js";

const suites = [
  { title: "on Windows", file: "command.suite.ts", libraries: "current" },
  {
    title: "on Windows with the platform's libraries where they belong",
    file: "installed.suite.ts",
    libraries: "installed",
  },
] as const;

for (const { title, file, libraries } of suites) {
  // The checks are known when they have run: each becomes a test.
  const outcome = await runSuite(fileURLToPath(new URL(`windows/${file}`, import.meta.url)), libraries);
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
