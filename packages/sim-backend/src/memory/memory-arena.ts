/**
 * The one memory of a partition: guest RAM and everything that an engine must reach without a call (register files,
 * translation caches) lie in a single buffer, so that an engine compiled to WebAssembly can address all of it. Here is
 * how it is made and handed out; what the guest sees at which address is `memory-map.ts`.
 */

import { E_INVALIDARG, E_OUTOFMEMORY, type GuestMemory, WhvError } from "@whvkit/whv-types";

/** Bytes of a page, of the guest and of the arena. */
export const PAGE_SIZE = 4096;

/** Kept at the start of every arena, so that offset 0 never names guest memory. */
const RESERVED_PAGES = 1;

/** A run of arena pages handed out as guest memory. */
export class ArenaMemory implements GuestMemory {
  readonly arena: MemoryArena;
  /** Byte offset in the arena. */
  readonly offset: number;
  readonly size: number;
  readonly bytes: Uint8Array;
  /** Ranges of it that are mapped now. It can be given back only when there are none. */
  mappings = 0;
  private live = true;

  constructor(arena: MemoryArena, offset: number, size: number) {
    this.arena = arena;
    this.offset = offset;
    this.size = size;
    this.bytes = new Uint8Array(arena.buffer, offset, size);
  }

  get disposed(): boolean {
    return !this.live;
  }

  dispose(): void {
    if (!this.live) return;
    if (this.mappings > 0) throw new WhvError("GuestMemory.dispose", E_INVALIDARG, "the memory is still mapped");
    this.live = false;
    this.arena.release(this.offset, this.size);
  }
}

/**
 * A buffer of fixed capacity. The operating system gives pages of it only as they are touched, so a generous capacity
 * costs address space, not memory. A WebAssembly memory is not grown later because growing detaches every view.
 */
export class MemoryArena {
  readonly buffer: ArrayBuffer;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** The WebAssembly memory that `buffer` belongs to, where the host offers WebAssembly. */
  readonly memory: WebAssembly.Memory | null;
  /** Bytes for guest memory and processors: offsets below it. Engines' tables lie above. */
  readonly capacity: number;
  /** Runs of engine tables that were given back, and where the untouched ones start. */
  private readonly freeTables: { offset: number; size: number }[] = [];
  private nextTable: number;
  /** First byte that was never handed out: from here on everything is zero. */
  private next = RESERVED_PAGES * PAGE_SIZE;
  /** Runs given back, in order, never touching each other. */
  private readonly free: { offset: number; size: number }[] = [];

  /**
   * @param capacity - bytes, a multiple of 64 KiB. Throws `WhvError` with E_OUTOFMEMORY where the host refuses.
   * @param tables - bytes beyond them for engines' tables, likewise.
   */
  constructor(capacity: number, tables = 0) {
    this.capacity = capacity;
    this.nextTable = capacity;
    const pages = (capacity + tables) / 0x1_0000;
    try {
      this.memory = typeof WebAssembly === "object" ? new WebAssembly.Memory({ initial: pages, maximum: pages }) : null;
      this.buffer = this.memory?.buffer ?? new ArrayBuffer(capacity + tables);
    } catch (error) {
      throw new WhvError("WHvCreatePartition", E_OUTOFMEMORY, `no ${capacity} bytes for guest memory: ${error}`);
    }
    this.view = new DataView(this.buffer);
    this.bytes = new Uint8Array(this.buffer);
  }

  /** Hands out zeroed pages. `operation` is named in the error when there are not enough. */
  allocate(size: number, operation: string): number {
    const reused = this.free.findIndex((run) => run.size >= size);
    if (reused >= 0) {
      const run = this.free[reused] as { offset: number; size: number };
      const { offset } = run;
      run.offset += size;
      run.size -= size;
      if (run.size === 0) this.free.splice(reused, 1);
      this.bytes.fill(0, offset, offset + size);
      return offset;
    }
    if (size > this.capacity - this.next) {
      const detail = `${size} bytes asked for, ${this.capacity - this.next} of ${this.capacity} left (option memoryCapacity)`;
      throw new WhvError(operation, E_OUTOFMEMORY, detail);
    }
    const offset = this.next;
    this.next += size;
    return offset;
  }

  /** Hands out memory for an engine's tables, not zeroed when it was used before; -1 where there is no more. */
  allocateTables(size: number): number {
    const reused = this.freeTables.findIndex((run) => run.size === size);
    if (reused >= 0) return (this.freeTables.splice(reused, 1)[0] as { offset: number }).offset;
    if (size > this.bytes.length - this.nextTable) return -1;
    const offset = this.nextTable;
    this.nextTable += size;
    return offset;
  }

  /** Takes an engine's tables back. */
  releaseTables(offset: number, size: number): void {
    this.freeTables.push({ offset, size });
  }

  /** Takes a run back, and joins it with its neighbours. */
  release(offset: number, size: number): void {
    const { free } = this;
    let at = free.findIndex((run) => run.offset > offset);
    if (at < 0) at = free.length;
    free.splice(at, 0, { offset, size });
    const following = free[at + 1];
    if (following !== undefined && following.offset === offset + size) {
      (free[at] as { size: number }).size += following.size;
      free.splice(at + 1, 1);
    }
    const before = free[at - 1];
    if (before !== undefined && before.offset + before.size === offset) {
      before.size += (free[at] as { size: number }).size;
      free.splice(at, 1);
    }
  }
}
