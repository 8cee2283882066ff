/**
 * The emitter as compiled regions use it: several instructions, known while the code is written, in one function, with
 * their own way out and only the flags that somebody reads. Held to the evaluator, instruction by instruction.
 */
import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Abort,
  ADDRESS_TYPE,
  type EmitterTarget,
  Evaluator,
  emitInstruction,
  Flag,
  type FunctionReference,
  IMPORT_MEMORY,
  IMPORT_MODULE,
  IMPORT_NAMES,
  type Ir,
  importMachine,
  irOf,
  KnownFields,
  type Local,
  MachineAccess,
  type MachineImports,
  ModuleWriter,
  ProcessorState,
  type Program,
  type Push,
  programFor,
  RegisterFile,
  RegisterOffset,
  Routines,
  STATUS_FLAGS,
  StateBase,
} from "../../src/index.ts";
import { SampleCollector } from "./form-samples.ts";
import { fillRegisters, HashedMachine } from "./hashed-machine.ts";

const SEED = 20_261_123;
const STATE = 2048;

const reference = new HashedMachine(new RegisterFile(), new Int32Array(4));
const evaluator = new Evaluator(reference);
const memory = new WebAssembly.Memory({ initial: 1 });
const state = new ProcessorState(memory.buffer, STATE);
const machine = new HashedMachine(state.registers, state.data);

/** What the functions of a region are made in. */
class Region {
  readonly #module = new ModuleWriter(ADDRESS_TYPE);
  readonly #imports: MachineImports;
  readonly #routines = new Routines(this.#module);

  constructor() {
    this.#module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, { minimum: 1, maximum: null, shared: false });
    this.#imports = importMachine(this.#module);
  }

  /** Accesses that the region's instructions make; those of the imports when left out. */
  access: EmitterTarget["access"];

  /** A function that runs the instructions one after the other and answers how many it finished times 8, plus the status. */
  add(name: string, instructions: readonly Instruction[], wantedFlags = STATUS_FLAGS): FunctionReference {
    const { reference: function_, code } = this.#module.function(name, { parameters: [], result: "i32" });
    const base = new StateBase(STATE);
    instructions.forEach((instruction, finished) => {
      const fields = new KnownFields(base, instruction);
      const leave = (): void => {
        code.i32(8 * finished);
        code.op("i32.or");
        code.return();
      };
      const ir = irOf(instruction) as Ir;
      const shared = { code, imports: this.#imports, routines: this.#routines };
      const access = this.access === undefined ? {} : { access: this.access };
      emitInstruction(ir, { ...shared, state: base, fields, leave, wantedFlags, ...access });
    });
    code.i32(8 * instructions.length);
    this.#module.export(name, function_);
    return function_;
  }

  instantiate(): Record<string, () => number> {
    const functions = Object.fromEntries(
      IMPORT_NAMES.map((name) => [
        name,
        (...values: number[]) => (machine[name] as (...values: number[]) => number).apply(machine, values),
      ]),
    );
    const imports = { [IMPORT_MODULE]: { ...functions, [IMPORT_MEMORY]: memory } };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(this.#module.finish()), imports);
    return exports as unknown as Record<string, () => number>;
  }
}

const initial = new RegisterFile();
const samples = new SampleCollector(SEED, "legacy").collect();
/** Lines of each mode. */
const LINES = 80;

function start(seed: number, stopAt: number): void {
  reference.registers.bytes.set(initial.bytes);
  state.registers.bytes.set(initial.bytes);
  reference.reset(seed, stopAt, Abort.exit);
  machine.reset(seed, stopAt, Abort.exit);
}

/** What the region's function answers, by the evaluator. */
function expected(programs: readonly Program[]): number {
  for (let i = 0; i < programs.length; i++) {
    const status = evaluator.evaluate(programs[i] as Program);
    if (status !== Abort.none) return 8 * i + status;
  }
  return 8 * programs.length;
}

const rflagsOf = (registers: RegisterFile): number => registers.words[RegisterOffset.rflags >> 2] as number;

const decoder = new Decoder(64);
function decode(...bytes: number[]): Instruction {
  const instruction = new Instruction();
  if (decoder.decode(Uint8Array.from(bytes), 0, instruction) !== DecodeStatus.ok) throw new Error(`no code: ${bytes}`);
  return instruction;
}

describe("regions of known instructions", () => {
  test(`lines of instructions do what the evaluator does (seed ${SEED})`, () => {
    const inMode = (mode: number): Instruction[] =>
      samples.flatMap(({ instruction, ir }) => (instruction.mode === mode && !ir.writesIp ? [instruction] : []));
    const region = new Region();
    const lines: { name: string; instructions: Instruction[]; programs: Program[] }[] = [];
    for (const mode of [16, 32, 64]) {
      const all = inMode(mode);
      expect(all.length).toBeGreaterThan(1000);
      for (let i = 0; i < LINES; i++) {
        // A stride that has no factor in common with the number of lines brings all families together.
        const instructions = Array.from(
          { length: 6 },
          (_, n) => all[(i * 1009 + n * 4001) % all.length] as Instruction,
        );
        lines.push({ name: `${mode}/${i}`, instructions, programs: instructions.map((it) => programFor(it)) });
      }
    }
    for (const { name, instructions } of lines) region.add(name, instructions);
    const functions = region.instantiate();
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -8, max: 8 }), (seed, stopAt) => {
        fillRegisters(initial, seed);
        for (const { name, instructions, programs } of lines) {
          start(seed, stopAt);
          const result = (functions[name] as () => number)();
          const ok =
            result === expected(programs) &&
            machine.log.join() === reference.log.join() &&
            Buffer.compare(state.registers.bytes, reference.registers.bytes) === 0;
          if (!ok) {
            const text = instructions.map((instruction) => formatInstruction(instruction));
            expect({ text, log: machine.log, words: [...state.registers.bigWords] }).toEqual({
              text,
              log: reference.log,
              words: [...reference.registers.bigWords],
            });
            expect.fail(`${name}: ${result}, not what the evaluator answers`);
          }
        }
      }),
      { seed: SEED, numRuns: 6, endOnFailure: true },
    );
  });

  test("flags that nobody reads are not computed, and the others are right", () => {
    const add = decode(0x48, 0x01, 0xd8); // add rax, rbx
    const shift = decode(0x48, 0xd3, 0xe0); // shl rax, cl
    for (const instruction of [add, shift]) {
      const sizes: number[] = [];
      for (const wanted of [STATUS_FLAGS, Flag.ZF, Flag.CF | Flag.OF, 0]) {
        const region = new Region();
        region.add("run", [instruction], wanted);
        const { run } = region.instantiate();
        fc.assert(
          fc.property(fc.integer(), (seed) => {
            fillRegisters(initial, seed);
            start(seed, -1);
            const before = rflagsOf(state.registers);
            expect(run?.()).toBe(expected([programFor(instruction)]));
            const after = rflagsOf(state.registers);
            const right = rflagsOf(reference.registers);
            expect(after & wanted).toBe(right & wanted);
            expect(after & ~wanted).toBe(before & ~wanted);
            expect(state.registers.get64(0)).toBe(reference.registers.get64(0));
          }),
          { seed: SEED, numRuns: 50 },
        );
        sizes.push(sizeOf(instruction, wanted));
      }
      const [all, zero, , none] = sizes as [number, number, number, number];
      expect(zero).toBeLessThan(all);
      expect(none).toBeLessThan(zero);
    }
  });
});

