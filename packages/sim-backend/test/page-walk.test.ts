/**
 * Paging, row by row: which accesses the tables of every mode allow, and the error code of #PF where they do not (Intel
 * SDM volume 3, chapter 4). Accesses are instructions that run; `translateGva` is asked the same.
 */
import {
  WHV_TRANSLATE_GVA_FLAGS as Flags,
  type GvaTranslation,
  WHV_RUN_VP_EXIT_REASON as Reason,
  WHV_TRANSLATE_GVA_RESULT_CODE as Result,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { get, hex, set } from "./guest-image.ts";
import {
  A,
  CODE,
  CR0_WP,
  CR4,
  D,
  EFER_NXE,
  G,
  LEVELS,
  NX,
  P,
  type PagingMode,
  type PagingSetup,
  PS,
  pagingGuest,
  ROOT,
  U,
  W,
} from "./paging-guest.ts";

const MODES: readonly PagingMode[] = ["32-bit", "PAE", "4-level", "5-level"];

/** Where the tested page is mapped, and to what. */
const LINEAR = 0x40_3000n;
const TARGET = 0x5000n;

type Access = "read" | "write" | "fetch";

/** mov eax, [rbx] / mov [rbx], eax / jmp rbx; the same bytes in 32- and 64-bit code. */
const CODE_FOR: Readonly<Record<Access, string>> = { read: "8b03", write: "8903", fetch: "ffe3" };

/** Error code of #PF for the access, or null where it is allowed. */
function attempt(mode: PagingMode, setup: PagingSetup, flags: readonly bigint[], access: Access): number | null {
  const { processor, ram, tables } = pagingGuest(mode, setup);
  tables.map(LINEAR, TARGET, flags);
  ram.bytes.set(hex(CODE_FOR[access]), CODE);
  ram.bytes[Number(TARGET)] = 0x90;
  set(processor, { Rbx: LINEAR });
  const { exception, exit } = processor.step(access === "fetch" ? 2 : 1);
  expect(exit).toBeNull();
  if (exception === null) return null;
  expect(exception.vector).toBe(14);
  expect(exception.cr2).toBe(LINEAR);
  expect(get(processor, "Rip")).toBe(access === "fetch" ? LINEAR : BigInt(CODE));
  return exception.errorCode;
}

interface Row {
  readonly what: string;
  readonly modes?: readonly PagingMode[];
  readonly setup?: PagingSetup;
  /** Entry flags, last level first; the last of them for all levels above. */
  readonly flags: readonly bigint[];
  /** Error codes, null for allowed. */
  readonly read: number | null;
  readonly write: number | null;
  readonly fetch: number | null;
}

const WIDE: readonly PagingMode[] = ["PAE", "4-level", "5-level"];
const NXE = { efer: EFER_NXE } as const;

const ROWS: readonly Row[] = [
  { what: "supervisor page, CPL 0", flags: [P | W], read: null, write: null, fetch: null },
  { what: "not present", flags: [W, P | W], read: 0, write: 2, fetch: 0 },
  { what: "not present, CPL 3", setup: { cpl: 3 }, flags: [W | U, P | W | U], read: 4, write: 6, fetch: 4 },
  { what: "directory not present", flags: [P | W, W, P | W], read: 0, write: 2, fetch: 0 },
  {
    what: "not present, NXE: fetches are told",
    modes: WIDE,
    setup: NXE,
    flags: [W, P | W],
    read: 0,
    write: 2,
    fetch: 16,
  },
  {
    what: "not present, SMEP: fetches are told",
    setup: { cr4: CR4.SMEP },
    flags: [W, P | W],
    read: 0,
    write: 2,
    fetch: 16,
  },
  { what: "user page, CPL 3", setup: { cpl: 3 }, flags: [P | W | U], read: null, write: null, fetch: null },
  { what: "supervisor page, CPL 3", setup: { cpl: 3 }, flags: [P | W, P | W | U], read: 5, write: 7, fetch: 5 },
  {
    what: "user page in a supervisor directory, CPL 3",
    modes: ["4-level", "5-level"],
    setup: { cpl: 3 },
    flags: [P | W | U, P | W, P | W | U],
    read: 5,
    write: 7,
    fetch: 5,
  },
  { what: "read-only page, CPL 3", setup: { cpl: 3 }, flags: [P | U, P | W | U], read: null, write: 7, fetch: null },
  {
    what: "read-only directory, CPL 3",
    setup: { cpl: 3 },
    flags: [P | W | U, P | U, P | W | U],
    read: null,
    write: 7,
    fetch: null,
  },
  { what: "read-only page, CPL 0, WP clear", flags: [P, P | W], read: null, write: null, fetch: null },
  {
    what: "read-only page, CPL 0, WP set",
    setup: { cr0: CR0_WP },
    flags: [P, P | W],
    read: null,
    write: 3,
    fetch: null,
  },
  { what: "NX page", modes: WIDE, setup: NXE, flags: [P | W | NX, P | W], read: null, write: null, fetch: 17 },
  {
    what: "NX page, CPL 3",
    modes: WIDE,
    setup: { cpl: 3, efer: EFER_NXE },
    flags: [P | W | U | NX, P | W | U],
    read: null,
    write: null,
    fetch: 21,
  },
  {
    what: "NX directory",
    modes: WIDE,
    setup: NXE,
    flags: [P | W, P | W | NX, P | W],
    read: null,
    write: null,
    fetch: 17,
  },
  { what: "NX without NXE is reserved", modes: WIDE, flags: [P | W | NX, P | W], read: 9, write: 11, fetch: 9 },
  {
    what: "address above the physical width",
    modes: WIDE,
    flags: [P | W | (1n << 51n), P | W],
    read: 9,
    write: 11,
    fetch: 9,
  },
  { what: "user page, CPL 0", flags: [P | W | U], read: null, write: null, fetch: null },
  {
    what: "user page, CPL 0, SMEP",
    setup: { cr4: CR4.SMEP },
    flags: [P | W | U, P | W | U],
    read: null,
    write: null,
    fetch: 17,
  },
  {
    what: "user page, CPL 0, SMAP",
    setup: { cr4: CR4.SMAP },
    flags: [P | W | U, P | W | U],
    read: 1,
    write: 3,
    fetch: null,
  },
  {
    what: "user page, CPL 0, SMAP, AC set",
    setup: { cr4: CR4.SMAP, rflags: 0x4_0000 },
    flags: [P | W | U, P | W | U],
    read: null,
    write: null,
    fetch: null,
  },
  {
    what: "user page, CPL 3, SMAP and SMEP",
    setup: { cpl: 3, cr4: CR4.SMAP | CR4.SMEP },
    flags: [P | W | U],
    read: null,
    write: null,
    fetch: null,
  },
];

/** Upper levels of SMEP and SMAP rows are user tables, which CPL 0 code needs its own page not to be. */
describe.each(MODES)("%s paging", (mode) => {
  for (const row of ROWS.filter(({ modes }) => modes === undefined || modes.includes(mode))) {
    for (const access of ["read", "write", "fetch"] as const) {
      const expected = row[access];
      test(`${row.what}: ${access} ${expected === null ? "is allowed" : `is #PF(${expected})`}`, () => {
        expect(attempt(mode, row.setup ?? {}, row.flags, access)).toBe(expected);
      });
    }
  }

  test("sets accessed on every level of an access, dirty on the last level of a write", () => {
    for (const write of [false, true]) {
      const { processor, ram, tables } = pagingGuest(mode);
      tables.map(LINEAR, TARGET, [P | W]);
      ram.bytes.set(hex(CODE_FOR[write ? "write" : "read"]), CODE);
      set(processor, { Rbx: LINEAR });
      expect(processor.step(1).instructions).toBe(1);
      for (let level = 1; level <= LEVELS[mode]; level++) {
        const entry = tables.entry(LINEAR, level) & (A | D);
        // Page-directory pointers of PAE have no accessed bit.
        const wanted = mode === "PAE" && level === 3 ? 0n : level === 1 && write ? A | D : A;
        expect(entry, `level ${level}`).toBe(wanted);
      }
    }
  });

  test("sets no bit when the access faults", () => {
    const { processor, ram, tables } = pagingGuest(mode, { cr0: CR0_WP });
    tables.map(LINEAR, TARGET, [P, P | W]);
    ram.bytes.set(hex(CODE_FOR.write), CODE);
    set(processor, { Rbx: LINEAR });
    expect(processor.step(1).exception?.errorCode).toBe(3);
    expect(tables.entry(LINEAR, 1) & (A | D)).toBe(0n);
  });

  test("a write after a cached read still sets dirty", () => {
    const { processor, ram, tables } = pagingGuest(mode);
    tables.map(LINEAR, TARGET, [P | W]);
    ram.bytes.set(hex("8b03 8903"), CODE);
    set(processor, { Rbx: LINEAR });
    processor.step(2);
    expect(tables.entry(LINEAR, 1) & (A | D)).toBe(A | D);
  });

  test("keeps a translation until INVLPG", () => {
    const { processor, ram, tables } = pagingGuest(mode);
    tables.map(LINEAR, TARGET, [P | W]);
    tables.map(0x40_8000n, BigInt(ROOT), [P | W]);
    // mov eax, [rbx]; mov [rcx], edx (changes the entry); mov esi, [rbx]; invlpg [rbx]; mov edi, [rbx]
    ram.bytes.set(hex("8b03 8911 8b33 0f013b 8b3b"), CODE);
    ram.bytes.set(hex("11111111"), 0x5000);
    ram.bytes.set(hex("22222222"), 0x6000);
    const table = tableOfLastLevel(tables, mode);
    tables.map(0x40_9000n, BigInt(table), [P | W]);
    const index = Number(LINEAR >> 12n) & (mode === "32-bit" ? 0x3ff : 0x1ff);
    set(processor, { Rbx: LINEAR, Rcx: 0x40_9000 + index * (mode === "32-bit" ? 4 : 8), Rdx: 0x6003 });
    expect(processor.step(5).instructions).toBe(5);
    expect(get(processor, "Rax")).toBe(0x1111_1111n);
    expect(get(processor, "Rsi")).toBe(0x1111_1111n);
    expect(get(processor, "Rdi")).toBe(0x2222_2222n);
  });

  test("translateGva agrees with the accesses", () => {
    const { processor, tables } = pagingGuest(mode);
    tables.map(LINEAR, TARGET, [P, P | W]);
    const answer: GvaTranslation = { resultCode: -1, gpa: -1 };
    processor.translateGva(Number(LINEAR) + 0x123, 0, Flags.WHvTranslateGvaFlagValidateRead, answer);
    expect(answer).toEqual({ resultCode: Result.WHvTranslateGvaResultSuccess, gpa: Number(TARGET) + 0x123 });
    expect(tables.entry(LINEAR, 1) & A, "left alone without SetPageTableBits").toBe(0n);
    processor.translateGva(
      Number(LINEAR),
      0,
      Flags.WHvTranslateGvaFlagValidateRead | Flags.WHvTranslateGvaFlagSetPageTableBits,
      answer,
    );
    expect(tables.entry(LINEAR, 1) & A).toBe(A);
    processor.translateGva(0x7f_0000, 0, Flags.WHvTranslateGvaFlagValidateRead, answer);
    expect(answer.resultCode).toBe(Result.WHvTranslateGvaResultPageNotPresent);
    tables.map(0x40_4000n, 0xdead_0000n, [P | W]);
    processor.translateGva(0x40_4000, 0, Flags.WHvTranslateGvaFlagValidateRead, answer);
    expect(answer, "device memory is an answer").toEqual({
      resultCode: Result.WHvTranslateGvaResultSuccess,
      gpa: 0xdead_0000,
    });
  });
});

