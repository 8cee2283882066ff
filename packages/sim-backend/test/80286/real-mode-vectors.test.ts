/**
 * Instructions captured on an 80286 in real mode, run on the simulator (SingleStepTests, `../shared/data` beside the
 * repository). Each one ends with HLT, exceptions included, whose handlers are part of the captured memory.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type MooTest, readMooFile } from "@whvkit/conformance";
import { Decoder, DecodeStatus, Instruction, mnemonicName } from "@whvkit/x86-decoder";
import { describe, expect, test } from "vitest";
import { knownDifferences } from "../../../conformance/test/port-vector-differences.ts";
import { unexplained } from "./explanation.ts";
import { KNOWN_DIFFERENCES, REASONS, type Reason } from "./known-differences.ts";
import { VectorRunner } from "./runner.ts";
import {
  ARITHMETIC_AND_MOV,
  hasVectors,
  PORT_FILES,
  pathOf,
  undefinedFlags,
  vectorFiles,
  X87_FILE,
} from "./vector-files.ts";

const vectorsOf = (file: string): readonly MooTest[] => readMooFile(gunzipSync(readFileSync(pathOf(file)))).tests;

/** Where every instruction is compiled first, every so-manyth is enough: the meaning is the same code's. */
const STRIDE = process.env["WHVKIT_TEST_ENGINE"] === "webassembly" ? 4 : 1;

describe.skipIf(!hasVectors())(
  "80286 vectors (skipped where ../shared/data/sst-80286-dev is not beside the project)",
  () => {
    const files = hasVectors() ? vectorFiles() : [];
    const runner = hasVectors() ? new VectorRunner() : null;
    const runHere = files.filter((file) => file !== X87_FILE && !PORT_FILES.includes(file));

    test("every arithmetic and MOV opcode of one byte is there", () => {
      expect(ARITHMETIC_AND_MOV.filter((file) => !files.includes(file))).toEqual([]);
    });

    test.each(runHere)("opcode %s", (file) => {
      const known = new Map<number, Reason>();
      for (const [reason, indices] of Object.entries(KNOWN_DIFFERENCES[file] ?? {}))
        for (const index of indices) known.set(index, reason as Reason);
      const run = (vector: MooTest): string | null => runner?.run(vector, undefinedFlags(file)) ?? null;
      const wrong: string[] = [];
      const vectors = vectorsOf(file);
      expect(vectors).toHaveLength(300);
      for (const vector of vectors) {
        if (vector.index % STRIDE !== 0) continue;
        const difference = run(vector);
        const reason = known.get(vector.index);
        if (difference !== null && reason === undefined) wrong.push(`${vector.index} ${vector.name}: ${difference}`);
        if (difference === null && reason !== undefined)
          wrong.push(`${vector.index} ${vector.name} is equal, although it is listed: ${REASONS[reason]}`);
        if (difference === null || reason === undefined) continue;
        const doubt = unexplained(reason, vector, run);
        if (doubt !== null) wrong.push(`${vector.index} ${vector.name}, listed as ${reason}: ${doubt}`);
      }
      expect(wrong).toEqual([]);
    });

    // x87 arithmetic has no meaning yet. Without an 80287 the 80286 does no more than form the operand's address, and
    // that can be held to the capture: what is decoded, how long it is, and whether the operand leaves its segment.
    test("opcode D8, as far as the operand's address", () => {
      const instruction = new Instruction();
      const decoder = new Decoder(16);
      let locked = 0;
      let faulting = 0;
      const wrong = vectorsOf(X87_FILE).filter((vector) => {
        const { bytes, exception, name } = vector;
        const isLocked = bytes.includes(0xf0) && name.includes("lock");
        if (isLocked) locked++;
        if (exception !== null) faulting++;
        const status = decoder.decode(bytes, 0, instruction);
        if (isLocked) return status === DecodeStatus.ok;
        const right =
          status === DecodeStatus.ok &&
          instruction.length === bytes.length - 1 &&
          name.includes(mnemonicName(instruction.mnemonic)) &&
          (exception?.vector ?? null) === (leavesSegment(instruction, vector) ? 13 : null);
        return !right;
      });
      expect(wrong.map(({ index, name }) => `${index} ${name}`)).toEqual([]);
      expect({ locked, faulting }).toEqual({ locked: 11, faulting: 4 });
    });

    test("all 105,900 are accounted for", () => {
      const listed = (lists: readonly Partial<Record<string, readonly number[]>>[]): number =>
        lists.flatMap((list) => Object.values(list)).reduce((sum, indices) => sum + (indices?.length ?? 0), 0);
      const byReason = Object.keys(REASONS).map((reason) => [
        reason,
        listed(Object.values(KNOWN_DIFFERENCES).map((file) => ({ [reason]: file[reason as Reason] ?? [] }))),
      ]);
      const port = listed(knownDifferences.map(({ vectors }) => vectors));
      const different = listed(Object.values(KNOWN_DIFFERENCES));
      const table = {
        "run on the simulator, equal": runHere.length * 300 - different,
        "run on the simulator, different for a stated reason": different,
        "port instructions on the emulator, equal": PORT_FILES.length * 1000 - port,
        "port instructions on the emulator, different for a stated reason": port,
        "x87 arithmetic, decoded and addressed only": 300,
      };
      expect(table).toEqual({
        "run on the simulator, equal": 91_881,
        "run on the simulator, different for a stated reason": 1719,
        "port instructions on the emulator, equal": 11_810,
        "port instructions on the emulator, different for a stated reason": 190,
        "x87 arithmetic, decoded and addressed only": 300,
      });
      expect(Object.values(table).reduce((sum, count) => sum + count)).toBe(105_900);
      expect(Object.fromEntries(byReason)).toEqual({
        lock: 1560,
        length: 11,
        stackFault: 41,
        stringFault: 95,
        laterSegment: 12,
      });
    });
  },
);

/** Does a four-byte operand at the instruction's address reach beyond offset FFFF? */
function leavesSegment(instruction: Instruction, { initial }: MooTest): boolean {
  if (instruction.memoryBase === 0 && instruction.memoryIndex === 0 && instruction.displacementSize === 0) return false;
  const value = (register: number): number =>
    register === 0 ? 0 : (initial.registers.get(NAMES[register & 7] ?? "ax") ?? 0);
  const displacement = Number(BigInt.asIntN(16, instruction.displacement));
  const offset = (value(instruction.memoryBase) + value(instruction.memoryIndex) + displacement) & 0xffff;
  return offset + 3 > 0xffff;
}

const NAMES = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] as const;
