/**
 * A split virtqueue as its device sees it (virtio 1.2, section 2.7): takes chains of buffers from the available ring,
 * gives them back through the used ring. Everything a driver may have got wrong is found here: a broken queue answers
 * nothing more until it is reset, and tells its transport.
 */
import type { GuestRam } from "../bus/guest-ram.ts";

const DESCRIPTOR_SIZE = 16;
const Descriptor = { next: 1, write: 2, indirect: 4 } as const;
const AVAILABLE_NO_INTERRUPT = 1;
const RING_HEADER = 4;
const USED_ELEMENT_SIZE = 8;

/** The buffers of one request, in the driver's order. Reused by the queue: valid until the next one is taken. @public */
export interface BufferChain {
  /** Buffers that the device reads. */
  readonly readable: Uint8Array[];
  /** Buffers that the device writes. */
  readonly writable: Uint8Array[];
}

/**
 * One split virtqueue.
 *
 * @example
 * ```ts
 * import { Virtqueue } from "@whvkit/devices";
 * const memory = new Uint8Array(0x1000);
 * const ram = { view: (gpa: number, length: number) => memory.subarray(gpa, gpa + length) };
 * const queue = new Virtqueue(ram, 8, () => {}, (reason) => console.log(reason));
 * Object.assign(queue, { size: 8, descriptorArea: 0, driverArea: 0x100, deviceArea: 0x200 });
 * queue.enable();
 * queue.ready; // true
 * queue.take(); // null
 * ```
 *
 * @public
 */
export class Virtqueue {
  /** The largest size that the device takes. */
  readonly maximum: number;

  readonly #ram: GuestRam;
  readonly #interrupt: () => void;
  readonly #broken: (reason: string) => void;

  /** Entries, as the driver set it through the transport before it made the queue ready. */
  size = 0;
  /** Guest-physical address of the descriptor table. */
  descriptorArea = 0;
  /** Guest-physical address of the available ring. */
  driverArea = 0;
  /** Guest-physical address of the used ring. */
  deviceArea = 0;

  #descriptors: DataView | null = null;
  #available: DataView | null = null;
  #used: DataView | null = null;
  #nextAvailable = 0;
  #usedIndex = 0;
  #head = -1;
  readonly #chain: BufferChain = { readable: [], writable: [] };

  /**
   * @param ram - where the rings and buffers are
   * @param maximum - a power of two, 1 to 32768
   * @param interrupt - called when a buffer was used and the driver wants to know
   * @param broken - called once when the driver's rings make no sense
   */
  constructor(ram: GuestRam, maximum: number, interrupt: () => void, broken: (reason: string) => void) {
    this.#ram = ram;
    this.maximum = maximum;
    this.#interrupt = interrupt;
    this.#broken = broken;
  }

  /** Whether the driver made the queue ready, and it made sense. */
  get ready(): boolean {
    return this.#descriptors !== null;
  }

  /** QueueReady: the driver has stated size and areas. A queue that makes no sense is reported as broken. */
  enable(): void {
    if (this.ready) return;
    const { size } = this;
    if (size < 1 || size > this.maximum || (size & (size - 1)) !== 0) {
      this.#fail(`queue size ${size} is not a power of two up to ${this.maximum}`);
      return;
    }
    // Alignment of the three parts: virtio 1.2, 2.7.
    if (this.descriptorArea % 16 !== 0 || this.driverArea % 2 !== 0 || this.deviceArea % 4 !== 0) {
      this.#fail("a part of the queue is not aligned");
      return;
    }
    const descriptors = this.#ram.view(this.descriptorArea, DESCRIPTOR_SIZE * size);
    const available = this.#ram.view(this.driverArea, RING_HEADER + 2 * size);
    const used = this.#ram.view(this.deviceArea, RING_HEADER + USED_ELEMENT_SIZE * size);
    if (descriptors === null || available === null || used === null) {
      this.#fail("a part of the queue is not in RAM");
      return;
    }
    this.#descriptors = dataView(descriptors);
    this.#available = dataView(available);
    this.#used = dataView(used);
    this.#nextAvailable = 0;
    this.#usedIndex = 0;
    this.#head = -1;
  }

