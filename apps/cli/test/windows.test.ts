/**
 * The command as Windows sees it: windows/command.suite.ts in Node for Windows, under Wine where this is no Windows, with
 * stand-ins for the platform's libraries.
 */
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { runSuite } from "../../../tooling/windows-stand-ins/under-windows.js";

// The checks are known when they have run: each becomes a test.
const outcome = await runSuite(fileURLToPath(new URL("windows/command.suite.ts", import.meta.url)));

describe("on Windows", () => {
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
