/** The evaluator and the REP driver on a machine of flat memory: what an instruction costs beyond the host's callbacks. */
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { bench, describe } from "vitest";
import { Evaluator, type Program, programFor, RepeatDriver } from "../src/index.ts";
import { FlatMachine, FlatSpanMachine } from "../test/machine/flat-machine.ts";

const instruction = new Instruction();
const decoder = new Decoder(64);
function programOf(...bytes: number[]): Program {
  decoder.decode(Uint8Array.from(bytes), 0, instruction);
  return programFor(instruction);
}
const [RCX, RSI, RDI] = [8, 48, 56] as const;

describe("one instruction (times are for 1000)", () => {
  const machine = new FlatMachine();
  const evaluator = new Evaluator(machine);
  for (const [name, program] of [
    ["mov eax, [rdi]", programOf(0x8b, 0x07)],
    ["add [rdi], ecx", programOf(0x01, 0x0f)],
    ["out dx, eax", programOf(0xef)],
    ["imul rax, rcx", programOf(0x48, 0x0f, 0xaf, 0xc1)],
  ] as const) {
    bench(name, () => {
      machine.registers.set64(RDI, 0x1000n);
      for (let i = 0; i < 1000; i++) evaluator.evaluate(program);
    });
  }
  bench("making a program: add [rdi], ecx", () => {
    decoder.decode(Uint8Array.of(0x01, 0x0f), 0, instruction);
    for (let i = 0; i < 1000; i++) programFor(instruction);
  });
});

describe("REP, 1000 elements", () => {
  const machine = new FlatSpanMachine();
  const driver = new RepeatDriver(new Evaluator(machine), machine);
  for (const [name, program] of [
    ["rep stosd", programOf(0xf3, 0xab)],
    ["rep movsb", programOf(0xf3, 0xa4)],
    ["repe cmpsb", programOf(0xf3, 0xa6)],
    ["rep outsb", programOf(0xf3, 0x6e)],
  ] as const) {
    bench(name, () => {
      machine.registers.set64(RCX, 1000n);
      machine.registers.set64(RSI, 0x4000n);
      machine.registers.set64(RDI, 0x8000n);
      driver.run(program);
    });
  }
});
