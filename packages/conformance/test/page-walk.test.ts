/** `"translate": "walk"`: page tables in a case's memory, read as the SDM (volume 3, chapter 5) describes them. */
import { WHV_TRANSLATE_GVA_FLAGS, WHV_TRANSLATE_GVA_RESULT_CODE } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { CaseMemory, type PagingState, walkPageTables } from "../src/index.ts";

const flag = WHV_TRANSLATE_GVA_FLAGS;
const code = WHV_TRANSLATE_GVA_RESULT_CODE;
const read = flag.WHvTranslateGvaFlagValidateRead;
const write = flag.WHvTranslateGvaFlagValidateWrite;
const execute = flag.WHvTranslateGvaFlagValidateExecute;
const P = 1n,
  W = 2n,
  U = 4n,
  A = 0x20n,
  D = 0x40n,
  PS = 0x80n,
  NX = 1n << 63n;
const PG = 1n << 31n,
  WP = 1n << 16n,
  PAE = 1n << 5n,
  PSE = 1n << 4n,
  LA57 = 1n << 12n,
  SMEP = 1n << 20n,
  SMAP = 1n << 21n;
const LMA = 1n << 10n,
  NXE = 1n << 11n,
  AC = 1n << 18n;

const longMode: PagingState = { cr0: PG | WP, cr3: 0x1000n, cr4: PAE, efer: LMA | NXE, rflags: 2n, cpl: 0 };

/** Memory with 8-byte (or 4-byte) entries at the given addresses. */
function tables(entries: Record<number, bigint>, size = 8): CaseMemory {
  return new CaseMemory(
    Object.entries(entries).map(([gpa, entry]) => ({
      gpa: Number(gpa),
      bytes: Uint8Array.from({ length: size }, (_, i) => Number((entry >> BigInt(8 * i)) & 0xffn)),
    })),
  );
}

/** Four levels that map 0x0000_7f80_4060_3000 (indices 255, 1, 3, 3) with the given leaf entry. */
const gva = (255n << 39n) | (1n << 30n) | (3n << 21n) | (3n << 12n);
function fourLevels(leaf: bigint, above = P | W | U): CaseMemory {
  return tables({
    [0x1000 + 255 * 8]: 0x2000n | above,
    [0x2000 + 8]: 0x3000n | above,
    [0x3000 + 24]: 0x4000n | above,
    [0x4000 + 24]: leaf,
  });
}

describe("structures", () => {
  test("paging off: linear addresses are guest-physical, 32 bits of them", () => {
    expect(walkPageTables(tables({}), { ...longMode, cr0: 0n }, 0x1234_5000n, read)).toEqual({
      result: 0,
      gpaPage: 0x1234_5000,
    });
  });

  test("2 levels, 4 KiB page", () => {
    const memory = tables({ [0x1000 + 4 * 1]: 0x2000n | P | W, [0x2000 + 4 * 2]: 0xabcd_e000n | P | W }, 4);
    const state = { ...longMode, cr4: 0n, efer: 0n };
    expect(walkPageTables(memory, state, (1n << 22n) | 0x2000n, write)).toEqual({ result: 0, gpaPage: 0xabcd_e000 });
  });

  test("2 levels, 4 MiB page, with PSE-36 address bits; without CR4.PSE the same entry is a table", () => {
    const memory = tables({ [0x1000 + 4 * 1]: 0x0040_0000n | (3n << 13n) | PS | P | W }, 4);
    const state = { ...longMode, cr4: PSE, efer: 0n };
    const found = walkPageTables(memory, state, (1n << 22n) | 0x5000n, read);
    expect(found).toEqual({ result: 0, gpaPage: 3 * 2 ** 32 + 0x0040_5000 });
    expect(walkPageTables(memory, { ...state, cr4: 0n }, 1n << 22n, read).result).toBe(
      code.WHvTranslateGvaResultPageNotPresent,
    );
  });

  test("3 levels: root entries without rights, above 4 GiB", () => {
    const memory = tables({
      [0x1020 + 8 * 2]: 0x2000n | P,
      [0x2000 + 8 * 5]: 0x3000n | P | W,
      [0x3000 + 8 * 7]: 0x9_8765_4000n | P | W,
    });
    const state = { ...longMode, cr3: 0x1020n, efer: NXE };
    const linear = (2n << 30n) | (5n << 21n) | (7n << 12n);
    expect(walkPageTables(memory, state, linear, write)).toEqual({ result: 0, gpaPage: 0x9_8765_4000 });
  });

  test("4 levels", () => {
    expect(walkPageTables(fourLevels(0xfee0_0000n | P | W), longMode, gva, read)).toEqual({
      result: 0,
      gpaPage: 0xfee0_0000,
    });
  });

  test("5 levels: the same tables one level deeper", () => {
    const memory = tables({ 4104: 0x2000n | P | W, 8192: 0x3000n | P | W, 12288: 0x4000_0000n | PS | P | W });
    const state = { ...longMode, cr4: PAE | LA57 };
    expect(walkPageTables(memory, state, (1n << 48n) | 0x3f_f000n, read)).toEqual({ result: 0, gpaPage: 0x403f_f000 });
  });

  test("2 MiB page", () => {
    const memory = tables({ 4096: 0x2000n | P, 8192: 0x3000n | P, 12296: 0x0060_0000n | PS | P });
    expect(walkPageTables(memory, longMode, 0x003f_f000n, read)).toEqual({ result: 0, gpaPage: 0x007f_f000 });
  });

  test("the last address of the upper half", () => {
    const memory = tables({
      8184: 0x2000n | P,
      12280: 0x3000n | P,
      16376: 0x4000n | P,
      20472: 0xf_ffff_ffff_f000n | P,
    });
    const top = 0xffff_ffff_ffff_f000n;
    expect(walkPageTables(memory, longMode, top, read)).toEqual({ result: 0, gpaPage: 0xf_ffff_ffff_f000 });
  });
});

