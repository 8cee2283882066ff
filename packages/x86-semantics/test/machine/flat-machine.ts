/** A machine for tests: flat memory of a given size, a port log, faults outside memory, helpers recorded. */
import {
  Abort,
  type BulkMachine,
  GuestFault,
  type Machine,
  REGISTER_FILE_SIZE,
  RegisterFile,
  RegisterOffset,
  Segment,
  type SpanMachine,
  Vector,
} from "../../src/index.ts";

export class FlatMachine implements Machine {
  readonly registers: RegisterFile = new RegisterFile(new ArrayBuffer(REGISTER_FILE_SIZE));
  readonly fault: GuestFault = new GuestFault();
  readonly data: Int32Array = new Int32Array(4);
  readonly memory: Uint8Array;
  /** Linear address of memory[0]. */
  readonly base: number;
  readonly log: string[] = [];
  logging = false;
  /** What IN answers, one after the other. */
  input = 0;
  helperCalls: { id: number; a: number; b: number }[] = [];

  constructor(size = 0x1_0000, base = 0) {
    this.memory = new Uint8Array(size);
    this.base = base;
    this.setSegments(0, 0xffff_ffff);
  }

  setSegments(base: number, limit: number): void {
    const view = new DataView(this.registers.bytes.buffer);
    for (let segment: number = Segment.es; segment <= Segment.gs; segment++) {
      const at = RegisterOffset.segments + 16 * segment;
      view.setUint32(at, base, true);
      view.setUint32(at + 8, limit, true);
      view.setUint16(at + 14, 0xc093, true);
    }
  }

  #check(low: number, high: number, size: number, write: boolean): number {
    const at = (low >>> 0) - this.base;
    if (high !== 0 || at < 0 || at + size > this.memory.length) {
      this.fault.vector = Vector.PF;
      this.fault.errorCode = write ? 2 : 0;
      this.fault.cr2Low = low;
      this.fault.cr2High = high;
      return Abort.fault;
    }
    return Abort.none;
  }

  load(segment: number, low: number, high: number, size: number, intent: number): number {
    const abort = this.#check(low, high, size, (intent & 2) !== 0);
    if (abort !== Abort.none) return abort;
    if (this.logging) this.log.push(`load ${segment} ${(low >>> 0).toString(16)} ${size} ${intent}`);
    return this.#read((low >>> 0) - this.base, size);
  }
  #read(at: number, size: number): number {
    const { data, memory } = this;
    data[0] = 0;
    data[1] = 0;
    if (size === 1) data[0] = memory[at] as number;
    else if (size === 2) data[0] = (memory[at] as number) | ((memory[at + 1] as number) << 8);
    else
      for (let i = 0; i < size; i += 4) {
        data[i >> 2] =
          (memory[at + i] as number) |
          ((memory[at + i + 1] as number) << 8) |
          ((memory[at + i + 2] as number) << 16) |
          ((memory[at + i + 3] as number) << 24);
      }
    return Abort.none;
  }
  store(
    segment: number,
    low: number,
    high: number,
    size: number,
    valueLow: number,
    valueHigh: number,
    intent: number,
  ): number {
    const abort = this.#check(low, high, size, true);
    if (abort !== Abort.none) return abort;
    if (this.logging) this.log.push(`store ${segment} ${(low >>> 0).toString(16)} ${size} ${intent}`);
    return this.#write((low >>> 0) - this.base, size, valueLow, valueHigh);
  }
  #write(at: number, size: number, low: number, high: number): number {
    const { memory } = this;
    for (let i = 0; i < size; i++) memory[at + i] = (i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))) & 0xff;
    return Abort.none;
  }
  store128(segment: number, low: number, high: number, intent: number): number {
    const abort = this.#check(low, high, 16, true);
    if (abort !== Abort.none) return abort;
    if (this.logging) this.log.push(`store ${segment} ${(low >>> 0).toString(16)} 16 ${intent}`);
    const at = (low >>> 0) - this.base;
    for (let i = 0; i < 4; i++) this.#write(at + 4 * i, 4, this.data[i] as number, 0);
    return Abort.none;
  }
  probe(segment: number, low: number, high: number, size: number, intent: number): number {
    if (this.logging) this.log.push(`probe ${segment} ${(low >>> 0).toString(16)} ${size} ${intent}`);
    return this.#check(low, high, size, (intent & 2) !== 0);
  }
  in(port: number, size: number): number {
    if (this.logging) this.log.push(`in ${port.toString(16)} ${size}`);
    this.data[0] = size === 4 ? this.input : this.input & (size === 1 ? 0xff : 0xffff);
    this.data[1] = 0;
    this.input = (Math.imul(this.input, 1_103_515_245) + 12_345) | 0;
    return Abort.none;
  }
  out(port: number, size: number, value: number): number {
    if (this.logging) this.log.push(`out ${port.toString(16)} ${size} ${(value >>> 0).toString(16)}`);
    return Abort.none;
  }
  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }
  helper(id: number, aLow: number, _aHigh: number, bLow: number, _bHigh: number): number {
    this.helperCalls.push({ id, a: aLow, b: bLow });
    return Abort.none;
  }

  /** The accesses inside spans, for {@link FlatSpanMachine}. */
  protected physicalLoad(gpa: number, size: number): number {
    if (this.logging) this.log.push(`load ${gpa.toString(16)} ${size}`);
    return this.#read(gpa - this.base, size);
  }
  protected physicalStore(gpa: number, size: number, low: number, high: number): number {
    if (this.logging) this.log.push(`store ${gpa.toString(16)} ${size}`);
    return this.#write(gpa - this.base, size, low, high);
  }
  protected checkRange(low: number, high: number, size: number, write: boolean): number {
    return this.#check(low, high, size, write);
  }
}

