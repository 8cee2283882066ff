/** Nothing is skipped in silence: every mnemonic of the decoder has a meaning, or one stated reason for having none. */
import { Mnemonic } from "@whvkit/x86-decoder";
import { describe, expect, it } from "vitest";
import { undefinedFlags } from "../src/families/undefined-results.ts";
import { unsupportedReasons } from "../src/families/unsupported.ts";
import { families, STATUS_FLAGS, supportOf, undefinedFlagsOf } from "../src/index.ts";

const names = Object.keys(Mnemonic) as (keyof typeof Mnemonic)[];

describe("the support table", () => {
  it("has one row for each mnemonic without a meaning", () => {
    const wrong = names
      .filter((name) => !supportOf(Mnemonic[name]).supported)
      .map((name) => `${name}: ${unsupportedReasons(name).join(" / ") || "no row"}`)
      .filter((_, i, all) => (all[i] as string).includes(" / ") || (all[i] as string).endsWith("no row"));
    expect(wrong).toEqual([]);
  });

  it("has no row for a mnemonic with a meaning", () => {
    const both = names.filter((name) => supportOf(Mnemonic[name]).supported && unsupportedReasons(name).length > 0);
    expect(both).toEqual([]);
  });

  it("gives meanings only to mnemonics that the decoder knows", () => {
    const unknown = families.flatMap(({ meanings }) => Object.keys(meanings)).filter((name) => !(name in Mnemonic));
    expect(unknown).toEqual([]);
  });

  it("answers for the instructions of the first guests", () => {
    for (const name of [
      "mov",
      "add",
      "bts",
      "xchg",
      "stosd",
      "insb",
      "outsb",
      "in",
      "out",
      "iretq",
      "cpuid",
      "movaps",
    ] as const) {
      expect(supportOf(Mnemonic[name]), name).toMatchObject({ supported: true });
    }
    expect(supportOf(Mnemonic.rdrand)).toMatchObject({ supported: false });
  });
});

describe("the table of undefined flags", () => {
  it("names each instruction once, with a meaning, and status flags only", () => {
    const listed = undefinedFlags.flatMap(({ mnemonics }) => mnemonics);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter((name) => !supportOf(Mnemonic[name]).supported)).toEqual([]);
    expect(undefinedFlags.filter(({ flags }) => flags === 0 || (flags & ~STATUS_FLAGS) !== 0)).toEqual([]);
  });

  it("answers by mnemonic, and nothing for instructions whose flags are all defined", () => {
    expect(undefinedFlagsOf("div")).toBe(STATUS_FLAGS);
    expect(undefinedFlagsOf("add")).toBe(0);
  });
});
