// SECURITY.md names a test for every attack that it says is held off; here each name is looked up.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { expect, test } from "vitest";

const page = readFileSync(path.join(workspaceRoot, "SECURITY.md"), "utf8");
const section = page.split("## What holds it, by test\n")[1]?.split("\n## ")[0] ?? "";
const rows = section.split("\n").filter((line) => /^\| (?!hostile|---)/.test(line));

test("every hostile of the threat model has rows", () => {
  const model = page.split("## What holds it, by test")[0] ?? "";
  const hostile = [...model.matchAll(/^\| an? ([\w ]+?)(?: in place.*?)? \|/gm)].map(([, name = ""]) => name);
  expect(hostile).toEqual(["guest", "image file", "capture or case file", "DLL"]);
  for (const name of ["guest", "image file", "capture file", "DLL"])
    expect(rows.filter((row) => row.startsWith(`| ${name} |`)).length).toBeGreaterThan(1);
});

test.each(rows)("%s", (row) => {
  const [, file = "", title = ""] = /\| `([\w./-]+)`: `(.+)` \|$/.exec(row) ?? [];
  expect(existsSync(path.join(workspaceRoot, file))).toBe(true);
  expect(readFileSync(path.join(workspaceRoot, file), "utf8")).toContain(`("${title}", `);
});
