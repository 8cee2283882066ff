#!/usr/bin/env node
// Decoding speed on real code, side by side in one process: this package, iced-x86 and capstone-wasm, reading the same
// fields. Processor time, median of several runs in turn, so that what else the machine does meets all alike.
//
//   node bench/decoders.js [ELF file] [--mode 16|32|64] [--mebibytes 10] [--runs 7] [--no-capstone]
//
// Needs a build of the package. The default file is the node executable.

import { parseArgs } from "node:util";
import { Capstone, Const, loadCapstone } from "capstone-wasm";
import * as iced from "iced-x86";
import { Decoder, DecodeStatus, Instruction } from "../dist/index.js";
import { textSection } from "./machine-code.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mode: { type: "string" },
    mebibytes: { type: "string", default: "10" },
    runs: { type: "string", default: "7" },
    capstone: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const file = positionals[0] ?? process.execPath;
const { code: text, mode: fileMode } = textSection(file);
const mode = /** @type {16 | 32 | 64} */ (Number(values.mode ?? fileMode));
const code = text.slice(0, Number(values.mebibytes) * 2 ** 20);

const decoder = new Decoder(mode);
const instruction = new Instruction();

/** Decodes everything and reads nothing but the length. */
function decodeOnly() {
  let count = 0;
  for (let at = 0; at < code.length; ) {
    if (decoder.decode(code, at, instruction) !== DecodeStatus.ok) at++;
    else {
      at += instruction.length;
      count++;
    }
  }
  return count;
}

/** The fields: mnemonic, operand count, each operand's kind and register, base, index, displacement. */
let sink = 0;
function readFields() {
  let count = 0;
  let sum = 0;
  for (let at = 0; at < code.length; ) {
    if (decoder.decode(code, at, instruction) !== DecodeStatus.ok) {
      at++;
      continue;
    }
    at += instruction.length;
    count++;
    const operands = instruction.operandCount;
    sum = (sum + instruction.mnemonic + operands) | 0;
    for (let i = 0; i < operands; i++) sum = (sum + instruction.operandKind(i) + instruction.operandRegister(i)) | 0;
    sum = (sum + instruction.memoryBase + instruction.memoryIndex + instruction.displacementLow) | 0;
  }
  sink = sum;
  return count;
}

/** The same fields of iced-x86 but for the displacement, which it gives as a bigint only. */
function readIcedFields() {
  let count = 0;
  let sum = 0;
  const theirs = new iced.Decoder(mode, code, iced.DecoderOptions.None);
  const one = new iced.Instruction();
  while (theirs.canDecode) {
    theirs.decodeOut(one);
    if (one.code === iced.Code.INVALID) continue;
    count++;
    const operands = one.opCount;
    sum = (sum + one.mnemonic + operands) | 0;
    for (let i = 0; i < operands; i++) {
      const kind = one.opKind(i);
      sum = (sum + kind) | 0;
      if (kind === iced.OpKind.Register) sum = (sum + one.opRegister(i)) | 0;
    }
    sum = (sum + one.memoryBase + one.memoryIndex) | 0;
  }
  one.free();
  theirs.free();
  sink = sum;
  return count;
}

/** capstone-wasm gives an object with text for each instruction; it takes its input on its small stack, and a part is enough. */
function readCapstone() {
  const capstone = new Capstone(
    Const.CS_ARCH_X86,
    mode === 64 ? Const.CS_MODE_64 : mode === 32 ? Const.CS_MODE_32 : Const.CS_MODE_16,
  );
  let count = 0;
  for (let at = 0; at < code.length / 100; at += 4096) {
    try {
      count += capstone.disasm(code.subarray(at, at + 4096), { address: 0 }).length;
    } catch {
      // It throws where the part starts within an instruction that is none.
    }
  }
  capstone.close();
  return count;
}

/** @type {[string, () => number][]} */
const contestants = [
  ["x86-decoder, length only", decodeOnly],
  ["x86-decoder, fields", readFields],
  ["iced-x86, fields", readIcedFields],
];
if (values.capstone) {
  await loadCapstone();
  contestants.push(["capstone-wasm, text", readCapstone]);
}
/** @type {Map<string, number[]>} nanoseconds per instruction */
const times = new Map(contestants.map(([name]) => [name, []]));
for (let run = 0; run <= Number(values.runs); run++) {
  for (const [name, decode] of contestants) {
    const start = process.cpuUsage();
    const count = decode();
    const used = process.cpuUsage(start);
    // The first run compiles.
    if (run > 0) times.get(name)?.push(((used.user + used.system) * 1000) / count);
  }
}
const median = (/** @type {string} */ name) => {
  const sorted = [...(times.get(name) ?? [])].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
};
console.log(
  `${file}: ${(code.length / 2 ** 20).toFixed(1)} MiB of .text in ${mode}-bit mode, ${decodeOnly()} instructions, ${values.runs} runs (${sink & 1})`,
);
console.log("| decoder | M instr/s | ns | times iced-x86 |\n| --- | --- | --- | --- |");
for (const [name] of contestants) {
  const ns = median(name);
  console.log(
    `| ${name} | ${(1000 / ns).toFixed(1)} | ${ns.toFixed(1)} | ${(median("iced-x86, fields") / ns).toFixed(2)} |`,
  );
}
