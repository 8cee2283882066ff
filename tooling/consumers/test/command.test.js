// The `whv` command as somebody has it who installed it: from the packed package, in an empty folder, without a home. Every
// console session of its README prints what it shows, and every command has its section there and its help.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { describe, expect, inject, test } from "vitest";
import { outputPattern, shownFiles, transcripts } from "../src/transcripts.js";

const readme = readFileSync(path.join(workspaceRoot, "apps/cli/README.md"), "utf8");
const sessions = transcripts(readme);
const consumer = inject("consumer");
const folder = mkdtempSync(path.join(consumer, "command-"));
const bin = path.join(folder, "bin");
mkdirSync(bin);
const manifest = JSON.parse(readFileSync(path.join(consumer, "node_modules/@whvkit/cli/package.json"), "utf8"));
symlinkSync(path.join(consumer, "node_modules/@whvkit/cli", manifest.bin.whv), path.join(bin, "whv"));
symlinkSync(process.execPath, path.join(bin, "node"));
for (const [name, text] of shownFiles(sessions)) writeFileSync(path.join(folder, name), text);
// MOV AL, 0; OUT 0xF4, AL: ends the machine.
writeFileSync(path.join(folder, "boot.bin"), Uint8Array.of(0xb0, 0x00, 0xe6, 0xf4));

/** @param {string} command */
function shell(command) {
  const env = { PATH: `${bin}${path.delimiter}/usr/bin${path.delimiter}/bin`, HOME: path.join(folder, "none") };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd: folder,
    env,
    encoding: "utf8",
    input: "",
  });
  return { status, stdout, stderr };
}

const help = shell("whv --help").stdout;
const commands = [...help.matchAll(/^ {2}([a-z]+) .*$/gm)]
  .map(([, name = ""]) => name)
  .filter((name) => name !== "help");

describe("the sessions of the README", () => {
  test.each(sessions.flatMap((session) => session.commands))("$command", ({ command, output }) => {
    const { stdout, stderr } = shell(command);
    expect(stderr).toBe("");
    expect(stdout).toMatch(outputPattern(output));
  });

  test("are there", () => {
    expect(sessions.flatMap((session) => session.commands).length).toBeGreaterThan(6);
  });
});

test("the first commands of the README", () => {
  const { status, stdout } = shell("whv run demo --stats");
  expect(status).toBe(0);
  expect(stdout).toContain("Hello, whvkit!");
  expect(shell("whv --version").stdout).toBe(`${manifest.version}\n`);
});

test("the commands of the help are those of the README", () => {
  expect(commands.length).toBeGreaterThan(5);
  for (const command of commands) expect(readme).toContain(`\n## whv ${command}\n`);
  expect([...readme.matchAll(/^## whv (\w+)$/gm)].map(([, name]) => name).sort()).toEqual([...commands].sort());
});

test.each(commands)("whv %s --help: what it does, every option, an example that can be copied", (command) => {
  const { status, stdout, stderr } = shell(`whv ${command} --help`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(new RegExp(`^Usage: whv ${command} `));
  expect(stdout).toMatch(/^Examples?:\n {2}\$ /m);
  // Options of the README are options of the help.
  const section = readme.split(`\n## whv ${command}\n`)[1]?.split("\n## ")[0] ?? "";
  for (const [option] of section.matchAll(/(?<=`|\s)--[a-z][a-z-]+/g))
    if (!/^--(global)$/.test(option)) expect(`${stdout}${help}`).toContain(option);
});

test("wrong usage: exit status 2, and what to do, without a stack", () => {
  for (const wrong of [
    "whv",
    "whv nonsense",
    "whv run",
    "whv run --flat",
    "whv decode --mode 17 90",
    "whv emulate --no",
  ]) {
    const { status, stdout, stderr } = shell(wrong);
    expect(`${wrong}: ${status}`).toBe(`${wrong}: 2`);
    expect(`${stdout}${stderr}`).not.toMatch(/^ {4}at /m);
    expect(`${stdout}${stderr}`.length).toBeGreaterThan(20);
  }
});
