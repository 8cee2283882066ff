// The records that go to and from native.c, and running it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CODE, CODE_OFFSET, FLAGS_MASK, RSP, WINDOW_SIZE } from "./state.js";

/** Sizes and places of native.c's records; the window of a vector is the start of the native one. */
export const RECORD_SIZE = 3200;
export const STATE_AT = 32;
export const StateAt = {
  flags: 128,
  masks: 136,
  mxcsr: 200,
  x87Control: 204,
  x87Status: 206,
  x87Tags: 208,
  x87: 224,
  vectors: 352,
  window: 2400,
};
const MODES = [64, 32, 16];
const TRAP_BREAKPOINT = 3;
const INTERRUPT_FLAG = 0x200;

/** The records of one run. @param {readonly import("./vectors.js").Input[]} vectors */
export function encodeRequests(vectors) {
  const buffer = Buffer.alloc(RECORD_SIZE * vectors.length);
  vectors.forEach(({ code, mode, state }, i) => {
    const at = i * RECORD_SIZE;
    const stateAt = at + STATE_AT;
    writeHeader(buffer, at, mode, code);
    for (let r = 0; r < 16; r++) buffer.writeBigUInt64LE(state.registers[r], stateAt + 8 * r);
    buffer.writeBigUInt64LE(BigInt(state.flags | INTERRUPT_FLAG), stateAt + StateAt.flags);
    buffer.writeUInt32LE(0x1f80, stateAt + StateAt.mxcsr);
    buffer.writeUInt16LE(0x37f, stateAt + StateAt.x87Control);
    buffer[stateAt + StateAt.x87Tags] = 0xff;
    for (let r = 0; r < 16; r++)
      buffer.set(state.vectors.subarray(16 * r, 16 * r + 16), stateAt + StateAt.vectors + 64 * r);
    for (let r = 0; r < 8; r++) {
      buffer.set(state.vectors.subarray(256 + 8 * r, 264 + 8 * r), stateAt + StateAt.x87 + 16 * r);
      buffer.writeUInt16LE(0xffff, stateAt + StateAt.x87 + 16 * r + 8);
    }
    buffer.set(state.window, stateAt + StateAt.window);
  });
  return buffer;
}

/** What a request says before its state. @param {Uint8Array} buffer @param {number} at @param {16 | 32 | 64} mode @param {ArrayLike<number>} code */
export function writeHeader(buffer, at, mode, code) {
  buffer[at] = code.length;
  buffer[at + 1] = MODES.indexOf(mode);
  buffer[at + 2] = CODE_OFFSET & 0xff;
  buffer[at + 3] = CODE_OFFSET >> 8;
  buffer.set(code, at + 8);
}

/**
 * What the processor did, read from its reports.
 *
 * @param {Buffer} reports
 * @param {readonly import("./vectors.js").Input[]} vectors
 * @returns {import("./vectors.js").Outcome[]}
 */
export function decodeReports(reports, vectors) {
  if (reports.length !== RECORD_SIZE * vectors.length) {
    throw new Error(`${reports.length} bytes of reports for ${vectors.length} records`);
  }
  return vectors.map(({ code, mode, state }, i) => {
    const at = i * RECORD_SIZE;
    const stateAt = at + STATE_AT;
    const trap = reports[at + 1];
    const finished = trap === TRAP_BREAKPOINT;
    const registers = new BigUint64Array(16);
    registers.forEach((_, register) => {
      registers[register] = reports.readBigUInt64LE(stateAt + 8 * register);
    });
    // The upper half of ESP is not kept on the way through the kernel to a 16-bit stack.
    if (mode === 16) registers[RSP] = (registers[RSP] & 0xffffn) | (state.registers[RSP] & ~0xffffn);
    const ip = reports.readBigUInt64LE(at + 16) - (finished ? 1n : 0n);
    const start = BigInt((mode === 16 ? 0 : CODE) + CODE_OFFSET);
    const vectors = new Uint8Array(320);
    for (let r = 0; r < 16; r++)
      vectors.set(reports.subarray(stateAt + StateAt.vectors + 64 * r).subarray(0, 16), 16 * r);
    for (let r = 0; r < 8; r++)
      vectors.set(reports.subarray(stateAt + StateAt.x87 + 16 * r).subarray(0, 8), 256 + 8 * r);
    return {
      vector: finished ? null : trap,
      errorCode: reports.readUInt32LE(at + 4),
      cr2: trap === 14 ? reports.readBigUInt64LE(at + 8) : 0n,
      registers,
      ipStep: Number(ip - start) - (finished ? code.length : 0),
      flags: Number(reports.readBigUInt64LE(stateAt + StateAt.flags)) & FLAGS_MASK,
      vectors,
      window: Uint8Array.from(reports.subarray(stateAt + StateAt.window, stateAt + StateAt.window + WINDOW_SIZE)),
    };
  });
}

/** native.c, compiled; `run` has this machine's processor answer requests, `close` removes the program. */
export class NativeProcessor {
  #folder = mkdtempSync(path.join(tmpdir(), "whvkit-oracle-"));
  #program = path.join(this.#folder, "native");

  constructor() {
    const source = path.join(import.meta.dirname, "../native/native.c");
    const options = ["-O2", "-static", "-no-pie", "-fno-stack-protector", "-fcf-protection=none"];
    execFileSync("gcc", [...options, "-o", this.#program, source], { stdio: "inherit" });
  }

  /** @param {Uint8Array} requests @returns {Buffer} */
  run(requests) {
    const result = spawnSync(this.#program, { input: requests, maxBuffer: 1 << 30 });
    if (result.status !== 0) throw new Error(`native ended with ${result.status ?? result.signal}`);
    return result.stdout;
  }

  close() {
    rmSync(this.#folder, { recursive: true });
  }
}

/**
 * Compiles native.c and runs the vectors on this machine's processor.
 *
 * @param {readonly import("./vectors.js").Input[]} vectors
 */
export function runNative(vectors) {
  const processor = new NativeProcessor();
  try {
    return decodeReports(processor.run(encodeRequests(vectors)), vectors);
  } finally {
    processor.close();
  }
}
