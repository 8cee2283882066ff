/**
 * Decoded instructions by the page of memory that their bytes stand in: found again without decoding, and forgotten as
 * soon as the bytes change. What a record does is the engine's business.
 */

import type { CodeObserver } from "../memory/guest-machine.ts";
import type { MemoryArena } from "../memory/memory-arena.ts";
import { PAGE_SIZE } from "../memory/memory-arena.ts";

/** A decoded instruction that a cache can hold. */
export interface CachedCode {
  /** Bytes. */
  readonly length: number;
  /** A copy of its bytes. */
  readonly bytes: Uint8Array;
  /** The generation in which the bytes in memory were last seen to be these. */
  verified: number;
}

/** The records of one page in one mode, by offset of their first byte. */
export type CodePage<T extends CachedCode> = (T | null)[];

const MODES = 3;
const MAX_LENGTH = 15;

/**
 * Pages of records for the whole arena. Guest stores reach it through {@link CodeObserver.codeWritten}; what the host
 * writes it cannot see, so the host's turns are generations, and a record is compared with memory once in each
 * (`verified`).
 */
export class CodeCache<T extends CachedCode> implements CodeObserver {
  readonly codePages: Uint8Array;
  /** Changes when a record may have been forgotten: an engine drops the page that it is in. */
  version = 0;
  generation = 1;
  private readonly pages = new Map<number, CodePage<T>>();
  private readonly bytes: Uint8Array;

  /** @param codePages - one byte a page of the arena; a new array when left out. */
  constructor(arena: MemoryArena, codePages: Uint8Array = new Uint8Array(Math.ceil(arena.capacity / PAGE_SIZE))) {
    this.bytes = arena.bytes;
    this.codePages = codePages;
  }

  /** The records of an arena page in a mode (0: 16-bit, 1: 32-bit, 2: 64-bit). */
  page(arenaPage: number, mode: number): CodePage<T> {
    const key = arenaPage * MODES + mode;
    let page = this.pages.get(key);
    if (page === undefined) {
      page = new Array<T | null>(PAGE_SIZE).fill(null);
      this.pages.set(key, page);
      this.codePages[arenaPage] = 1;
    }
    return page;
  }

  /** Do the first `count` bytes of a record still stand in memory? */
  matches(record: T, offset: number, count: number): boolean {
    const { bytes } = record;
    for (let i = 0; i < count; i++) if (this.bytes[offset + i] !== bytes[i]) return false;
    return true;
  }

  /** Forgets the records that a store of `size` bytes at an arena offset may have changed. */
  codeWritten(offset: number, size: number): void {
    const arenaPage = Math.floor(offset / PAGE_SIZE);
    const first = offset % PAGE_SIZE;
    const last = Math.min(first + size, PAGE_SIZE) - 1;
    for (let mode = 0; mode < MODES; mode++) {
      const page = this.pages.get(arenaPage * MODES + mode);
      if (page === undefined) continue;
      for (let at = Math.max(0, first - MAX_LENGTH + 1); at <= last; at++) {
        const record = page[at];
        if (record !== null && at + record.length > first) page[at] = null;
      }
    }
  }

  /** The host had control: every record is to be compared with memory before it runs again. */
  nextGeneration(): void {
    this.generation++;
  }

  /** Forgets everything. */
  clear(): void {
    this.pages.clear();
    this.codePages.fill(0);
    this.version++;
  }
}
