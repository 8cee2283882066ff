#!/usr/bin/env node
// Measures one emulation with five callbacks under Windows (or Wine): `node packages/win-backend/bench/run.js`.
import { fileURLToPath } from "node:url";
import { runProgram, standInFolders, windowsUnavailable } from "../../../tooling/windows-stand-ins/under-windows.js";

const unavailable = windowsUnavailable();
if (unavailable !== null) throw new Error(unavailable);
const program = fileURLToPath(new URL("emulation.ts", import.meta.url));
const { status, output } = await runProgram(program, [standInFolders().current]);
if (status !== 0) throw new Error(`the program ended with status ${status}:\n${output}`);
const figures = JSON.parse(output);
for (const [path, { perSecond, callbacks }] of Object.entries(figures)) {
  console.log(`${path.padEnd(12)}${(perSecond / 1e6).toFixed(3)} M emulations/s with ${callbacks} callbacks each`);
}
