// How the tried instructions are encoded: prefixes, ModRM of two registers and of one memory operand, in all modes.
import { base, RBX, RCX, RDX, RSI } from "./state.js";

/** @typedef {(state: import("./state.js").State, random: import("./random.js").Random) => void} Prepare */
/**
 * @typedef {object} Case
 * @property {16 | 32 | 64} mode
 * @property {number[]} code
 * @property {boolean} memory the operand is [rbx + rsi - 8]
 * @property {Prepare} [prepare] what the inputs must keep to
 * @property {number} [count] vectors of this case, instead of the default number
 */

/** @typedef {16 | 32 | 64} Mode */
/** @typedef {1 | 2 | 4 | 8} Size */

/** Modes and operand sizes that exist together. @type {readonly [Mode, Size][]} */
export const MODES = [
  [64, 1],
  [64, 2],
  [64, 4],
  [64, 8],
  [32, 1],
  [32, 2],
  [32, 4],
  [16, 1],
  [16, 2],
  [16, 4],
];
export const WORDS = MODES.filter(([, size]) => size > 1);
export const LONG = MODES.filter(([mode]) => mode === 64);
export const LONG_WORDS = WORDS.filter(([mode]) => mode === 64);

/** Prefixes that choose the operand size. @param {Mode} mode @param {Size} size */
export function prefixes(mode, size) {
  if (size === 8) return [0x48];
  if (size === 2) return mode === 16 ? [] : [0x66];
  if (size === 4) return mode === 16 ? [0x66] : [];
  return [];
}

/** ModRM of a register operand. @param {number} reg @param {number} rm */
export const registers = (reg, rm) => [0xc0 | (reg << 3) | rm];
/** ModRM of the memory operand. @param {Mode} mode @param {number} reg */
export const memory = (mode, reg) => (mode === 16 ? [0x40 | (reg << 3), 0xf8] : [0x44 | (reg << 3), 0x33, 0xf8]);

/** Little-endian bytes. @param {number} value @param {number} size */
export const bytes = (value, size) =>
  Array.from({ length: size }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 0xff : value < 0 ? 0xff : 0));

/**
 * A ModRM instruction on registers and on memory.
 *
 * @param {readonly (readonly [Mode, Size])[]} modes
 * @param {(size: Size) => number[]} opcode
 * @param {{ reg?: number, rm?: number, immediate?: (size: Size) => number[], prepare?: Prepare, lock?: boolean, only?: "registers" | "memory", prefix?: number[], count?: number }} [more]
 * @returns {Case[]}
 */
export function modrm(modes, opcode, more = {}) {
  const { reg = RDX, rm = RCX, immediate = () => [], prepare, lock = false, only, prefix = [], count } = more;
  return modes.flatMap(([mode, size]) => {
    const extra = { ...(prepare ? { prepare } : {}), ...(count ? { count } : {}) };
    // A mandatory prefix stands before REX, but after 66.
    const sized = prefixes(mode, size);
    const rex = sized[0] === 0x48;
    const head = rex ? [...prefix, ...sized, ...opcode(size)] : [...sized, ...prefix, ...opcode(size)];
    /** @type {Case[]} */
    const result = [];
    if (only !== "memory")
      result.push({ mode, code: [...head, ...registers(reg, rm), ...immediate(size)], memory: false, ...extra });
    if (only !== "registers") {
      const code = [...head, ...memory(mode, reg), ...immediate(size)];
      result.push({ mode, code, memory: true, ...extra });
      if (lock) result.push({ mode, code: [0xf0, ...code], memory: true, ...extra });
    }
    return result;
  });
}

/** Instructions without ModRM. @param {readonly Mode[]} modes @param {number[]} code @param {Partial<Case>} [more] @returns {Case[]} */
export const plain = (modes, code, more = {}) => modes.map((mode) => ({ mode, code, memory: false, ...more }));

/** An opcode whose low bit says byte or word. @param {number[]} opcode @returns {(size: Size) => number[]} */
export const byteOrWord =
  (...opcode) =>
  (size) => [...opcode.slice(0, -1), /** @type {number} */ (opcode.at(-1)) | (size > 1 ? 1 : 0)];
/** @param {number[]} opcode */
export const always =
  (...opcode) =>
  () =>
    opcode;

/** Where in the window the memory operand lies. @param {import("./state.js").State} state */
export function operandAt(state) {
  const offset =
    Number(BigInt.asUintN(32, state.registers[RBX] ?? 0n)) + Number(BigInt.asUintN(16, state.registers[RSI] ?? 0n)) - 8;
  for (const mode of [64, 16]) {
    const at = offset - base(mode);
    if (at >= 0 && at < 0x180) return at;
  }
  return null;
}