describe("failures", () => {
  test.each([
    ["an entry that is not present", fourLevels(0n), gva, code.WHvTranslateGvaResultPageNotPresent],
    ["an entry that no memory holds", tables({}), gva, code.WHvTranslateGvaResultPageNotPresent],
    ["a linear address that is not canonical", fourLevels(P), 1n << 47n, code.WHvTranslateGvaResultPageNotPresent],
    ["a large bit at the root", fourLevels(P, P | PS), gva, code.WHvTranslateGvaResultInvalidPageTableFlags],
  ])("%s", (_, memory, linear, expected) => {
    expect(walkPageTables(memory, longMode, linear, read)).toEqual({ result: expected, gpaPage: 0 });
  });

  test("no-execute is a reserved bit until EFER.NXE", () => {
    const memory = fourLevels(0x5000n | P | NX);
    expect(walkPageTables(memory, longMode, gva, read).result).toBe(code.WHvTranslateGvaResultSuccess);
    const without = { ...longMode, efer: LMA };
    expect(walkPageTables(memory, without, gva, read).result).toBe(code.WHvTranslateGvaResultInvalidPageTableFlags);
  });

  test("misaligned large pages have reserved bits set", () => {
    const memory = tables({ 4096: 0x2000n | P, 8192: 0x3000n | P, 12288: 0x0060_2000n | PS | P });
    expect(walkPageTables(memory, longMode, 0n, read).result).toBe(code.WHvTranslateGvaResultInvalidPageTableFlags);
  });
});

describe("rights", () => {
  const allowed = code.WHvTranslateGvaResultSuccess;
  const denied = code.WHvTranslateGvaResultPrivilegeViolation;
  test.each([
    ["user reads supervisor page", { cpl: 3 }, P, P | W | U, read, denied],
    ["user reads user page", { cpl: 3 }, P | U, P | W | U, read, allowed],
    ["user reads user page below supervisor table", { cpl: 3 }, P | U, P | W, read, denied],
    ["user reads supervisor page, exempt", { cpl: 3 }, P, P, read | flag.WHvTranslateGvaFlagPrivilegeExempt, allowed],
    ["user writes read-only page without WP", { cpl: 3, cr0: PG }, P | U, P | W | U, write, denied],
    ["supervisor writes read-only page with WP", {}, P, P | W, write, denied],
    ["supervisor writes read-only page without WP", { cr0: PG }, P, P | W, write, allowed],
    ["supervisor writes page below read-only table", {}, P | W, P, write, denied],
    ["execute of a no-execute page", {}, P | NX, P, execute, denied],
    ["read of a no-execute page", {}, P | NX, P, read, allowed],
    ["execute below a no-execute table", {}, P, P | NX, execute, denied],
    ["supervisor executes user page", {}, P | U, P | U, execute, allowed],
    ["supervisor executes user page under SMEP", { cr4: PAE | SMEP }, P | U, P | U, execute, denied],
    ["supervisor reads user page under SMAP", { cr4: PAE | SMAP }, P | U, P | U, read, denied],
    ["supervisor reads user page under SMAP with AC", { cr4: PAE | SMAP, rflags: AC }, P | U, P | U, read, allowed],
    [
      "the same, SMAP enforced",
      { cr4: PAE | SMAP, rflags: AC },
      P | U,
      P | U,
      read | flag.WHvTranslateGvaFlagEnforceSmap,
      denied,
    ],
    [
      "the same, SMAP overridden",
      { cr4: PAE | SMAP },
      P | U,
      P | U,
      read | flag.WHvTranslateGvaFlagOverrideSmap,
      allowed,
    ],
  ])("%s", (_, state, leaf, above, flags, expected) => {
    const answer = walkPageTables(fourLevels(0x5000n | leaf, above), { ...longMode, ...state }, gva, flags);
    expect(answer.result).toBe(expected);
  });
});

describe("accessed and dirty bits", () => {
  const leafAt = 0x4000 + 24;
  const mark = flag.WHvTranslateGvaFlagSetPageTableBits;

  test("are left alone unless asked for", () => {
    const memory = fourLevels(0x5000n | P | W);
    walkPageTables(memory, longMode, gva, write);
    expect(memory.changes()).toEqual([]);
  });

  test("a read marks every level accessed, a write the leaf dirty", () => {
    const memory = fourLevels(0x5000n | P | W);
    walkPageTables(memory, longMode, gva, read | mark);
    expect(memory.readInteger(leafAt, 8)).toBe(0x5000n | P | W | A);
    expect(memory.readInteger(0x1000 + 255 * 8, 8)).toBe(0x2000n | P | W | U | A);
    walkPageTables(memory, longMode, gva, read | write | mark);
    expect(memory.readInteger(leafAt, 8)).toBe(0x5000n | P | W | A | D);
    expect(memory.readInteger(0x3000 + 24, 8)).toBe(0x4000n | P | W | U | A);
  });

  test("a refused access marks nothing", () => {
    const memory = fourLevels(0x5000n | P);
    expect(walkPageTables(memory, longMode, gva, write | mark).result).toBe(
      code.WHvTranslateGvaResultPrivilegeViolation,
    );
    expect(memory.changes()).toEqual([]);
  });
});
