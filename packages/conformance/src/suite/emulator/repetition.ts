/** REP: resolved inside the call, element by element, until count or condition end it. */
import { type EmulatorCheck, OneOf } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";

const ram = { gpa: "0x2000", bytes: "0102030405060708" };
const write = { accessType: "write" };

const counts: readonly EmulationRow[] = (
  [
    ["rep-movsb", "f3a4"],
    ["rep-stosd", "f3ab"],
    ["repe-cmpsb", "f3a6"],
    ["repne-scasb", "f2ae"],
  ] as const
).map(([name, code]) => ({
  id: `repeat.${name}-count-0`,
  title: `${name.replace("-", " ").toUpperCase()} with RCX 0 is done: no access, flags kept`,
  reference: "C32",
  exit: { kind: "mmio", code, rflags: "0x8d7", registers: { Rcx: "0x0" } },
  expect: { registers: { Rip: "0x1002" } },
}));

const rows: readonly EmulationRow[] = [
  {
    id: "repeat.rep-movsb",
    title: "REP MOVSB runs to its end in one call: read and write in turn",
    reference: "B7",
    exit: { kind: "mmio", code: "f3a4", exit: write, registers: { Rcx: "0x3" }, memory: [ram] },
    expect: {
      accesses: [
        ...["read 0x2000 01", "write 0xfee00020 01", "read 0x2001 02", "write 0xfee00021 02"],
        ...["read 0x2002 03", "write 0xfee00022 03"],
      ],
      registers: { Rcx: "0x0", Rsi: "0x2003", Rdi: "0xfee00023", Rip: "0x1002" },
    },
  },
  {
    id: "repeat.rep-stosd",
    title: "REP STOSD writes each element in order",
    reference: "B7",
    exit: { kind: "mmio", code: "f3ab", exit: write, registers: { Rcx: "0x3", Rax: "0x44332211" } },
    expect: {
      accesses: ["write 0xfee00020 11223344", "write 0xfee00024 11223344", "write 0xfee00028 11223344"],
      registers: { Rcx: "0x0", Rdi: "0xfee0002c", Rip: "0x1002" },
    },
  },
  {
    id: "repeat.rep-movsw-down",
    title: "REP MOVSW goes downwards where RFLAGS.DF is set",
    reference: "B7",
    exit: {
      kind: "mmio",
      code: "f366a5",
      rflags: "0x402",
      exit: write,
      registers: { Rcx: "0x2", Rsi: "0x2002" },
      memory: [ram],
    },
    expect: {
      accesses: ["read 0x2002 0304", "write 0xfee00020 0304", "read 0x2000 0102", "write 0xfee0001e 0102"],
      registers: { Rcx: "0x0", Rsi: "0x1ffe", Rdi: "0xfee0001c", Rip: "0x1003" },
    },
  },
  {
    id: "repeat.page-crossing",
    title: "An element across pages is split in order, and REP goes on in the next page",
    reference: "B8",
    exit: {
      kind: "mmio",
      code: "f348a5",
      exit: { ...write, gvaValid: false, gpa: "0x70000ffc" },
      registers: { Rcx: "0x2", Rdi: "0x10ffc" },
      memory: [{ gpa: "0x2000", bytes: "0102030405060708090a0b0c0d0e0f10" }],
      translate: [
        { gvaPage: "0x2000", gpaPage: "0x2000" },
        { gvaPage: "0x10000", gpaPage: "0x70000000" },
        { gvaPage: "0x11000", gpaPage: "0x60000000" },
      ],
    },
    expect: {
      accesses: [
        ...["read 0x2000 0102030405060708", "write 0x70000ffc 01020304", "write 0x60000000 05060708"],
        ...["read 0x2008 090a0b0c0d0e0f10", "write 0x60000004 090a0b0c0d0e0f10"],
      ],
      registers: { Rcx: "0x0", Rsi: "0x2010", Rdi: "0x1100c", Rip: "0x1003" },
    },
  },
  {
    id: "repeat.repe-cmpsb",
    title: "REPE CMPSB ends behind the first difference, with the flags of that comparison",
    reference: "B7",
    exit: { kind: "mmio", code: "f3a6", registers: { Rcx: "0x4" }, memory: [ram], deviceReads: "010209" },
    expect: {
      // The manuals do not say which operand of an element is read first.
      accesses: new OneOf(
        [
          ...["read 0x2000 01", "read 0xfee00020 01", "read 0x2001 02", "read 0xfee00021 02"],
          ...["read 0x2002 03", "read 0xfee00022 09"],
        ],
        [
          ...["read 0xfee00020 01", "read 0x2000 01", "read 0xfee00021 02", "read 0x2001 02"],
          ...["read 0xfee00022 09", "read 0x2002 03"],
        ],
      ),
      // 3 - 9 = fah: CF, AF, SF, PF (six ones).
      registers: { Rcx: "0x1", Rsi: "0x2003", Rdi: "0xfee00023", Rip: "0x1002", Rflags: "0x97" },
    },
  },
  {
    id: "repeat.repne-scasb",
    title: "REPNE SCASB ends behind the first match",
    reference: "B7",
    exit: { kind: "mmio", code: "f2ae", registers: { Rcx: "0x5", Rax: "0x7" }, deviceReads: "0507" },
    expect: {
      accesses: ["read 0xfee00020 05", "read 0xfee00021 07"],
      registers: { Rcx: "0x3", Rdi: "0xfee00022", Rip: "0x1002", Rflags: "0x46" },
    },
  },
  {
    id: "repeat.address-size",
    title: "With a 67h prefix count and addresses have 32 bits",
    reference: "C32",
    exit: {
      kind: "mmio",
      code: "67f3aa",
      exit: write,
      registers: { Rcx: "0x1", Rdi: "0x5fee00020", Rax: "0x41" },
    },
    expect: { accesses: ["write 0xfee00020 41"], registers: { Rcx: "0x0", Rdi: "0xfee00021", Rip: "0x1003" } },
  },
  {
    id: "repeat.long",
    title: "A REP of 2000 elements is still one call",
    reference: "C1",
    choice: true,
    exit: { kind: "mmio", code: "f3aa", exit: write, registers: { Rcx: "0x7d0", Rax: "0x41" } },
    expect: {
      accesses: Array.from({ length: 2000 }, (_, i) => `write 0x${(0xfee0_0020 + i).toString(16)} 41`),
      registers: { Rcx: "0x0", Rdi: "0xfee007f0", Rip: "0x1002" },
    },
  },
  {
    id: "repeat.fault-in-the-middle",
    title: "A fault in the middle commits the finished elements; RIP stays, so that the guest can go on",
    reference: "C3",
    choice: true,
    exit: {
      kind: "mmio",
      code: "f3a4",
      exit: write,
      registers: { Rcx: "0x5", Rsi: "0x2ffd" },
      memory: [{ gpa: "0x2ffd", bytes: "010203" }],
      translate: [
        { gvaPage: "0x2000", gpaPage: "0x2000" },
        { gvaPage: "0x3000", result: 1 },
        { gvaPage: "0xfee00000", gpaPage: "0xfee00000" },
      ],
    },
    expect: {
      accesses: [
        ...["read 0x2ffd 01", "write 0xfee00020 01", "read 0x2ffe 02", "write 0xfee00021 02"],
        ...["read 0x2fff 03", "write 0xfee00022 03"],
      ],
      registers: { Rcx: "0x2", Rsi: "0x3000", Rdi: "0xfee00023" },
      free: ["PendingEvent", "PendingInterruption", "Cr2", "Rflags"],
    },
  },
];

/** Checks of REP. */
export const repetitionChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks([...counts, ...rows]);
