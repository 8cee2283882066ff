// 344 decode cases of Intel XED's own tests, from the data folder beside the repository. They belong to that folder, not to
// the project, so these tests skip where it is absent.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Decoder, DecodeStatus, formatInstruction, Instruction } from "../src/index.ts";

interface Case {
  readonly id: string;
  readonly mode: 16 | 32 | 64;
  readonly hex: string;
  readonly opts: readonly string[];
  readonly isa_set: string | null;
  readonly short: string | null;
  readonly error: string | null;
}

const file = new URL("../../../../shared/data/xed-decode/xed-decode.jsonl", import.meta.url);
const present = existsSync(file);
const cases: Case[] = present
  ? readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Case)
  : [];

/** Cases that we do not decode as XED does, and why. */
function exception(one: Case): string {
  const options = one.opts.join(" ");
  if (/-chip-check|-set (?:NO_|CET 0|IBHF)| -r\b|^-r\b/.test(` ${options}`))
    return "XED is told to be another processor";
  if (one.id.includes("apx/")) return "APX";
  if (one.isa_set?.startsWith("ACE_")) return "ACE is not in the table";
  if (one.isa_set?.startsWith("AVX10_V2_AUX")) return "what follows AVX10.2 is not in the table";
  return "";
}

/** XED's short text and ours with the same names for the same things. */
function firstWord(text: string): string {
  const words = text
    .split(" ")
    .filter((word) => !/^(rep|repn?e|lock|bnd|notrack|addr\d+|data\d+|cs|ds|es|ss|hint-\S+|far)$/.test(word));
  return (words[0] ?? "")
    .replace(/^jz$/, "je")
    .replace(/^jnz$/, "jne")
    .replace(/^xlat$/, "xlatb")
    .replace(/^reservednop$/, "nop")
    .replace(/^cldemote$/, "nop");
}

test("XED's decode cases", ({ skip }) => {
  skip(!present, "../shared/data/xed-decode is not beside the project");
  let compared = 0;
  const wrong: string[] = [];
  for (const one of cases) {
    if (exception(one) !== "" && one.error === null) continue;
    if (one.error !== null && /XED is told/.test(exception(one))) continue;
    compared++;
    const bytes = Buffer.from(one.hex, "hex");
    const instruction = new Instruction();
    const status = new Decoder(one.mode).decode(bytes, 0, instruction);
    if (one.error !== null) {
      if (status === DecodeStatus.ok) wrong.push(`${one.id} ${one.hex} must be rejected: ${one.error}`);
      continue;
    }
    const text = status === DecodeStatus.ok ? formatInstruction(instruction) : "rejected";
    const suffixed = one.opts.includes("-A") && firstWord(one.short ?? "").startsWith(firstWord(text));
    if (!suffixed && firstWord(text) !== firstWord(one.short ?? ""))
      wrong.push(`${one.id} ${one.hex} is ${one.short}, not ${text}`);
  }
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(280);
});
