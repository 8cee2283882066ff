// The records that go to and from native.c, and running it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CODE, CODE_OFFSET, FLAGS_MASK, STATE_SIZE, StateAt } from "./state.js";

/** A record is a header and a state. */
const STATE_AT = 32;
const RECORD_SIZE = STATE_AT + STATE_SIZE;
const MODES = [64, 32, 16];
const TRAP_BREAKPOINT = 3;
const PAGE_FAULT = 14;
/** In the error code of a page fault: an instruction was to be fetched. */
const FETCH = 0x10;
/** How many records one run of the program gets. */
const BATCH = 8192;

/** Collects requests, runs them in batches, and hands out each one's outcome in their order. */
export class NativeProcessor {
  #folder = mkdtempSync(path.join(tmpdir(), "whvkit-oracle-"));
  #program = path.join(this.#folder, "native");
  #requests = new Uint8Array(RECORD_SIZE * BATCH);
  /** @type {((outcome: import("./outcome.js").Outcome, before: Uint8Array) => void)[]} */
  #waiting = [];

  constructor() {
    const source = path.join(import.meta.dirname, "../native/native.c");
    const options = ["-O2", "-static", "-no-pie", "-fno-stack-protector", "-fcf-protection=none"];
    execFileSync("gcc", [...options, "-o", this.#program, source], { stdio: "inherit" });
  }

  /**
   * Adds an instruction and the state before it; `done` is called at the latest by `flush`, with an outcome and the state
   * before, both of which it may not keep.
   *
   * @param {import("./inputs.js").Encoding} encoding @param {import("./state.js").State} state
   * @param {(outcome: import("./outcome.js").Outcome, before: Uint8Array) => void} done
   */
  run({ code, mode }, state, done) {
    const at = RECORD_SIZE * this.#waiting.length;
    const buffer = this.#requests;
    buffer.fill(0, at, at + STATE_AT);
    buffer[at] = code.length;
    buffer[at + 1] = MODES.indexOf(mode);
    buffer[at + 2] = CODE_OFFSET & 0xff;
    buffer[at + 3] = CODE_OFFSET >> 8;
    buffer.set(code, at + 8);
    buffer.set(state.bytes, at + STATE_AT);
    this.#waiting.push(done);
    if (this.#waiting.length === BATCH) this.flush();
  }

  flush() {
    const requests = this.#requests.subarray(0, RECORD_SIZE * this.#waiting.length);
    const result = spawnSync(this.#program, { input: requests, maxBuffer: 2 * this.#requests.length });
    if (result.status !== 0) throw new Error(`native ended with ${result.status ?? result.signal}`);
    const reports = result.stdout;
    if (reports.length !== requests.length) {
      throw new Error(`${reports.length} bytes of reports for ${this.#waiting.length} records`);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((done, i) => {
      const at = i * RECORD_SIZE;
      done(outcomeOf(reports, requests, at), requests.subarray(at + STATE_AT, at + RECORD_SIZE));
    });
  }

  close() {
    rmSync(this.#folder, { recursive: true });
  }
}

/** @param {Buffer} reports @param {Uint8Array} requests @param {number} at @returns {import("./outcome.js").Outcome} */
function outcomeOf(reports, requests, at) {
  const length = requests[at];
  const mode = MODES[requests[at + 1]];
  const state = new Uint8Array(reports.subarray(at + STATE_AT, at + RECORD_SIZE));
  const before = requests.subarray(at + STATE_AT, at + RECORD_SIZE);
  const words = new Int32Array(state.buffer);
  const flags = StateAt.flags >> 2;
  const flagsBefore = new DataView(before.buffer, before.byteOffset).getInt32(StateAt.flags, true);
  words[flags] = (words[flags] & FLAGS_MASK) | (flagsBefore & ~FLAGS_MASK);
  words[flags + 1] = 0;
  // Outside 64-bit mode nobody sees the upper halves, in which a W1 may leave something.
  if (mode !== 64) for (let r = 0; r < 16; r++) words[2 * r + 1] = 0;
  // The upper half of ESP is not kept on the way through the kernel to a 16-bit stack.
  if (mode === 16) state.set(before.subarray(34, 40), 34);
  const errorCode = reports.readUInt32LE(at + 4);
  const ip = reports.readBigUInt64LE(at + 16);
  const cr2 = reports.readBigUInt64LE(at + 8);
  const codeBase = mode === 16 ? 0 : CODE;
  const trap = reports[at + 1];
  // The instruction is done, and the next one is not there.
  const gone = trap === PAGE_FAULT && (errorCode & FETCH) !== 0 && cr2 === ip + BigInt(mode === 16 ? CODE : 0);
  const finished = gone || trap === TRAP_BREAKPOINT;
  const nextIp = trap === TRAP_BREAKPOINT ? ip - 1n : ip;
  const start = BigInt(codeBase + CODE_OFFSET);
  return {
    vector: finished ? null : trap,
    errorCode: finished ? 0 : errorCode,
    cr2: trap === PAGE_FAULT && !gone ? cr2 : 0n,
    ipStep: nextIp - start - BigInt(finished ? length : 0),
    state,
    digest: null,
  };
}