function tableOfLastLevel(tables: { entry(linear: bigint, level: number): bigint }, mode: PagingMode): number {
  return Number(tables.entry(LINEAR, 2) & (mode === "32-bit" ? 0xffff_f000n : 0xf_ffff_ffff_f000n));
}

describe("large pages", () => {
  test.each([
    ["32-bit", 2, 0xc0_0000n, 0x80_0000n],
    ["PAE", 2, 0xa0_0000n, 0x60_0000n],
    ["4-level", 2, 0xa0_0000n, 0x60_0000n],
    ["4-level", 3, 0x4000_0000n, 0x8000_0000n],
    ["5-level", 3, 0x4000_0000n, 0x8000_0000n],
  ] as const)("%s, level %i: the offset is taken from the linear address", (mode, level, linear, gpa) => {
    const { processor, tables } = pagingGuest(mode);
    tables.map(
      linear,
      gpa,
      [1, 2, 3, 4].map((at) => (at === level ? P | W | PS : P | W)),
      level,
    );
    const answer: GvaTranslation = { resultCode: -1, gpa: -1 };
    processor.translateGva(Number(linear) + 0x1_2345, 0, Flags.WHvTranslateGvaFlagValidateWrite, answer);
    expect(answer).toEqual({ resultCode: Result.WHvTranslateGvaResultSuccess, gpa: Number(gpa) + 0x1_2345 });
  });

  test("reserved address bits of a large page are #PF with RSVD", () => {
    const { processor, ram, tables } = pagingGuest("4-level");
    tables.map(0xa0_0000n, 0x60_0000n | 0x2000n, [0n, P | W | PS, P | W], 2);
    ram.bytes.set(hex(CODE_FOR.read), CODE);
    set(processor, { Rbx: 0xa0_0000 });
    expect(processor.step(1).exception?.errorCode).toBe(9);
  });
});

