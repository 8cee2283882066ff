/**
 * The engines against each other: random code in every mode, with and without paging, run in slices by the evaluator and
 * by the WebAssembly engine. After every slice both processors have the same registers, memory, counts and exits. Between
 * slices the host changes code, page tables and registers, as hosts do.
 */
import type { SimEngine, StepResult } from "@whvkit/sim-backend";
import type { RunVpExitContextView } from "@whvkit/whv-types";
import { Decoder, DecodeStatus, formatInstruction, Instruction, OperandKind } from "@whvkit/x86-decoder";
import { RegisterOffset } from "@whvkit/x86-semantics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forEachInstruction, randomWords } from "../../x86-semantics/test/instruction-stream.ts";
import { interpretedForm } from "../src/engine/form-code.ts";
import { guest, PROTECTED_MODE, REAL_MODE, set, type TestGuest } from "./guest-image.ts";
import { A, CR0_WP, CR4, D, enablePaging, NX, P, type PagingMode, Tables, U, W } from "./paging-guest.ts";

const SEED = 20_261_128;
const RUNS = 6;
const SLICES = 60;
const SIZE = 0x2_0000;
/** Code starts shortly before the end of a page. */
const CODE = 0x2fc0;
const CODE_SIZE = 0x140;
const PAGES = 16;

type Random = () => number;

/** Instructions whose addresses have a chance to be in RAM; most of those that the interpreter runs, some of all. */
function collect(): ReadonlyMap<number, readonly Uint8Array[]> {
  const found = new Map<number, Uint8Array[]>([16, 32, 64].map((mode) => [mode, []]));
  let others = 0;
  forEachInstruction(SEED, 12_000, (instruction, bytes) => {
    const { displacementLow, displacementHigh } = instruction;
    if (displacementHigh !== displacementLow >> 31 || (displacementLow + 0x4000) >>> 0 > 0x1_0000) return;
    const branch = instruction.operandCount > 0 && instruction.operandKind(0) === OperandKind.branch;
    if (branch && (instruction.immediateLow + 128) >>> 0 > 255) return;
    if (interpretedForm(instruction) === null && others++ % 6 !== 0) return;
    found.get(instruction.mode)?.push(bytes.slice());
  });
  return found;
}

const instructions = collect();

interface Scenario {
  readonly bits: 16 | 32 | 64;
  readonly paging?: PagingMode;
  /** Sets the processor up; the instruction pointer of linear address `CODE` is `CODE - base`. */
  readonly prepare: (made: TestGuest) => void;
  readonly base?: number;
}

function flat(registers: Parameters<typeof set>[1]): Scenario["prepare"] {
  return ({ processor }) => set(processor, { ...PROTECTED_MODE, ...registers });
}

function paged(mode: PagingMode, cpl: 0 | 3, setup: { cr0?: number; cr4?: number; rflags?: number } = {}): Scenario {
  const prepare = ({ processor, ram }: TestGuest): void => {
    const tables = new Tables(ram.bytes, mode);
    const user = cpl === 3 ? U : 0n;
    for (let page = 0; page < PAGES; page++) {
      let flags = [P | W | user, P | W | U];
      // The page of tables and some others are not what code would wish.
      if (page === 6) flags = [0n, P | W | U];
      if (page === 7) flags = [P | user | A, P | W | U];
      if (page === 8) flags = [P | W | (cpl === 3 ? 0n : U) | A | D, P | W | U];
      if (page === 9 && mode !== "32-bit") flags = [P | W | user | NX, P | W | U];
      const target = page === 10 ? 3 : page;
      tables.map(BigInt(page * 0x1000), BigInt(target * 0x1000), flags);
    }
    const efer = mode === "32-bit" ? 0 : 0x800;
    enablePaging(processor, mode, { cpl, cr0: 0, cr4: 0, rflags: 0, ...setup, efer });
  };
  return { bits: mode === "4-level" || mode === "5-level" ? 64 : 32, paging: mode, prepare };
}

