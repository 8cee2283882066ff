/** IN and OUT: the port access, the merge into RAX, and RIP. */
import type { EmulatorCheck } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";

const rax = "0x1122334455667788";

const sizes = [
  { size: 1, code: "ec", out: "ee", data: "0xdd", after: "0x11223344556677dd", low: "0x88" },
  { size: 2, code: "66ed", out: "66ef", data: "0xccdd", after: "0x112233445566ccdd", low: "0x7788" },
  { size: 4, code: "ed", out: "ef", data: "0xaabbccdd", after: "0xaabbccdd", low: "0x55667788" },
] as const;

const transfers: readonly EmulationRow[] = sizes.flatMap(({ size, code, out, data, after, low }) => [
  {
    id: `port.in-${size}`,
    title: `IN of ${size} bytes merges into RAX: 8 and 16 bits keep the rest, 32 bits clear the upper half`,
    reference: "C21",
    exit: {
      kind: "io",
      code,
      instructionLength: code.length / 2,
      exit: { accessSize: size, port: 0x3f8, rax },
      registers: { Rax: rax, Rdx: "0x3f8" },
      portReads: ["0xaabbccdd"],
    },
    expect: {
      accesses: [`in 0x3f8/${size} ${data}`],
      registers: { Rax: after, Rip: `0x${(0x1000 + code.length / 2).toString(16)}` },
    },
  },
  {
    id: `port.out-${size}`,
    title: `OUT of ${size} bytes gives the port the low bytes of RAX`,
    reference: "A5",
    exit: {
      kind: "io",
      code: out,
      instructionLength: out.length / 2,
      exit: { isWrite: true, accessSize: size, port: 0xcf8, rax },
      registers: { Rax: rax, Rdx: "0xcf8" },
    },
    expect: {
      accesses: [`out 0xcf8/${size} ${low}`],
      registers: { Rip: `0x${(0x1000 + out.length / 2).toString(16)}` },
    },
  },
]);

const rows: readonly EmulationRow[] = [
  {
    id: "port.in-immediate",
    title: "IN AL, imm8 takes the port from the exit",
    reference: "A10",
    exit: { kind: "io", code: "e464", instructionLength: 2, exit: { port: 0x64 }, portReads: ["0x1d"] },
    expect: { accesses: ["in 0x64/1 0x1d"], registers: { Rax: "0x1d", Rip: "0x1002" } },
  },
  {
    id: "port.out-unsigned",
    title: "The datum of a 32-bit OUT is unsigned",
    reference: "A3",
    exit: {
      kind: "io",
      code: "ef",
      instructionLength: 1,
      exit: { isWrite: true, accessSize: 4, port: 0xcf8, rax: "0xffffffff80000001" },
      registers: { Rax: "0xffffffff80000001", Rdx: "0xcf8" },
    },
    expect: { accesses: ["out 0xcf8/4 0x80000001"], registers: { Rip: "0x1001" } },
  },
  {
    id: "port.in-32-same-low-half",
    title: "A 32-bit IN clears the upper half of RAX even where the lower half stays the same",
    reference: "C21",
    exit: {
      kind: "io",
      code: "ed",
      instructionLength: 1,
      exit: { accessSize: 4, port: 0x60, rax },
      registers: { Rax: rax, Rdx: "0x60" },
      portReads: ["0x55667788"],
    },
    expect: { accesses: ["in 0x60/4 0x55667788"], registers: { Rax: "0x55667788", Rip: "0x1001" } },
  },
  {
    id: "port.in-high-bits",
    title: "What a port callback leaves above the access size is ignored",
    reference: "A3",
    exit: {
      kind: "io",
      code: "ec",
      instructionLength: 1,
      exit: { port: 0x60, rax },
      registers: { Rax: rax, Rdx: "0x60" },
      portReads: ["0xffffff12"],
    },
    expect: { accesses: ["in 0x60/1 0x12"], registers: { Rax: "0x1122334455667712", Rip: "0x1001" } },
  },
  {
    id: "port.cpl-3",
    title: "IOPL and the I/O bitmap are not checked again: the processor has done so before the exit",
    reference: "C22",
    choice: true,
    exit: {
      kind: "io",
      code: "ee",
      cpl: 3,
      instructionLength: 1,
      exit: { isWrite: true, rax },
      registers: { Rax: rax, Rdx: "0x60" },
    },
    expect: { accesses: ["out 0x60/1 0x88"], registers: { Rip: "0x1001" } },
  },
  {
    id: "port.length-unknown",
    title: "InstructionLength 0: the instruction is decoded for its length",
    reference: "C35",
    exit: { kind: "io", code: "e464", exit: { port: 0x64 }, portReads: ["0x1d"] },
    expect: { accesses: ["in 0x64/1 0x1d"], registers: { Rax: "0x1d", Rip: "0x1002" } },
  },
  {
    id: "port.length-and-bytes-unknown",
    title: "InstructionLength 0 and no bytes: the instruction is read from memory",
    reference: "C35",
    exit: { kind: "io", code: "e464", delivered: 0, exit: { port: 0x64 }, portReads: ["0x1d"] },
    expect: { accesses: ["in 0x64/1 0x1d"], registers: { Rax: "0x1d", Rip: "0x1002" }, fetched: true },
  },
  {
    id: "port.no-other-callbacks",
    title: "IN and OUT need no fetch, no translation and no get: the exit holds everything",
    reference: "B17",
    choice: true,
    exit: { kind: "io", code: "ec", delivered: 0, instructionLength: 1, exit: { port: 0x60 }, portReads: ["0x7"] },
    expect: {
      accesses: ["in 0x60/1 0x7"],
      registers: { Rax: "0x7", Rip: "0x1001" },
      callbacks: ["ioPort", "setRegisters"],
    },
  },
];

/** Checks of IN and OUT. */
export const portTransferChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks([...transfers, ...rows]);
