/**
 * Runs of string elements inside one page: one translation for each side, then one physical access for each element.
 * Written by hand because nothing that goes through the IR comes near it (`README.md`, Speed). Elements that straddle a
 * page, a segment limit or the end of the address space are the driver's, one at a time.
 */
import type { Program, StringOperation } from "../evaluator/program.ts";
import { PARITY_FLAG } from "../evaluator/status-flags.ts";
import { Flag, STATUS_FLAGS } from "../ir/flag.ts";
import { Abort, type BulkMachine, Intent, type SpanMachine } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";

const RFLAGS: number = RegisterOffset.rflags >> 2;
/** A transfer at once has checks of its own; below this many elements, at some 4 ns each, it is not worth a call. */
const BULK_ELEMENTS = 4;
const [RAX, RCX, RDX, RSI, RDI] = [0, 2, 4, 12, 14] as const;

/** The count register; a count of 2^32 or more is answered as a double, exact enough to compare. */
export function countOf(words: Int32Array, addressSize: number): number {
  const low = words[RCX] >>> 0;
  if (addressSize === 2) return low & 0xffff;
  return addressSize === 4 ? low : low + (words[RCX + 1] >>> 0) * 0x1_0000_0000;
}

/** Takes `elements` off the count register. */
export function reduceCount(words: Int32Array, addressSize: number, elements: number): void {
  if (elements !== 0) move(words, RCX, addressSize, -elements);
}

/** Adds a small number to an index or count register: 16 bits keep the rest, 32 bits clear the upper half. */
function move(words: Int32Array, register: number, addressSize: number, by: number): void {
  const low = words[register];
  const sum = (low + by) | 0;
  if (addressSize === 2) {
    words[register] = (low & ~0xffff) | (sum & 0xffff);
  } else if (addressSize === 4) {
    words[register] = sum;
    words[register + 1] = 0;
  } else {
    const carry = by >= 0 ? (sum >>> 0 < low >>> 0 ? 1 : 0) : sum >>> 0 > low >>> 0 ? -1 : 0;
    words[register] = sum;
    words[register + 1] += carry;
  }
}

export class StringSpans {
  /** Elements that the last run finished; rSI, rDI, rAX and the flags are as after them, rCX is not yet reduced. */
  completed = 0;
  /** The host asked to stop after the last element. It has been asked after each one. */
  yielded = false;
  readonly #machine: SpanMachine;
  /** The machine, where it moves many elements at once; not while the host is to be asked between elements. */
  readonly #bulk: BulkMachine | null;
  readonly #shouldYield: (() => boolean) | null;
  #size = 1;
  #addressSize = 8;
  #down = false;
  /** Elements that the spans asked for so far in this run have room for. */
  #room = 0;

  constructor(machine: SpanMachine, shouldYield: (() => boolean) | null) {
    this.#machine = machine;
    this.#shouldYield = shouldYield;
    this.#bulk = "moveSpan" in machine && shouldYield === null ? (machine as BulkMachine) : null;
  }

  /**
   * Runs up to `budget` elements, as many as lie in the current page of each side. No element at all and `Abort.none`:
   * the next element straddles a boundary.
   */
  run(program: Program, string: StringOperation, budget: number): Abort {
    const words = this.#machine.registers.words;
    this.completed = 0;
    this.yielded = false;
    this.#size = string.size;
    this.#addressSize = string.addressSize;
    this.#down = (words[RFLAGS] & Flag.DF) !== 0;
    this.#room = budget;
    const long = program.mode === 64;
    switch (string.kind) {
      case "stos":
        return this.#stos(long);
      case "movs":
        return this.#movs(long, string.segment);
      case "lods":
        return this.#lods(long, string.segment);
      case "ins":
        return this.#ins(long);
      case "outs":
        return this.#outs(long, string.segment);
      case "scas":
        return this.#scas(long, string.repeat === 0xf3);
      case "cmps":
        return this.#cmps(long, string.segment, string.repeat === 0xf3);
    }
  }

