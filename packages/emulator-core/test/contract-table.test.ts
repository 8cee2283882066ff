/** `docs/contract.md` names a test for every row of the contract; here each name is looked up. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("./", import.meta.url);
const table = readFileSync(new URL("../docs/contract.md", folder), "utf8");

const rows = table.split("\n").filter((line) => /^\| [ABCD]\d+ \|/.test(line));

test("every row of the contract is there", () => {
  const names = rows.map((row) => (/^\| (\w+) /.exec(row) as RegExpExecArray)[1]);
  const all = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  expect(names).toEqual([...all("A", 12), ...all("B", 21), ...all("C", 36), ...all("D", 3)]);
});

test.each(rows)("%s", (row) => {
  if (row.includes("| none: ")) return expect(row).toContain("B21");
  const reference = /\| `([\w-]+\.test\.ts)`: `(.+)` \|$/.exec(row);
  expect(reference).not.toBe(null);
  const [, file, title] = reference as RegExpExecArray;
  const source = readFileSync(new URL(file as string, folder), "utf8");
  expect(source).toContain(`"${title}"`);
});
