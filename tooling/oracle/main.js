// Makes the vectors of packages/x86-semantics/test/vectors on this machine's processor, or (with --check) makes them again
// and compares; `campaign` takes fresh ones and holds the evaluator and the compiled handlers to them. See README.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { campaign } from "./src/campaign.js";
import { confirmExclusions } from "./src/confirmation.js";
import { NativeProcessor } from "./src/record.js";
import { recordedFamilies, recordFamily } from "./src/vectors.js";

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
  const processor = new NativeProcessor();
  let differing = 0;
  const total = { forms: 0, vectors: 0, bytes: 0 };
  try {
    for (const family of wanted.length > 0 ? wanted : recordedFamilies) {
      const { bytes, forms, vectors } = recordFamily(family, processor);
      total.forms += forms;
      total.vectors += vectors;
      total.bytes += bytes.length;
      const file = path.join(folder, `${family}.bin`);
      const counts = `${family}: ${forms} forms, ${vectors} vectors, ${bytes.length} bytes`;
      if (!check) {
        writeFileSync(file, bytes);
        console.log(counts);
      } else if (existsSync(file) && Buffer.compare(readFileSync(file), bytes) === 0) {
        console.log(`${counts}, as committed`);
      } else {
        differing++;
        console.log(`${family}: differs from ${path.relative(process.cwd(), file)}`);
      }
    }
    console.log(`together: ${total.forms} forms, ${total.vectors} vectors, ${total.bytes} bytes`);
    if (wanted.length === 0) differing += confirmExclusions(processor);
  } finally {
    processor.close();
  }
  return differing > 0 ? 1 : 0;
}
