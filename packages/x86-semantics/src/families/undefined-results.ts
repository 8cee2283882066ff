/**
 * What the manuals leave undefined, in one place: which status flags each instruction leaves undefined, and how this package
 * defines them. The definitions are what AMD's Zen 4 and Zen 5 leave, which agree, measured with `tooling/oracle`; they stand in the families
 * (and, for shifts, in the formulas of `../ir/flag.ts`). Another processor may differ in exactly these bits, so a comparison with
 * one masks them out. Sources: "Flags Affected" of each page of Intel SDM volume 2 and AMD APM volume 3.
 */
import type { MnemonicName } from "@whvkit/x86-decoder";
import { Flag, STATUS_FLAGS } from "../ir/flag.ts";

const { CF, PF, AF, ZF, SF, OF } = Flag;

interface UndefinedFlags {
  readonly mnemonics: readonly MnemonicName[];
  /** The flags that the manuals leave undefined. */
  readonly flags: number;
  /** How they are left here. */
  readonly here: string;
  /** For shifts and rotates: OF is undefined only for counts other than 1, CF of SHL and SHR only for counts beyond the width. */
  readonly byCount?: true;
}

/** The undefined status flags by instruction. */
export const undefinedFlags: readonly UndefinedFlags[] = [
  { mnemonics: ["and", "or", "xor", "test"], flags: AF, here: "AF is 0" },
  { mnemonics: ["mul", "imul"], flags: SF | ZF | AF | PF, here: "unchanged" },
  { mnemonics: ["div", "idiv"], flags: STATUS_FLAGS, here: "CF and OF unchanged; PF, ZF, SF 0; AF 1" },
  {
    mnemonics: ["shl", "sal", "shr", "sar"],
    flags: AF | OF | CF,
    byCount: true,
    here: "AF 1; OF as for a count of 1: SHL msb ^ CF, SHR and SAR by the two highest bits; CF the last bit out, 0 beyond",
  },
  { mnemonics: ["rol", "rcl", "ror", "rcr"], flags: OF, byCount: true, here: "OF as for a count of 1" },
  {
    mnemonics: ["shld", "shrd"],
    flags: AF | OF | CF,
    byCount: true,
    here: "AF 1; OF as for a count of 1; beyond 16 bits of a 16-bit operand CF 0",
  },
  { mnemonics: ["bt", "bts", "btr", "btc"], flags: OF | SF | AF | PF, here: "unchanged" },
  { mnemonics: ["bsf", "bsr"], flags: CF | OF | SF | AF | PF, here: "0, but PF by the result (1 for a source of 0)" },
  { mnemonics: ["tzcnt", "lzcnt"], flags: OF | SF | PF | AF, here: "OF unchanged, the others 0" },
  { mnemonics: ["andn"], flags: AF | PF, here: "AF 0; PF by the result" },
  { mnemonics: ["bextr"], flags: AF | SF | PF, here: "AF 1; SF 0; PF by the result" },
  { mnemonics: ["bzhi", "blsi", "blsr", "blsmsk"], flags: AF | PF, here: "AF 0; PF by the result" },
  {
    mnemonics: ["blcfill", "blci", "blcic", "blcmsk", "blcs", "blsfill", "blsic", "t1mskc", "tzmsk"],
    flags: AF | PF,
    here: "AF 0; PF by the result (no Zen has them: not measured)",
  },
  { mnemonics: ["daa", "das"], flags: OF, here: "OF of adding or subtracting the whole correction" },
  { mnemonics: ["aaa", "aas"], flags: OF | SF | ZF | PF, here: "of adding 106h to AX, or subtracting it" },
  { mnemonics: ["aam"], flags: OF | AF | CF, here: "0" },
  { mnemonics: ["aad"], flags: OF | AF | CF, here: "of adding AH * base to AL" },
];

const masks: ReadonlyMap<string, number> = /* @__PURE__ */ new Map(
  undefinedFlags.flatMap(({ mnemonics, flags }) => mnemonics.map((name) => [name, flags] as const)),
);

/**
 * The status flags that the manuals leave undefined for an instruction, for some operands at least. Results that they leave
 * undefined: BSWAP of 16 bits (0 here), BSF and BSR of 0 (the target stays), SHLD and SHRD of 16 bits by more than 16.
 *
 * @param mnemonic - the decoder's name
 * @returns bits of RFLAGS; 0 for a mnemonic that leaves none undefined
 *
 * @example
 * ```ts
 * import { flagNames, undefinedFlagsOf } from "@whvkit/x86-semantics";
 * flagNames(undefinedFlagsOf("mul")); // "PF AF ZF SF"
 * undefinedFlagsOf("add"); // 0
 * ```
 *
 * @public
 */
export function undefinedFlagsOf(mnemonic: string): number {
  return masks.get(mnemonic) ?? 0;
}
