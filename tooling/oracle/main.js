// Makes the vectors of packages/x86-semantics/test/vectors on this machine's processor, or (with --check) makes them again
// and compares. The committed ones come from an AMD Zen 4; another processor differs where results are undefined.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runNative } from "./src/record.js";
import { encodeOutcomes, familyNames, inputsOf } from "./src/vectors.js";

const check = process.argv.includes("--check");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));
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
process.exitCode = differing > 0 ? 1 : 0;
