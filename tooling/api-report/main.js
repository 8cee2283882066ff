#!/usr/bin/env node
// Rolls a package's declarations up into dist/index.d.ts, and writes a report of its public API.
//
//   api-report clean    removes dist and build, so that nothing of a deleted source is published
//   api-report rollup   dist/index.d.ts and build/api/<package>.api.md, from build/types; part of every build
//
// Run in a package's folder; rollup comes after tsc. A build never touches the tracked report in etc/: one that
// did would hide every change of the API. reports.js holds the two against each other.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

const folder = process.cwd();
const packageJson = path.join(folder, "package.json");
const name = JSON.parse(readFileSync(packageJson, "utf8")).name.replace(/^@whvkit\//, "");
const report = `${name}.api.md`;
const built = path.join(folder, "build/api", report);

const modes = { clean, rollup };
const mode = process.argv[2] ?? "";
if (!Object.hasOwn(modes, mode)) {
  process.stderr.write(`usage: api-report ${Object.keys(modes).join("|")}\n`);
  process.exit(2);
}
process.exitCode = await modes[/** @type {keyof typeof modes} */ (mode)]();

function clean() {
  for (const made of ["dist", "build"]) rmSync(path.join(folder, made), { recursive: true, force: true });
  return 0;
}

async function rollup() {
  // Loaded only here: it carries a whole TypeScript compiler.
  const { Extractor, ExtractorConfig } = await import("@microsoft/api-extractor");
  const none = /** @type {any} */ ({ logLevel: "none" });
  const error = /** @type {any} */ ({ logLevel: "error" });
  // Stands in the report, where reports.js finds it.
  const inReport = /** @type {any} */ ({ logLevel: "none", addToApiReportFile: true });
  mkdirSync(path.dirname(built), { recursive: true });

  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: path.join(folder, "build/types/index.d.ts"),
      bundledPackages: [],
      newlineKind: "lf",
      enumMemberOrder: /** @type {any} */ ("preserve"),
      compiler: { tsconfigFilePath: path.join(folder, "tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: path.dirname(built),
        reportTempFolder: path.join(folder, "build/api/temporary"),
      },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      dtsRollup: { enabled: true, untrimmedFilePath: path.join(folder, "dist/index.d.ts") },
      messages: {
        compilerMessageReporting: { default: error },
        extractorMessageReporting: {
          default: error,
          "ae-missing-release-tag": inReport,
          "ae-undocumented": none,
          "ae-unresolved-link": none,
          // A type that is named by the public API but not exported is listed in the report.
          "ae-forgotten-export": inReport,
        },
        tsdocMessageReporting: { default: none },
      },
    },
    configObjectFullPath: path.join(folder, "api-extractor.json"),
    packageJsonFullPath: packageJson,
  });

  const result = Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel === "error") process.stderr.write(`${message.formatMessageWithLocation(folder)}\n`);
    },
  });
  return result.errorCount > 0 ? 1 : 0;
}
