// The three syntaxes, the callbacks, and numbers.

import { describe, expect, test } from "vitest";
import { Decoder, type FormatOptions, formatInstruction, Instruction, Register } from "../src/index.ts";

function text(hex: string, options: FormatOptions = {}, mode: 16 | 32 | 64 = 64): string {
  const instruction = new Instruction();
  new Decoder(mode).decode(Buffer.from(hex, "hex"), 0, instruction);
  return formatInstruction(instruction, options);
}

describe("the same instruction in Intel, NASM and AT&T syntax", () => {
  test.each([
    ["8b07", "mov eax, dword ptr [rdi]", "mov eax, dword [rdi]", "mov (%rdi), %eax"],
    ["c70424ffffffff", "mov dword ptr [rsp], 0xffffffff", "mov dword [rsp], 0xffffffff", "movl $0xffffffff, (%rsp)"],
    ["880c24", "mov byte ptr [rsp], cl", "mov byte [rsp], cl", "mov %cl, (%rsp)"],
    ["d324c8", "shl dword ptr [rax+rcx*8], cl", "shl dword [rax+rcx*8], cl", "shll %cl, (%rax,%rcx,8)"],
    ["0fb603", "movzx eax, byte ptr [rbx]", "movzx eax, byte [rbx]", "movzbl (%rbx), %eax"],
    [
      "64488b0425f8ffffff",
      "mov rax, qword ptr fs:[0xfffffffffffffff8]",
      "mov rax, qword [fs:0xfffffffffffffff8]",
      "mov %fs:0xfffffffffffffff8, %rax",
    ],
    ["f3a4", "rep movsb", "rep movsb", "rep movsb"],
    [
      "6467a5",
      "movsd dword ptr es:[edi], dword ptr fs:[esi]",
      "movsd dword [es:edi], dword [fs:esi]",
      "movsd %fs:(%esi), %es:(%edi)",
    ],
    ["f00fb10f", "lock cmpxchg dword ptr [rdi], ecx", "lock cmpxchg dword [rdi], ecx", "lock cmpxchg %ecx, (%rdi)"],
    ["ff2d10000000", "jmp far fword ptr [rip+0x10]", "jmp far [rip+0x10]", "ljmp *0x10(%rip)"],
    ["dc6d08", "fsubr qword ptr [rbp+8]", "fsubr qword [rbp+8]", "fsubrl 8(%rbp)"],
    [
      "62f17cda584801",
      "vaddps zmm1{k2}{z}, zmm0, dword ptr [rax+4]{1to16}",
      "vaddps zmm1{k2}{z}, zmm0, dword [rax+4]{1to16}",
      "vaddps 4(%rax){1to16}, %zmm0, %zmm1{%k2}{z}",
    ],
    [
      "62f17c7858c8",
      "vaddps zmm1, zmm0, zmm0, {rz-sae}",
      "vaddps zmm1, zmm0, zmm0, {rz-sae}",
      "vaddps {rz-sae}, %zmm0, %zmm0, %zmm1",
    ],
  ])("%s", (hex, intel, nasm, att) => {
    expect(text(hex, { syntax: "intel" })).toBe(intel);
    expect(text(hex, { syntax: "nasm" })).toBe(nasm);
    expect(text(hex, { syntax: "att" })).toBe(att);
  });
});

test("branches and RIP-relative operands follow the address", () => {
  expect(text("ebfe", { ip: 0x1000n })).toBe("jmp 0x1000");
  expect(text("488b0510000000", { ip: 0x1000n })).toBe("mov rax, qword ptr [rip+0x10]");
  expect(text("488b0510000000", { ip: 0x1000n, absolute: true })).toBe("mov rax, qword ptr [0x1017]");
  expect(text("488b0510000000", { ip: 0x1000n, absolute: true, syntax: "nasm" })).toBe("mov rax, qword [rel 0x1017]");
});

test("callbacks name branch targets, addresses, ports and registers", () => {
  const symbol = (address: bigint): string | undefined =>
    address === 0x1017n ? "table" : address === 0x2000n ? "main" : undefined;
  expect(text("488b0510000000", { ip: 0x1000n, symbol })).toBe("mov rax, qword ptr [rip+table]");
  expect(text("e8fb0f0000", { ip: 0x1000n, symbol })).toBe("call main");
  expect(text("e460", { port: (port) => (port === 0x60 ? "KEYBOARD" : undefined) })).toBe("in al, KEYBOARD");
  expect(text("89d8", { register: (register) => (register === Register.ebx ? "count" : undefined) })).toBe(
    "mov eax, count",
  );
});

test("immediates are unsigned in their operand's size, displacements signed", () => {
  expect(text("83c0ff")).toBe("add eax, 0xffffffff");
  expect(text("4883c0ff")).toBe("add rax, 0xffffffffffffffff");
  expect(text("8b40f0")).toBe("mov eax, dword ptr [rax-0x10]");
  expect(text("8b40f0", {}, 16)).toBe("mov ax, word ptr [bx+si-0x10]");
  expect(text("8b80000000ff", {}, 32)).toBe("mov eax, dword ptr [eax-0x1000000]");
});

test("prefixes appear where they mean something", () => {
  expect(text("f20f0500".slice(0, 6))).toBe("syscall");
  expect(text("f2ff20")).toBe("bnd jmp qword ptr [rax]");
  expect(text("3effe0")).toBe("notrack jmp rax");
  expect(text("f2f00100")).toBe("xacquire lock add dword ptr [rax], eax");
  expect(text("f38900")).toBe("xrelease mov dword ptr [rax], eax");
  expect(text("f2e2fe")).toBe("loop 1");
});

test("an instruction that holds nothing", () => {
  expect(formatInstruction(new Instruction())).toBe("(bad)");
});
