#!/usr/bin/env node
// Builds every package in dependency order, with turbo's cache. All of its output goes to stderr, so that a
// command which builds first keeps its stdout to itself. `--task NAME` runs another task of turbo.json.
import { buildWorkspace } from "./build-workspace.js";

const at = process.argv.indexOf("--task");
const task = at < 0 ? "build" : (process.argv[at + 1] ?? "build");
process.exitCode = buildWorkspace(task);
