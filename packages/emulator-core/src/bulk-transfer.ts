/**
 * Runs of REP elements through the bulk callbacks: what one side delivers at once, the other takes at once, or one by one
 * where the host does not do that side in bulk. What the run is, and when a run may not be taken at once, is decided by the
 * REP driver of `@whvkit/x86-semantics`.
 *
 * The order is that of single elements on each side. What has been read is written, whatever stops the reading; so the
 * elements that count as done are done on both sides.
 */
import { Abort, type BulkMachine } from "@whvkit/x86-semantics";
import type { HostCallbacks } from "./host-callbacks.ts";

/** Where what is read and what is written begins. */
type RunAddresses = Pick<BulkMachine, "bulkSource" | "bulkTarget">;

export class BulkTransfer<Context> {
  /** Elements that the last transfer finished. 0 without an abort: the host does not do this run at once. */
  elements = 0;
  readonly #host: HostCallbacks<Context>;
  readonly #run: RunAddresses;

  /** @param run - says where the run to transfer lies. */
  constructor(host: HostCallbacks<Context>, run: RunAddresses) {
    this.#host = host;
    this.#run = run;
  }

  /** Writes `count` elements of one value. */
  fill(size: number, count: number, low: number, high: number): number {
    this.elements = 0;
    const { bulk, movesMemoryInBulk } = this.#host;
    if (!movesMemoryInBulk) return Abort.none;
    const bytes = size * count;
    // A run of words of the same value, whatever the size; what it writes beyond the run does not count.
    if (size === 1) bulk.data.fill(low, 0, bytes);
    else if (size === 2) bulk.words.fill((low & 0xffff) | (low << 16), 0, (bytes + 3) >> 2);
    else {
      bulk.words.fill(low, 0, bytes >> 2);
      if (size === 8 && high !== low) for (let i = 1; i < bytes >> 2; i += 2) bulk.words[i] = high;
    }
    bulk.memory.gpaAddress = this.#run.bulkTarget;
    const answered = this.#host.memoryBulk(1, size, count);
    this.elements = bulk.memory.completed;
    return answered ? Abort.none : Abort.host;
  }

  /** Copies `count` elements. */
  move(size: number, count: number): number {
    this.elements = 0;
    const { bulk, movesMemoryInBulk } = this.#host;
    if (!movesMemoryInBulk) return Abort.none;
    bulk.memory.gpaAddress = this.#run.bulkSource;
    const read = this.#host.memoryBulk(0, size, count);
    return this.#store(size, bulk.memory.completed) && read ? Abort.none : Abort.host;
  }

  /** Reads `count` elements from a port into memory. */
  input(port: number, size: number, count: number): number {
    this.elements = 0;
    if (!this.#host.movesPortsInBulk) return Abort.none;
    const read = this.#host.ioPortBulk(0, port, size, count);
    return this.#store(size, this.#host.bulk.port.completed) && read ? Abort.none : Abort.host;
  }

  /** Writes `count` elements of memory to a port. */
  output(port: number, size: number, count: number): number {
    this.elements = 0;
    if (!this.#host.movesPortsInBulk) return Abort.none;
    let delivered = 0;
    let read = true;
    if (this.#host.movesMemoryInBulk) {
      this.#host.bulk.memory.gpaAddress = this.#run.bulkSource;
      read = this.#host.memoryBulk(0, size, count);
      delivered = this.#host.bulk.memory.completed;
    }
    if (delivered === 0 && read) {
      delivered = this.#load(size, count);
      read = delivered === count;
    }
    return this.#put(port, size, delivered) && read ? Abort.none : Abort.host;
  }

  /** Loads elements one by one; answers how many. */
  #load(size: number, count: number): number {
    const { memoryAccess, bulk } = this.#host;
    for (let i = 0; i < count; i++) {
      memoryAccess.gpaAddress = this.#run.bulkSource + i * size;
      if (!this.#host.readMemory(size, "load")) return i;
      for (let byte = 0; byte < size; byte++) bulk.data[i * size + byte] = memoryAccess.data[byte];
    }
    return count;
  }

  /** Stores the first `count` elements of the buffer, as far as possible at once. */
  #store(size: number, count: number): boolean {
    const { memoryAccess, bulk, movesMemoryInBulk } = this.#host;
    if (count === 0) return true;
    if (movesMemoryInBulk) {
      bulk.memory.gpaAddress = this.#run.bulkTarget;
      const answered = this.#host.memoryBulk(1, size, count);
      this.elements = bulk.memory.completed;
      if (!answered) return false;
    }
    for (let i = this.elements; i < count; i++) {
      memoryAccess.gpaAddress = this.#run.bulkTarget + i * size;
      if (!this.#host.writeMemory(size, this.#word(i * size, size), size === 8 ? this.#word(i * size + 4, 4) : 0))
        return false;
      this.elements = i + 1;
    }
    return true;
  }

  /** Puts the first `count` elements of the buffer out to a port, as far as possible at once. */
  #put(port: number, size: number, count: number): boolean {
    if (count === 0) return true;
    const answered = this.#host.ioPortBulk(1, port, size, count);
    this.elements = this.#host.bulk.port.completed;
    if (!answered) return false;
    for (let i = this.elements; i < count; i++) {
      if (!this.#host.ioPort(1, port, size, this.#word(i * size, size) >>> 0)) return false;
      this.elements = i + 1;
    }
    return true;
  }

  /** Up to four bytes of the buffer as a number. */
  #word(at: number, size: number): number {
    const { data, words } = this.#host.bulk;
    if (size === 1) return data[at];
    return size === 2 ? data[at] | (data[at + 1] << 8) : words[at >> 2];
  }
}