/** The same with page spans; physical addresses are the linear ones. */
export class FlatSpanMachine extends FlatMachine implements SpanMachine {
  spanAddress = 0;
  spanElements = 0;

  span(_segment: number, low: number, high: number, size: number, intent: number, down: boolean): number {
    const abort = this.checkRange(low, high, size, (intent & 2) !== 0);
    if (abort !== Abort.none) return abort;
    const inPage = (low >>> 0) & 0xfff;
    this.spanAddress = low >>> 0;
    if (inPage + size > 0x1000) this.spanElements = 0;
    else this.spanElements = down ? Math.floor(inPage / size) + 1 : Math.floor((0x1000 - inPage) / size);
    return Abort.none;
  }
  loadPhysical(gpa: number, size: number): number {
    return this.physicalLoad(gpa, size);
  }
  storePhysical(gpa: number, size: number, low: number, high: number): number {
    return this.physicalStore(gpa, size, low, high);
  }
}

/** The same with bulk transfers. It may do less than it is asked. */
export class FlatBulkMachine extends FlatSpanMachine implements BulkMachine {
  bulkElements = 0;
  bulkSource = 0;
  bulkTarget = 0;
  bulkTransfers = 0;
  /** Refuses all transfers, as device memory would. */
  refuses = false;

  #each(count: number, element: (i: number) => void): number {
    this.bulkElements = 0;
    if (this.refuses) return Abort.none;
    this.bulkTransfers++;
    // Half of a long run: a machine may do less than it was asked.
    const done = count > 10 ? count >> 1 : count;
    for (let i = 0; i < done; i++) element(i);
    this.bulkElements = done;
    return Abort.none;
  }
  fillSpan(size: number, count: number, low: number, high: number): number {
    return this.#each(count, (i) => this.storePhysical(this.bulkTarget + i * size, size, low, high));
  }
  moveSpan(size: number, count: number): number {
    const { bulkSource: source, bulkTarget: target } = this;
    // As if through a buffer: what is stored does not reach what is loaded later.
    const before = this.memory.slice();
    return this.#each(count, (i) => {
      this.loadPhysical(source + i * size, size);
      this.storePhysical(target + i * size, size, 0, 0);
      const from = source + i * size - this.base;
      this.memory.set(before.subarray(from, from + size), target + i * size - this.base);
    });
  }
  inSpan(port: number, size: number, count: number): number {
    return this.#each(count, (i) => {
      this.in(port, size);
      this.storePhysical(this.bulkTarget + i * size, size, this.data[0] as number, 0);
    });
  }
  outSpan(port: number, size: number, count: number): number {
    return this.#each(count, (i) => {
      this.loadPhysical(this.bulkSource + i * size, size);
      this.out(port, size, this.data[0] as number);
    });
  }
}
