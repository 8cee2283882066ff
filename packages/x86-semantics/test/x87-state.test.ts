/** FXSAVE and FXRSTOR against the layout of Intel SDM volume 1, table 10-2, and the x87 control instructions. */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { beforeEach, expect, it } from "vitest";
import { Abort, Evaluator, programFor, RegisterOffset, Vector } from "../src/index.ts";
import { randomWords } from "./instruction-stream.ts";
import { FlatMachine } from "./machine/flat-machine.ts";

const AREA = 0x1000;
let machine: FlatMachine;
let view: DataView;
const instruction = new Instruction();

function run(mode: 16 | 32 | 64, text: string): number {
  const bytes = Uint8Array.from(Buffer.from(text, "hex"));
  expect(new Decoder(mode).decode(bytes, 0, instruction)).toBe(DecodeStatus.ok);
  const program = programFor(instruction);
  expect(program.unsupported).toBeNull();
  return new Evaluator(machine).evaluate(program);
}

beforeEach(() => {
  machine = new FlatMachine();
  view = new DataView(machine.registers.bytes.buffer);
  machine.registers.set64(7 * 8, BigInt(AREA));
});

const TOP = 3;

function fill(): void {
  const random = randomWords(11);
  for (let i = RegisterOffset.fpuControl; i < RegisterOffset.fpu; i++) machine.registers.bytes[i] = random();
  view.setUint16(RegisterOffset.fpuControl, 0x37f, true);
  view.setUint16(RegisterOffset.fpuStatus, TOP << 11, true);
  view.setUint16(RegisterOffset.fpuOpcode, 0x7ff & random(), true);
  view.setUint32(RegisterOffset.mxcsr, 0x1f80, true);
  view.setUint32(RegisterOffset.mxcsrMask, 0x2_ffff, true);
  for (let r = 0; r < 8; r++)
    for (let i = 0; i < 10; i++) machine.registers.bytes[RegisterOffset.fpu + 16 * r + i] = 16 * r + i;
  for (let i = 0; i < 2048; i++) machine.registers.bytes[RegisterOffset.vector + i] = random();
}

it("FXSAVE64 puts each part where the table has it, ST(0) first", () => {
  fill();
  machine.memory.fill(0xee, AREA, AREA + 512);
  expect(run(64, "480fae07")).toBe(Abort.none);
  const { bytes } = machine.registers;
  const image = machine.memory.subarray(AREA, AREA + 512);
  const same = (at: number, offset: number, size: number): void =>
    expect([...image.subarray(at, at + size)], `byte ${at}`).toEqual([...bytes.subarray(offset, offset + size)]);
  same(0, RegisterOffset.fpuControl, 2);
  same(2, RegisterOffset.fpuStatus, 2);
  same(4, RegisterOffset.fpuTag, 1);
  same(6, RegisterOffset.fpuOpcode, 2);
  same(8, RegisterOffset.fpuInstructionPointer, 8);
  same(16, RegisterOffset.fpuDataPointer, 8);
  same(24, RegisterOffset.mxcsr, 8);
  for (let i = 0; i < 8; i++) {
    same(32 + 16 * i, RegisterOffset.fpu + 16 * ((TOP + i) % 8), 10);
    expect([...image.subarray(42 + 16 * i, 48 + 16 * i)]).toEqual([0, 0, 0, 0, 0, 0]);
  }
  for (let i = 0; i < 16; i++) same(160 + 16 * i, RegisterOffset.vector + 64 * i, 16);
  // What no processor writes is left to the program.
  expect(image.subarray(416).every((byte) => byte === 0xee)).toBe(true);
});

it("FXRSTOR64 takes back what FXSAVE64 put down", () => {
  fill();
  expect(run(64, "480fae07")).toBe(Abort.none);
  const saved = machine.registers.bytes.slice();
  for (let i = RegisterOffset.fpuControl; i < RegisterOffset.mask; i++) machine.registers.bytes[i] = 0x55;
  for (let r = 0; r < 16; r++)
    machine.registers.bytes.fill(0, RegisterOffset.vector + 64 * r, RegisterOffset.vector + 64 * r + 16);
  view.setUint16(RegisterOffset.fpuStatus, 0x3800, true);
  expect(run(64, "480fae0f")).toBe(Abort.none);
  const differing = [...saved.keys()].filter((i) => {
    // Unused: the bytes after the abridged tag and the data pointer, and bytes 10 to 15 of each register.
    const afterPointer = i >= RegisterOffset.fpuDataPointer + 8 && i < RegisterOffset.fpu;
    const unused = i === RegisterOffset.fpuTag + 1 || i === RegisterOffset.fpuOpcode + 1 || afterPointer;
    const inRegisters = i >= RegisterOffset.fpu && i < RegisterOffset.mask && (i & 15) >= 10;
    return !unused && !inRegisters && machine.registers.bytes[i] !== saved[i];
  });
  expect(differing).toEqual([]);
});

it("FXRSTOR refuses reserved bits of MXCSR and addresses that are not aligned, and changes nothing", () => {
  fill();
  expect(run(64, "480fae07")).toBe(Abort.none);
  const before = machine.registers.bytes.slice();
  machine.memory[AREA + 27] = 0x80;
  expect(run(64, "480fae0f")).toBe(Abort.fault);
  expect([machine.fault.vector, machine.fault.errorCode]).toEqual([Vector.GP, 0]);
  expect(Buffer.compare(machine.registers.bytes, before)).toBe(0);
  machine.registers.set64(7 * 8, BigInt(AREA + 8));
  expect(run(64, "480fae07")).toBe(Abort.fault);
});

it("FXSAVE outside 64-bit mode saves eight XMM registers", () => {
  fill();
  machine.memory.fill(0xee, AREA, AREA + 512);
  expect(run(32, "0fae07")).toBe(Abort.none);
  expect(machine.memory.subarray(AREA + 288, AREA + 512).every((byte) => byte === 0xee)).toBe(true);
});

it("FNINIT, FNSTCW, FNSTSW, FLDCW and FNCLEX move the words", () => {
  fill();
  view.setUint16(RegisterOffset.fpuStatus, 0xb8ff, true);
  expect(run(64, "dbe2")).toBe(Abort.none); // fnclex
  expect(view.getUint16(RegisterOffset.fpuStatus, true)).toBe(0x3800);
  expect(run(64, "dfe0")).toBe(Abort.none); // fnstsw ax
  expect(machine.registers.get64(0) & 0xffffn).toBe(0x3800n);
  expect(run(64, "dbe3")).toBe(Abort.none); // fninit
  expect(run(64, "d93f")).toBe(Abort.none); // fnstcw [rdi]
  expect([machine.memory[AREA], machine.memory[AREA + 1]]).toEqual([0x7f, 0x03]);
  machine.memory.set([0x00, 0xff], AREA);
  view.setUint16(RegisterOffset.fpuStatus, 0x0001, true);
  expect(run(64, "d92f")).toBe(Abort.none); // fldcw [rdi]: unmasks the pending exception
  expect(view.getUint16(RegisterOffset.fpuControl, true)).toBe(0x1f40);
  expect(view.getUint16(RegisterOffset.fpuStatus, true)).toBe(0x8081);
  expect(run(64, "9b")).toBe(Abort.fault); // wait
  expect(machine.fault.vector).toBe(Vector.MF);
});