describe("the translation cache", () => {
  test("MOV to CR3 forgets local translations and keeps global ones", () => {
    const { processor, ram, tables } = pagingGuest("4-level", { cr4: CR4.PGE });
    tables.map(LINEAR, TARGET, [P | W | G, P | W]);
    tables.map(0x40_4000n, 0x6000n, [P | W]);
    // The guest changes both entries itself: between runs everything is forgotten.
    tables.map(0x40_9000n, BigInt(tableOfLastLevel(tables, "4-level")), [P | W]);
    // mov eax,[rbx]; mov eax,[rdx]; mov qword [rsi], rdi; mov qword [rsi+8], rdi; mov rax, cr3; mov cr3, rax; mov r8d,[rbx]; mov r9d,[rdx]
    ram.bytes.set(hex("8b03 8b02 48893e 48897e08 0f20d8 0f22d8 448b03 448b0a"), CODE);
    ram.bytes.set(hex("11111111"), 0x5000);
    ram.bytes.set(hex("22222222"), 0x6000);
    ram.bytes.set(hex("33333333"), 0x7000);
    set(processor, { Rbx: LINEAR, Rdx: 0x40_4000, Rsi: 0x40_9000 + 3 * 8, Rdi: 0x7003 });
    expect(processor.step(8).instructions).toBe(8);
    expect(get(processor, "R8"), "global").toBe(0x1111_1111n);
    expect(get(processor, "R9"), "local").toBe(0x3333_3333n);
  });

  test("an access across two pages asks both before it writes", () => {
    const { processor, ram, tables } = pagingGuest("4-level", { cr0: CR0_WP });
    tables.map(LINEAR, TARGET, [P | W]);
    tables.map(LINEAR + 0x1000n, TARGET + 0x1000n, [P, P | W]);
    ram.bytes.set(hex("8903"), CODE);
    set(processor, { Rbx: LINEAR + 0xffen, Rax: 0xffff_ffff });
    const { exception } = processor.step(1);
    expect(exception).toEqual({ vector: 14, errorCode: 3, cr2: LINEAR + 0x1000n });
    expect(ram.bytes.slice(0x5ffe, 0x6002)).toEqual(new Uint8Array(4));
  });
});

