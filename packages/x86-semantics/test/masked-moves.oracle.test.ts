/**
 * Masked and broadcast data movement of AVX-512, its compression, expansion, narrowing and comparisons into opmasks, and
 * VMASKMOV, against a processor: results, what is left of registers and memory, and which elements fault at the end of mapped memory. `masked-moves/recorder.c` recorded it on an AMD Zen 4.
 */
import { readFileSync } from "node:fs";
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { describe, expect, it } from "vitest";
import { Abort, Evaluator, programFor, RegisterOffset, Vector } from "../src/index.ts";
import { FlatMachine } from "./machine/flat-machine.ts";

/** The same as in the recorder, like all that follows from the seed. */
const OPMASKS = [0n, 2n ** 64n - 1n, 0x5a3cn, 0xf0_f1f3_c7a5n, 1n, 0xff00_ff00_ff00_fffen];
const OFFSETS = [4096n, 4032n, 4080n, 4080n, 4092n, 4088n];

let seed = 12_345;
function nextByte(): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) | 0;
  return (seed >>> 16) & 0xff;
}

function hashOf(...parts: readonly Uint8Array[]): string {
  let hash = 0x811c_9dc5;
  for (const part of parts) for (const byte of part) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

const lines = readFileSync(new URL("masked-moves/processor.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");
const instruction = new Instruction();

/** Runs one case; answers what the recorder writes of it: the hash of the result, behind "#" where it faults. */
function run(form: number, opmask: bigint, offset: bigint): string {
  const machine = new FlatMachine(4096);
  const { bytes } = machine.registers;
  for (let i = 0; i < 3 * 64; i++) bytes[RegisterOffset.vector + i] = nextByte();
  machine.registers.set64(RegisterOffset.mask + 8, opmask);
  machine.registers.set64(RegisterOffset.mask + 16, 0x1111n);
  machine.registers.set64(RegisterOffset.general, 0x1122_3344_5566_7788n);
  machine.registers.set64(RegisterOffset.general + 7 * 8, offset);
  for (let i = 0; i < 4096; i++) machine.memory[i] = i * 7 + form;
  const program = programFor(instruction);
  expect(program.unsupported).toBeNull();
  const abort = new Evaluator(machine).evaluate(program);
  const memory = machine.memory.subarray(4032);
  if (abort === Abort.fault) {
    expect(machine.fault.vector === Vector.PF || machine.fault.vector === Vector.GP).toBe(true);
    return `#${hashOf(memory)}`;
  }
  expect(abort).toBe(Abort.none);
  const zmm0 = bytes.subarray(RegisterOffset.vector, RegisterOffset.vector + 64);
  return hashOf(zmm0, bytes.subarray(RegisterOffset.mask + 16, RegisterOffset.mask + 24), memory);
}

describe("masked moves do what the processor does", () => {
  it.each(lines.map((line, form) => [line.split("|")[0] as string, line, form] as const))("%s", (_, line, form) => {
    const [, code, ...expected] = line.split("|") as [string, string, ...string[]];
    // Registers go on from case to case: each form starts at its own place in the sequence.
    seed = seedOf(form);
    expect(new Decoder(64).decode(Uint8Array.from(Buffer.from(code, "hex")), 0, instruction)).toBe(DecodeStatus.ok);
    expect(OPMASKS.map((opmask, i) => run(form, opmask, OFFSETS[i] as bigint))).toEqual(expected);
  });
});

const seeds: number[] = [];
function seedOf(form: number): number {
  if (seeds.length === 0) {
    seed = 12_345;
    for (let i = 0; i < lines.length; i++) {
      seeds.push(seed);
      for (let byte = 0; byte < 6 * 3 * 64; byte++) nextByte();
    }
  }
  return seeds[form] as number;
}
