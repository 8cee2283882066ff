// The records that go to and from native.c, and running it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CODE, CODE_OFFSET, FLAGS_MASK, RSP, WINDOW_SIZE } from "./state.js";

const REQUEST_SIZE = 8 + 16 + 128 + 8 + 320 + WINDOW_SIZE;
const REPORT_SIZE = 16 + 128 + 16 + 320 + WINDOW_SIZE;
const MODES = [64, 32, 16];
const TRAP_BREAKPOINT = 3;
const INTERRUPT_FLAG = 0x200;

/** The records of one run. @param {readonly import("./vectors.js").Input[]} vectors */
export function encodeRequests(vectors) {
  const buffer = Buffer.alloc(REQUEST_SIZE * vectors.length);
  vectors.forEach(({ code, mode, state }, i) => {
    const at = i * REQUEST_SIZE;
    buffer[at] = code.length;
    buffer[at + 1] = MODES.indexOf(mode);
    buffer.writeUInt16LE(CODE_OFFSET, at + 2);
    buffer.set(code, at + 8);
    for (let r = 0; r < 16; r++) buffer.writeBigUInt64LE(state.registers[r], at + 24 + 8 * r);
    buffer.writeBigUInt64LE(BigInt(state.flags | INTERRUPT_FLAG), at + 152);
    buffer.set(state.vectors, at + 160);
    buffer.set(state.window, at + 480);
  });
  return buffer;
}

/**
 * What the processor did, read from its reports.
 *
 * @param {Buffer} reports
 * @param {readonly import("./vectors.js").Input[]} vectors
 * @returns {import("./vectors.js").Outcome[]}
 */
export function decodeReports(reports, vectors) {
  if (reports.length !== REPORT_SIZE * vectors.length) {
    throw new Error(`${reports.length} bytes of reports for ${vectors.length} records`);
  }
  return vectors.map(({ code, mode, state }, i) => {
    const at = i * REPORT_SIZE;
    const trap = reports[at + 1];
    const finished = trap === TRAP_BREAKPOINT;
    const registers = new BigUint64Array(16);
    registers.forEach((_, register) => {
      registers[register] = reports.readBigUInt64LE(at + 16 + 8 * register);
    });
    // The upper half of ESP is not kept on the way through the kernel to a 16-bit stack.
    if (mode === 16) registers[RSP] = (registers[RSP] & 0xffffn) | (state.registers[RSP] & ~0xffffn);
    const ip = reports.readBigUInt64LE(at + 144) - (finished ? 1n : 0n);
    const start = BigInt((mode === 16 ? 0 : CODE) + CODE_OFFSET);
    return {
      vector: finished ? null : trap,
      errorCode: reports.readUInt32LE(at + 4),
      cr2: trap === 14 ? reports.readBigUInt64LE(at + 8) : 0n,
      registers,
      ipStep: Number(ip - start) - (finished ? code.length : 0),
      flags: Number(reports.readBigUInt64LE(at + 152)) & FLAGS_MASK,
      vectors: Uint8Array.from(reports.subarray(at + 160, at + 480)),
      window: Uint8Array.from(reports.subarray(at + 480, at + REPORT_SIZE)),
    };
  });
}

/**
 * Compiles native.c and runs the vectors on this machine's processor.
 *
 * @param {readonly import("./vectors.js").Input[]} vectors
 */
export function runNative(vectors) {
  const folder = mkdtempSync(path.join(tmpdir(), "whvkit-oracle-"));
  try {
    const program = path.join(folder, "native");
    const source = path.join(import.meta.dirname, "../native/native.c");
    const options = ["-O2", "-static", "-no-pie", "-fno-stack-protector", "-fcf-protection=none"];
    execFileSync("gcc", [...options, "-o", program, source], { stdio: "inherit" });
    const result = spawnSync(program, { input: encodeRequests(vectors), maxBuffer: 1 << 30 });
    if (result.status !== 0) throw new Error(`native ended with ${result.status ?? result.signal}`);
    return decodeReports(result.stdout, vectors);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
