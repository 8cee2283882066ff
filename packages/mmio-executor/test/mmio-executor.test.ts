/** Memory instructions on a machine of 64 KiB. */
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { Abort, type Program, programFor, RegisterOffset } from "@whvkit/x86-semantics";
import { describe, expect, test } from "vitest";
import { TestMachine } from "../../io-executor/test/machine.ts";
import { MmioExecutor, refusalOf } from "../src/index.ts";

const RAX = RegisterOffset.general;
const RCX = RegisterOffset.general + 8;
const RSI = RegisterOffset.general + 48;
const RDI = RegisterOffset.general + 56;

function program(...bytes: number[]): Program {
  const instruction = new Instruction();
  expect(new Decoder(64).decode(Uint8Array.from(bytes), 0, instruction)).toBe(0);
  return programFor(instruction);
}

test("a load, a store and a read-modify-write", () => {
  const machine = new TestMachine();
  const executor = new MmioExecutor(machine);
  machine.memory.set([1, 2, 3, 4], 0x100);
  machine.registers.set64(RDI, 0x100n);
  expect(executor.execute(program(0x8b, 0x07))).toBe(Abort.none); // mov eax, [rdi]
  expect(machine.registers.get64(RAX)).toBe(0x0403_0201n);
  machine.registers.set64(RCX, 0x10n);
  executor.execute(program(0x01, 0x0f)); // add [rdi], ecx
  expect([...machine.memory.subarray(0x100, 0x104)]).toEqual([0x11, 2, 3, 4]);
  executor.execute(program(0x88, 0x47, 0x04)); // mov [rdi+4], al
  expect(machine.memory[0x104]).toBe(1);
  expect(machine.log).toEqual(["read 4@100", "read 4@100", "write 4@100", "write 1@104"]);
  expect(executor).toMatchObject({ completed: 0, finished: true });
});

test("an access that stops leaves the registers", () => {
  const machine = new TestMachine();
  machine.stopAt = 1;
  machine.registers.set64(RCX, 5n);
  const executor = new MmioExecutor(machine);
  expect(executor.execute(program(0x87, 0x0f))).toBe(Abort.host); // xchg [rdi], ecx
  expect(machine.registers.get64(RCX)).toBe(5n);
});

describe("REP", () => {
  test("reports how far it came", () => {
    const machine = new TestMachine();
    const executor = new MmioExecutor(machine, { maxIterations: 3 });
    machine.registers.set64(RCX, 4n);
    machine.registers.set64(RSI, 0x200n);
    const movsb = program(0xf3, 0xa4);
    expect(executor.execute(movsb)).toBe(Abort.none);
    expect(executor).toMatchObject({ completed: 3, finished: false });
    executor.execute(movsb);
    expect(executor).toMatchObject({ completed: 1, finished: true });
    // The next instruction is none that repeats.
    executor.execute(program(0x8b, 0x07));
    expect(executor).toMatchObject({ completed: 0, finished: true });
  });
});

describe("refusalOf", () => {
  test.each([
    ["mov eax, [rdi]", [0x8b, 0x07], null],
    ["push rax: the stack is memory", [0x50], null],
    ["prefetcht0 [rdi]: a memory operand, though nothing is accessed", [0x0f, 0x18, 0x0f], null],
    ["inc eax", [0xff, 0xc0], "no-memory-operand"],
    ["in al, dx", [0xec], "no-memory-operand"],
    ["enqcmd", [0xf2, 0x0f, 0x38, 0xf8, 0x07], "unsupported-instruction"],
  ] as const)("%s", (_name, bytes, expected) => {
    expect(refusalOf(program(...bytes))).toBe(expected);
  });
});
