/** Records, and modules of handlers brought to life: what is promised about memory, tables, blocks and refusals. */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { describe, expect, test } from "vitest";
import {
  Abort,
  compileForms,
  type Ir,
  instantiateForms,
  irOf,
  loadForms,
  ProcessorState,
  RECORD_SIZE,
  RecordOffset,
  RegisterFile,
  RegisterOffset,
  Segment,
  STATE_SIZE,
  StateOffset,
  writeRecord,
} from "../../src/index.ts";
import { HashedMachine } from "./hashed-machine.ts";

const RECORDS = 16_384;

function decode(mode: 16 | 32 | 64, ...bytes: number[]): Instruction {
  const instruction = new Instruction();
  const status = new Decoder(mode).decode(Uint8Array.from(bytes), 0, instruction);
  if (status !== DecodeStatus.ok) throw new Error(`no code: ${bytes}`);
  return instruction;
}
const irs = (...instructions: Instruction[]): Ir[] => instructions.map((instruction) => irOf(instruction) as Ir);
const machineAt = (memory: WebAssembly.Memory, address: number): HashedMachine => {
  const { registers, data } = new ProcessorState(memory.buffer, address);
  return new HashedMachine(registers, data);
};

describe("records", () => {
  const view = new DataView(new ArrayBuffer(64));
  const record = (instruction: Instruction, handler = 0): DataView => {
    writeRecord(instruction, view, 32, handler);
    return new DataView(view.buffer, 32, RECORD_SIZE);
  };
  const field = (r: DataView, offset: number): number => r.getUint16(offset, true);

  test("add r9d, [rbx+rsi*8-2]", () => {
    const r = record(decode(64, 0x44, 0x03, 0x4c, 0xf3, 0xfe), 77);
    expect(field(r, RecordOffset.handler)).toBe(77);
    expect(r.getUint8(RecordOffset.lengthAndScale)).toBe(5 | (3 << 6));
    expect(r.getUint8(RecordOffset.segment)).toBe(Segment.ds);
    expect(field(r, RecordOffset.base)).toBe(8 * 3);
    expect(field(r, RecordOffset.index)).toBe(8 * 6);
    expect(r.getBigInt64(RecordOffset.displacement, true)).toBe(-2n);
    expect(field(r, RecordOffset.operands)).toBe(8 * 9);
    // DS has no base in 64-bit mode.
    expect(field(r, RecordOffset.operands + 2)).toBe(StateOffset.zero);
  });
  test("fs: mov ah, [rip-5] counts from the next instruction, and FS has a base", () => {
    const r = record(decode(64, 0x64, 0x8a, 0x25, 0xfb, 0xff, 0xff, 0xff));
    expect(field(r, RecordOffset.base)).toBe(RegisterOffset.rip);
    expect(field(r, RecordOffset.index)).toBe(StateOffset.zero);
    expect(r.getBigInt64(RecordOffset.displacement, true)).toBe(2n);
    expect(field(r, RecordOffset.operands)).toBe(1);
    expect(field(r, RecordOffset.operands + 2)).toBe(RegisterOffset.segments + 16 * Segment.fs);
    expect(r.getUint8(RecordOffset.segment)).toBe(Segment.fs);
  });
  test("mov rax, imm64 and mov al, [moffs64] keep 64 bits", () => {
    const immediate = record(decode(64, 0x48, 0xb8, 8, 7, 6, 5, 4, 3, 2, 0xf1));
    expect(immediate.getBigUint64(RecordOffset.immediate, true)).toBe(0xf102_0304_0506_0708n);
    const offset = record(decode(64, 0xa0, 8, 7, 6, 5, 4, 3, 2, 0xf1));
    expect(offset.getBigUint64(RecordOffset.displacement, true)).toBe(0xf102_0304_0506_0708n);
  });
  test("call far 1234:56789abc has its selector where a displacement would be", () => {
    const r = record(decode(32, 0x9a, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12));
    expect(r.getUint32(RecordOffset.immediate, true)).toBe(0x5678_9abc);
    expect(r.getBigInt64(RecordOffset.immediate2, true)).toBe(0x1234n);
  });
});

