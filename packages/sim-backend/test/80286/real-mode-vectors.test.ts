/**
 * Instructions captured on an 80286 in real mode, run on the simulator (SingleStepTests, `../shared/data` beside the
 * repository). Each one ends with HLT, exceptions included, whose handlers are part of the captured memory.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { readMooFile } from "@whvkit/conformance";
import { describe, expect, test } from "vitest";
import { KNOWN_DIFFERENCES, REASONS, type Reason } from "./known-differences.ts";
import { VectorRunner } from "./runner.ts";
import { ARITHMETIC_AND_MOV, hasVectors, NOT_RUN, pathOf, undefinedFlags, vectorFiles } from "./vector-files.ts";

describe.skipIf(!hasVectors())(
  "80286 vectors (skipped where ../shared/data/sst-80286-dev is not beside the project)",
  () => {
    const files = hasVectors() ? vectorFiles() : [];
    const runner = hasVectors() ? new VectorRunner() : null;

    test("every arithmetic and MOV opcode of one byte is there", () => {
      expect(ARITHMETIC_AND_MOV.filter((file) => !files.includes(file))).toEqual([]);
    });

    test.each(files.filter((file) => !(file in NOT_RUN)))("opcode %s", (file) => {
      const known = new Map<number, Reason>();
      for (const [reason, indices] of Object.entries(KNOWN_DIFFERENCES[file] ?? {}))
        for (const index of indices) known.set(index, reason as Reason);
      const wrong: string[] = [];
      const vectors = readMooFile(gunzipSync(readFileSync(pathOf(file)))).tests;
      expect(vectors.length).toBeGreaterThanOrEqual(150);
      for (const vector of vectors) {
        const difference = runner?.run(vector, undefinedFlags(file)) ?? null;
        const reason = known.get(vector.index);
        if (difference !== null && reason === undefined) wrong.push(`${vector.index} ${vector.name}: ${difference}`);
        if (difference === null && reason !== undefined)
          wrong.push(`${vector.index} ${vector.name} is equal, although it is listed: ${REASONS[reason]}`);
      }
      expect(wrong).toEqual([]);
    });

    test("what is not run says why", () => {
      expect(files.filter((file) => file in NOT_RUN).sort()).toEqual(Object.keys(NOT_RUN).sort());
    });
  },
);