describe("what an access may do follows the state at once", () => {
  test.each([
    ["STAC", "0f01cb 8b03", 0x20_0000, null],
    ["CLAC", "0f01cb 8b03 0f01ca 8b03", 0x20_0000, { vector: 14, errorCode: 1, cr2: LINEAR }],
    ["POPFQ", "6802000400 9d 8b03", 0x20_0000, null],
    ["MOV to CR4 that turns SMAP on", "8b03 0f22e1 8b03", 0, { vector: 14, errorCode: 1, cr2: LINEAR }],
  ])("%s", (_name, code, cr4, exception) => {
    const { processor, ram, tables } = pagingGuest("4-level", { cr4 });
    tables.map(LINEAR, TARGET, [P | W | U]);
    tables.map(0x6000n, 0x6000n, [P | W]);
    // The code page and the stack are supervisor pages, their tables user ones.
    tables.map(BigInt(CODE), BigInt(CODE), [P | W, P | W | U]);
    ram.bytes.set(hex(`${code} 0f0b`), CODE);
    set(processor, { Rbx: LINEAR, Rcx: 0x20_0020, Rsp: 0x7000 });
    expect(processor.step(20).exception).toEqual(exception ?? { vector: 6, errorCode: null, cr2: null });
  });
});

describe("tables in device memory", () => {
  test("exit with the address of the entry, and the processor as before", () => {
    const { processor, ram, tables } = pagingGuest("4-level");
    tables.map(LINEAR, TARGET, [P | W]);
    tables.change(LINEAR, 2, () => 0xfee0_0000n | P | W);
    ram.bytes.set(hex(CODE_FOR.write), CODE);
    set(processor, { Rbx: LINEAR });
    const exit = processor.run();
    if (exit.exitReason !== Reason.WHvRunVpExitReasonMemoryAccess) throw new Error(`exit ${exit.exitReason}`);
    expect(exit.memoryAccess.gpa).toBe(0xfee0_0000 + 3 * 8);
    expect(exit.memoryAccess.gva).toBe(LINEAR);
    expect(exit.memoryAccess.accessInfo.accessType).toBe(0);
    expect(get(processor, "Rip")).toBe(BigInt(CODE));
  });
});

describe("canonical addresses", () => {
  test.each([
    ["4-level", 0x8000_0000_0000n, true],
    ["4-level", 0xffff_7fff_ffff_fff0n, true],
    ["5-level", 0x8000_0000_0000n, false],
    ["5-level", 0x0100_0000_0000_0000n, true],
  ] as const)("%s: %i", (mode, address, faults) => {
    const { processor, ram } = pagingGuest(mode);
    ram.bytes.set(hex(CODE_FOR.read), CODE);
    set(processor, { Rbx: address });
    expect(processor.step(1).exception).toEqual(
      faults ? { vector: 13, errorCode: 0, cr2: null } : { vector: 14, errorCode: 0, cr2: address },
    );
  });
});
