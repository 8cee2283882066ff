/**
 * The outside world of an instruction, made of the five callbacks: the {@link BulkMachine} that the evaluator and the
 * REP driver run on. It joins the judges (segmentation, translation) with the doers (the callbacks) and splits accesses
 * at pages and at eight bytes. What an instruction does is not known here.
 *
 * Order of one access: segment and canonical checks, then every translation, then the alignment check, then the
 * callbacks, low addresses first. So an access that faults has touched nothing.
 */
import { Abort, type BulkMachine, type GuestFault, Intent, type RegisterFile, Vector } from "@whvkit/x86-semantics";
import { BulkTransfer } from "./bulk-transfer.ts";
import type { DataBreakpoints } from "./data-breakpoints.ts";
import type { ExitContext } from "./exit-context.ts";
import type { HostCallbacks } from "./host-callbacks.ts";
import type { Segmentation } from "./segmentation.ts";
import type { SystemOperations } from "./system-operations.ts";
import type { Translation } from "./translation.ts";

const PAGE_SIZE = 4096;
const PAGE_OFFSET = PAGE_SIZE - 1;
/** `Data` of WHV_EMULATOR_MEMORY_ACCESS_INFO holds eight bytes. */
const LARGEST_CALLBACK = 8;

/** What the machine is made of. */
export interface MachineParts<Context> {
  readonly exit: ExitContext;
  readonly registers: RegisterFile;
  readonly fault: GuestFault;
  readonly segmentation: Segmentation;
  readonly translation: Translation<Context>;
  readonly host: HostCallbacks<Context>;
  readonly breakpoints: DataBreakpoints<Context>;
  readonly system: SystemOperations;
}

export class CallbackMachine<Context> implements BulkMachine {
  readonly registers: RegisterFile;
  readonly fault: GuestFault;
  readonly data: Int32Array = new Int32Array(4);
  readonly #bytes: Uint8Array = new Uint8Array(this.data.buffer);
  spanAddress = 0;
  spanElements = 0;
  bulkSource = 0;
  bulkTarget = 0;
  readonly #exit: ExitContext;
  readonly #segmentation: Segmentation;
  readonly #translation: Translation<Context>;
  readonly #host: HostCallbacks<Context>;
  readonly #breakpoints: DataBreakpoints<Context>;
  readonly #system: SystemOperations;
  readonly #bulk: BulkTransfer<Context>;

  constructor(parts: MachineParts<Context>) {
    this.registers = parts.registers;
    this.fault = parts.fault;
    this.#exit = parts.exit;
    this.#segmentation = parts.segmentation;
    this.#translation = parts.translation;
    this.#host = parts.host;
    this.#breakpoints = parts.breakpoints;
    this.#system = parts.system;
    this.#bulk = new BulkTransfer(parts.host, this);
  }

