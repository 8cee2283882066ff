/**
 * The evaluator: runs a bound program over slots of 32-bit words, against a machine. One switch over numbers, nothing
 * allocated, no `bigint`. The case labels are literal because V8 makes a jump table of literals only; the comment at
 * each names its opcode, and a test compares the names with `opcode.ts`.
 *
 * What an instruction means is not here (`../families/`), nor how REP repeats (`../repeat/`).
 */
import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import { Opcode, STRIDE } from "./opcode.ts";
import type { Program } from "./program.ts";
import { PARITY_FLAG, shiftFlags } from "./status-flags.ts";
import type { Transfer } from "./transfer.ts";
import {
  divide64,
  divideWide,
  multiply64,
  multiplyHighSigned64,
  multiplyHighUnsigned64,
  populationCount,
  rotateLeft64,
  swapWord,
  trailingZeros,
} from "./wide-arithmetic.ts";

const RFLAGS: number = RegisterOffset.rflags >> 2;
/** CR4.LA57: linear addresses have 57 bits. */
const CR4_LA57 = 0x1000;
/** Words of slots; `binding.ts` refuses a program that needs more. */
export const SLOT_WORDS = 8192;

/**
 * Runs programs against one machine. Evaluators share nothing: a callback of the machine may run another evaluator.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Abort, Evaluator, FlatMachine, programFor, RegisterOffset } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000));
 * machine.registers.set64(RegisterOffset.general + 8 * 1, 7n); // RCX
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * new Evaluator(machine).evaluate(programFor(instruction)) === Abort.none; // true
 * machine.registers.get64(RegisterOffset.general); // 7n
 * ```
 *
 * @public
 */
export class Evaluator {
  /** The machine that programs are run against. */
  readonly machine: Machine;
  readonly #slots: Int32Array = new Int32Array(SLOT_WORDS);
  readonly #slotBytes: Uint8Array = new Uint8Array(this.#slots.buffer);
  /** The machine's, which it keeps for good: one step nearer. */
  readonly #words: Int32Array;
  readonly #halfwords: Uint16Array;
  readonly #bytes: Uint8Array;
  readonly #data: Int32Array;

  constructor(machine: Machine) {
    this.machine = machine;
    this.#words = machine.registers.words;
    this.#halfwords = machine.registers.halfwords;
    this.#bytes = machine.registers.bytes;
    this.#data = machine.data;
  }

