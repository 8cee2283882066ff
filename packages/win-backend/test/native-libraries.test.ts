/**
 * The binding as Windows sees it: suites of checks in Node for Windows, under Wine where this is no Windows, with stand-in
 * libraries compiled from the Windows headers' own prototypes.
 */
import { testSuites } from "../../../tooling/windows-stand-ins/suite-tests.ts";

await testSuites([
  {
    title: "with every function of the headers",
    entry: new URL("windows/native.suite.ts", import.meta.url),
    libraries: "current",
  },
  {
    title: "as Windows 10, version 2004 has it",
    entry: new URL("windows/version2004.suite.ts", import.meta.url),
    libraries: "version2004",
  },
  {
    title: "beside the simulator",
    entry: new URL("windows/simulator.suite.ts", import.meta.url),
    libraries: "current",
  },
]);