  load(segment: number, low: number, high: number, size: number, intent: number): number {
    const offset = low & PAGE_OFFSET;
    if (offset + size > PAGE_SIZE || size > LARGEST_CALLBACK)
      return this.#inParts(segment, low, high, size, intent, false);
    const abort = this.#admit(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    this.#host.memoryAccess.gpaAddress = this.#translation.page + offset;
    if (!this.#host.readMemory(size, "load")) return Abort.host;
    this.#take(size);
    if (this.#breakpoints.armed) this.#breakpoints.accessed(low, high, size, intent);
    if ((intent & Intent.locked) !== 0) this.#expect(size);
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
    const offset = low & PAGE_OFFSET;
    if (offset + size > PAGE_SIZE) {
      this.data[0] = valueLow;
      this.data[1] = valueHigh;
      return this.#inParts(segment, low, high, size, intent, true);
    }
    const abort = this.#admit(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    this.#host.memoryAccess.gpaAddress = this.#translation.page + offset;
    if ((intent & Intent.locked) !== 0) {
      const exchange = this.#storeLocked(size, valueLow, valueHigh);
      if (exchange !== Abort.none) return exchange;
    } else if (!this.#host.writeMemory(size, valueLow, valueHigh)) return Abort.host;
    if (this.#breakpoints.armed) this.#breakpoints.accessed(low, high, size, intent);
    return Abort.none;
  }

  /** All checks of an access that lies inside one page; its guest-physical page is in the translation then. */
  #admit(segment: number, low: number, high: number, size: number, intent: number): number {
    let abort = this.#segmentation.check(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    abort = this.#translation.translate(low, high, intent);
    if (abort !== Abort.none) return abort;
    return this.#misaligned(low, size, intent) ? this.raise(Vector.AC, 0) : Abort.none;
  }

  /**
   * Is #AC due? Not for more than eight bytes, and not for what the processor reads and writes for itself (descriptors, task
   * state), at any privilege (SDM volume 3, 6.15).
   */
  #misaligned(low: number, size: number, intent: number): boolean {
    return this.#exit.alignmentChecked && size <= 8 && (low & (size - 1)) !== 0 && (intent & Intent.system) === 0;
  }

  store128(segment: number, low: number, high: number, intent: number): number {
    return this.#inParts(segment, low, high, 16, intent, true);
  }

  probe(segment: number, low: number, high: number, size: number, intent: number): number {
    if (size === 0) return Abort.none;
    let abort = this.#segmentation.check(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    abort = this.#translation.translate(low, high, intent);
    if (abort === Abort.none && (low & PAGE_OFFSET) + size > PAGE_SIZE) abort = this.#translateNext(low, high, intent);
    if (abort !== Abort.none) return abort;
    if (this.#misaligned(low, size, intent)) return this.raise(Vector.AC, 0);
    return Abort.none;
  }

  in(port: number, size: number): number {
    if (!this.#host.ioPort(0, port, size, 0)) return Abort.host;
    const value = this.#host.ioAccess.data;
    this.data[0] = size === 4 ? value : value & (size === 1 ? 0xff : 0xffff);
    this.data[1] = 0;
    return Abort.none;
  }

  out(port: number, size: number, value: number): number {
    const cut = size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff);
    return this.#host.ioPort(1, port, size, cut) ? Abort.none : Abort.host;
  }

  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }

  helper(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number {
    return this.#system.perform(this, id, aLow, aHigh, bLow, bHigh);
  }

  span(segment: number, low: number, high: number, size: number, intent: number, down: boolean): number {
    const offset = low & PAGE_OFFSET;
    this.spanElements = 0;
    // Elements that straddle a page, and those that breakpoints watch, go one by one through load and store.
    if (offset + size > PAGE_SIZE || this.#breakpoints.armed) return Abort.none;
    const abort = this.#admit(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    const inPage = down ? Math.floor(offset / size) + 1 : Math.floor((PAGE_SIZE - offset) / size);
    this.spanAddress = this.#translation.page + offset;
    this.spanElements = Math.min(inPage, this.#segmentation.elements(segment, low, size, down));
    return Abort.none;
  }

  loadPhysical(gpa: number, size: number): number {
    this.#host.memoryAccess.gpaAddress = gpa;
    if (!this.#host.readMemory(size, "load")) return Abort.host;
    this.#take(size);
    return Abort.none;
  }

  storePhysical(gpa: number, size: number, valueLow: number, valueHigh: number): number {
    this.#host.memoryAccess.gpaAddress = gpa;
    return this.#host.writeMemory(size, valueLow, valueHigh) ? Abort.none : Abort.host;
  }

  get bulkElements(): number {
    return this.#bulk.elements;
  }

  fillSpan(size: number, count: number, valueLow: number, valueHigh: number): number {
    return this.#bulk.fill(size, count, valueLow, valueHigh);
  }

  moveSpan(size: number, count: number): number {
    return this.#bulk.move(size, count);
  }

  inSpan(port: number, size: number, count: number): number {
    return this.#bulk.input(port, size, count);
  }

  outSpan(port: number, size: number, count: number): number {
    return this.#bulk.output(port, size, count);
  }

  /** Remembers what a locked read-modify-write read, for its write. */
  #expect(size: number): void {
    const { compareExchangeAccess, memoryAccess, comparesAndExchanges } = this.#host;
    if (!comparesAndExchanges) return;
    compareExchangeAccess.accessSize = size;
    compareExchangeAccess.gpaAddress = memoryAccess.gpaAddress;
    compareExchangeAccess.words[0] = this.data[0];
    compareExchangeAccess.words[1] = this.data[1];
  }

  /** The write of a locked read-modify-write. `Abort.exit`: memory has changed since the read. */
  #storeLocked(size: number, valueLow: number, valueHigh: number): number {
    const { compareExchangeAccess } = this.#host;
    if (compareExchangeAccess.accessSize !== size)
      return this.#host.writeMemory(size, valueLow, valueHigh) ? Abort.none : Abort.host;
    compareExchangeAccess.words[2] = valueLow;
    compareExchangeAccess.words[3] = valueHigh;
    const done = this.#host.compareExchange();
    compareExchangeAccess.accessSize = 0;
    if (!done) return Abort.host;
    return compareExchangeAccess.exchanged ? Abort.none : Abort.exit;
  }

  /** Moves what the callback delivered into `data`, cut to `size` bytes. */
  #take(size: number): void {
    const words = this.#host.memoryAccess.words;
    const data = this.data;
    const low = words[0];
    data[0] = size >= 4 ? low : low & ((1 << (size * 8)) - 1);
    data[1] = size === 8 ? words[1] : 0;
  }

  /** Translates the page after the one of a linear address. */
  #translateNext(low: number, high: number, intent: number): number {
    const next = (low & ~PAGE_OFFSET) + PAGE_SIZE;
    const nextLow = next | 0;
    // Beyond 4 GiB the upper half counts on in 64-bit mode, and linear addresses wrap in the others.
    const carry = nextLow === 0 && this.#exit.mode === 64 ? 1 : 0;
    return this.#translation.translate(nextLow, (high + carry) | 0, intent);
  }

  /**
   * An access that crosses a page or is longer than a callback carries: eight bytes at a time from its start, and cut
   * again where the page ends.
   */
  #inParts(segment: number, low: number, high: number, size: number, intent: number, write: boolean): number {
    const offset = low & PAGE_OFFSET;
    let abort = this.#segmentation.check(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    abort = this.#translation.translate(low, high, intent);
    const first = this.#translation.page;
    if (abort === Abort.none && offset + size > PAGE_SIZE) abort = this.#translateNext(low, high, intent);
    if (abort !== Abort.none) return abort;
    const second = this.#translation.page;
    if (this.#misaligned(low, size, intent)) return this.raise(Vector.AC, 0);
    if (!write) this.data.fill(0);
    for (let done = 0; done < size; ) {
      const place = offset + done;
      const toGrid = LARGEST_CALLBACK - (done % LARGEST_CALLBACK);
      const toPage = place < PAGE_SIZE ? PAGE_SIZE - place : PAGE_SIZE;
      const length = Math.min(toGrid, toPage, size - done);
      const gpa = place < PAGE_SIZE ? first + place : second + place - PAGE_SIZE;
      this.#host.memoryAccess.gpaAddress = gpa;
      if (!(write ? this.#writePart(done, length) : this.#readPart(done, length))) return Abort.host;
      done += length;
    }
    if (this.#breakpoints.armed) this.#breakpoints.accessed(low, high, size, intent);
    return Abort.none;
  }

  #readPart(at: number, length: number): boolean {
    if (!this.#host.readMemory(length, "load")) return false;
    const from = this.#host.memoryAccess.data;
    for (let i = 0; i < length; i++) this.#bytes[at + i] = from[i];
    return true;
  }

  #writePart(at: number, length: number): boolean {
    let low = 0;
    let high = 0;
    for (let i = 0; i < length; i++) {
      const byte = this.#bytes[at + i];
      if (i < 4) low |= byte << (i * 8);
      else high |= byte << ((i - 4) * 8);
    }
    return this.#host.writeMemory(length, low, high);
  }
}