  /**
   * Runs one instruction, or one element of a string instruction.
   *
   * @returns `Abort.none` when it is done; otherwise why it stopped, with no register and no flag changed (memory that
   * it wrote before stays written).
   */
  evaluate(program: Program): number {
    const { code, transfer } = program;
    if (transfer !== null) return this.#transfer(transfer);
    const s = this.#slots;
    const machine = this.machine;
    const words = this.#words;
    const halfwords = this.#halfwords;
    const bytes = this.#bytes;
    const data = this.#data;
    for (let pc = 0; ; pc += STRIDE) {
      const opcode = code[pc];
      switch (opcode) {
        case 0: // end
          return Abort.none;
        case 77: // unsupported
          return Abort.unsupported;
        case 1: // const32
          s[code[pc + 1]] = code[pc + 2];
          break;
        case 2: {
          // const64
          const d = code[pc + 1];
          s[d] = code[pc + 2];
          s[d + 1] = code[pc + 3];
          break;
        }
        case 3: {
          // get64
          const d = code[pc + 1];
          const r = code[pc + 2];
          s[d] = words[r];
          s[d + 1] = words[r + 1];
          break;
        }
        case 4: // get32
          s[code[pc + 1]] = words[code[pc + 2]];
          break;
        case 5: // get16
          s[code[pc + 1]] = halfwords[code[pc + 2]];
          break;
        case 6: // get8
          s[code[pc + 1]] = bytes[code[pc + 2]];
          break;
        case 7: {
          // set64
          const r = code[pc + 1];
          const a = code[pc + 2];
          words[r] = s[a];
          words[r + 1] = s[a + 1];
          break;
        }
        case 8: {
          // set32zero
          const r = code[pc + 1];
          words[r] = s[code[pc + 2]];
          words[r + 1] = 0;
          break;
        }
        case 9: // set32
          words[code[pc + 1]] = s[code[pc + 2]];
          break;
        case 10: // set16
          halfwords[code[pc + 1]] = s[code[pc + 2]];
          break;
        case 11: // set8
          bytes[code[pc + 1]] = s[code[pc + 2]];
          break;
        case 12: // getFlag
          s[code[pc + 1]] = (words[RFLAGS] >>> code[pc + 2]) & 1;
          break;
        case 13: {
          // setFlag
          const bit = code[pc + 1];
          words[RFLAGS] = (words[RFLAGS] & ~(1 << bit)) | (s[code[pc + 2]] << bit);
          break;
        }
        case 14: {
          // address64
          const d = code[pc + 1];
          const base = code[pc + 2];
          const x = words[base];
          const low = (x + code[pc + 3]) | 0;
          s[d] = low;
          s[d + 1] = words[base + 1] + code[pc + 4] + (low >>> 0 < x >>> 0 ? 1 : 0);
          break;
        }
        case 15: {
          // address64indexed
          const d = code[pc + 1];
          const base = code[pc + 2];
          const index = code[pc + 5];
          const shift = code[pc + 6];
          const indexLow = words[index];
          let low = (indexLow << shift) | 0;
          let high = (words[index + 1] << shift) | ((indexLow >>> 1) >>> (31 - shift));
          if (base >= 0) {
            const x = words[base];
            low = (low + x) | 0;
            high = (high + words[base + 1] + (low >>> 0 < x >>> 0 ? 1 : 0)) | 0;
          }
          const x = code[pc + 3];
          low = (low + x) | 0;
          s[d] = low;
          s[d + 1] = high + code[pc + 4] + (low >>> 0 < x >>> 0 ? 1 : 0);
          break;
        }
        case 16: {
          // address32
          const d = code[pc + 1];
          const base = code[pc + 2];
          const index = code[pc + 5];
          let low = code[pc + 3];
          if (base >= 0) low = (low + words[base]) | 0;
          if (index >= 0) low = (low + (words[index] << code[pc + 6])) | 0;
          s[d] = low & code[pc + 4];
          s[d + 1] = 0;
          break;
        }
        case 17: {
          // linear64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const base = code[pc + 3];
          const x = s[a];
          const low = (x + words[base]) | 0;
          s[d + 1] = s[a + 1] + words[base + 1] + (low >>> 0 < x >>> 0 ? 1 : 0);
          s[d] = low;
          break;
        }
        case 18: {
          // linear32
          const d = code[pc + 1];
          s[d] = s[code[pc + 2]] + words[code[pc + 3]];
          s[d + 1] = 0;
          break;
        }
        case 19: {
          // load8
          const a = code[pc + 2];
          const abort = machine.load(code[pc + 3], s[a], s[a + 1], 1, code[pc + 4]);
          if (abort !== 0) return abort;
          s[code[pc + 1]] = data[0] & 0xff;
          break;
        }
        case 20: {
          // load16
          const a = code[pc + 2];
          const abort = machine.load(code[pc + 3], s[a], s[a + 1], 2, code[pc + 4]);
          if (abort !== 0) return abort;
          s[code[pc + 1]] = data[0] & 0xffff;
          break;
        }
        case 21: {
          // load32
          const a = code[pc + 2];
          const abort = machine.load(code[pc + 3], s[a], s[a + 1], 4, code[pc + 4]);
          if (abort !== 0) return abort;
          s[code[pc + 1]] = data[0];
          break;
        }
        case 22: {
          // load64
          const a = code[pc + 2];
          const abort = machine.load(code[pc + 3], s[a], s[a + 1], 8, code[pc + 4]);
          if (abort !== 0) return abort;
          const d = code[pc + 1];
          s[d] = data[0];
          s[d + 1] = data[1];
          break;
        }
        case 23: {
          // load128
          const a = code[pc + 2];
          const abort = machine.load(code[pc + 3], s[a], s[a + 1], 16, code[pc + 4]);
          if (abort !== 0) return abort;
          const d = code[pc + 1];
          s[d] = data[0];
          s[d + 1] = data[1];
          s[d + 2] = data[2];
          s[d + 3] = data[3];
          break;
        }
        case 24: {
          // store8
          const b = code[pc + 2];
          const abort = machine.store(code[pc + 3], s[b], s[b + 1], 1, s[code[pc + 1]], 0, code[pc + 4]);
          if (abort !== 0) return abort;
          break;
        }
        case 25: {
          // store16
          const b = code[pc + 2];
          const abort = machine.store(code[pc + 3], s[b], s[b + 1], 2, s[code[pc + 1]], 0, code[pc + 4]);
          if (abort !== 0) return abort;
          break;
        }
        case 26: {
          // store32
          const b = code[pc + 2];
          const abort = machine.store(code[pc + 3], s[b], s[b + 1], 4, s[code[pc + 1]], 0, code[pc + 4]);
          if (abort !== 0) return abort;
          break;
        }
        case 27: {
          // store64
          const a = code[pc + 1];
          const b = code[pc + 2];
          const abort = machine.store(code[pc + 3], s[b], s[b + 1], 8, s[a], s[a + 1], code[pc + 4]);
          if (abort !== 0) return abort;
          break;
        }
        case 28: {
          // store128
          const a = code[pc + 1];
          const b = code[pc + 2];
          data[0] = s[a];
          data[1] = s[a + 1];
          data[2] = s[a + 2];
          data[3] = s[a + 3];
          const abort = machine.store128(code[pc + 3], s[b], s[b + 1], code[pc + 4]);
          if (abort !== 0) return abort;
          break;
        }
        case 29: {
          // in
          const abort = machine.in(s[code[pc + 2]], code[pc + 3]);
          if (abort !== 0) return abort;
          s[code[pc + 1]] = data[0];
          break;
        }
        case 30: {
          // out
          const abort = machine.out(s[code[pc + 2]], code[pc + 3], s[code[pc + 1]]);
          if (abort !== 0) return abort;
          break;
        }
        case 31: {
          // probe
          const a = code[pc + 1];
          const abort = machine.probe(code[pc + 2], s[a], s[a + 1], code[pc + 3], code[pc + 4]);
          if (abort !== 0) return abort;
          break;
        }
        case 32: // faultIf
          if (s[code[pc + 1]] !== 0) return machine.raise(code[pc + 2], code[pc + 3]);
          break;
        case 33: {
          // checkBranchLimit
          const a = code[pc + 1];
          if (s[a + 1] !== 0 || s[a] >>> 0 > words[code[pc + 2]] >>> 0) return machine.raise(Vector.GP, 0);
          break;
        }
        case 34: {
          // checkBranchCanonical
          const high = s[code[pc + 1] + 1];
          const shift = (words[code[pc + 2]] & CR4_LA57) !== 0 ? 7 : 16;
          if ((high << shift) >> shift !== high) return machine.raise(Vector.GP, 0);
          break;
        }
        case 35: // unless
          if (s[code[pc + 1]] === 0) pc = code[pc + 2] - STRIDE;
          break;
        case 36: {
          // call
          const abort = this.#call(code, pc);
          if (abort !== 0) return abort;
          break;
        }
        case 37: // add32
          s[code[pc + 1]] = (s[code[pc + 2]] + s[code[pc + 3]]) & code[pc + 4];
          break;
        case 38: // sub32
          s[code[pc + 1]] = (s[code[pc + 2]] - s[code[pc + 3]]) & code[pc + 4];
          break;
        case 39: // mul32
          s[code[pc + 1]] = Math.imul(s[code[pc + 2]], s[code[pc + 3]]) & code[pc + 4];
          break;
        case 40: // and32
          s[code[pc + 1]] = s[code[pc + 2]] & s[code[pc + 3]];
          break;
        case 41: // or32
          s[code[pc + 1]] = s[code[pc + 2]] | s[code[pc + 3]];
          break;
        case 42: // xor32
          s[code[pc + 1]] = s[code[pc + 2]] ^ s[code[pc + 3]];
          break;
        case 43: {
          // add64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const b = code[pc + 3];
          const x = s[a];
          const low = (x + s[b]) | 0;
          s[d + 1] = s[a + 1] + s[b + 1] + (low >>> 0 < x >>> 0 ? 1 : 0);
          s[d] = low;
          break;
        }
        case 44: {
          // sub64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const b = code[pc + 3];
          const x = s[a];
          const y = s[b];
          s[d + 1] = s[a + 1] - s[b + 1] - (x >>> 0 < y >>> 0 ? 1 : 0);
          s[d] = x - y;
          break;
        }
        case 45: {
          // and64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const b = code[pc + 3];
          s[d] = s[a] & s[b];
          s[d + 1] = s[a + 1] & s[b + 1];
          break;
        }
        case 46: {
          // or64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const b = code[pc + 3];
          s[d] = s[a] | s[b];
          s[d + 1] = s[a + 1] | s[b + 1];
          break;
        }
        case 47: {
          // xor64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const b = code[pc + 3];
          s[d] = s[a] ^ s[b];
          s[d + 1] = s[a + 1] ^ s[b + 1];
          break;
        }
        case 48: // not32
          s[code[pc + 1]] = ~s[code[pc + 2]] & code[pc + 3];
          break;
        case 49: {
          // not64
          const d = code[pc + 1];
          const a = code[pc + 2];
          s[d] = ~s[a];
          s[d + 1] = ~s[a + 1];
          break;
        }
        case 50: // shl32
          s[code[pc + 1]] = s[code[pc + 2]] << s[code[pc + 3]];
          break;
        case 51: // shr32
          s[code[pc + 1]] = s[code[pc + 2]] >>> s[code[pc + 3]];
          break;
        case 52: // sar32
          s[code[pc + 1]] = s[code[pc + 2]] >> s[code[pc + 3]];
          break;
        case 53: {
          // shl64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const n = s[code[pc + 3]] & 63;
          const low = s[a];
          if (n >= 32) {
            s[d + 1] = low << n;
            s[d] = 0;
          } else {
            s[d + 1] = (s[a + 1] << n) | ((low >>> 1) >>> (31 - n));
            s[d] = low << n;
          }
          break;
        }
        case 54: {
          // shr64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const n = s[code[pc + 3]] & 63;
          const high = s[a + 1];
          if (n >= 32) {
            s[d] = high >>> n;
            s[d + 1] = 0;
          } else {
            s[d] = (s[a] >>> n) | ((high << 1) << (31 - n));
            s[d + 1] = high >>> n;
          }
          break;
        }
        case 55: {
          // sar64
          const d = code[pc + 1];
          const a = code[pc + 2];
          const n = s[code[pc + 3]] & 63;
          const high = s[a + 1];
          if (n >= 32) {
            s[d] = high >> n;
            s[d + 1] = high >> 31;
          } else {
            s[d] = (s[a] >>> n) | ((high << 1) << (31 - n));
            s[d + 1] = high >> n;
          }
          break;
        }
        case 56: // equal32
          s[code[pc + 1]] = s[code[pc + 2]] === s[code[pc + 3]] ? 1 : 0;
          break;
        case 57: {
          // equal64
          const a = code[pc + 2];
          const b = code[pc + 3];
          s[code[pc + 1]] = s[a] === s[b] && s[a + 1] === s[b + 1] ? 1 : 0;
          break;
        }
        case 58: // less32
          s[code[pc + 1]] = s[code[pc + 2]] >>> 0 < s[code[pc + 3]] >>> 0 ? 1 : 0;
          break;
        case 59: {
          // less64
          const a = code[pc + 2];
          const b = code[pc + 3];
          const x = s[a + 1];
          const y = s[b + 1];
          s[code[pc + 1]] = (x === y ? s[a] >>> 0 < s[b] >>> 0 : x >>> 0 < y >>> 0) ? 1 : 0;
          break;
        }
        case 60: {
          // signedLess32
          const shift = code[pc + 4];
          s[code[pc + 1]] = s[code[pc + 2]] << shift < s[code[pc + 3]] << shift ? 1 : 0;
          break;
        }
        case 61: {
          // signedLess64
          const a = code[pc + 2];
          const b = code[pc + 3];
          const x = s[a + 1];
          const y = s[b + 1];
          s[code[pc + 1]] = (x === y ? s[a] >>> 0 < s[b] >>> 0 : x < y) ? 1 : 0;
          break;
        }
        case 62: {
          // zeroExtend64
          const d = code[pc + 1];
          s[d] = s[code[pc + 2]];
          s[d + 1] = 0;
          break;
        }
        case 63: // mask32
          s[code[pc + 1]] = s[code[pc + 2]] & code[pc + 3];
          break;
        case 64: // signExtend32
          s[code[pc + 1]] = ((s[code[pc + 2]] << code[pc + 3]) >> code[pc + 3]) & code[pc + 4];
          break;
        case 65: {
          // signExtend64
          const d = code[pc + 1];
          const value = (s[code[pc + 2]] << code[pc + 3]) >> code[pc + 3];
          s[d] = value;
          s[d + 1] = value >> 31;
          break;
        }
        case 66: // select32
          s[code[pc + 1]] = s[code[pc + 2]] !== 0 ? s[code[pc + 3]] : s[code[pc + 4]];
          break;
        case 67: {
          // select64
          const d = code[pc + 1];
          const a = s[code[pc + 2]] !== 0 ? code[pc + 3] : code[pc + 4];
          s[d] = s[a];
          s[d + 1] = s[a + 1];
          break;
        }
        case 68: {
          // select128
          const d = code[pc + 1];
          const a = s[code[pc + 2]] !== 0 ? code[pc + 3] : code[pc + 4];
          s.copyWithin(d, a, a + 4);
          break;
        }
        case 69: // parity
          s[code[pc + 1]] = PARITY_FLAG[s[code[pc + 2]] & 0xff] >>> 2;
          break;
        case 70: {
          // flagsAdd32
          const x = s[code[pc + 1]];
          const y = s[code[pc + 2]];
          const r = s[code[pc + 3]];
          const shift = code[pc + 4];
          const mask = code[pc + 5];
          const flags =
            ((((x & y) | ((x | y) & ~r)) << shift) >>> 31) |
            PARITY_FLAG[r & 0xff] |
            ((x ^ y ^ r) & 0x10) |
            (r === 0 ? 0x40 : 0) |
            (((r << shift) >>> 24) & 0x80) |
            (((((x ^ r) & (y ^ r)) << shift) >>> 20) & 0x800);
          words[RFLAGS] = (words[RFLAGS] & ~mask) | (flags & mask);
          break;
        }
        case 71: {
          // flagsSub32
          const x = s[code[pc + 1]];
          const y = s[code[pc + 2]];
          const r = s[code[pc + 3]];
          const shift = code[pc + 4];
          const mask = code[pc + 5];
          const flags =
            ((((~x & y) | ((~x | y) & r)) << shift) >>> 31) |
            PARITY_FLAG[r & 0xff] |
            ((x ^ y ^ r) & 0x10) |
            (r === 0 ? 0x40 : 0) |
            (((r << shift) >>> 24) & 0x80) |
            (((((x ^ y) & (x ^ r)) << shift) >>> 20) & 0x800);
          words[RFLAGS] = (words[RFLAGS] & ~mask) | (flags & mask);
          break;
        }
        case 72: {
          // flagsLogic32
          const r = s[code[pc + 1]];
          const mask = code[pc + 3];
          const flags = PARITY_FLAG[r & 0xff] | (r === 0 ? 0x40 : 0) | (((r << code[pc + 2]) >>> 24) & 0x80);
          words[RFLAGS] = (words[RFLAGS] & ~mask) | (flags & mask);
          break;
        }
        case 73: {
          // flagsAdd64
          const a = code[pc + 1];
          const b = code[pc + 2];
          const c = code[pc + 3];
          const mask = code[pc + 4];
          const x = s[a + 1];
          const y = s[b + 1];
          const r = s[c + 1];
          const low = s[c];
          const flags =
            (((x & y) | ((x | y) & ~r)) >>> 31) |
            PARITY_FLAG[low & 0xff] |
            ((s[a] ^ s[b] ^ low) & 0x10) |
            ((low | r) === 0 ? 0x40 : 0) |
            ((r >>> 24) & 0x80) |
            ((((x ^ r) & (y ^ r)) >>> 20) & 0x800);
          words[RFLAGS] = (words[RFLAGS] & ~mask) | (flags & mask);
          break;
        }
        case 74: {
          // flagsSub64
          const a = code[pc + 1];
          const b = code[pc + 2];
          const c = code[pc + 3];
          const mask = code[pc + 4];
          const x = s[a + 1];
          const y = s[b + 1];
          const r = s[c + 1];
          const low = s[c];
          const flags =
            (((~x & y) | ((~x | y) & r)) >>> 31) |
            PARITY_FLAG[low & 0xff] |
            ((s[a] ^ s[b] ^ low) & 0x10) |
            ((low | r) === 0 ? 0x40 : 0) |
            ((r >>> 24) & 0x80) |
            ((((x ^ y) & (x ^ r)) >>> 20) & 0x800);
          words[RFLAGS] = (words[RFLAGS] & ~mask) | (flags & mask);
          break;
        }
        case 75: {
          // flagsLogic64
          const c = code[pc + 1];
          const mask = code[pc + 2];
          const low = s[c];
          const r = s[c + 1];
          const flags = PARITY_FLAG[low & 0xff] | ((low | r) === 0 ? 0x40 : 0) | ((r >>> 24) & 0x80);
          words[RFLAGS] = (words[RFLAGS] & ~mask) | (flags & mask);
          break;
        }
        case 76: {
          // flagsShift
          const count = s[code[pc + 2]];
          if (count !== 0) words[RFLAGS] = shiftFlags(s, words[RFLAGS], code, pc, count);
          break;
        }
        default:
          this.#rare(opcode, code, pc);
      }
    }
  }

