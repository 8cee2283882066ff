/** How instructions reach the memory callback: sizes, order, page crossings, read-modify-write, copies. */
import type { EmulatorCheck } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";
import type { ExitSituation } from "./exit-situation.ts";

const rax = "0x1122334455667788";
const bytes = "0102030405060708090a0b0c0d0e0f10";
const write = { accessType: "write" };

/** An exit without a valid GVA: every page has to be translated. */
const untranslated = { gvaValid: false };

const loads: readonly EmulationRow[] = (
  [
    [1, "8a07", "0x1122334455667701"],
    [2, "668b07", "0x1122334455660201"],
    [4, "8b07", "0x4030201"],
    [8, "488b07", "0x807060504030201"],
  ] as const
).map(([size, code, after]) => ({
  id: `memory.load-${size}`,
  title: `MOV of ${size} bytes from device memory is one callback; 32 bits clear the upper half of RAX`,
  reference: "A2",
  exit: { kind: "mmio", code, registers: { Rax: rax }, deviceReads: bytes },
  expect: {
    accesses: [`read 0xfee00020 ${bytes.slice(0, 2 * size)}`],
    registers: { Rax: after, Rip: `0x${(0x1000 + code.length / 2).toString(16)}` },
  },
}));

const stores: readonly EmulationRow[] = (
  [
    [1, "8807", "88"],
    [2, "668907", "8877"],
    [4, "8907", "88776655"],
    [8, "488907", "8877665544332211"],
  ] as const
).map(([size, code, data]) => ({
  id: `memory.store-${size}`,
  title: `MOV of ${size} bytes to device memory is one callback, bytes in memory order`,
  reference: "A6",
  exit: { kind: "mmio", code, exit: write, registers: { Rax: rax } },
  expect: {
    accesses: [`write 0xfee00020 ${data}`],
    registers: { Rip: `0x${(0x1000 + code.length / 2).toString(16)}` },
  },
}));

/** `op [rdi], ecx` on a device that holds 5, with ECX 0x10. */
function modify(code: string, more: Partial<ExitSituation> = {}): ExitSituation {
  const registers = { Rcx: "0x10", ...more.registers };
  return { kind: "mmio", code, exit: write, deviceReads: "05000000", ...more, registers };
}

const modifications: readonly EmulationRow[] = [
  {
    id: "memory.add",
    title: "ADD to device memory: one read, one write, flags set",
    reference: "C14",
    exit: modify("010f"),
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 15000000"],
      registers: { Rip: "0x1002" },
    },
  },
  {
    id: "memory.lock-add",
    title: "LOCK ADD: one read, one write",
    reference: "C15",
    exit: modify("f0010f"),
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 15000000"],
      registers: { Rip: "0x1003" },
    },
  },
  {
    id: "memory.sub-flags",
    title: "SUB from device memory sets CF, PF, AF, ZF, SF and OF",
    reference: "B2",
    exit: modify("290f", { rflags: "0x246" }),
    // 5 - 16 = fffffff5h: CF, PF (six ones in f5h) and SF; no AF (5 - 0), no ZF, no OF. IF (200h) stays.
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 f5ffffff"],
      registers: { Rip: "0x1002", Rflags: "0x287" },
    },
  },
  {
    id: "memory.xchg",
    title: "XCHG: one read, one write, the register gets what was there",
    reference: "C15",
    exit: modify("870f", { registers: { Rcx: "0xffffffff00000010" } }),
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 10000000"],
      registers: { Rcx: "0x5", Rip: "0x1002" },
    },
  },
  {
    id: "memory.cmpxchg-match",
    title: "CMPXCHG that matches writes the new value and sets ZF",
    reference: "C14",
    exit: modify("0fb10f", { registers: { Rax: "0x5" } }),
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 10000000"],
      registers: { Rip: "0x1003", Rflags: "0x46" },
    },
  },
  {
    id: "memory.cmpxchg-no-match",
    title: "CMPXCHG that does not match loads EAX and writes the old value back, as the processor does",
    reference: "C14",
    choice: true,
    exit: modify("0fb10f", { registers: { Rax: "0x7" } }),
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 05000000"],
      registers: { Rip: "0x1003", Rax: "0x5" },
      free: ["Rflags"],
    },
  },
  {
    id: "memory.test",
    title: "TEST of device memory reads once and writes nothing but flags",
    reference: "C14",
    exit: modify("f70705000000", { exit: {}, rflags: "0x8d7" }),
    expect: { accesses: ["read 0xfee00020 05000000"], registers: { Rip: "0x1006" }, free: ["Rflags"] },
  },
  {
    id: "memory.not",
    title: "NOT changes no flag",
    reference: "C14",
    exit: modify("f717", { rflags: "0x8d7" }),
    expect: {
      accesses: ["read 0xfee00020 05000000", "write 0xfee00020 faffffff"],
      registers: { Rip: "0x1002" },
    },
  },
];

