/** Programs that are one move: which are recognised, and that the one step does what their code says. */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Evaluator, type Program, programFor } from "../src/index.ts";
import { FlatMachine } from "./machine/flat-machine.ts";

function programOf(mode: 16 | 32 | 64, bytes: readonly number[]): Program {
  const instruction = new Instruction();
  const code = Uint8Array.from([...bytes, ...new Array<number>(8).fill(0x11)]);
  expect(new Decoder(mode).decode(code, 0, instruction)).toBe(DecodeStatus.ok);
  return programFor(instruction);
}

const TRANSFERS: readonly [string, readonly number[]][] = [
  ["mov al, [rdi]", [0x8a, 0x07]],
  ["mov ah, [rdi]", [0x8a, 0x27]],
  ["mov ax, [rdi+8]", [0x66, 0x8b, 0x47, 0x08]],
  ["mov eax, [rdi-0x80]", [0x8b, 0x47, 0x80]],
  ["mov r9, [rdi+0x11]", [0x4c, 0x8b, 0x4f, 0x11]],
  ["movzx eax, byte ptr [rdi]", [0x0f, 0xb6, 0x07]],
  ["movzx eax, word ptr [rdi]", [0x0f, 0xb7, 0x07]],
  ["mov [rdi], al", [0x88, 0x07]],
  ["mov [rdi], ah", [0x88, 0x27]],
  ["mov [rdi], ax", [0x66, 0x89, 0x07]],
  ["mov [rdi+0x11111111], eax", [0x89, 0x87, 0x11, 0x11, 0x11, 0x11]],
  ["mov [rdi], rax", [0x48, 0x89, 0x07]],
  ["mov byte ptr [rdi], 0x11", [0xc6, 0x07]],
  ["mov word ptr [rdi], 0x1111", [0x66, 0xc7, 0x07]],
  ["mov dword ptr [rdi], 0x11111111", [0xc7, 0x07]],
  ["mov qword ptr [rdi], -2", [0x48, 0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff]],
  ["movnti [rdi], eax", [0x0f, 0xc3, 0x07]],
];

const OTHERS: readonly [string, 16 | 32 | 64, readonly number[]][] = [
  ["movsx eax, byte ptr [rdi]", 64, [0x0f, 0xbe, 0x07]],
  ["movbe eax, [rdi]", 64, [0x0f, 0x38, 0xf0, 0x07]],
  ["mov eax, [rdi+rcx*4]", 64, [0x8b, 0x04, 0x8f]],
  ["mov eax, fs:[rdi]", 64, [0x64, 0x8b, 0x07]],
  ["mov eax, [edi]", 64, [0x67, 0x8b, 0x07]],
  ["mov eax, [edi] of 32-bit code", 32, [0x8b, 0x07]],
  ["add [rdi], ecx", 64, [0x01, 0x0f]],
  ["cmp [rdi], ecx", 64, [0x39, 0x0f]],
  ["push qword ptr [rdi]", 64, [0xff, 0x37]],
  ["xchg [rdi], eax", 64, [0x87, 0x07]],
  ["stosd", 64, [0xab]],
];

it.each(TRANSFERS)("%s is one step", (_name, bytes) => {
  expect(programOf(64, bytes).transfer).not.toBeNull();
});

it.each(OTHERS)("%s is not", (_name, mode, bytes) => {
  expect(programOf(mode, bytes).transfer).toBeNull();
});

const SIZE = 0x100;
const BASE = 0x4000_0000;

/** What an evaluation leaves, as text. */
function outcome(program: Program, registers: Uint8Array, rdi: bigint): unknown {
  const machine = new FlatMachine(SIZE, BASE);
  machine.registers.bytes.set(registers);
  machine.registers.set64(7 * 8, rdi);
  for (let i = 0; i < SIZE; i++) machine.memory[i] = i * 7;
  machine.logging = true;
  const abort = new Evaluator(machine).evaluate(program);
  return { abort, log: machine.log, memory: [...machine.memory], registers: [...machine.registers.bytes] };
}

describe("the one step does what the code says", () => {
  it.each(TRANSFERS)("%s", (_name, bytes) => {
    const program = programOf(64, bytes);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 128, maxLength: 128 }),
        fc.oneof(
          fc.integer({ min: -0x100, max: SIZE + 0x100 }).map((offset) => BigInt(BASE + offset)),
          fc.integer({ min: 0, max: SIZE }).map((offset) => BigInt(BASE + offset - 0x1111_1111)),
          fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        ),
        (registers, rdi) => {
          expect(outcome(program, registers, rdi)).toEqual(outcome({ ...program, transfer: null }, registers, rdi));
        },
      ),
      { numRuns: 60, seed: 8 },
    );
  });
});