  /** The whole of a program that is a {@link Transfer}. */
  #transfer(transfer: Transfer): number {
    const { baseWord, displacementLow, displacementHigh } = transfer;
    const words = this.#words;
    const base = words[baseWord];
    const low = (base + displacementLow) | 0;
    const high = (words[baseWord + 1] + displacementHigh + (low >>> 0 < base >>> 0 ? 1 : 0)) | 0;
    if (!transfer.isLoad) return this.#transferOut(transfer, low, high);
    const abort = this.machine.load(transfer.segment, low, high, transfer.size, transfer.intent);
    if (abort === Abort.none) this.#receive(transfer.place, transfer.low);
    return abort;
  }

  /** Takes what a load brought to a register. */
  #receive(place: number, index: number): void {
    const words = this.#words;
    const data = this.#data;
    switch (place) {
      case Opcode.set64:
        words[index] = data[0];
        words[index + 1] = data[1];
        break;
      case Opcode.set32zero:
        words[index] = data[0];
        words[index + 1] = 0;
        break;
      case Opcode.set16:
        this.#halfwords[index] = data[0];
        break;
      default:
        this.#bytes[index] = data[0];
    }
  }

  #transferOut(transfer: Transfer, addressLow: number, addressHigh: number): number {
    let { low, high } = transfer;
    switch (transfer.place) {
      case Opcode.get64:
        high = this.#words[low + 1];
        low = this.#words[low];
        break;
      case Opcode.get32:
        low = this.#words[low];
        break;
      case Opcode.get16:
        low = this.#halfwords[low];
        break;
      case Opcode.get8:
        low = this.#bytes[low];
        break;
      default:
    }
    return this.machine.store(transfer.segment, addressLow, addressHigh, transfer.size, low, high, transfer.intent);
  }

  #call(code: Int32Array, pc: number): number {
    const s = this.#slots;
    const machine = this.machine;
    const data = machine.data;
    const d = code[pc + 1];
    const a = code[pc + 3];
    const b = code[pc + 4];
    const c = code[pc + 5];
    data[2] = c >= 0 ? s[c] : code[pc + 6];
    data[3] = c >= 0 ? s[c + 1] : code[pc + 7];
    const abort = machine.helper(
      code[pc + 2],
      a >= 0 ? s[a] : 0,
      a >= 0 ? s[a + 1] : 0,
      b >= 0 ? s[b] : 0,
      b >= 0 ? s[b + 1] : 0,
    );
    for (let i = 0; i < 4; i++) s[d + i] = data[i];
    return abort;
  }

  /** The rarer operations: apart, so that the function above stays small enough for V8 to optimise well. */
  #rare(opcode: number, code: Int32Array, pc: number): void {
    const s = this.#slots;
    const words = this.machine.registers.words;
    const d = code[pc + 1];
    const a = code[pc + 2];
    const b = code[pc + 3];
    switch (opcode) {
      case 80: // mul64
        multiply64(s, d, a, b);
        break;
      case 81: // mulHighUnsigned64
        multiplyHighUnsigned64(s, d, a, b);
        break;
      case 82: // mulHighSigned64
        multiplyHighSigned64(s, d, a, b);
        break;
      case 83: // divide32
        s[d] = (s[a] >>> 0) / (s[b] >>> 0);
        break;
      case 84: // remainder32
        s[d] = (s[a] >>> 0) % (s[b] >>> 0);
        break;
      case 85: // divide64
        divide64(s, d, a, b, false);
        break;
      case 86: // remainder64
        divide64(s, d, a, b, true);
        break;
      case 87: // divideWide
        divideWide(s, d, a, b, code[pc + 4], false);
        break;
      case 88: // remainderWide
        divideWide(s, d, a, b, code[pc + 4], true);
        break;
      case 89: // rotl32
        s[d] = (s[a] << s[b]) | (s[a] >>> -s[b]);
        break;
      case 90: // rotr32
        s[d] = (s[a] >>> s[b]) | (s[a] << -s[b]);
        break;
      case 91: // rotl64
        rotateLeft64(s, d, a, s[b] & 63);
        break;
      case 92: // rotr64
        rotateLeft64(s, d, a, -s[b] & 63);
        break;
      case 93: // bswap16
        s[d] = ((s[a] & 0xff) << 8) | ((s[a] >>> 8) & 0xff);
        break;
      case 94: // bswap32
        s[d] = swapWord(s[a]);
        break;
      case 95: {
        // bswap64
        const low = swapWord(s[a + 1]);
        s[d + 1] = swapWord(s[a]);
        s[d] = low;
        break;
      }
      case 96: // clz32
        s[d] = Math.clz32(s[a]);
        break;
      case 97: {
        // clz64
        const high = s[a + 1];
        s[d] = high !== 0 ? Math.clz32(high) : 32 + Math.clz32(s[a]);
        s[d + 1] = 0;
        break;
      }
      case 98: // ctz32
        s[d] = trailingZeros(s[a]);
        break;
      case 99: {
        // ctz64
        const low = s[a];
        s[d] = low !== 0 ? trailingZeros(low) : 32 + trailingZeros(s[a + 1]);
        s[d + 1] = 0;
        break;
      }
      case 100: // popcnt32
        s[d] = populationCount(s[a]);
        break;
      case 101: {
        // popcnt64
        s[d] = populationCount(s[a]) + populationCount(s[a + 1]);
        s[d + 1] = 0;
        break;
      }
      case 102: // const128
        for (let i = 0; i < 4; i++) s[d + i] = code[pc + 2 + i];
        break;
      case 103: // get128
        for (let i = 0; i < 4; i++) s[d + i] = words[a + i];
        break;
      case 104: // set128
        for (let i = 0; i < 4; i++) words[d + i] = s[a + i];
        break;
      case 105: // and128
        for (let i = 0; i < 4; i++) s[d + i] = s[a + i] & s[b + i];
        break;
      case 106: // or128
        for (let i = 0; i < 4; i++) s[d + i] = s[a + i] | s[b + i];
        break;
      case 107: // xor128
        for (let i = 0; i < 4; i++) s[d + i] = s[a + i] ^ s[b + i];
        break;
      case 109: // not128
        for (let i = 0; i < 4; i++) s[d + i] = ~s[a + i];
        break;
      case 110: {
        // lane
        s[d + 1] = 0;
        s[d] = 0;
        const slotBytes = this.#slotBytes;
        for (let i = 0; i < code[pc + 4]; i++) slotBytes[4 * d + i] = slotBytes[4 * a + b + i];
        break;
      }
      case 111: {
        // withLane
        const slotBytes = this.#slotBytes;
        s.copyWithin(d, a, a + 4);
        const value = code[pc + 5];
        for (let i = 0; i < code[pc + 4]; i++) slotBytes[4 * d + b + i] = slotBytes[4 * value + i];
        break;
      }
      case 112: {
        // shuffle
        const slotBytes = this.#slotBytes;
        for (let i = 0; i < 16; i++) {
          const from = (code[pc + 4 + (i >> 2)] >>> ((i & 3) << 3)) & 31;
          slotBytes[4 * d + i] = slotBytes[from < 16 ? 4 * a + from : 4 * b + from - 16];
        }
        break;
      }
      case 113: {
        // zeroExtend128
        const count = code[pc + 3];
        for (let i = 0; i < 4; i++) s[d + i] = i < count ? s[a + i] : 0;
        break;
      }
      default:
        throw new RangeError(`no such operation: ${opcode} (of ${Object.keys(Opcode).length})`);
    }
  }
}