describe("modules of handlers", () => {
  const add = decode(64, 0x48, 0x83, 0xc0, 5); // add rax, 5
  const increment = decode(64, 0xff, 0xc1); // inc ecx
  const divide = decode(64, 0xf7, 0xf3); // div ebx
  const forms = compileForms(irs(add, increment, divide));

  test("equal handlers are one function; the table has an entry for each form", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { handlers } = instantiateForms(forms, memory, machineAt(memory, 0));
    expect(handlers.length).toBe(3);
    const register = decode(32, 0x40); // inc eax, short form
    const modrm = decode(32, 0xff, 0xc0);
    const [short, long] = irs(register, modrm);
    const both = compileForms([short as Ir, long as Ir]);
    const instance = instantiateForms(both, memory, machineAt(memory, 0));
    expect(instance.handlers.length).toBe(2);
    expect(instance.handlers.get(0)).toBe(instance.handlers.get(1));
  });

  test("blocks move RIP and stop at the instruction that cannot be done", async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const machine = machineAt(memory, 64);
    const { registers } = machine;
    const view = new DataView(memory.buffer);
    [add, increment, divide, add].forEach((instruction, i) => {
      writeRecord(instruction, view, RECORDS + RECORD_SIZE * i, i % 3);
    });
    const instance = await loadForms(forms, memory, machine);
    registers.set64(RegisterOffset.rip, 0x1000n);
    registers.set64(0, 7n);
    registers.set64(8, 0xffff_ffff_ffff_ffffn);
    expect(instance.executeBlock(RECORDS, 4)).toBe(Abort.fault);
    expect(machine.fault.vector).toBe(0);
    expect(registers.get64(0)).toBe(12n);
    expect(registers.get64(8)).toBe(0n);
    expect(registers.get64(RegisterOffset.rip)).toBe(0x1006n);
    registers.set64(24, 5n); // rbx
    expect(instance.executeBlock(RECORDS + RECORD_SIZE * 2, 2)).toBe(Abort.none);
    expect(registers.get64(0)).toBe(7n);
    expect(registers.get64(16)).toBe(2n);
    expect(registers.get64(RegisterOffset.rip)).toBe(0x100cn);
    expect(instance.executeBlock(RECORDS, 0)).toBe(Abort.none);
  });

  test("one module serves processors at several addresses of a shared memory", () => {
    const limits = { minimum: 1, maximum: 4, shared: true };
    const bytes = compileForms(irs(add), { memory: limits });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    writeRecord(add, new DataView(memory.buffer), RECORDS, 0);
    const machines = [0, STATE_SIZE, 2 * STATE_SIZE].map((address) => machineAt(memory, address));
    machines.forEach((machine, i) => {
      machine.registers.set64(0, BigInt(100 * i));
      expect(instantiateForms(bytes, memory, machine).execute(RECORDS)).toBe(Abort.none);
    });
    expect(machines.map(({ registers }) => registers.get64(0))).toEqual([5n, 105n, 205n]);
  });

  test("a machine whose registers or data lie elsewhere is refused", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const elsewhere = new HashedMachine(new RegisterFile(), new Int32Array(4));
    expect(() => instantiateForms(forms, memory, elsewhere)).toThrow(/registers are not in the module's memory/);
    const { registers } = new ProcessorState(memory.buffer, 0);
    const apart = new HashedMachine(registers, new Int32Array(memory.buffer, 8192, 4));
    expect(() => instantiateForms(forms, memory, apart)).toThrow(/data does not lie 2832 bytes after its registers/);
    expect(() => new ProcessorState(memory.buffer, 8)).toThrow(RangeError);
  });
});
