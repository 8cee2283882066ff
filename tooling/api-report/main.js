#!/usr/bin/env node
// Rolls a package's declarations up into dist/index.d.ts, and keeps the report of its public API.
//
//   api-report clean    removes dist and build, so that nothing of a deleted source is published
//   api-report rollup   dist/index.d.ts from build/types (part of every build; never touches the report)
//   api-report check    fails when etc/<package>.api.md differs from the API as built
//   api-report update   writes etc/<package>.api.md
//
// Run in a package's folder; all but clean after tsc -p tsconfig.build.json.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

const modes = ["clean", "rollup", "check", "update"];
const mode = process.argv[2] ?? "";
if (!modes.includes(mode)) {
  process.stderr.write(`usage: api-report ${modes.join("|")}\n`);
  process.exit(2);
}

const folder = process.cwd();
if (mode === "clean") {
  for (const made of ["dist", "build"]) rmSync(path.join(folder, made), { recursive: true, force: true });
  process.exit(0);
}

// Loaded only now: it carries a whole TypeScript compiler.
const { Extractor, ExtractorConfig } = await import("@microsoft/api-extractor");

const packageJsonPath = path.join(folder, "package.json");
const name = JSON.parse(readFileSync(packageJsonPath, "utf8")).name.replace(/^@whvkit\//, "");
const quiet = { logLevel: "none" };
const reported = { logLevel: "none", addToApiReportFile: true };

mkdirSync(path.join(folder, "etc"), { recursive: true });

const config = ExtractorConfig.prepare({
  configObject: {
    projectFolder: folder,
    mainEntryPointFilePath: path.join(folder, "build/types/index.d.ts"),
    bundledPackages: [],
    newlineKind: "lf",
    enumMemberOrder: "preserve",
    compiler: { tsconfigFilePath: path.join(folder, "tsconfig.build.json") },
    apiReport: {
      enabled: mode !== "rollup",
      reportFileName: `${name}.api.md`,
      reportFolder: path.join(folder, "etc"),
      reportTempFolder: path.join(folder, "build/api"),
    },
    docModel: { enabled: false },
    tsdocMetadata: { enabled: false },
    dtsRollup: { enabled: true, untrimmedFilePath: path.join(folder, "dist/index.d.ts") },
    messages: {
      compilerMessageReporting: { default: { logLevel: "error" } },
      extractorMessageReporting: {
        default: { logLevel: "error" },
        "ae-missing-release-tag": quiet,
        "ae-undocumented": quiet,
        "ae-unresolved-link": quiet,
        "ae-forgotten-export": reported,
      },
      tsdocMessageReporting: { default: quiet },
    },
  },
  configObjectFullPath: path.join(folder, "api-extractor.json"),
  packageJsonFullPath: packageJsonPath,
});

const result = Extractor.invoke(config, {
  localBuild: mode === "update",
  showVerboseMessages: false,
  messageCallback(message) {
    message.handled = true;
    if (message.logLevel === "error") process.stderr.write(`${message.formatMessageWithLocation(folder)}\n`);
  },
});

if (mode === "check" && (result.apiReportChanged || !existsSync(config.reportFilePath))) {
  process.stderr.write(`${name}: the public API differs from etc/${name}.api.md; run \`pnpm api:update\` and review.\n`);
  process.exit(1);
}
if (result.errorCount > 0) process.exit(1);
