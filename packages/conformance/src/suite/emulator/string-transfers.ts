/** INS and OUTS, single and repeated: port accesses and memory accesses in turn, registers from the exit. */
import type { EmulatorCheck } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";

const ram = { gpa: "0x2000", bytes: "4142434445464748" };

const rows: readonly EmulationRow[] = [
  {
    id: "string-port.insb",
    title: "INSB reads the port, then writes one byte at RDI, and moves RDI",
    reference: "B9",
    exit: {
      kind: "io",
      code: "6c",
      exit: { stringOp: true, port: 0x1f0, rdi: "0x2000" },
      registers: { Rdi: "0x2000", Rdx: "0x1f0" },
      memory: [ram],
      portReads: ["0x5a"],
    },
    expect: {
      accesses: ["in 0x1f0/1 0x5a", "write 0x2000 5a"],
      registers: { Rdi: "0x2001", Rip: "0x1001" },
      memory: [{ gpa: "0x2000", bytes: "5a" }],
    },
  },
  {
    id: "string-port.rep-insd",
    title: "REP INSD: one port access and one write an element, in turn",
    reference: "B7",
    exit: {
      kind: "io",
      code: "f36d",
      exit: { stringOp: true, repPrefix: true, accessSize: 4, port: 0x1f0, rcx: "0x2", rdi: "0x2000" },
      registers: { Rdi: "0x2000", Rdx: "0x1f0", Rcx: "0x2" },
      memory: [ram],
      portReads: ["0x04030201", "0x08070605"],
    },
    expect: {
      accesses: ["in 0x1f0/4 0x4030201", "write 0x2000 01020304", "in 0x1f0/4 0x8070605", "write 0x2004 05060708"],
      registers: { Rcx: "0x0", Rdi: "0x2008", Rip: "0x1002" },
      memory: [{ gpa: "0x2000", bytes: "0102030405060708" }],
    },
  },
  {
    id: "string-port.outsw",
    title: "OUTSW reads two bytes at RSI, then writes the port; RCX stays",
    reference: "B9",
    exit: {
      kind: "io",
      code: "666f",
      exit: { stringOp: true, isWrite: true, accessSize: 2, port: 0x1f0, rcx: "0x5", rsi: "0x2000" },
      registers: { Rdx: "0x1f0", Rcx: "0x5" },
      memory: [ram],
    },
    expect: { accesses: ["read 0x2000 4142", "out 0x1f0/2 0x4241"], registers: { Rsi: "0x2002", Rip: "0x1002" } },
  },
  {
    id: "string-port.rep-outsb-down",
    title: "REP OUTSB goes downwards where RFLAGS.DF is set",
    reference: "B7",
    exit: {
      kind: "io",
      code: "f36e",
      rflags: "0x402",
      exit: { stringOp: true, repPrefix: true, isWrite: true, port: 0xe9, rcx: "0x3", rsi: "0x2002" },
      registers: { Rsi: "0x2002", Rdx: "0xe9", Rcx: "0x3" },
      memory: [ram],
    },
    expect: {
      accesses: [
        ...["read 0x2002 43", "out 0xe9/1 0x43", "read 0x2001 42", "out 0xe9/1 0x42"],
        ...["read 0x2000 41", "out 0xe9/1 0x41"],
      ],
      registers: { Rcx: "0x0", Rsi: "0x1fff", Rip: "0x1002" },
    },
  },
  {
    id: "string-port.count-0",
    title: "REP INSB with RCX 0 is done: no access",
    reference: "C32",
    exit: {
      kind: "io",
      code: "f36c",
      exit: { stringOp: true, repPrefix: true, port: 0x1f0, rcx: "0x0", rdi: "0x2000" },
      registers: { Rdi: "0x2000", Rdx: "0x1f0" },
      memory: [ram],
    },
    expect: { registers: { Rip: "0x1002" } },
  },
  {
    id: "string-port.outs-segment",
    title: "OUTSB through FS reads where FS says",
    reference: "B16",
    exit: {
      kind: "io",
      code: "646e",
      exit: { stringOp: true, isWrite: true, port: 0xe9, rsi: "0x1000" },
      registers: {
        Rsi: "0x1000",
        Rdx: "0xe9",
        Fs: { base: "0x1001", limit: "0xffffffff", selector: 24, attributes: "0xc093" },
      },
      memory: [ram],
    },
    expect: { accesses: ["read 0x2001 42", "out 0xe9/1 0x42"], registers: { Rsi: "0x1001", Rip: "0x1002" } },
  },
  {
    id: "string-port.insb-16-bit",
    title: "INSB in real mode: ES of the exit, 16-bit addresses, the rest of RDI kept",
    reference: "B16",
    exit: {
      kind: "io",
      mode: "real",
      code: "6c",
      exit: {
        stringOp: true,
        port: 0x60,
        rdi: "0xdead0ffff",
        es: { base: "0x100000", limit: "0xffff", selector: 0, attributes: "0x93" },
      },
      registers: {
        Rdi: "0xdead0ffff",
        Rdx: "0x60",
        Es: { base: "0x100000", limit: "0xffff", selector: 0, attributes: "0x93" },
      },
      memory: [{ gpa: "0x10ffff", bytes: "00" }],
      portReads: ["0x5a"],
    },
    expect: {
      accesses: ["in 0x60/1 0x5a", "write 0x10ffff 5a"],
      registers: { Rdi: "0xdead00000", Rip: "0x1001" },
      memory: [{ gpa: "0x10ffff", bytes: "5a" }],
    },
  },
  {
    id: "string-port.to-device",
    title: "INSB into device memory: both devices are served",
    reference: "B9",
    exit: {
      kind: "io",
      code: "6c",
      exit: { stringOp: true, port: 0x60, rdi: "0xfee00020" },
      registers: { Rdx: "0x60" },
      portReads: ["0x5a"],
    },
    expect: { accesses: ["in 0x60/1 0x5a", "write 0xfee00020 5a"], registers: { Rdi: "0xfee00021", Rip: "0x1001" } },
  },
  {
    id: "string-port.page-not-present",
    title: "INSB into a page that is not present: the guest gets its fault before the port is read",
    reference: "C11",
    exit: {
      kind: "io",
      code: "6c",
      exit: { stringOp: true, port: 0x60, rdi: "0x2000" },
      registers: { Rdi: "0x2000", Rdx: "0x60" },
      translate: [{ gvaPage: "0x2000", result: 1 }],
      portReads: ["0x5a"],
    },
    expect: { free: ["PendingEvent", "PendingInterruption", "Cr2", "Rflags"] },
  },
];

/** Checks of INS and OUTS. */
export const stringTransferChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks(rows);
