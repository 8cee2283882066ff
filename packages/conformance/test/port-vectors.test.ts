/**
 * Port instructions captured on an 80286 (SingleStepTests, `../shared/data/sst-80286-dev` from the project's root), run
 * through the function behind `whv emulate`: ports, directions, sizes and data on the bus, registers and memory after.
 * Where the emulator differs on purpose stands in port-vector-differences.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { createEmulator } from "@whvkit/emulator-core";
import { beforeEach, describe, expect, test } from "vitest";
import {
  type EmulationCase,
  type MooTest,
  portCaseOf,
  portTransfers,
  portTransfersOfCalls,
  portVectorDifferences,
  readMooFile,
  runEmulationCase,
} from "../src/index.ts";
import { type KnownDifference, knownDifferences } from "./port-vector-differences.ts";

const folder = fileURLToPath(new URL("../../../../shared/data/sst-80286-dev/", import.meta.url));
const opcodes = ["E4", "E5", "E6", "E7", "EC", "ED", "EE", "EF", "6C", "6D", "6E", "6F"];
const here = existsSync(folder);

function vectorsOf(opcode: string): readonly MooTest[] {
  return readMooFile(gunzipSync(readFileSync(`${folder}${opcode}.MOO.gz`))).tests;
}

function emulationCaseOf(vector: MooTest): EmulationCase {
  const emulationCase = portCaseOf(vector);
  if (emulationCase === null) throw new Error(`${vector.name} is no port instruction`);
  return emulationCase;
}

function knownDifference(opcode: string, { index }: MooTest): KnownDifference | undefined {
  return knownDifferences.find(({ vectors }) => vectors[opcode]?.includes(index));
}

/** What is wrong with a vector's outcome: an unlisted difference, a listed one that is none, or one of another kind. */
function complaint(opcode: string, vector: MooTest, differences: readonly string[]): string[] {
  const known = knownDifference(opcode, vector);
  const name = `${opcode} ${vector.index} (${vector.name})`;
  if (known === undefined) return differences.length === 0 ? [] : [`${name}: ${differences.join("; ")}`];
  if (differences.length === 0) return [`${name}: listed as different, but it is not`];
  const others = differences.filter((difference) => !known.differs.some((pattern) => pattern.test(difference)));
  return others.length === 0 ? [] : [`${name}: differs in another way than its reason says: ${others.join("; ")}`];
}

describe("80286 port vectors", () => {
  beforeEach(({ skip }) => skip(!here, "../shared/data/sst-80286-dev is not beside the project"));

  test.each(opcodes)("%s: 1,000 vectors, every difference listed with its reason", (opcode) => {
    const vectors = vectorsOf(opcode);
    expect(vectors).toHaveLength(1000);
    const complaints = vectors.flatMap((vector) => {
      const outcome = runEmulationCase(emulationCaseOf(vector), { createEmulator });
      return complaint(opcode, vector, portVectorDifferences(vector, outcome));
    });
    expect(complaints).toEqual([]);
  });

  test.each(opcodes)("%s: the same when the exit gives neither bytes nor length; LOCK is #UD then", (opcode) => {
    const complaints = vectorsOf(opcode).flatMap((vector) => {
      const { vp, exit, ...rest } = emulationCaseOf(vector);
      const bare = {
        ...rest,
        vp: { ...vp, instructionLength: 0 },
        exit: { ...exit, instructionBytes: new Uint8Array() },
      };
      const outcome = runEmulationCase(bare, { createEmulator });
      const differences = portVectorDifferences(vector, outcome);
      if (!vector.name.split(" ").includes("lock")) return complaint(opcode, vector, differences);
      return outcome.diagnostic?.exception?.vector === 6 ? [] : [`${opcode} ${vector.index}: LOCK is accepted`];
    });
    expect(complaints).toEqual([]);
  });

  test("190 of the 12,000 differ", () => {
    const count = (opcode: string): number =>
      knownDifferences.reduce((sum, { vectors }) => sum + (vectors[opcode]?.length ?? 0), 0);
    expect(opcodes.map((opcode) => [opcode, count(opcode)]).filter(([, listed]) => listed !== 0)).toEqual([
      ["6C", 22],
      ["6D", 76],
      ["6E", 22],
      ["6F", 70],
    ]);
  });
});

describe("the bus of the 80286", () => {
  const cycle = { pins: 0, byteHighEnable: true, data: 0, busStatus: 11, tState: 2 };
  test("a word at an odd port is two bytes, data one cycle after the start, on the lane of the address", () => {
    const cycles = [
      { ...cycle, address: 3, busStatus: 10, tState: 1 },
      { ...cycle, address: 4, data: 0x3800 },
      { ...cycle, address: 4, busStatus: 10, tState: 1, byteHighEnable: false },
      { ...cycle, address: 4, data: 0xffde },
    ];
    const captured = portTransfers(cycles);
    expect(captured).toEqual([
      { direction: "out", port: 3, size: 1, data: 0x38 },
      { direction: "out", port: 4, size: 1, data: 0xde },
    ]);
    const call = { callback: "ioPort", direction: "out", port: 3, size: 2, data: "0xde38" } as const;
    expect(portTransfersOfCalls([call])).toEqual(captured);
  });

  test("a word at an even port is one transfer", () => {
    const cycles = [
      { ...cycle, address: 0xe2, busStatus: 9, tState: 1 },
      { ...cycle, address: 0xe2, data: 0x0633 },
    ];
    expect(portTransfers(cycles)).toEqual([{ direction: "in", port: 0xe2, size: 2, data: 0x633 }]);
  });
});
