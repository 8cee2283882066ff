/** The checks of a suite as tests: it runs once in Node for Windows, and each of its results becomes a test of its own. */
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { runSuite } from "./under-windows.js";

/** What runs on which libraries, and under which title. */
export interface TestedSuite {
  readonly title: string;
  readonly entry: URL;
  readonly libraries: "current" | "version2004" | "installed";
}

/** Runs the suites one after the other. Where Windows programs cannot be run, each is one test that is skipped with the reason. */
export async function testSuites(suites: readonly TestedSuite[]): Promise<void> {
  for (const { title, entry, libraries } of suites) {
    // The checks are known when they have run.
    const outcome = await runSuite(fileURLToPath(entry), libraries);
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
}
