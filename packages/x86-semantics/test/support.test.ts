/** Nothing is skipped in silence: every mnemonic of the decoder has a meaning, or one stated reason for having none. */
import { Mnemonic } from "@whvkit/x86-decoder";
import { describe, expect, it } from "vitest";
import { unsupportedReasons } from "../src/families/unsupported.ts";
import { families, supportOf } from "../src/index.ts";

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