const AC = 0x4_0000;
const CR0_AM = 0x4_0000;

const scenarios: Readonly<Record<string, Scenario>> = {
  "real mode": { bits: 16, prepare: ({ processor }) => set(processor, REAL_MODE) },
  "real mode, CS not at a page": {
    bits: 16,
    base: 0x2ff0,
    prepare: ({ processor }) => set(processor, { ...REAL_MODE, Cs: [0x2ff0n, 0xffff, 0x2ff, 0x9b] }),
  },
  "real mode, the limit of CS in the page": {
    bits: 16,
    prepare: ({ processor }) => set(processor, { ...REAL_MODE, Cs: [0n, 0x3060, 0, 0x9b] }),
  },
  "16-bit protected mode": { bits: 16, prepare: flat({ Cs: [0n, 0xffff, 8, 0x9b] }) },
  "32-bit protected mode": { bits: 32, prepare: flat({}) },
  "32-bit protected mode, segments of every kind": {
    bits: 32,
    prepare: flat({
      Ds: [0x100n, 0x7fff, 16, 0x4093],
      Ss: [0n, 0x1fff, 24, 0x4097],
      Es: [0n, 0xffff, 32, 0x4091],
      Fs: [0x800n, 0x3000, 40, 0x409b],
      Gs: [0n, 0xf_ffff, 48, 0x4099],
    }),
  },
  "32-bit protected mode, DS not writable": { bits: 32, prepare: flat({ Ds: [0n, 0x7fff, 16, 0x409b] }) },
  "32-bit protected mode, DS expand-down": { bits: 32, prepare: flat({ Ds: [0n, 0x1fff, 16, 0x4097] }) },
  "32-bit protected mode, alignment checked": {
    bits: 32,
    prepare: flat({
      Cr0: 0x11 | CR0_AM,
      Rflags: 2 | AC,
      Cs: [0n, 0xffff_ffff, 0xb, 0xc0fb],
      Ss: [0n, 0xffff_ffff, 0x13, 0xc0f3],
    }),
  },
  "32-bit paging at CPL 3": paged("32-bit", 3, { cr0: CR0_WP }),
  "PAE paging at CPL 0": paged("PAE", 0),
  "4-level paging at CPL 0 with SMAP": paged("4-level", 0, { cr4: CR4.SMAP | CR4.SMEP, cr0: CR0_WP, rflags: AC }),
  "4-level paging at CPL 3": paged("4-level", 3),
  "5-level paging at CPL 0": paged("5-level", 0),
};

/** One of the two machines that must not differ. */
class Subject {
  readonly made: TestGuest;
  readonly words: BigUint64Array;

  constructor(engine: SimEngine, scenario: Scenario) {
    this.made = guest(SIZE, { engine });
    this.words = this.made.processor.registerFile.bigWords;
    scenario.prepare(this.made);
  }

  /** Puts random code in place, and random data that is small enough to be addresses. */
  fill(random: Random, code: readonly Uint8Array[]): void {
    const { ram } = this.made;
    for (let at = 0; at < 0xf000; at += 2) {
      if (at >= 0x2000 && at < 0x4000) continue;
      ram.bytes[at] = random();
      ram.bytes[at + 1] = random() & 0x7f;
    }
    let at = CODE;
    while (at < CODE + CODE_SIZE) {
      const bytes = code[random() % code.length] as Uint8Array;
      ram.bytes.set(bytes, at);
      at += bytes.length;
    }
  }

  scatter(random: Random): void {
    for (let register = 0; register < 16; register++) {
      const anywhere = random() % 0xe000;
      // Every other one close to the end of a page.
      this.words[register] = BigInt((random() & 1) === 0 ? anywhere : (anywhere | 0xff0) + (random() & 15));
    }
  }

  /** Goes on somewhere in the code. */
  jump(random: Random, base: number): void {
    this.words[RegisterOffset.rip >> 3] = BigInt(CODE - base + (random() % CODE_SIZE));
  }
}

