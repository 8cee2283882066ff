/** README.md: the consoles show what the commands print, and every command has a section. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { whv } from "./command.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const consoles = [...readme.matchAll(/```console\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");

function consoleWith(command: string): string {
  return consoles.find((text) => text.includes(command)) ?? "";
}

test("whv decode", async () => {
  const shown = consoleWith("$ whv decode 8b07");
  const { stdout } = await whv(["decode", "8b07", "f3 a4"]);
  expect(shown).toContain(`$ whv decode 8b07 "f3 a4"\n${stdout}`);
  const json = (await whv(["decode", "--json", "-"], { input: "8b07\n" })).stdout;
  const start = /^\{.*(?=…\}$)/m.exec(shown)?.[0] ?? "none";
  expect(json.startsWith(start)).toBe(true);
});

test("whv emulate and whv explain", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "whv-"));
  try {
    const [, emulationCase, , result] = consoleWith("$ whv emulate").split("\n");
    const file = path.join(folder, "case.jsonl");
    writeFileSync(file, `${emulationCase}\n`);
    expect((await whv(["emulate", file])).stdout).toBe(`${result}\n`);
    const [, ...lines] = consoleWith("$ whv explain").split("…")[0]?.split("\n") ?? [];
    expect((await whv(["explain", file])).stdout.startsWith(lines.join("\n"))).toBe(true);
    expect(lines.length).toBeGreaterThan(5);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("whv step", async () => {
  const [command, answer] = consoleWith("| whv step").split("\n");
  const input = /'(.*)'/.exec(command ?? "")?.[1] ?? "";
  expect((await whv(["step"], { input })).stdout).toBe(`${answer}\n`);
});

test("every command of the help has a section", async () => {
  const { stdout } = await whv(["--help"]);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*$/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "help");
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) expect(readme).toContain(`\n## whv ${command}\n`);
});
