// A campaign: the cases of all families on fresh states, seed after seed, run on this machine's processor; the two test files that
// hold the evaluator and the compiled handlers to the committed vectors run over each round.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { NativeProcessor } from "./record.js";
import { recordedFamilies, recordFamily } from "./vectors.js";

const ROOT = path.join(import.meta.dirname, "../../..");
const TESTS = [
  "packages/x86-semantics/test/vectors.oracle.test.ts",
  "packages/x86-semantics/test/webassembly/handlers-against-processor.oracle.test.ts",
];

/** Writes one round's vectors; answers how many. @param {NativeProcessor} processor @param {string} folder @param {number} seed */
function record(processor, folder, seed) {
  let count = 0;
  for (const family of recordedFamilies) {
    const { bytes, vectors } = recordFamily(family, processor, seed, true);
    writeFileSync(path.join(folder, `${family}.bin`), bytes);
    count += vectors;
  }
  return count;
}

/**
 * Runs rounds until `count` vectors have agreed; the first round that differs ends it, after vitest has printed what differs.
 *
 * @param {number} count
 * @param {number} firstSeed not 0, which is the committed vectors' seed
 * @returns {boolean} whether all agreed
 */
export function campaign(count, firstSeed) {
  if (!(count > 0) || !Number.isInteger(firstSeed) || firstSeed === 0) {
    throw new RangeError("a campaign wants a positive --count and a --seed that is an integer other than 0");
  }
  const folder = mkdtempSync(path.join(tmpdir(), "whvkit-campaign-"));
  const processor = new NativeProcessor();
  try {
    const started = performance.now();
    let done = 0;
    for (let seed = firstSeed; done < count; seed++) {
      const vectors = record(processor, folder, seed);
      const environment = { ...process.env, WHVKIT_ORACLE_FOLDER: folder, WHVKIT_ORACLE_SEED: String(seed) };
      const vitest = path.join(ROOT, "node_modules/vitest/vitest.mjs");
      const tests = spawnSync(process.execPath, [vitest, "run", "--maxWorkers", "1", "--reporter", "dot", ...TESTS], {
        cwd: ROOT,
        env: environment,
        encoding: "utf8",
      });
      if (tests.status !== 0) {
        console.log(`${tests.stdout}${tests.stderr}\nseed ${seed}: differences`);
        return false;
      }
      done += vectors;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      console.log(`seed ${seed}: agreed; ${done} vectors in ${seconds} s`);
    }
    return true;
  } finally {
    processor.close();
    rmSync(folder, { recursive: true });
  }
}
