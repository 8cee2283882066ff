/**
 * Every committed vector: an instruction that a real processor (AMD Zen 4) ran, against its program here: registers, status
 * flags, DF, XMM registers, memory, where execution goes on, exceptions. `tooling/oracle` makes the vectors; its campaign
 * runs this file over fresh ones, whose folder and seed it puts into the environment.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Decoder, DecodeStatus, Instruction, mnemonicName } from "@whvkit/x86-decoder";
import { describe, expect, it } from "vitest";
import { CODE_OFFSET, familyNames, readVectors, type Vector } from "../../../tooling/oracle/src/vectors.js";
import { Abort, Evaluator, type Program, programFor, RegisterOffset, RepeatDriver } from "../src/index.ts";
import { CODE, DATA, ProcessMachine, WINDOW } from "./machine/process-machine.ts";

const LOCK = 0xf0;
const PAGE_FAULT = 14;
const RSP = 4;
const INTERRUPT_FLAG = 0x200;
const FLAGS_MASK = 0xcd5;
/** A vector's bytes: XMM0 to XMM15, then MM0 to MM7. */
const VECTOR_BYTES = 320;
const MMX_AT = 256;

/** Where a byte of a vector's vectors lies in the register file. */
const vectorByte = (i: number): number =>
  i < MMX_AT
    ? RegisterOffset.vector + 64 * (i >> 4) + (i & 15)
    : RegisterOffset.fpu + 16 * ((i - MMX_AT) >> 3) + (i & 7);

const SEED = Number(process.env["WHVKIT_ORACLE_SEED"] ?? 0);
const FOLDER = process.env["WHVKIT_ORACLE_FOLDER"] ?? path.join(import.meta.dirname, "vectors");

/** The process, which notes accesses: a device sees each of them. */
class ObservedMachine extends ProcessMachine {
  /** Address and size, one after the other. */
  readonly loads: number[] = [];
  readonly stores: number[] = [];

  override load(segment: number, low: number, high: number, size: number, intent: number): number {
    this.loads.push(low >>> 0, size);
    return super.load(segment, low, high, size, intent);
  }
  override store(segment: number, low: number, high: number, size: number, v: number, w: number, how: number): number {
    this.stores.push(low >>> 0, size);
    return super.store(segment, low, high, size, v, w, how);
  }
  override store128(segment: number, low: number, high: number, intent: number): number {
    this.stores.push(low >>> 0, 16);
    return super.store128(segment, low, high, intent);
  }
}

/** Does a byte belong to two of the accesses? */
function touchesTwice(accesses: readonly number[]): boolean {
  for (let i = 0; i < accesses.length; i += 2) {
    for (let j = 0; j < i; j += 2) {
      const [a, b] = [accesses[i] as number, accesses[j] as number];
      if (a < b + (accesses[j + 1] as number) && b < a + (accesses[i + 1] as number)) return true;
    }
  }
  return false;
}

const machine = new ObservedMachine();
const evaluator = new Evaluator(machine);
const driver = new RepeatDriver(evaluator, machine);
const instruction = new Instruction();
const decoders = { 16: new Decoder(16), 32: new Decoder(32), 64: new Decoder(64) } as const;

function load(vector: Vector): bigint {
  const { registers, memory } = machine;
  machine.enter(vector.mode);
  machine.loads.length = 0;
  machine.stores.length = 0;
  for (let i = 0; i < 16; i++) registers.set64(8 * i, vector.state.registers[i] as bigint);
  registers.set64(RegisterOffset.rflags, BigInt(vector.state.flags | INTERRUPT_FLAG));
  registers.bytes.fill(0, RegisterOffset.vector);
  for (let i = 0; i < VECTOR_BYTES; i++) registers.bytes[vectorByte(i)] = vector.state.vectors[i] as number;
  // The processor's x87 state: all registers valid, the stack top at 0.
  for (let i = 0; i < 8; i++) registers.halfwords[(RegisterOffset.fpu + 16 * i + 8) >> 1] = 0xffff;
  registers.halfwords[RegisterOffset.fpuStatus >> 1] = 0;
  registers.bytes[RegisterOffset.fpuTag] = 0xff;
  memory.fill(0);
  memory.set(vector.state.window, WINDOW - DATA);
  const ip = BigInt((vector.mode === 16 ? 0 : CODE) + CODE_OFFSET);
  registers.set64(RegisterOffset.rip, ip);
  return ip;
}

