// Vectors: an instruction, the state before it, and what the processor did. Inputs follow from a seed; a file holds, for each
// vector in the order of the cases, only what the instruction changed.
import { CODE_OFFSET, DEFAULT_COUNT, families } from "./cases.js";
import { Random } from "./random.js";
import { FLAGS_MASK, stateFor } from "./state.js";

const MAGIC = "WHVKORC2";
/** Units of 16 bytes in a state's vectors: the XMM registers, then pairs of MMX registers. */
const VECTOR_UNITS = 20;

/** Names of the families that have vectors. */
export const familyNames = Object.keys(families);

/**
 * The inputs of a family, one after the other.
 *
 * @param {string} family
 * @param {number} [seed] 0 for the committed vectors
 */
export function* inputsOf(family, seed = 0) {
  const cases = families[family];
  if (cases === undefined) throw new RangeError(`no family ${family}`);
  let number = 0;
  for (const testCase of cases()) {
    const random = new Random(
      (Math.imul(0x5eed, familyNames.indexOf(family) + 1) + number++) ^ Math.imul(seed, 0x9e37_79b1),
    );
    for (let i = testCase.count ?? DEFAULT_COUNT; i > 0; i--) {
      yield { mode: testCase.mode, code: testCase.code, state: stateFor(testCase, random) };
    }
  }
}

const HAS_FAULT = 1,
  HAS_IP = 2,
  HAS_VECTORS = 4,
  HAS_WINDOW = 8,
  HAS_REGISTERS = 16,
  HAS_FLAGS = 32;

/** @param {readonly import("./vectors.js").Input[]} inputs @param {readonly import("./vectors.js").Outcome[]} outcomes */
export function encodeOutcomes(inputs, outcomes) {
  /** @type {number[]} */
  const out = [...Buffer.from(MAGIC, "latin1")];
  /** @param {bigint} value */
  const long = (value) => {
    const low = [];
    for (let rest = value; rest !== 0n; rest >>= 8n) low.push(Number(rest & 0xffn));
    out.push(low.length, ...low);
  };
  /** @param {number} value */
  const short = (value) => out.push(value & 0xff, (value >> 8) & 0xff);
  word32(out, inputs.length);
  inputs.forEach(({ state }, i) => {
    const outcome = /** @type {import("./vectors.js").Outcome} */ (outcomes[i]);
    const changed = registersChanged(state, outcome);
    const runs = runsChanged(state.window, outcome.window);
    const vectors = vectorsChanged(state, outcome);
    const flagsDiffer = (state.flags & FLAGS_MASK) !== outcome.flags;
    const bits =
      (outcome.vector === null ? 0 : HAS_FAULT) |
      (outcome.ipStep !== 0 ? HAS_IP : 0) |
      (vectors !== 0 ? HAS_VECTORS : 0) |
      (runs.length > 0 ? HAS_WINDOW : 0) |
      (changed !== 0 ? HAS_REGISTERS : 0) |
      (flagsDiffer ? HAS_FLAGS : 0);
    out.push(bits);
    if (outcome.vector !== null) {
      out.push(outcome.vector);
      short(outcome.errorCode);
      long(outcome.cr2);
    }
    if (bits & HAS_IP) word32(out, outcome.ipStep);
    if (bits & HAS_FLAGS) short(outcome.flags);
    if (bits & HAS_REGISTERS) {
      short(changed);
      for (let r = 0; r < 16; r++) if (changed & (1 << r)) long(/** @type {bigint} */ (outcome.registers[r]));
    }
    if (bits & HAS_VECTORS) {
      word32(out, vectors);
      for (let r = 0; r < VECTOR_UNITS; r++)
        if (vectors & (1 << r)) out.push(...outcome.vectors.subarray(16 * r, 16 * r + 16));
    }
    if (bits & HAS_WINDOW) {
      out.push(runs.length);
      for (const [at, length] of runs) {
        short(at);
        short(length);
        out.push(...outcome.window.subarray(at, at + length));
      }
    }
  });
  return Uint8Array.from(out);
}