  /** Back to the state before the driver set it up. */
  reset(): void {
    this.disable();
    this.size = 0;
    this.descriptorArea = 0;
    this.driverArea = 0;
    this.deviceArea = 0;
  }

  /** The driver takes the queue back; what it set stays. */
  disable(): void {
    this.#descriptors = null;
    this.#available = null;
    this.#used = null;
  }

  /**
   * Takes the next chain that the driver made available, or `null` when there is none (or the queue is broken). A
   * chain that was not given back with {@link Virtqueue.give} must be given back first.
   */
  take(): BufferChain | null {
    const available = this.#available;
    if (available === null) return null;
    if (this.#head >= 0) return this.#chain;
    const offered = (available.getUint16(2, true) - this.#nextAvailable) & 0xffff;
    if (offered === 0) return null;
    if (offered > this.size)
      return this.#fail(`the available index runs ${offered} entries ahead of a queue of ${this.size}`);
    const head = available.getUint16(RING_HEADER + 2 * (this.#nextAvailable & (this.size - 1)), true);
    this.#chain.readable.length = 0;
    this.#chain.writable.length = 0;
    const problem = this.#walk(head);
    if (problem !== null) return this.#fail(problem);
    this.#head = head;
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return this.#chain;
  }

  /** Gives the taken chain back: the device wrote `written` bytes into its writable buffers. */
  give(written: number): void {
    const used = this.#used;
    if (used === null || this.#head < 0) return;
    const at = RING_HEADER + USED_ELEMENT_SIZE * (this.#usedIndex & (this.size - 1));
    used.setUint32(at, this.#head, true);
    used.setUint32(at + 4, written, true);
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff;
    used.setUint16(2, this.#usedIndex, true);
    this.#head = -1;
    if (((this.#available as DataView).getUint16(0, true) & AVAILABLE_NO_INTERRUPT) === 0) this.#interrupt();
  }

  /** Collects the buffers of a chain; answers what is wrong with it, or `null`. */
  #walk(head: number): string | null {
    let table = this.#descriptors as DataView;
    let entries = this.size;
    let index = head;
    let indirect = false;
    for (let steps = 0; steps < entries; steps++) {
      if (index >= entries) return `descriptor ${index} is outside a table of ${entries}`;
      const at = index * DESCRIPTOR_SIZE;
      const gpa = table.getUint32(at, true) + table.getUint32(at + 4, true) * 2 ** 32;
      const length = table.getUint32(at + 8, true);
      const flags = table.getUint16(at + 12, true);
      const bytes = this.#ram.view(gpa, length);
      if (bytes === null) return `the buffer of descriptor ${index} is not in RAM`;
      if ((flags & Descriptor.indirect) !== 0) {
        // 2.7.5.3.1: no table inside a table, none with a next, whole descriptors only.
        if (indirect || (flags & Descriptor.next) !== 0 || length === 0 || length % DESCRIPTOR_SIZE !== 0) {
          return `descriptor ${index} is no valid indirect table`;
        }
        // A chain may not be longer than its queue (2.7.5.3.1), so neither may the table.
        if (length / DESCRIPTOR_SIZE > this.size) return "an indirect table is longer than its queue";
        indirect = true;
        table = dataView(bytes);
        entries = length / DESCRIPTOR_SIZE;
        index = 0;
        steps = -1;
        continue;
      }
      const writable = (flags & Descriptor.write) !== 0;
      if (!writable && this.#chain.writable.length > 0) return "a readable buffer follows a writable one";
      (writable ? this.#chain.writable : this.#chain.readable).push(bytes);
      if ((flags & Descriptor.next) === 0) return null;
      index = table.getUint16(at + 14, true);
    }
    return "a chain is a loop";
  }

  #fail(reason: string): null {
    this.disable();
    this.#broken(reason);
    return null;
  }
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