const crossings: readonly EmulationRow[] = [
  {
    id: "memory.page-crossing-load",
    title: "Eight bytes at ffeh of a page are two callbacks, 2 and 6 bytes, low address first",
    reference: "B8",
    exit: {
      kind: "mmio",
      code: "488b07",
      exit: { ...untranslated, gpa: "0xfee00ffe" },
      registers: { Rdi: "0xfee00ffe" },
      deviceReads: bytes,
    },
    expect: {
      accesses: ["read 0xfee00ffe 0102", "read 0xfee01000 030405060708"],
      registers: { Rax: "0x807060504030201", Rip: "0x1003" },
    },
  },
  {
    id: "memory.page-crossing-store",
    title: "A store across pages whose frames are not neighbours goes to both, low address first",
    reference: "B8",
    exit: {
      kind: "mmio",
      code: "8907",
      exit: { ...write, ...untranslated, gpa: "0x8ffd" },
      registers: { Rdi: "0x11ffd", Rax: rax },
      translate: [
        { gvaPage: "0x11000", gpaPage: "0x8000" },
        { gvaPage: "0x12000", gpaPage: "0x5000" },
      ],
    },
    expect: { accesses: ["write 0x8ffd 887766", "write 0x5000 55"], registers: { Rip: "0x1002" } },
  },
  {
    id: "memory.page-crossing-fault",
    title: "A fault on the second page leaves no side effect on the first",
    reference: "C11",
    exit: {
      kind: "mmio",
      code: "8907",
      exit: { ...write, ...untranslated, gpa: "0x8ffd" },
      registers: { Rdi: "0x11ffd", Rax: rax },
      translate: [
        { gvaPage: "0x11000", gpaPage: "0x8000" },
        { gvaPage: "0x12000", result: 1 },
      ],
    },
    expect: { free: ["PendingEvent", "PendingInterruption", "Cr2", "Rflags"] },
  },
  {
    id: "memory.unaligned",
    title: "An access inside a page is one callback, aligned or not",
    reference: "C13",
    choice: true,
    exit: {
      kind: "mmio",
      code: "488b07",
      exit: { gpa: "0xfee00ff7", gva: "0xfee00ff7" },
      registers: { Rdi: "0xfee00ff7" },
      deviceReads: bytes,
    },
    expect: { accesses: ["read 0xfee00ff7 0102030405060708"], registers: { Rax: "0x807060504030201", Rip: "0x1003" } },
  },
  {
    id: "memory.wrap-4-gib",
    title: "In 32-bit code an access at the end of the address space goes on at 0",
    reference: "C11",
    choice: true,
    exit: {
      kind: "mmio",
      mode: 32,
      code: "8b07",
      exit: { ...untranslated, gpa: "0xfffffffe" },
      registers: { Rdi: "0xfffffffe" },
      deviceReads: bytes,
    },
    expect: { accesses: ["read 0xfffffffe 0102", "read 0x0 0304"], registers: { Rax: "0x4030201", Rip: "0x1002" } },
  },
  {
    id: "memory.load-16-bytes",
    title: "MOVDQU of 16 bytes is two ascending callbacks of eight",
    reference: "C12",
    choice: true,
    exit: { kind: "mmio", code: "f30f6f07", deviceReads: bytes },
    expect: {
      accesses: ["read 0xfee00020 0102030405060708", "read 0xfee00028 090a0b0c0d0e0f10"],
      registers: { Xmm0: "0x100f0e0d0c0b0a090807060504030201", Rip: "0x1004" },
    },
  },
  {
    id: "memory.store-16-bytes-crossing",
    title: "MOVDQU across a page is cut there too, and no callback crosses",
    reference: "C12",
    choice: true,
    exit: {
      kind: "mmio",
      code: "f30f7f07",
      exit: { ...write, ...untranslated, gpa: "0xfee00ffa" },
      registers: { Rdi: "0xfee00ffa", Xmm0: "0x100f0e0d0c0b0a090807060504030201" },
    },
    expect: {
      accesses: ["write 0xfee00ffa 010203040506", "write 0xfee01000 0708", "write 0xfee01002 090a0b0c0d0e0f10"],
      registers: { Rip: "0x1004" },
    },
  },
];

