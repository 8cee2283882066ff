/**
 * Compiled handlers against a real processor: the committed vectors of `tooling/oracle`, the evaluator having no part in
 * it. String instructions run under the REP driver with handlers in the evaluator's place.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
import { describe, expect, test } from "vitest";
import { CODE_OFFSET, familyNames, readVectors, type Vector } from "../../../../tooling/oracle/src/vectors.js";
import {
  Abort,
  compileForms,
  type Evaluator,
  type FormsInstance,
  type Ir,
  instantiateForms,
  irOf,
  ProcessorState,
  programFor,
  RegisterOffset,
  RepeatDriver,
  writeRecord,
} from "../../src/index.ts";
import { CODE, DATA, ProcessMachine, WINDOW } from "../machine/process-machine.ts";

const RECORD = 8192;
const STACK_POINTER = 4;
const INTERRUPT_FLAG = 0x200;
const FLAGS_MASK = 0xcd5;

// The campaign of tooling/oracle runs this file over fresh vectors.
const SEED = Number(process.env["WHVKIT_ORACLE_SEED"] ?? 0);
const FOLDER = process.env["WHVKIT_ORACLE_FOLDER"] ?? path.join(import.meta.dirname, "../vectors");

const memory = new WebAssembly.Memory({ initial: 1 });
const state = new ProcessorState(memory.buffer, 0);

/** The process of the vectors, its registers where handlers find them. */
class HandlerMachine extends ProcessMachine {
  override readonly registers = state.registers;
  override readonly data = state.data;
}
const machine = new HandlerMachine();

/** Where a vector's vectors lie: first byte and size there, offset in the register file. XMM0 to XMM15, then MM0 to MM7. */
const PLACES: readonly (readonly [number, number, number])[] = [
  ...Array.from({ length: 16 }, (_, i) => [16 * i, 16, RegisterOffset.vector + 64 * i] as const),
  ...Array.from({ length: 8 }, (_, i) => [256 + 8 * i, 8, RegisterOffset.fpu + 16 * i] as const),
];
const vectorPlaces = (vectors: Uint8Array): typeof PLACES => PLACES.filter(([from]) => from < vectors.length);

const hex = (bytes: Uint8Array, offset: number, length: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString("hex");

function prepare(vector: Vector): bigint {
  const { registers } = machine;
  machine.enter(vector.mode);
  for (let i = 0; i < 16; i++) registers.set64(8 * i, vector.state.registers[i] as bigint);
  registers.set64(RegisterOffset.rflags, BigInt(vector.state.flags | INTERRUPT_FLAG));
  // The vectors' x87 state: all registers valid, the stack top at 0, so that MMi is physical register i.
  registers.bytes.fill(0xff, RegisterOffset.fpu, RegisterOffset.fpu + 128);
  registers.halfwords[RegisterOffset.fpuStatus >> 1] = 0;
  registers.bytes[RegisterOffset.fpuTag] = 0xff;
  registers.bytes.fill(0, RegisterOffset.vector);
  vectorPlaces(vector.state.vectors).forEach(([from, size, to]) => {
    registers.bytes.set(vector.state.vectors.subarray(from, from + size), to);
  });
  machine.memory.fill(0);
  machine.memory.set(vector.state.window, WINDOW - DATA);
  const ip = BigInt((vector.mode === 16 ? 0 : CODE) + CODE_OFFSET);
  registers.set64(RegisterOffset.rip, ip);
  return ip;
}

/** Runs the vector's instruction; answers what came out and what the processor has, as far as both can be compared. */
function run(vector: Vector, instruction: Instruction, forms: FormsInstance, ir: Ir): { got: string; want: string } {
  const ip = prepare(vector);
  const evaluate = (): number => forms.execute(RECORD);
  const handlers = { machine, evaluate } as unknown as Evaluator;
  const abort = ir.string === null ? evaluate() : new RepeatDriver(handlers, machine).run(programFor(instruction));

  const { registers, fault } = machine;
  const { outcome } = vector;
  // Notes on both masks: `vectors.oracle.test.ts` beside this folder.
  const keep = (values: readonly bigint[] | BigUint64Array): string[] =>
    Array.from<bigint, string>(values, (value, i) =>
      (vector.mode === 16 && i === STACK_POINTER ? value & 0xffffn : value).toString(16),
    );
  const compares = ir.string?.kind === "cmps" || ir.string?.kind === "scas";
  const flags = abort === Abort.fault && compares ? vector.state.flags & FLAGS_MASK : outcome.flags;
  const gotIp = ir.writesIp ? registers.get64(RegisterOffset.rip) : ip + BigInt(instruction.length);
  const wantIp = ip + BigInt(instruction.length + outcome.ipStep);
  const places = vectorPlaces(outcome.vectors);
  return {
    got: [
      `exception ${abort === Abort.none ? null : abort === Abort.fault ? fault.vector : `abort ${abort}`}`,
      `registers ${keep(registers.bigWords.subarray(0, 16))}`,
      `flags ${(registers.words[RegisterOffset.rflags >> 2] as number) & FLAGS_MASK}`,
      `ip ${abort === Abort.none ? gotIp : null}`,
      `vectors ${places.map(([, size, at]) => hex(registers.bytes, at, size)).join(" ")}`,
      `window ${hex(machine.memory, WINDOW - DATA, outcome.window.length)}`,
    ].join("\n"),
    want: [
      `exception ${outcome.vector}`,
      `registers ${keep(outcome.registers)}`,
      `flags ${flags}`,
      `ip ${abort === Abort.none ? wantIp : null}`,
      `vectors ${places.map(([at, size]) => hex(outcome.vectors, at, size)).join(" ")}`,
      `window ${hex(outcome.window, 0, outcome.window.length)}`,
    ].join("\n"),
  };
}

describe("handlers do what the processor does", () => {
  for (const family of familyNames) {
    test(family, () => {
      const vectors = [...readVectors(family, readFileSync(path.join(FOLDER, `${family}.bin`)), SEED)];
      // Forms first: one module serves the family. The vectors of one case follow each other.
      const numbers = new Map<Ir, number>();
      const cases = vectors.map((vector, i) => ({ vector, first: i === 0 || vectors[i - 1]?.code !== vector.code }));
      let instruction = new Instruction();
      const decoded = cases.map(({ vector, first }, i) => {
        if (first || vectors[i - 1]?.mode !== vector.mode) {
          instruction = new Instruction();
          const status = new Decoder(vector.mode).decode(Uint8Array.from(vector.code), 0, instruction);
          expect(status).toBe(DecodeStatus.ok);
          const ir = irOf(instruction);
          if (ir !== null && !numbers.has(ir)) numbers.set(ir, numbers.size);
        }
        return instruction;
      });
      const forms = instantiateForms(compileForms([...numbers.keys()]), memory, machine);
      const view = new DataView(memory.buffer);
      vectors.forEach((vector, i) => {
        const own = decoded[i] as Instruction;
        const ir = irOf(own);
        if (ir === null) expect.fail(`${formatInstruction(own)} has no meaning`);
        if (decoded[i - 1] !== own) writeRecord(own, view, RECORD, numbers.get(ir as Ir) as number);
        const { got, want } = run(vector, own, forms, ir as Ir);
        if (got !== want) expect(got, `${formatInstruction(own)}, vector ${i}`).toBe(want);
      });
      expect(numbers.size).toBeGreaterThan(0);
    });
  }
});
