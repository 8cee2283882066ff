/**
 * Programs that do nothing but move one value between memory at base + displacement and a register, or from an immediate
 * into memory: nearly every access to a device register. They are recognised by their code, whatever their mnemonic, and
 * the evaluator takes them in one step instead of four (measured: some 15 ns less of the 90 that an emulated exit cost).
 */
import { Opcode, STRIDE } from "./opcode.ts";

/**
 * The arguments of such a program, each by its name. The code remains what the instruction means.
 *
 * @public
 */
export interface Transfer {
  /** From memory into a register; else from a register or an immediate into memory. */
  readonly isLoad: boolean;
  /** Index of the low word of the address's base register among the register file's words. */
  readonly baseWord: number;
  /** Bits 31..0 of what is added to the base, as a signed number. */
  readonly displacementLow: number;
  /** Bits 63..32 of it. */
  readonly displacementHigh: number;
  /** The segment of the access, a {@link Segment}. */
  readonly segment: number;
  /** What the access is for, an {@link Intent}. */
  readonly intent: number;
  /** Bytes in memory: 1, 2, 4 or 8. */
  readonly size: number;
  /** The opcode that takes the value to or from its place: `set…` of a load, `get…` or `const…` of a store. */
  readonly place: number;
  /** Index of the register, as that opcode has it; or bits 31..0 of the immediate. */
  readonly low: number;
  /** Bits 63..32 of the immediate. */
  readonly high: number;
}

/** Accesses by opcode: bytes, and the opcodes that may take the value to or from its place. */
const LOADS: ReadonlyMap<number, { readonly size: number; readonly places: readonly number[] }> = new Map([
  [Opcode.load8, { size: 1, places: [Opcode.set8, Opcode.set32zero] }],
  [Opcode.load16, { size: 2, places: [Opcode.set16, Opcode.set32zero] }],
  [Opcode.load32, { size: 4, places: [Opcode.set32zero] }],
  [Opcode.load64, { size: 8, places: [Opcode.set64] }],
]);
const STORES: ReadonlyMap<number, { readonly size: number; readonly places: readonly number[] }> = new Map([
  [Opcode.store8, { size: 1, places: [Opcode.get8, Opcode.const32] }],
  [Opcode.store16, { size: 2, places: [Opcode.get16, Opcode.const32] }],
  [Opcode.store32, { size: 4, places: [Opcode.get32, Opcode.const32] }],
  [Opcode.store64, { size: 8, places: [Opcode.get64, Opcode.const64] }],
]);

/** The transfer that a program's code is, or null. */
export function transferOf(code: Int32Array): Transfer | null {
  if (code.length !== 4 * STRIDE || code[3 * STRIDE] !== Opcode.end) return null;
  const load = LOADS.get(code[STRIDE]);
  // address64 d …; load d', d …; set …, d'
  if (load?.places.includes(code[2 * STRIDE]) && code[0] === Opcode.address64) {
    const linked = code[STRIDE + 2] === code[1] && code[2 * STRIDE + 2] === code[STRIDE + 1];
    return linked ? transferAt(code, STRIDE, load.size, 0, 2 * STRIDE) : null;
  }
  const store = STORES.get(code[2 * STRIDE]);
  // get d …; address64 d' …; store d, d' …
  if (store?.places.includes(code[0]) && code[STRIDE] === Opcode.address64) {
    const linked = code[2 * STRIDE + 1] === code[1] && code[2 * STRIDE + 2] === code[STRIDE + 1];
    return linked ? transferAt(code, 2 * STRIDE, store.size, STRIDE, 0) : null;
  }
  return null;
}

/** Puts the arguments together; `access`, `address` and `place` are where those operations stand in the code. */
function transferAt(code: Int32Array, access: number, size: number, address: number, place: number): Transfer {
  const isLoad = LOADS.has(code[access]);
  return {
    isLoad,
    baseWord: code[address + 2],
    displacementLow: code[address + 3],
    displacementHigh: code[address + 4],
    segment: code[access + 3],
    intent: code[access + 4],
    size,
    place: code[place],
    // set: index, value; get: value, index; const: value, low, high
    low: isLoad ? code[place + 1] : code[place + 2],
    high: isLoad ? 0 : code[place + 3],
  };
}