const operands: readonly EmulationRow[] = [
  {
    id: "memory.movs-to-device",
    title: "MOVSD from RAM to a device: the memory callback serves both",
    reference: "B9",
    exit: { kind: "mmio", code: "a5", exit: write, memory: [{ gpa: "0x2000", bytes: "0a0b0c0d" }] },
    expect: {
      accesses: ["read 0x2000 0a0b0c0d", "write 0xfee00020 0a0b0c0d"],
      registers: { Rsi: "0x2004", Rdi: "0xfee00024", Rip: "0x1001" },
    },
  },
  {
    id: "memory.movs-from-device",
    title: "MOVSQ from a device to RAM",
    reference: "B9",
    exit: {
      kind: "mmio",
      code: "48a5",
      registers: { Rsi: "0xfee00020", Rdi: "0x2000" },
      memory: [{ gpa: "0x2000", bytes: "0000000000000000" }],
      deviceReads: bytes,
    },
    expect: {
      accesses: ["read 0xfee00020 0102030405060708", "write 0x2000 0102030405060708"],
      registers: { Rsi: "0xfee00028", Rdi: "0x2008", Rip: "0x1002" },
      memory: [{ gpa: "0x2000", bytes: "0102030405060708" }],
    },
  },
  {
    id: "memory.push",
    title: "PUSH of device memory reads the device, then writes the stack",
    reference: "B9",
    exit: {
      kind: "mmio",
      code: "ff37",
      deviceReads: bytes,
      memory: [{ gpa: "0x2ff8", bytes: "0000000000000000" }],
    },
    expect: {
      accesses: ["read 0xfee00020 0102030405060708", "write 0x2ff8 0102030405060708"],
      registers: { Rsp: "0x2ff8", Rip: "0x1002" },
      memory: [{ gpa: "0x2ff8", bytes: "0102030405060708" }],
    },
  },
  {
    id: "memory.exit-translation",
    title: "The exit's translation serves for its page: Gpa differs from Gva, and Gpa may be cut to its page",
    reference: "B19",
    exit: {
      kind: "mmio",
      code: "8b07",
      exit: { gpa: "0x12345000", gva: "0xfee00000" },
      translate: [{ gvaPage: "0xfee00000", gpaPage: "0x12345000" }],
      deviceReads: bytes,
    },
    expect: { accesses: ["read 0x12345020 01020304"], registers: { Rax: "0x4030201", Rip: "0x1002" } },
  },
  {
    id: "memory.exit-of-another-page",
    title: "An exit for another address: the computed address is the truth",
    reference: "C33",
    choice: true,
    exit: { kind: "mmio", code: "8b07", exit: { gpa: "0x12345000", gva: "0x7000" }, deviceReads: bytes },
    expect: { accesses: ["read 0xfee00020 01020304"], registers: { Rax: "0x4030201", Rip: "0x1002" } },
  },
  {
    id: "memory.rip-relative",
    title: "RIP-relative operands count from the end of the instruction",
    reference: "B2",
    exit: {
      kind: "mmio",
      code: "8b0500000010",
      exit: { gpa: "0x10001006", gva: "0x10001006" },
      deviceReads: bytes,
    },
    expect: { accesses: ["read 0x10001006 01020304"], registers: { Rax: "0x4030201", Rip: "0x1006" } },
  },
  {
    id: "memory.real-mode",
    title: "Real mode: segment base plus 16-bit offset",
    reference: "C25",
    exit: {
      kind: "mmio",
      mode: "real",
      code: "8b07",
      exit: { gpa: "0xb8010", gva: "0xb8010" },
      registers: {
        Rbx: "0xffff0010",
        Rax: rax,
        Ds: { base: "0xb8000", limit: "0xffff", selector: 0xb800, attributes: "0x93" },
      },
      deviceReads: bytes,
    },
    expect: { accesses: ["read 0xb8010 0102"], registers: { Rax: "0x1122334455660201", Rip: "0x1002" } },
  },
  {
    id: "memory.compatibility-mode",
    title: "CS.L clear in long mode is 32-bit code: addresses wrap at 4 GiB",
    reference: "C25",
    exit: {
      kind: "mmio",
      mode: "compatibility",
      code: "8b4720",
      exit: untranslated,
      registers: { Rdi: "0x1fee00000" },
      deviceReads: bytes,
    },
    expect: { accesses: ["read 0xfee00020 01020304"], registers: { Rax: "0x4030201", Rip: "0x1003" } },
  },
];

/** Checks of accesses to memory. */
export const memoryAccessChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks([
  ...loads,
  ...stores,
  ...modifications,
  ...crossings,
  ...operands,
]);
