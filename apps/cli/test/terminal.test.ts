/** What comes from other people's files is text, and never a command to the terminal that it is shown on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonLines, whv } from "./command.ts";

const context = { cs: { attributes: "0xa09b" }, rip: "0x1000", executionState: { cr0Pe: true, eferLma: true } };
const exit = { instructionBytes: "8b07", accessType: "read", gpa: "0xfee00020" };
/** Sets the title, clears the screen, asks the terminal to type; C1 codes do the same in one character. */
const hostile = "\u001b]0;title\u0007\u001b[2J\u001b[6n\u009b2J\u0000\u007f\r";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the codes of this command's own styles
const styles = /\u001b\[(1|2|22|31|32|33|36|39)m/g;

const lines = [
  { id: hostile, kind: "mmio", vp: context, exit },
  { id: hostile, kind: hostile, vp: context, exit },
  { kind: "mmio", vp: { ...context, [hostile]: 1 }, exit },
  { kind: "mmio", vp: context, exit, registers: { [hostile]: 1 } },
  { kind: "mmio", vp: context, exit, options: { [hostile]: 1 } },
];
const input = [...lines.map((line) => JSON.stringify(line)), hostile, `{${hostile}`].join("\n");

describe.each([true, false])("to a terminal: %s", (terminal) => {
  test.each([["explain"], ["emulate"], ["step"], ["decode", "-"], ["decode", "--json", "-"]])(
    "whv %s",
    async (...args) => {
      const { stdout, stderr } = await whv(args, { input, terminal });
      for (const text of [stdout, stderr]) expect(control.exec(text.replace(terminal ? styles : /$^/g, ""))).toBe(null);
      if (args[0] === "explain")
        expect(stdout).toContain("Case \\u001b]0;title\\u0007\\u001b[2J\\u001b[6n\\u009b2J\\u0000\\u007f");
    },
  );
});

test("JSON says the same, in escapes", async () => {
  const [answer] = jsonLines(await whv(["emulate"], { input: `${JSON.stringify(lines[0])}\n` }));
  expect(answer.id).toBe(hostile);
});

test("an option that there is not is the case's fault, whatever its name", async () => {
  const [answer] = jsonLines(await whv(["emulate"], { input: `${JSON.stringify(lines[4])}\n` }));
  expect(answer.error).toMatch(/^line 1: options: option .* is not an option/s);
});

test("any name of a case is shown without a control character", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 20 }), async (id) => {
      const { stdout } = await whv(["explain"], { input: JSON.stringify({ id, kind: "mmio", vp: context, exit }) });
      expect(control.exec(stdout)).toBe(null);
    }),
    { numRuns: 50 },
  );
});