function told(result: StepResult): unknown {
  const { instructions, exit, exception } = result;
  if (exit === null) return { instructions, exception, exit };
  const { view } = exit as unknown as RunVpExitContextView;
  return { instructions, exception, exit: Buffer.from(view.buffer).toString("hex") };
}

const decoder = { 16: new Decoder(16), 32: new Decoder(32), 64: new Decoder(64) } as const;

function describeCode(bytes: Uint8Array, at: number, bits: 16 | 32 | 64): string {
  const instruction = new Instruction();
  const status = decoder[bits].decode(bytes.subarray(at, at + 15), 0, instruction);
  return status === DecodeStatus.ok ? formatInstruction(instruction) : `no instruction (${status})`;
}

function run(scenario: Scenario, seed: number): void {
  const { bits, base = 0 } = scenario;
  const code = instructions.get(bits) as readonly Uint8Array[];
  const subjects = (["evaluator", "webassembly"] as const).map((engine) => new Subject(engine, scenario));
  const [evaluator, compiled] = subjects as [Subject, Subject];
  const both = (seedOfStep: number, act: (subject: Subject, random: Random) => void): void => {
    for (const subject of subjects) act(subject, randomWords(seedOfStep));
  };
  const random = randomWords(seed);
  both(random(), (subject, its) => {
    subject.fill(its, code);
    subject.scatter(its);
    subject.words[RegisterOffset.rip >> 3] = BigInt(CODE - base);
  });
  for (let slice = 0; slice < SLICES; slice++) {
    const count = 1 + (random() % 24);
    const start = Number(evaluator.words[RegisterOffset.rip >> 3]) + base;
    const results = subjects.map(({ made }) => made.processor.step(count));
    const [expected, found] = results.map(told);
    const where = (): string =>
      `slice ${slice} of ${count} from ${describeCode(evaluator.made.ram.bytes, start, bits)}`;
    expect({ where: where(), result: found }).toEqual({ where: where(), result: expected });
    const files = subjects.map(({ made }) => made.processor.registerFile.bytes);
    if (Buffer.compare(files[0] as Uint8Array, files[1] as Uint8Array) !== 0)
      expect({ where: where(), words: [...compiled.words] }).toEqual({ where: where(), words: [...evaluator.words] });
    expect(compiled.made.processor.instructionCount).toBe(evaluator.made.processor.instructionCount);
    if (Buffer.compare(evaluator.made.ram.bytes, compiled.made.ram.bytes) !== 0) {
      const at = evaluator.made.ram.bytes.findIndex((byte, i) => byte !== compiled.made.ram.bytes[i]);
      expect.fail(`${where()}: memory differs at 0x${at.toString(16)}`);
    }
    const stopped = (results[0] as StepResult).exit !== null || (results[0] as StepResult).exception !== null;
    both(random(), (subject, its) => {
      const { made } = subject;
      if (stopped) {
        // Whatever the code did to segments, privilege and mode, the next slice starts well.
        scenario.prepare(made);
        subject.jump(its, base);
      }
      if (its() % 3 === 0) subject.scatter(its);
      if (its() % 4 === 0) {
        const bytes = code[its() % code.length] as Uint8Array;
        made.ram.bytes.set(bytes, CODE + (its() % CODE_SIZE));
      }
      if (scenario.paging !== undefined && its() % 8 === 0) {
        const tables = new Tables(made.ram.bytes, scenario.paging);
        const flip = [W, U, A, D][its() % 4] as bigint;
        tables.change(BigInt((its() % PAGES) * 0x1000), 1, (entry) => entry ^ flip);
        set(made.processor, {});
      }
    });
  }
  for (const { made } of subjects) made.partition.dispose();
}

describe(`the engines do the same (seed ${SEED})`, () => {
  test.each(Object.keys(scenarios))("%s", (name) => {
    const scenario = scenarios[name] as Scenario;
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => run(scenario, seed)),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
