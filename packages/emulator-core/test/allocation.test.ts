/**
 * The ways that nearly every exit takes allocate nothing: measured as growth of the heap between two garbage collections.
 * A single double on the heap takes more than what is allowed for a whole emulation.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { benchCases, bulkCases } from "../bench/cases.ts";
import { type BenchHost, bulkHostClasses, hostClasses } from "../bench/hosts.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const WARM_UP = 5000;
const EMULATIONS = 20_000;
/** Less than any object takes, and more than the compiler leaves behind. */
const BYTES = 8;

/** Bytes of heap for each emulation; the least of a few tries, because the compiler works beside. */
function bytesEach(run: () => void, times: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 30 && least >= BYTES; attempt++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < times; i++) run();
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / times);
  }
  return least;
}

test.each([...benchCases, ...bulkCases])("$name", (row) => {
  const [Host] = row.bulk === true ? bulkHostClasses : hostClasses;
  const run = row.prepare(new (Host as new () => BenchHost)());
  // A REP case runs a thousand elements at a time.
  const share = row.elements > 1 && row.bulk !== true ? 20 : 1;
  for (let i = 0; i < WARM_UP / share; i++) run();
  expect(bytesEach(run, EMULATIONS / share)).toBeLessThan(BYTES);
});