  /**
   * Asks the machine for the span at an index register and lowers `#room` to what it holds. `spanAddress` of the machine is
   * where it starts.
   */
  #span(long: boolean, segment: number, register: number, intent: number): Abort {
    const machine = this.#machine;
    const words = machine.registers.words;
    const size = this.#size;
    let low = words[register];
    let high = 0;
    if (this.#addressSize === 8) {
      high = words[register + 1];
    } else {
      // Elements up to where the offset wraps around.
      const end = this.#addressSize === 2 ? 0x1_0000 : 0x1_0000_0000;
      const offset = this.#addressSize === 2 ? low & 0xffff : low >>> 0;
      const fitting = Math.floor((this.#down ? offset + size : end - offset) / size);
      if (offset + size > end) {
        this.#room = 0;
        return Abort.none;
      }
      if (fitting < this.#room) this.#room = fitting;
      low = offset | 0;
    }
    if (!long || segment >= Segment.fs) {
      const base = (RegisterOffset.segments + 16 * segment) >> 2;
      const sum = (low + words[base]) | 0;
      high = long ? high + words[base + 1] + (sum >>> 0 < low >>> 0 ? 1 : 0) : 0;
      low = sum;
    }
    const abort = machine.span(segment, low, high | 0, size, intent, this.#down);
    if (abort === Abort.none && machine.spanElements < this.#room) this.#room = machine.spanElements;
    return abort as Abort;
  }

  /** The machine for a run of this span at once, or null: only upwards, and only where it is worth a call. */
  #bulkFor(room: number): BulkMachine | null {
    return this.#down || room < BULK_ELEMENTS ? null : this.#bulk;
  }

  get #step(): number {
    return this.#down ? -this.#size : this.#size;
  }

  /** Notes `elements` as done and moves an index register past them. */
  #advance(register: number, elements: number): void {
    this.completed = elements;
    move(this.#machine.registers.words, register, this.#addressSize, elements * this.#step);
  }

  /** Notes what a bulk transfer did; false when it did nothing and the elements have to go one by one. */
  #finishBulk(abort: Abort, register: number): boolean {
    const elements = (this.#bulk as BulkMachine).bulkElements;
    this.#advance(register, elements);
    return elements > 0 || abort !== Abort.none;
  }

  #stos(long: boolean): Abort {
    const machine = this.#machine;
    const words = machine.registers.words;
    const poll = this.#shouldYield;
    let abort = this.#span(long, Segment.es, RDI, Intent.write);
    if (abort !== Abort.none) return abort;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    const low = size === 1 ? words[RAX] & 0xff : size === 2 ? words[RAX] & 0xffff : words[RAX];
    const high = size === 8 ? words[RAX + 1] : 0;
    let address = machine.spanAddress;
    const bulk = this.#bulkFor(room);
    if (bulk !== null) {
      bulk.bulkTarget = address;
      abort = bulk.fillSpan(size, room, low, high) as Abort;
      if (this.#finishBulk(abort, RDI)) return abort;
    }
    let i = 0;
    while (i < room) {
      abort = machine.storePhysical(address, size, low, high) as Abort;
      if (abort !== Abort.none) break;
      address += step;
      i++;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    this.#advance(RDI, i);
    return abort;
  }

  #movs(long: boolean, segment: number): Abort {
    const machine = this.#machine;
    const { data } = machine;
    const poll = this.#shouldYield;
    let abort = this.#span(long, segment, RSI, Intent.read);
    if (abort !== Abort.none || this.#room === 0) return abort;
    let source = machine.spanAddress;
    abort = this.#span(long, Segment.es, RDI, Intent.write);
    if (abort !== Abort.none) return abort;
    let target = machine.spanAddress;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    const bulk = this.#bulkFor(room);
    // A target just above the source repeats what the first elements brought: that has to go one by one.
    if (bulk !== null && (target <= source || target >= source + room * size)) {
      bulk.bulkSource = source;
      bulk.bulkTarget = target;
      abort = bulk.moveSpan(size, room) as Abort;
      if (this.#finishBulk(abort, RSI)) {
        this.#advance(RDI, this.completed);
        return abort;
      }
    }
    let i = 0;
    while (i < room) {
      abort = machine.loadPhysical(source, size) as Abort;
      if (abort !== Abort.none) break;
      abort = machine.storePhysical(target, size, data[0], data[1]) as Abort;
      if (abort !== Abort.none) break;
      source += step;
      target += step;
      i++;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    this.#advance(RSI, i);
    this.#advance(RDI, i);
    return abort;
  }

  #lods(long: boolean, segment: number): Abort {
    const machine = this.#machine;
    const { data } = machine;
    const words = machine.registers.words;
    const poll = this.#shouldYield;
    let abort = this.#span(long, segment, RSI, Intent.read);
    if (abort !== Abort.none) return abort;
    let source = machine.spanAddress;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    let low = 0;
    let high = 0;
    let i = 0;
    while (i < room) {
      abort = machine.loadPhysical(source, size) as Abort;
      if (abort !== Abort.none) break;
      low = data[0];
      high = data[1];
      source += step;
      i++;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    if (i > 0) {
      if (size === 1) words[RAX] = (words[RAX] & ~0xff) | (low & 0xff);
      else if (size === 2) words[RAX] = (words[RAX] & ~0xffff) | (low & 0xffff);
      else {
        words[RAX] = low;
        words[RAX + 1] = size === 8 ? high : 0;
      }
    }
    this.#advance(RSI, i);
    return abort;
  }

  #ins(long: boolean): Abort {
    const machine = this.#machine;
    const { data } = machine;
    const poll = this.#shouldYield;
    let abort = this.#span(long, Segment.es, RDI, Intent.write);
    if (abort !== Abort.none) return abort;
    const port = machine.registers.words[RDX] & 0xffff;
    let target = machine.spanAddress;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    const bulk = this.#bulkFor(room);
    if (bulk !== null) {
      bulk.bulkTarget = target;
      abort = bulk.inSpan(port, size, room) as Abort;
      if (this.#finishBulk(abort, RDI)) return abort;
    }
    let i = 0;
    while (i < room) {
      abort = machine.in(port, size) as Abort;
      if (abort !== Abort.none) break;
      abort = machine.storePhysical(target, size, data[0], 0) as Abort;
      if (abort !== Abort.none) break;
      target += step;
      i++;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    this.#advance(RDI, i);
    return abort;
  }

  #outs(long: boolean, segment: number): Abort {
    const machine = this.#machine;
    const { data } = machine;
    const poll = this.#shouldYield;
    let abort = this.#span(long, segment, RSI, Intent.read);
    if (abort !== Abort.none) return abort;
    const port = machine.registers.words[RDX] & 0xffff;
    let source = machine.spanAddress;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    const bulk = this.#bulkFor(room);
    if (bulk !== null) {
      bulk.bulkSource = source;
      abort = bulk.outSpan(port, size, room) as Abort;
      if (this.#finishBulk(abort, RSI)) return abort;
    }
    let i = 0;
    while (i < room) {
      abort = machine.loadPhysical(source, size) as Abort;
      if (abort !== Abort.none) break;
      abort = machine.out(port, size, data[0]) as Abort;
      if (abort !== Abort.none) break;
      source += step;
      i++;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    this.#advance(RSI, i);
    return abort;
  }

  #scas(long: boolean, whileEqual: boolean): Abort {
    const machine = this.#machine;
    const { data } = machine;
    const words = machine.registers.words;
    const poll = this.#shouldYield;
    let abort = this.#span(long, Segment.es, RDI, Intent.read);
    if (abort !== Abort.none) return abort;
    let target = machine.spanAddress;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    const mask = wordMask(size);
    const low = words[RAX] & mask;
    const high = size === 8 ? words[RAX + 1] : 0;
    let otherLow = 0;
    let otherHigh = 0;
    let i = 0;
    while (i < room) {
      abort = machine.loadPhysical(target, size) as Abort;
      if (abort !== Abort.none) break;
      otherLow = data[0] & mask;
      otherHigh = size === 8 ? data[1] : 0;
      target += step;
      i++;
      if ((low === otherLow && high === otherHigh) !== whileEqual) break;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    if (i > 0) setCompareFlags(words, size, low, high, otherLow, otherHigh);
    this.#advance(RDI, i);
    return abort;
  }

  #cmps(long: boolean, segment: number, whileEqual: boolean): Abort {
    const machine = this.#machine;
    const { data } = machine;
    const words = machine.registers.words;
    const poll = this.#shouldYield;
    let abort = this.#span(long, segment, RSI, Intent.read);
    if (abort !== Abort.none || this.#room === 0) return abort;
    let source = machine.spanAddress;
    abort = this.#span(long, Segment.es, RDI, Intent.read);
    if (abort !== Abort.none) return abort;
    let target = machine.spanAddress;
    const size = this.#size;
    const step = this.#step;
    const room = this.#room;
    const mask = wordMask(size);
    let [low, high, otherLow, otherHigh] = [0, 0, 0, 0];
    let i = 0;
    while (i < room) {
      abort = machine.loadPhysical(source, size) as Abort;
      if (abort !== Abort.none) break;
      const sourceLow = data[0] & mask;
      const sourceHigh = size === 8 ? data[1] : 0;
      abort = machine.loadPhysical(target, size) as Abort;
      if (abort !== Abort.none) break;
      otherLow = data[0] & mask;
      otherHigh = size === 8 ? data[1] : 0;
      low = sourceLow;
      high = sourceHigh;
      source += step;
      target += step;
      i++;
      if ((low === otherLow && high === otherHigh) !== whileEqual) break;
      if (poll?.()) {
        this.yielded = true;
        break;
      }
    }
    if (i > 0) setCompareFlags(words, size, low, high, otherLow, otherHigh);
    this.#advance(RSI, i);
    this.#advance(RDI, i);
    return abort;
  }
}

function wordMask(size: number): number {
  return size === 1 ? 0xff : size === 2 ? 0xffff : -1;
}

/** Flags of x - y, by the formulas of `../ir/flag.ts`. */
function setCompareFlags(
  words: Int32Array,
  size: number,
  low: number,
  high: number,
  otherLow: number,
  otherHigh: number,
): void {
  const difference = (low - otherLow) & wordMask(size);
  let [x, y, r] = [low, otherLow, difference];
  let shift = 32 - 8 * size;
  let zero = difference === 0;
  if (size === 8) {
    [x, y, r] = [high, otherHigh, (high - otherHigh - (low >>> 0 < otherLow >>> 0 ? 1 : 0)) | 0];
    shift = 0;
    zero = (difference | r) === 0;
  }
  const flags =
    ((((~x & y) | ((~x | y) & r)) << shift) >>> 31) |
    PARITY_FLAG[difference & 0xff] |
    ((low ^ otherLow ^ difference) & Flag.AF) |
    (zero ? Flag.ZF : 0) |
    (((r << shift) >>> 24) & Flag.SF) |
    (((((x ^ y) & (x ^ r)) << shift) >>> 20) & Flag.OF);
  words[RFLAGS] = (words[RFLAGS] & ~STATUS_FLAGS) | flags;
}
