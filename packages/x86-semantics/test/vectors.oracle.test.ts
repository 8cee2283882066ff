/**
 * Every committed vector: an instruction that a real processor (AMD Zen 5) ran, against its program here. `tooling/oracle` makes
 * the vectors; its campaign runs this file over fresh ones, whose folder and seed it puts into the environment.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
import { describe, expect, it } from "vitest";
import {
  coveredForms,
  type Encoding,
  recordedFamilies,
  VECTORS_PER_FORM,
  VectorFile,
} from "../../../tooling/oracle/src/vectors.js";
import { Evaluator, type Ir, type Program, programFor, RepeatDriver } from "../src/index.ts";
import { type About, aboutInstruction, ObservedMachine, VectorBench } from "./machine/vector-bench.ts";

const LOCK = 0xf0;
const ES_OVERRIDE = 0x26;
/** The largest families take seconds on an idle machine, and a busy one must not fail them. */
const TIMEOUT = 600_000;
const SEED = Number(process.env["WHVKIT_ORACLE_SEED"] ?? 0);
const FOLDER = process.env["WHVKIT_ORACLE_FOLDER"] ?? path.join(import.meta.dirname, "vectors");

const machine = new ObservedMachine();
const bench = new VectorBench(machine);
const evaluator = new Evaluator(machine);
const driver = new RepeatDriver(evaluator, machine);

/** What carries out a program. */
const executor = (program: Program): (() => number) =>
  program.string === null ? () => evaluator.evaluate(program) : () => driver.run(program);

/**
 * The program of a locked instruction with a prefix that does nothing in LOCK's place; without other processors, LOCK changes
 * nothing. Outside 64-bit mode no prefix does nothing, but there no address counts from the end of the instruction.
 */
function unlocked({ mode, code }: Encoding): Program {
  const instruction = new Instruction();
  const at = code.indexOf(LOCK);
  const bytes = mode === 64 ? code.map((byte, i) => (i === at ? ES_OVERRIDE : byte)) : code.filter((_, i) => i !== at);
  expect(new Decoder(mode).decode(bytes, 0, instruction)).toBe(DecodeStatus.ok);
  expect(instruction.lock).toBe(false);
  return programFor(instruction);
}

describe("instructions as the processor runs them", () => {
  for (const family of recordedFamilies) {
    it(family, { timeout: TIMEOUT }, () => {
      const file = new VectorFile(family, readFileSync(path.join(FOLDER, `${family}.bin`)), SEED);
      const failures: string[] = [];
      let count = 0;
      let failed = 0;
      for (const form of coveredForms(family, SEED)) {
        let shown = 0;
        let encoding: Encoding | undefined;
        let about: About | undefined;
        let executors: (() => number)[] = [];
        for (const vector of file.vectorsOf(form)) {
          if (vector.encoding !== encoding) {
            encoding = vector.encoding;
            const programs = [programFor(encoding.instruction)];
            if (encoding.instruction.lock) programs.push(unlocked(encoding));
            executors = programs.map(executor);
            about = aboutInstruction(programs[0]?.ir as Ir, form.formCase.info.name);
          }
          count++;
          for (const execute of executors) {
            const found = bench.run(vector, about as About, execute);
            if (found === null) continue;
            failed++;
            if (shown++ > 0) continue;
            const code = Buffer.from(vector.encoding.code).toString("hex");
            failures.push(
              `${form.formCase.key}: ${code} ${formatInstruction(vector.encoding.instruction)}\n    ${found}`,
            );
          }
        }
      }
      const shown = failures.slice(0, 12).join("\n");
      expect(failed, `${failed} of ${count} vectors differ, in ${failures.length} forms:\n${shown}`).toBe(0);
      expect(count).toBe(file.sections * VECTORS_PER_FORM);
    });
  }
});
