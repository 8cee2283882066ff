/**
 * The command as Windows sees it: the suites of windows/ in Node for Windows, under Wine where this is no Windows, with
 * stand-ins for the platform's libraries.
 */
import { testSuites } from "../../../tooling/windows-stand-ins/suite-tests.ts";

await testSuites([
  { title: "on Windows", entry: new URL("windows/command.suite.ts", import.meta.url), libraries: "current" },
  {
    title: "on Windows with the platform's libraries where they belong",
    entry: new URL("windows/installed.suite.ts", import.meta.url),
    libraries: "installed",
  },
]);