/** @param {number[]} out @param {number} value */
function word32(out, value) {
  out.push(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
}

/** @param {import("./state.js").State} state @param {import("./vectors.js").Outcome} outcome */
function registersChanged(state, outcome) {
  let mask = 0;
  for (let r = 0; r < 16; r++) if (state.registers[r] !== outcome.registers[r]) mask |= 1 << r;
  return mask;
}

/** @param {import("./state.js").State} state @param {import("./vectors.js").Outcome} outcome */
function vectorsChanged(state, outcome) {
  let mask = 0;
  for (let i = 0; i < 16 * VECTOR_UNITS; i++) if (state.vectors[i] !== outcome.vectors[i]) mask |= 1 << (i >> 4);
  return mask;
}

/** Runs of bytes that differ, close ones joined. @param {Uint8Array} before @param {Uint8Array} after */
function runsChanged(before, after) {
  /** @type {[number, number][]} */
  const runs = [];
  for (let at = 0; at < before.length; at++) {
    if (before[at] === after[at]) continue;
    const last = runs.at(-1);
    if (last !== undefined && at - (last[0] + last[1]) < 4) last[1] = at - last[0] + 1;
    else runs.push([at, 1]);
  }
  return runs;
}

/**
 * The vectors of a family: inputs from the seed, outcomes from a file's bytes.
 *
 * @param {string} family
 * @param {Uint8Array} bytes
 * @param {number} [seed] that the inputs were made from
 */
export function* readVectors(family, bytes, seed = 0) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC) throw new Error(`${family}: not a file of vectors`);
  const count = view.getUint32(8, true);
  let at = 12;
  let seen = 0;
  const short = () => {
    at += 2;
    return view.getUint16(at - 2, true);
  };
  const long = () => {
    let value = 0n;
    const length = view.getUint8(at++);
    for (let i = 0; i < length; i++) value |= BigInt(view.getUint8(at++)) << BigInt(8 * i);
    return value;
  };
  for (const input of inputsOf(family, seed)) {
    if (seen++ === count) throw new Error(`${family}: the file holds fewer vectors than the cases have; make it again`);
    const bits = view.getUint8(at++);
    const { state } = input;
    /** @type {import("./vectors.js").Outcome} */
    const outcome = {
      vector: null,
      errorCode: 0,
      cr2: 0n,
      ipStep: 0,
      flags: state.flags & FLAGS_MASK,
      registers: state.registers.slice(),
      vectors: state.vectors.slice(),
      window: state.window.slice(),
    };
    if (bits & HAS_FAULT) {
      outcome.vector = view.getUint8(at++);
      outcome.errorCode = short();
      outcome.cr2 = long();
    }
    if (bits & HAS_IP) {
      outcome.ipStep = view.getInt32(at, true);
      at += 4;
    }
    if (bits & HAS_FLAGS) outcome.flags = short();
    if (bits & HAS_REGISTERS) {
      const mask = short();
      for (let r = 0; r < 16; r++) if (mask & (1 << r)) outcome.registers[r] = long();
    }
    if (bits & HAS_VECTORS) {
      const mask = view.getUint32(at, true);
      at += 4;
      for (let r = 0; r < VECTOR_UNITS; r++) {
        if (!(mask & (1 << r))) continue;
        outcome.vectors.set(bytes.subarray(at, at + 16), 16 * r);
        at += 16;
      }
    }
    if (bits & HAS_WINDOW) {
      for (let runs = view.getUint8(at++); runs > 0; runs--) {
        const to = short();
        const length = short();
        outcome.window.set(bytes.subarray(at, at + length), to);
        at += length;
      }
    }
    yield { ...input, outcome };
  }
  if (seen !== count || at !== bytes.length)
    throw new Error(`${family}: the file holds more vectors than the cases have; make it again`);
}

export { CODE_OFFSET };
