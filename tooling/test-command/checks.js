// The checks that come before the tests, in order: each is one program that exits with 0 or prints what is wrong.
import path from "node:path";
import { commandFile, workspaceRoot } from "@tooling/build-command";

const tooling = (/** @type {string} */ file) => path.join(workspaceRoot, "tooling", file);

/** @type {readonly { name: string, args: string[], needsBuild?: true }[]} */
export const checks = [
  { name: "build", args: [tooling("build-command/build.js")] },
  { name: "typecheck", args: [tooling("build-command/build.js"), "--task", "typecheck"] },
  { name: "typecheck of tooling", args: [commandFile("typescript", "tsc"), "-p", tooling("tsconfig.json")] },
  { name: "lint", args: [commandFile("@biomejs/biome"), "check", "--error-on-warnings", "."] },
  { name: "import map", args: [tooling("import-map/main.js")] },
  { name: "tracked text", args: [tooling("tracked-text/main.js")] },
  { name: "unused code", args: [commandFile("knip", "knip"), "--no-progress", "--no-config-hints"] },
  { name: "API reports", args: [tooling("api-report/reports.js"), "check"], needsBuild: true },
  { name: "packed packages", args: [tooling("package-check/main.js")], needsBuild: true },
  { name: "release rehearsal", args: [tooling("release-rehearsal/main.js")], needsBuild: true },
];