/** Guest memory below 4096 lies in the module's memory from `RAM`; all else is the machine's. */
const RAM = 32_768;
class WithRam extends MachineAccess {
  override load(
    type: "i8" | "i16" | "i32" | "i64" | "v128",
    segment: Push,
    address: Local,
    intent: number,
    result: Local,
  ): void {
    const { code } = this;
    if (type !== "i32") {
      super.load(type, segment, address, intent, result);
      return;
    }
    code.get(address);
    code.i64(4093);
    code.op("i64.lt_u");
    code.if();
    code.get(address);
    code.op("i32.wrap_i64");
    code.load("i32.load", RAM);
    code.set(result);
    code.else();
    super.load(type, segment, address, intent, result);
    code.end();
  }
}

test("a look-up before the machine is asked is a subclass of the accesses", () => {
  const region = new Region();
  region.access = (...parts) => new WithRam(...parts);
  region.add("run", [decode(0x03, 0x07), decode(0x8a, 0x1f)]); // add eax, [rdi]; mov bl, [rdi]
  const { run } = region.instantiate();
  new DataView(memory.buffer).setInt32(RAM + 100, 0x1234_5678, true);
  for (const [address, loads] of [
    [100n, 1],
    [4092n, 1],
    [4093n, 2],
    [1n << 32n, 2],
  ] as const) {
    machine.reset(1, -1, Abort.none);
    state.registers.bytes.fill(0);
    state.registers.set64(8 * 7, address);
    expect(run?.()).toBe(16);
    expect(machine.log.length).toBe(loads);
    if (address === 100n) expect(state.registers.get64(0)).toBe(0x1234_5678n);
  }
  // The machine's refusal still ends the instruction.
  machine.reset(1, 0, Abort.exit);
  state.registers.set64(0, 7n);
  expect(run?.()).toBe(Abort.exit);
  expect(state.registers.get64(0)).toBe(7n);
});

function sizeOf(instruction: Instruction, wanted: number): number {
  const module = new ModuleWriter(ADDRESS_TYPE);
  const imports = importMachine(module);
  const { code } = module.function("run", { parameters: [], result: null });
  const base = new StateBase(STATE);
  emitInstruction(irOf(instruction) as Ir, {
    code,
    state: base,
    fields: new KnownFields(base, instruction),
    imports,
    routines: new Routines(module),
    leave: () => {
      code.drop();
      code.return();
    },
    wantedFlags: wanted,
  });
  return module.finish().length;
}