/** What differs between the processor and the program, in words; empty when nothing does. */
function differences(vector: Vector, program: Program): string[] {
  const { outcome } = vector;
  const ip = load(vector);
  const abort = program.string !== null ? driver.run(program) : evaluator.evaluate(program);
  const { registers, memory, fault } = machine;
  const result: string[] = [];
  const compare = (what: string, got: number | bigint | null, want: number | bigint | null): void => {
    const hex = (value: number | bigint | null): string => (value === null ? "none" : value.toString(16));
    if (got !== want) result.push(`${what} is ${hex(got)}, the processor has ${hex(want)}`);
  };
  if (abort !== Abort.none && abort !== Abort.fault) return [`abort ${abort}`];
  // Elements of strings may overlap those before them; all other instructions touch a byte once in each direction.
  if (program.string === null && touchesTwice(machine.loads)) result.push("a byte is read twice");
  if (program.string === null && touchesTwice(machine.stores)) result.push("a byte is written twice");
  compare("exception", abort === Abort.fault ? fault.vector : null, outcome.vector);
  if (outcome.vector === PAGE_FAULT && abort === Abort.fault) {
    compare("CR2", (BigInt(fault.cr2High >>> 0) << 32n) | BigInt(fault.cr2Low >>> 0), outcome.cr2);
  }
  for (let i = 0; i < 16; i++) {
    // The kernel does not bring back the upper half of ESP from a 16-bit stack.
    const mask = vector.mode === 16 && i === RSP ? 0xffffn : 0xffff_ffff_ffff_ffffn;
    compare(`r${i}`, registers.get64(8 * i) & mask, (outcome.registers[i] as bigint) & mask);
  }
  // REPE CMPS and SCAS that fault leave the flags of the last comparison on Zen. Here they are those from before, as
  // Intel documents it (SDM volume 2, REP): the instruction runs again either way.
  const comparing = program.string?.kind === "cmps" || program.string?.kind === "scas";
  const wanted = abort === Abort.fault && comparing ? vector.state.flags & FLAGS_MASK : outcome.flags;
  compare("flags", Number(registers.get64(RegisterOffset.rflags)) & FLAGS_MASK, wanted);
  if (abort === Abort.none) {
    const got = program.writesIp ? registers.get64(RegisterOffset.rip) : ip + BigInt(program.length);
    compare("rip", got, ip + BigInt(program.length + outcome.ipStep));
  }
  for (let i = 0; i < VECTOR_BYTES; i++) {
    const got = registers.bytes[vectorByte(i)] as number;
    const name = i < MMX_AT ? `xmm${i >> 4} byte ${i & 15}` : `mm${(i - MMX_AT) >> 3} byte ${i & 7}`;
    if (got !== outcome.vectors[i]) compare(name, got, outcome.vectors[i] as number);
  }
  for (let i = 0; i < outcome.window.length; i++) {
    const got = memory[WINDOW - DATA + i] as number;
    if (got !== outcome.window[i]) compare(`[window + ${i.toString(16)}]`, got, outcome.window[i] as number);
  }
  return result;
}

function describeVector(vector: Vector): string {
  const code = vector.code.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const registers = Array.from(vector.state.registers, (value, i) => `r${i}=${value.toString(16)}`).join(" ");
  return `${code} (${vector.mode}-bit, ${mnemonicName(instruction.mnemonic)}) ${registers} flags=${vector.state.flags.toString(16)}`;
}

describe("instructions as the processor runs them", () => {
  for (const family of familyNames) {
    it(family, () => {
      const bytes = readFileSync(path.join(FOLDER, `${family}.bin`));
      const failures = new Map<string, string>();
      let count = 0;
      let failed = 0;
      // The vectors of one case follow each other.
      let code: number[] = [];
      let program: Program | undefined;
      let unlocked: Program | undefined;
      for (const vector of readVectors(family, bytes, SEED)) {
        if (program === undefined || vector.code !== code || vector.mode !== program.mode) {
          code = vector.code;
          const status = decoders[vector.mode].decode(Uint8Array.from(code), 0, instruction);
          expect(status, describeVector(vector)).toBe(DecodeStatus.ok);
          expect(instruction.length).toBe(code.length);
          program = programFor(instruction);
          unlocked = undefined;
          if (instruction.lock) {
            decoders[vector.mode].decode(Uint8Array.from(code.slice(code.indexOf(LOCK) + 1)), 0, instruction);
            expect(instruction.lock).toBe(false);
            unlocked = programFor(instruction);
          }
        }
        const found = program.unsupported === null ? differences(vector, program) : [program.unsupported];
        // Without other processors, LOCK changes nothing.
        if (unlocked !== undefined) found.push(...differences(vector, unlocked).map((what) => `without LOCK: ${what}`));
        count++;
        if (found.length === 0) continue;
        failed++;
        const key = `${mnemonicName(instruction.mnemonic)} ${vector.mode} ${vector.code.map((byte) => byte.toString(16)).join(" ")}`;
        if (!failures.has(key)) failures.set(key, `${describeVector(vector)}\n    ${found.slice(0, 6).join("; ")}`);
      }
      const shown = [...failures.values()].slice(0, 12).join("\n");
      expect(failed, `${failed} of ${count} vectors differ, in ${failures.size} forms:\n${shown}`).toBe(0);
      expect(count).toBeGreaterThan(0);
    });
  }
});
