// What instructions use, beyond what the comparison with iced-x86 covers: memory, stack, conditions, JSON.

import { describe, expect, test } from "vitest";
import {
  Decoder,
  DecodeStatus,
  describeInstruction,
  formCount,
  formInfo,
  Instruction,
  instructionInfo,
  registerName,
} from "../src/index.ts";

function decode(hex: string, mode: 16 | 32 | 64 = 64): Instruction {
  const instruction = new Instruction();
  expect(new Decoder(mode).decode(Buffer.from(hex, "hex"), 0, instruction)).toBe(DecodeStatus.ok);
  return instruction;
}

const registers = (hex: string, mode: 16 | 32 | 64 = 64): string[] =>
  instructionInfo(decode(hex, mode)).registers.map(({ register, access }) => `${registerName(register)} ${access}`);

const memory = (hex: string, mode: 16 | 32 | 64 = 64): string[] =>
  instructionInfo(decode(hex, mode)).memory.map(
    (used) =>
      `${used.access} ${used.size} ${registerName(used.segment)}:${registerName(used.base)}${used.displacement === 0n ? "" : used.displacement}`,
  );

describe("registers", () => {
  test("implicit ones take the size of the operand, the address or the stack", () => {
    expect(registers("f7e1")).toEqual(["ecx read", "eax readwrite", "edx write"]);
    expect(registers("66f7e1")).toEqual(["cx read", "ax readwrite", "dx write"]);
    expect(registers("67e2fe")).toEqual(["ecx readwrite"]);
    expect(registers("50", 32)).toEqual(["eax read", "esp readwrite", "ss read"]);
  });

  test("REP counts", () => {
    expect(registers("f3ab")).toEqual(["eax read", "rdi readwrite", "rcx readwrite"]);
    expect(registers("ab")).toEqual(["eax read", "rdi readwrite"]);
  });

  test("a merging mask reads the destination, a zeroing one does not", () => {
    expect(registers("62f17c4a58c8")[0]).toBe("zmm1 readwrite");
    expect(registers("62f17cca58c8")[0]).toBe("zmm1 write");
  });
});

describe("memory", () => {
  test("operands, strings and the stack", () => {
    expect(memory("8b07")).toEqual(["read 4 ds:rdi"]);
    expect(memory("8d07")).toEqual([]);
    expect(memory("64a4", 32)).toEqual(["write 1 es:edi", "read 1 fs:esi"]);
    expect(memory("ff30")).toEqual(["read 8 ds:rax", "write 8 ss:rsp-8"]);
    expect(memory("66c3", 32)).toEqual(["read 2 ss:esp"]);
    expect(memory("62f27d49a00408")).toEqual(["conditional-write 4 ds:rax"]);
  });

  test("the stack pointer's change", () => {
    expect(instructionInfo(decode("50")).stackChange).toBe(-8);
    expect(instructionInfo(decode("c20800", 32)).stackChange).toBe(12);
    expect(instructionInfo(decode("60", 16)).stackChange).toBe(-16);
    expect(instructionInfo(decode("c8100001")).stackChange).toBe(-32);
    expect(instructionInfo(decode("c9")).stackChange).toBeNull();
    expect(instructionInfo(decode("5c")).stackChange).toBeNull();
    expect(instructionInfo(decode("01c0")).stackChange).toBe(0);
  });
});

test("shifts by an immediate 0 touch no flag, by 1 define OF", () => {
  const flags = (hex: string) => instructionInfo(decode(hex)).flags;
  expect(flags("c1e000").written).toEqual([]);
  expect(flags("c1e001").written).toContain("of");
  expect(flags("c1e002").undefined).toContain("of");
});

test("privilege, flow and features", () => {
  const info = (hex: string) => instructionInfo(decode(hex));
  expect([info("f4").privilege, info("e460").privilege, info("90").privilege]).toEqual(["cpl0", "iopl", "any"]);
  expect([info("7400").flow, info("ffe0").flow, info("c3").flow, info("cc").flow]).toEqual([
    "conditional-branch",
    "indirect-branch",
    "return",
    "interrupt",
  ]);
  expect(info("62f17c0858c8").cpuid).toEqual(["AVX512VL", "AVX512F"]);
  expect(info("4801c8").cpuid).toEqual(["X64"]);
});

test("what whv decode prints", () => {
  const bytes = Buffer.from("8b0790", "hex");
  const instruction = new Instruction();
  const status = new Decoder(64).decode(bytes, 0, instruction);
  expect(describeInstruction(instruction, bytes, status)).toMatchObject({
    format: 1,
    bytes: "8b07",
    valid: true,
    length: 2,
    mnemonic: "mov",
    text: "mov eax, dword ptr [rdi]",
    operands: [
      { kind: "register", access: "write", size: 4, register: "eax" },
      { kind: "memory", access: "read", size: 4, segment: "ds", base: "rdi" },
    ],
    memory: [{ access: "read", size: 4, segment: "ds", base: "rdi" }],
    flags: { read: [], written: [], undefined: [] },
    cpuid: ["INTEL386"],
  });
  expect(describeInstruction(instruction, Uint8Array.of(0x06), DecodeStatus.invalid)).toEqual({
    format: 1,
    bytes: "06",
    valid: false,
    error: "invalid-opcode",
  });
});

test("each form's information can be made", () => {
  for (let form = 1; form <= formCount; form++) expect(formInfo(form).form).toBe(form);
});
