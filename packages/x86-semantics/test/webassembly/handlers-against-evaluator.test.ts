/**
 * Holds every handler to the evaluator: for each form that has a meaning, both run the same instruction on the same
 * registers and memory, and must end with the same status, fault, accesses and register file.
 */
import { formatInstruction, mnemonicName } from "@whvkit/x86-decoder";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  compileForms,
  Evaluator,
  type FormsInstance,
  families,
  type Ir,
  instantiateForms,
  ProcessorState,
  REGISTER_FILE_SIZE,
  RegisterFile,
  STATE_SIZE,
  writeRecord,
} from "../../src/index.ts";
import { type Sample, SampleCollector } from "./form-samples.ts";
import { fillRegisters, HashedMachine } from "./hashed-machine.ts";

const SEED = 20_261_123;
const STATE = 4096;
const RECORD = 1024;
/**
 * Runs of each property; one run takes all samples of a family. Families of many forms, whose forms are much alike, get
 * fewer, and so does the second way to find the state.
 */
const runsFor = (forms: number, most: number): number => Math.max(2, Math.min(most, Math.round(20_000 / forms)));

const reference = new HashedMachine(new RegisterFile(), new Int32Array(4));
const evaluator = new Evaluator(reference);
/** What both start from. */
const initial = new RegisterFile();
const memory = new WebAssembly.Memory({ initial: 1 });
const state = new ProcessorState(memory.buffer, STATE);
const machine = new HashedMachine(state.registers, state.data);
const zeros = new Uint8Array(memory.buffer, STATE + REGISTER_FILE_SIZE, 16);

const collector = new SampleCollector(SEED);
const samples = collector.collect();
const forms = [...new Set(samples.map(({ ir }) => ir))];
const handlerOf = new Map<Ir, number>(forms.map((ir, index) => [ir, index]));

interface Circumstances {
  readonly registers: number;
  readonly machine: number;
  readonly stopAt: number;
  readonly status: number;
}
const circumstances: fc.Arbitrary<Circumstances> = fc.record({
  registers: fc.integer(),
  machine: fc.integer(),
  stopAt: fc.integer({ min: -4, max: 2 }),
  status: fc.integer({ min: 1, max: 4 }),
});

function compare(instance: FormsInstance, { ir, instruction, program, bytes }: Sample, how: Circumstances): void {
  reference.registers.bytes.set(initial.bytes);
  state.registers.bytes.set(initial.bytes);
  reference.reset(how.machine, how.stopAt, how.status);
  machine.reset(how.machine, how.stopAt, how.status);

  const expected = evaluator.evaluate(program);
  writeRecord(instruction, new DataView(memory.buffer), RECORD, handlerOf.get(ir) as number);
  const status = instance.execute(RECORD);

  const same =
    status === expected &&
    Buffer.compare(reference.registers.bytes, state.registers.bytes) === 0 &&
    machine.log.join() === reference.log.join() &&
    zeros.every((byte) => byte === 0);
  if (same) return;
  // Said at length only on a difference.
  const name = `${formatInstruction(instruction)} (${Buffer.from(bytes).toString("hex")}, ${instruction.mode} bits)`;
  const words = (file: RegisterFile): string[] =>
    [...file.bigWords].map((word, i) => `+${8 * i}: ${word.toString(16)}`);
  expect({ name, status, log: machine.log, fault: machine.fault, registers: words(state.registers) }).toEqual({
    name,
    status: expected,
    log: reference.log,
    fault: reference.fault,
    registers: words(reference.registers),
  });
}

describe("handlers compiled from the representation", () => {
  for (const [name, options, mostRuns] of [
    ["with the state at any address", {}, 16],
    ["with the state at a fixed address", { state: STATE }, 3],
  ] as const) {
    describe(name, () => {
      let instance: FormsInstance;
      beforeAll(() => {
        instance = instantiateForms(compileForms(forms, options), memory, machine);
      });
      for (const family of families) {
        const own = samples.filter((sample) => sample.family === family.name);
        const count = new Set(own.map(({ ir }) => ir)).size;
        test(`${family.name}: ${count} forms do what the evaluator does (seed ${SEED})`, () => {
          expect(count).toBeGreaterThan(0);
          fc.assert(
            fc.property(circumstances, (how) => {
              fillRegisters(initial, how.registers);
              for (const sample of own) compare(instance, sample, how);
            }),
            { seed: SEED, numRuns: runsFor(count, mostRuns), endOnFailure: true },
          );
        });
      }
    });
  }

  test("every mnemonic with a meaning has a sample", () => {
    const sampled = new Set<string>(samples.map(({ instruction }) => mnemonicName(instruction.mnemonic)));
    const missing = families.flatMap(({ meanings }) => Object.keys(meanings)).filter((name) => !sampled.has(name));
    // UMOV's opcodes mean MOVUPS and its like on all processors since the 80486.
    expect(missing).toEqual(["umov"]);
  });

  test("MOVSD and CMPSD of vectors are not the string instructions of that name", () => {
    expect([...collector.mistaken]).toEqual([]);
  });

  test("the state has room for what it says", () => {
    expect(STATE_SIZE % 64).toBe(0);
    expect(state.data.byteOffset + 16).toBeLessThanOrEqual(STATE + STATE_SIZE);
  });
});
