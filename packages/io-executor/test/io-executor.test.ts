/** Port instructions on a machine of memory and ports. */
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { Abort, type Program, programFor, RegisterOffset } from "@whvkit/x86-semantics";
import { describe, expect, test } from "vitest";
import { describesExit, IoExecutor, inputToAccumulator, outputFromAccumulator, type PortExit } from "../src/index.ts";
import { TestMachine } from "./machine.ts";

const RAX = RegisterOffset.general;
const RCX = RegisterOffset.general + 8;
const RDX = RegisterOffset.general + 16;
const RSI = RegisterOffset.general + 48;
const RDI = RegisterOffset.general + 56;
const OLD = 0x1122_3344_5566_7788n;

function program(...bytes: number[]): Program {
  const instruction = new Instruction();
  expect(new Decoder(64).decode(Uint8Array.from(bytes), 0, instruction)).toBe(0);
  return programFor(instruction);
}

function exit(init: Partial<PortExit>): PortExit {
  return { port: 0x60, accessSize: 1, isWrite: false, stringOp: false, repPrefix: false, ...init };
}

describe("IN", () => {
  test.each([
    [1, 0x1122_3344_5566_77ffn],
    [2, 0x1122_3344_5566_eeffn],
    [4, 0xccdd_eeffn],
  ] as const)("%i bytes into RAX", (size, after) => {
    const machine = new TestMachine();
    machine.portReads = [0xccdd_eeff];
    machine.registers.set64(RAX, OLD);
    expect(inputToAccumulator(machine, 0x60, size)).toBe(Abort.none);
    expect(machine.registers.get64(RAX)).toBe(after);
    expect(machine.log).toEqual([`in ${size}@60`]);
  });

  test("that stops leaves RAX", () => {
    const machine = new TestMachine();
    machine.stopAt = 0;
    machine.registers.set64(RAX, OLD);
    expect(inputToAccumulator(machine, 0x60, 4)).toBe(Abort.host);
    expect(machine.registers.get64(RAX)).toBe(OLD);
  });
});

test.each([
  [1, "88"],
  [2, "7788"],
  [4, "55667788"],
] as const)("OUT of %i bytes", (size, text) => {
  const machine = new TestMachine();
  machine.registers.set64(RAX, OLD);
  expect(outputFromAccumulator(machine, 0x3f8, size)).toBe(Abort.none);
  expect(machine.log).toEqual([`out ${size}@3f8=${text}`]);
});

describe("strings", () => {
  test("REP INSB and REP OUTSB move elements and count", () => {
    const machine = new TestMachine();
    const executor = new IoExecutor(machine);
    machine.portReads = [1, 2, 3];
    machine.registers.set64(RCX, 3n);
    machine.registers.set64(RDX, 0x1f0n);
    machine.registers.set64(RDI, 0x100n);
    machine.registers.set64(RSI, 0x100n);
    expect(executor.executeString(program(0xf3, 0x6c))).toBe(Abort.none);
    expect([...machine.memory.subarray(0x100, 0x103)]).toEqual([1, 2, 3]);
    expect(machine.registers.get64(RDI)).toBe(0x103n);
    machine.registers.set64(RCX, 3n);
    machine.log.length = 0;
    expect(executor.executeString(program(0xf3, 0x6e))).toBe(Abort.none);
    expect(machine.log.filter((text) => text.startsWith("out"))).toEqual(["out 1@1f0=1", "out 1@1f0=2", "out 1@1f0=3"]);
    expect(executor.finished).toBe(true);
    expect(executor.completed).toBe(3);
  });

  test("a capped run is unfinished, and goes on where it stopped", () => {
    const machine = new TestMachine();
    const executor = new IoExecutor(machine, { maxIterations: 2 });
    machine.registers.set64(RCX, 3n);
    const insb = program(0xf3, 0x6c);
    executor.executeString(insb);
    expect(executor.finished).toBe(false);
    expect(machine.registers.get64(RCX)).toBe(1n);
    executor.executeString(insb);
    expect(executor.finished).toBe(true);
    expect(machine.registers.get64(RDI)).toBe(3n);
  });

  test("an access that stops leaves the finished elements", () => {
    const machine = new TestMachine();
    machine.stopAt = 5;
    machine.registers.set64(RCX, 4n);
    const executor = new IoExecutor(machine);
    expect(executor.executeString(program(0xf3, 0x6d))).toBe(Abort.host);
    expect(executor.completed).toBe(2);
    expect(machine.registers.get64(RCX)).toBe(2n);
    expect(machine.registers.get64(RDI)).toBe(8n);
  });
});

test("execute chooses by direction", () => {
  const machine = new TestMachine();
  const executor = new IoExecutor(machine);
  executor.execute(exit({ isWrite: true }));
  executor.execute(exit({}));
  expect(machine.log).toEqual(["out 1@60=0", "in 1@60"]);
});

describe("describesExit", () => {
  test.each([
    ["insb", [0x6c], exit({ stringOp: true }), true],
    ["insb for outsb", [0x6c], exit({ stringOp: true, isWrite: true }), false],
    ["insd for insb", [0x6d], exit({ stringOp: true }), false],
    ["insd", [0x6d], exit({ stringOp: true, accessSize: 4 }), true],
    ["outsw", [0x66, 0x6f], exit({ stringOp: true, accessSize: 2, isWrite: true }), true],
    ["in for a string exit", [0xec], exit({ stringOp: true }), false],
    ["in", [0xec], exit({}), true],
    ["insb for in", [0x6c], exit({}), false],
    ["mov", [0x8b, 0x07], exit({}), false],
  ] as const)("%s", (_name, bytes, portExit, expected) => {
    expect(describesExit(program(...bytes), portExit)).toBe(expected);
  });
});
