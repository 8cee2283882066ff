/** Instruction bytes: all there, absent, partial, more than one instruction, across a page. */
import type { EmulatorCheck } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";

const deviceReads = "01020304";
const loaded = { accesses: ["read 0xfee00020 01020304"], registers: { Rax: "0x4030201", Rip: "0x1002" } };

const rows: readonly EmulationRow[] = [
  {
    id: "bytes.more-than-one",
    title: "Bytes behind the instruction are ignored: exactly one instruction is emulated",
    reference: "B6",
    exit: { kind: "mmio", code: "8b07", extra: "8b0f0f0b", deviceReads },
    expect: loaded,
  },
  {
    id: "bytes.all-given",
    title: "With all bytes given, none are read from memory",
    reference: "B6",
    choice: true,
    exit: { kind: "mmio", code: "8b07", deviceReads },
    expect: { ...loaded, fetched: false },
  },
  {
    id: "bytes.absent",
    title: "Absent bytes are read through the memory callback",
    reference: "B6",
    exit: { kind: "mmio", code: "8b07", delivered: 0, deviceReads },
    expect: { ...loaded, fetched: true },
  },
  {
    id: "bytes.absent-length-known",
    title: "Absent bytes with a known InstructionLength",
    reference: "B6",
    exit: { kind: "mmio", code: "8b07", delivered: 0, instructionLength: 2, deviceReads },
    expect: { ...loaded, fetched: true },
  },
  {
    id: "bytes.partial",
    title: "Partial bytes are completed from memory",
    reference: "B6",
    exit: { kind: "mmio", code: "c70744332211", delivered: 3, exit: { accessType: "write" } },
    expect: { accesses: ["write 0xfee00020 44332211"], registers: { Rip: "0x1006" }, fetched: true },
  },
  {
    id: "bytes.absent-across-page",
    title: "An instruction across a page is read from both pages",
    reference: "B8",
    exit: { kind: "mmio", code: "8b07", rip: "0x1fff", delivered: 0, deviceReads },
    expect: { ...loaded, registers: { Rax: "0x4030201", Rip: "0x2001" }, fetched: true },
  },
  {
    id: "bytes.second-page-not-needed",
    title: "The page behind the instruction is not touched where the instruction ends before it",
    reference: "B6",
    exit: {
      kind: "mmio",
      code: "8b07",
      rip: "0x1ffe",
      delivered: 0,
      deviceReads,
      translate: [
        { gvaPage: "0x2000", result: 1 },
        { gvaPage: "0xfee00000", gpaPage: "0xfee00000" },
      ],
    },
    expect: { ...loaded, registers: { Rax: "0x4030201", Rip: "0x2000" }, fetched: true },
  },
  {
    id: "bytes.long-instruction",
    title: "An instruction of ten bytes, absent: more than one memory callback, none above eight bytes",
    reference: "B15",
    exit: { kind: "mmio", code: "48a12000e0fe00000000", delivered: 0, deviceReads: "0102030405060708" },
    expect: {
      accesses: ["read 0xfee00020 0102030405060708"],
      registers: { Rax: "0x807060504030201", Rip: "0x100a" },
      fetched: true,
    },
  },
  {
    id: "bytes.code-page-not-present",
    title: "Absent bytes in a page that is not present: the guest gets a page fault, no access is made",
    reference: "B12",
    exit: {
      kind: "mmio",
      code: "8b07",
      rip: "0x1fff",
      delivered: 1,
      translate: [
        { gvaPage: "0x2000", result: 1 },
        { gvaPage: "0xfee00000", gpaPage: "0xfee00000" },
      ],
    },
    expect: { free: ["PendingEvent", "PendingInterruption", "Cr2", "Rflags"] },
  },
  {
    id: "bytes.access-type-execute",
    title: "An exit of type Execute: code in device memory is read through the memory callback, then emulated",
    reference: "C27",
    choice: true,
    exit: {
      kind: "mmio",
      code: "8b07",
      delivered: 0,
      exit: { accessType: "execute", gpa: "0x1000", gva: "0x1000" },
      deviceReads,
    },
    expect: { ...loaded, fetched: true },
  },
];

/** Checks of instruction bytes. */
export const instructionByteChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks(rows);
