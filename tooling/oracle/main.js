// Makes the vectors of packages/x86-semantics/test/vectors on this machine's processor, or (with --check) makes them again
// and compares; `campaign` takes fresh ones and holds the evaluator and the compiled handlers to them. See README.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { campaign } from "./src/campaign.js";
import { runNative } from "./src/record.js";
import { encodeOutcomes, familyNames, inputsOf } from "./src/vectors.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean" }, count: { type: "string" }, seed: { type: "string" } },
});
if (positionals[0] === "campaign") {
  process.exitCode = campaign(Number(values.count ?? 1_000_000), Number(values.seed ?? 1)) ? 0 : 1;
} else {
  process.exitCode = committed(values.check ?? false, positionals);
}

/** @param {boolean} check @param {readonly string[]} wanted */
function committed(check, wanted) {
  const folder = path.join(import.meta.dirname, "../../packages/x86-semantics/test/vectors");
  mkdirSync(folder, { recursive: true });
  let differing = 0;
  for (const family of wanted.length > 0 ? wanted : familyNames) {
    const inputs = [...inputsOf(family)];
    const bytes = encodeOutcomes(inputs, runNative(inputs));
    const file = path.join(folder, `${family}.bin`);
    if (!check) {
      writeFileSync(file, bytes);
      console.log(`${family}: ${inputs.length} vectors, ${bytes.length} bytes`);
    } else if (Buffer.compare(readFileSync(file), bytes) === 0) {
      console.log(`${family}: ${inputs.length} vectors, as committed`);
    } else {
      differing++;
      console.log(`${family}: differs from ${path.relative(process.cwd(), file)}`);
    }
  }
  return differing > 0 ? 1 : 0;
}
