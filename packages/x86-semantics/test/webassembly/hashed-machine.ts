/**
 * A machine whose every answer follows from a seed: memory holds at each address what a hash says until it is written,
 * ports and helpers answer hashes, and the access of a given number stops the instruction. Everything it is asked is
 * written down. Two of them with one seed, one under the evaluator and one under compiled code, must end alike.
 */
import { Abort, GuestFault, type Machine, type RegisterFile, RegisterOffset } from "../../src/index.ts";

/** 32 bits that depend on all bits of both arguments. */
export function hash(seed: number, value: number): number {
  let h = (seed ^ Math.imul(value, 0x9e37_79b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

export class HashedMachine implements Machine {
  readonly registers: RegisterFile;
  readonly data: Int32Array;
  readonly fault: GuestFault = new GuestFault();
  readonly log: string[] = [];
  readonly #written = new Map<string, number>();
  #seed = 0;
  #stopAt = -1;
  #stopStatus: number = Abort.none;
  #accesses = 0;

  constructor(registers: RegisterFile, data: Int32Array) {
    this.registers = registers;
    this.data = data;
  }

  /** @param stopAt - number of the access, from 0, that answers `stopStatus`; negative for none */
  reset(seed: number, stopAt: number, stopStatus: number): void {
    this.#seed = seed;
    this.#stopAt = stopAt;
    this.#stopStatus = stopStatus;
    this.#accesses = 0;
    this.#written.clear();
    this.log.length = 0;
    this.data.fill(0x5a5a_5a5a);
    Object.assign(this.fault, { vector: 0, errorCode: 0, cr2Low: 0, cr2High: 0 });
  }

  #status(what: string): number {
    this.log.push(what);
    if (this.#accesses++ !== this.#stopAt) return Abort.none;
    this.fault.vector = hash(this.#seed, this.#accesses) & 31;
    return this.#stopStatus;
  }

  #byteAddress(low: number, high: number, byte: number): string {
    const sum = (low >>> 0) + byte;
    return `${hex(high + (sum > 0xffff_ffff ? 1 : 0))}${hex(sum)}`;
  }

  load(segment: number, low: number, high: number, size: number, intent: number): number {
    const abort = this.#status(`load ${segment} ${hex(high)}${hex(low)} ${size} ${intent}`);
    if (abort !== Abort.none) return abort;
    this.data.fill(0, 0, Math.max(2, size >> 2));
    for (let i = 0; i < size; i++) {
      const at = this.#byteAddress(low, high, i);
      const byte = this.#written.get(at) ?? this.#initialByte(low, high, i);
      this.data[i >> 2]! |= byte << (8 * (i & 3));
    }
    return Abort.none;
  }
  #initialByte(low: number, high: number, byte: number): number {
    // Some of memory is zeros and ones throughout: results at the ends of ranges matter.
    const h = hash(hash(this.#seed, (low | 0) + byte), high);
    const kind = hash(this.#seed, (low >> 6) ^ high) & 7;
    return kind === 0 ? 0 : kind === 1 ? 0xff : h & 0xff;
  }

  store(segment: number, low: number, high: number, size: number, v: number, w: number, intent: number): number {
    const value = size === 8 ? `${hex(w)}${hex(v)}` : hex(size === 4 ? v : v & (size === 1 ? 0xff : 0xffff));
    const abort = this.#status(`store ${segment} ${hex(high)}${hex(low)} ${size} ${value} ${intent}`);
    if (abort === Abort.none) this.#write(low, high, size, [v, w]);
    return abort;
  }
  store128(segment: number, low: number, high: number, intent: number): number {
    const value = [...this.data].map(hex).join(" ");
    const abort = this.#status(`store ${segment} ${hex(high)}${hex(low)} 16 ${value} ${intent}`);
    if (abort === Abort.none) this.#write(low, high, 16, this.data);
    return abort;
  }
  #write(low: number, high: number, size: number, words: ArrayLike<number>): void {
    for (let i = 0; i < size; i++) {
      this.#written.set(this.#byteAddress(low, high, i), (words[i >> 2]! >>> (8 * (i & 3))) & 0xff);
    }
  }
  probe(segment: number, low: number, high: number, size: number, intent: number): number {
    return this.#status(`probe ${segment} ${hex(high)}${hex(low)} ${size} ${intent}`);
  }

  in(port: number, size: number): number {
    const abort = this.#status(`in ${hex(port)} ${size}`);
    if (abort !== Abort.none) return abort;
    this.data[0] = hash(this.#seed, port) & (size === 4 ? -1 : (1 << (8 * size)) - 1);
    this.data[1] = 0;
    return Abort.none;
  }
  out(port: number, size: number, value: number): number {
    return this.#status(`out ${hex(port)} ${size} ${hex(value)}`);
  }

  raise(vector: number, errorCode: number): number {
    this.log.push(`raise ${vector} ${errorCode}`);
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }

  /** Helpers of real machines change registers: this one changes RAX, RSP and the flags, so that later reads show it. */
  helper(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number {
    const second = `${hex(this.data[3]!)}${hex(this.data[2]!)}`;
    const abort = this.#status(`helper ${id} ${hex(aHigh)}${hex(aLow)} ${hex(bHigh)}${hex(bLow)} ${second}`);
    if (abort !== Abort.none) return abort;
    for (let i = 0; i < 4; i++) this.data[i] = hash(this.#seed, 1000 + 4 * id + i);
    const { words } = this.registers;
    words[RegisterOffset.general >> 2] = hash(this.#seed, 2000 + id);
    words[(RegisterOffset.general + 8 * 4) >> 2] = hash(this.#seed, 3000 + id);
    words[RegisterOffset.rflags >> 2] = hash(this.#seed, 4000 + id) & 0x3f_ffff;
    return Abort.none;
  }
}

const BOUNDARIES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Fills a register file from a seed: a third boundary values, a third small numbers, a third any bits. */
export function fillRegisters(registers: RegisterFile, seed: number): void {
  const { words } = registers;
  for (let i = 0; i < words.length; i += 2) {
    const low = hash(seed, 2 * i);
    const high = hash(seed, 2 * i + 1);
    const kind = hash(seed ^ 0x55aa, i) >>> 0;
    if (kind % 3 === 0) {
      words[i] = BOUNDARIES[(low >>> 0) % BOUNDARIES.length]!;
      words[i + 1] = BOUNDARIES[(high >>> 0) % BOUNDARIES.length]!;
    } else if (kind % 3 === 1) {
      words[i] = low & 0xff;
      words[i + 1] = 0;
    } else {
      words[i] = low;
      words[i + 1] = high;
    }
  }
}
