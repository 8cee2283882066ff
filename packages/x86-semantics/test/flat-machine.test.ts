/** The machine of flat memory that the package exports: instructions run on it, and it says where they cannot. */
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Abort, Evaluator, FlatMachine, programFor, RegisterOffset, RepeatDriver, Vector } from "../src/index.ts";

const RAX = RegisterOffset.general;
const RCX = RegisterOffset.general + 8;
const RSI = RegisterOffset.general + 48;
const RDI = RegisterOffset.general + 56;

function program(...bytes: number[]): ReturnType<typeof programFor> {
  const instruction = new Instruction();
  new Decoder(64).decode(Uint8Array.from(bytes), 0, instruction);
  return programFor(instruction);
}

test("loads and stores of every size reach memory, little endian", () => {
  const machine = new FlatMachine(new Uint8Array(64));
  const evaluator = new Evaluator(machine);
  machine.registers.set64(RAX, 0x1122_3344_5566_7788n);
  machine.registers.set64(RDI, 16n);
  for (const bytes of [[0x88], [0x66, 0x89], [0x89], [0x48, 0x89]]) {
    machine.memory.fill(0);
    expect(evaluator.evaluate(program(...bytes, 0x07))).toBe(Abort.none); // mov [rdi], al, ax, eax, rax
    const size = { "136": 1, "102,137": 2, "137": 4, "72,137": 8 }[String(bytes)] as number;
    expect([...machine.memory.subarray(15, 25)]).toEqual(
      [0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0].map((byte, i) => (i <= size ? byte : 0)),
    );
  }
  machine.registers.set64(RAX, 0n);
  evaluator.evaluate(program(0x48, 0x8b, 0x07)); // mov rax, [rdi]
  expect(machine.registers.get64(RAX)).toBe(0x1122_3344_5566_7788n);
});

test("16 bytes go through a vector register", () => {
  const machine = new FlatMachine(Uint8Array.from({ length: 64 }, (_, i) => i));
  const evaluator = new Evaluator(machine);
  machine.registers.set64(RSI, 7n);
  machine.registers.set64(RDI, 40n);
  expect(evaluator.evaluate(program(0xf3, 0x0f, 0x6f, 0x06))).toBe(Abort.none); // movdqu xmm0, [rsi]
  expect(evaluator.evaluate(program(0xf3, 0x0f, 0x7f, 0x07))).toBe(Abort.none); // movdqu [rdi], xmm0
  expect([...machine.memory.subarray(40, 56)]).toEqual(Array.from({ length: 16 }, (_, i) => 7 + i));
});

test("an access that does not lie in memory is a page fault, whatever its size and address", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat(80), fc.boolean(), (far, near, isNear) => {
      const address = isNear ? BigInt(near) : far;
      const machine = new FlatMachine(new Uint8Array(64));
      machine.registers.set64(RDI, address);
      const abort = new Evaluator(machine).evaluate(program(0x48, 0x89, 0x07)); // mov [rdi], rax
      if (address + 8n <= 64n) expect(abort).toBe(Abort.none);
      else {
        expect([abort, machine.fault.vector, machine.fault.errorCode]).toEqual([Abort.fault, Vector.PF, 2]);
        const { cr2Low, cr2High } = machine.fault;
        expect((BigInt(cr2High >>> 0) << 32n) | BigInt(cr2Low >>> 0)).toBe(address);
      }
    }),
  );
});

test("a load outside memory faults with the error code of a read", () => {
  const machine = new FlatMachine(new Uint8Array(16));
  machine.registers.set64(RDI, 16n);
  expect(new Evaluator(machine).evaluate(program(0x8a, 0x07))).toBe(Abort.fault); // mov al, [rdi]
  expect(machine.fault.errorCode).toBe(0);
});

test("ports are functions; without them reads are all ones and writes are lost", () => {
  const written: number[][] = [];
  const machine = new FlatMachine(new Uint8Array(0), {
    read: () => 0x1_2345_6789,
    write: (...access) => written.push(access),
  });
  const evaluator = new Evaluator(machine);
  machine.registers.set64(RAX, 0xffff_ffff_ffff_ffffn);
  evaluator.evaluate(program(0xe4, 0x60)); // in al, 0x60
  expect(machine.registers.get64(RAX)).toBe(0xffff_ffff_ffff_ff89n);
  evaluator.evaluate(program(0xe5, 0x60)); // in eax, 0x60
  expect(machine.registers.get64(RAX)).toBe(0x2345_6789n);
  machine.registers.set64(RAX, 0xdead_beefn);
  evaluator.evaluate(program(0xe7, 0x80)); // out 0x80, eax
  evaluator.evaluate(program(0xe6, 0x80)); // out 0x80, al
  expect(written).toEqual([
    [0x80, 4, 0xdead_beef],
    [0x80, 1, 0xef],
  ]);

  const plain = new FlatMachine(new Uint8Array(0));
  expect(new Evaluator(plain).evaluate(program(0xe7, 0x80))).toBe(Abort.none);
  new Evaluator(plain).evaluate(program(0xe5, 0x60));
  expect(plain.registers.get64(RAX)).toBe(0xffff_ffffn);
});

test.each([
  ["up over a page boundary", 4090, false],
  ["down over a page boundary", 4100, true],
  ["up to the last byte of memory", 8192 - 16, false],
])("REP MOVSB %s moves what a loop would", (_title, target, down) => {
  const machine = new FlatMachine(Uint8Array.from({ length: 8192 }, (_, i) => i & 0xff));
  const expected = machine.memory.slice();
  for (let i = 0; i < 16; i++) expected[down ? target - i : target + i] = expected[down ? 115 - i : 100 + i] as number;
  machine.registers.set64(RCX, 16n);
  machine.registers.set64(RSI, down ? 115n : 100n);
  machine.registers.set64(RDI, BigInt(target));
  if (down) machine.registers.set64(RegisterOffset.rflags, 0x402n);
  const driver = new RepeatDriver(new Evaluator(machine), machine);
  expect(driver.run(program(0xf3, 0xa4))).toBe(Abort.none);
  expect(machine.memory).toEqual(expected);
  expect(machine.registers.get64(RCX)).toBe(0n);
});

test("REP STOSB that runs out of memory stops with what it has written", () => {
  const machine = new FlatMachine(new Uint8Array(20));
  machine.registers.set64(RAX, 0x5an);
  machine.registers.set64(RCX, 100n);
  machine.registers.set64(RDI, 10n);
  const driver = new RepeatDriver(new Evaluator(machine), machine);
  expect(driver.run(program(0xf3, 0xaa))).toBe(Abort.fault);
  expect([...machine.memory]).toEqual([...new Array(10).fill(0), ...new Array(10).fill(0x5a)]);
  expect(machine.registers.get64(RCX)).toBe(90n);
});

test("what is no data flow is answered as unsupported", () => {
  const machine = new FlatMachine(new Uint8Array(16));
  expect(new Evaluator(machine).evaluate(program(0x0f, 0xa2))).toBe(Abort.unsupported); // cpuid
});
