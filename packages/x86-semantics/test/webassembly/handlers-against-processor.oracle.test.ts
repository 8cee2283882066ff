/**
 * Compiled handlers against a real processor: the committed vectors of `tooling/oracle`, the evaluator having no part in
 * it. String instructions run under the REP driver with handlers in the evaluator's place.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { formatInstruction, type Instruction } from "@whvkit/x86-decoder";
import { describe, expect, test } from "vitest";
import {
  coveredForms,
  type Encoding,
  recordedFamilies,
  VECTORS_PER_FORM,
  VectorFile,
} from "../../../../tooling/oracle/src/vectors.js";
import {
  compileForms,
  type Evaluator,
  type Ir,
  instantiateForms,
  irOf,
  ProcessorState,
  programFor,
  RepeatDriver,
  writeRecord,
} from "../../src/index.ts";
import { type About, aboutInstruction, ObservedMachine, VectorBench } from "../machine/vector-bench.ts";

const RECORD = 8192;

// The campaign of tooling/oracle runs this file over fresh vectors.
/** The largest families take seconds on an idle machine, and a busy one must not fail them. */
const TIMEOUT = 600_000;
const SEED = Number(process.env["WHVKIT_ORACLE_SEED"] ?? 0);
const FOLDER = process.env["WHVKIT_ORACLE_FOLDER"] ?? path.join(import.meta.dirname, "../vectors");

const memory = new WebAssembly.Memory({ initial: 1 });
const state = new ProcessorState(memory.buffer, 0);

/** The process of the vectors, its registers where handlers find them. */
class HandlerMachine extends ObservedMachine {
  override readonly registers = state.registers;
  override readonly data = state.data;
}
const machine = new HandlerMachine();
const bench = new VectorBench(machine);

/** The meaning of an instruction that has one. */
function meaningOf(instruction: Instruction): Ir {
  const ir = irOf(instruction);
  if (ir === null) expect.fail(`${formatInstruction(instruction)} has no meaning`);
  return ir;
}

describe("handlers do what the processor does", () => {
  for (const family of recordedFamilies) {
    test(family, { timeout: TIMEOUT }, () => {
      const file = new VectorFile(family, readFileSync(path.join(FOLDER, `${family}.bin`)), SEED);
      const covered = coveredForms(family, SEED);
      // Handlers first: one module serves the family.
      const numbers = new Map<Ir, number>();
      for (const { encodings } of covered) {
        for (const { instruction } of encodings) {
          const ir = meaningOf(instruction);
          if (!numbers.has(ir)) numbers.set(ir, numbers.size);
        }
      }
      const forms = instantiateForms(compileForms([...numbers.keys()]), memory, machine);
      const view = new DataView(memory.buffer);
      const evaluate = (): number => forms.execute(RECORD);
      const driver = new RepeatDriver({ machine, evaluate } as unknown as Evaluator, machine);
      const failures: string[] = [];
      let count = 0;
      for (const form of covered) {
        let encoding: Encoding | undefined;
        let execute = evaluate;
        let about: About | undefined;
        for (const vector of file.vectorsOf(form)) {
          if (vector.encoding !== encoding) {
            encoding = vector.encoding;
            const { instruction } = encoding;
            const ir = meaningOf(instruction);
            about = aboutInstruction(ir, form.formCase.info.name);
            writeRecord(instruction, view, RECORD, numbers.get(ir) as number);
            const program = programFor(instruction);
            execute = ir.string === null ? evaluate : () => driver.run(program);
          }
          count++;
          const found = bench.run(vector, about as About, execute);
          if (found !== null) failures.push(`${formatInstruction(vector.encoding.instruction)}: ${found}`);
        }
      }
      expect(
        failures.length,
        `${failures.length} of ${count} vectors differ:\n${failures.slice(0, 12).join("\n")}`,
      ).toBe(0);
      expect(count).toBe(file.sections * VECTORS_PER_FORM);
    });
  }
});
