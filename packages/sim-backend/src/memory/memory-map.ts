/**
 * Guest-physical memory: which page of the arena stands behind a guest-physical page, with which rights, and whether it
 * has been written. Guest-virtual addresses are `page-walk.ts`'s.
 */

import { PAGE_SIZE } from "./memory-arena.ts";

/** Bits of a map entry; the arena page stands above them. Read, write, execute and track are `WHV_MAP_GPA_RANGE_FLAGS`. */
export const MapEntry = {
  read: 1,
  write: 2,
  execute: 4,
  trackDirty: 8,
  /** Set by the first write since the bitmap was read. */
  dirty: 16,
  pageShift: 8,
} as const;

/** Pages of one leaf of the directory: 4 MiB of guest-physical addresses. */
const LEAF_PAGES = 1024;

/** The map of one partition. An entry of 0 is unmapped. */
export class MemoryMap {
  /**
   * Changes with every change of the map. Whoever caches a translation compares it.
   */
  epoch = 0;
  private readonly leaves = new Map<number, Int32Array>();
  private lastIndex = -1;
  private lastLeaf: Int32Array | undefined = undefined;

  /** The entry of the page that holds a guest-physical address; 0 where nothing is mapped. */
  entry(gpa: number): number {
    const leaf = this.leaf(Math.floor(gpa / (LEAF_PAGES * PAGE_SIZE)));
    return leaf === undefined ? 0 : leaf[((gpa / PAGE_SIZE) % LEAF_PAGES) | 0];
  }

  /** Byte offset in the arena of a guest-physical address, or -1 where nothing is mapped. */
  offset(gpa: number): number {
    const entry = this.entry(gpa);
    return entry === 0 ? -1 : (entry >>> MapEntry.pageShift) * PAGE_SIZE + (gpa % PAGE_SIZE);
  }

  /** Maps `size` bytes from `gpa` on to the arena from `offset` on; what was mapped there is replaced. All in whole pages. */
  map(gpa: number, offset: number, size: number, flags: number): void {
    for (let done = 0; done < size; done += PAGE_SIZE) {
      const page = (gpa + done) / PAGE_SIZE;
      const index = Math.floor(page / LEAF_PAGES);
      let leaf = this.leaves.get(index);
      if (leaf === undefined) {
        leaf = new Int32Array(LEAF_PAGES);
        this.leaves.set(index, leaf);
      }
      leaf[page % LEAF_PAGES] = (((offset + done) / PAGE_SIZE) << MapEntry.pageShift) | flags;
    }
    this.changed();
  }

  /** Takes a range away. */
  unmap(gpa: number, size: number): void {
    for (let done = 0; done < size; done += PAGE_SIZE) {
      const page = (gpa + done) / PAGE_SIZE;
      const leaf = this.leaves.get(Math.floor(page / LEAF_PAGES));
      if (leaf !== undefined) leaf[page % LEAF_PAGES] = 0;
    }
    this.changed();
  }

  /** Marks the page of a guest-physical address as written. */
  setDirty(gpa: number): void {
    const leaf = this.leaf(Math.floor(gpa / (LEAF_PAGES * PAGE_SIZE)));
    if (leaf !== undefined) leaf[((gpa / PAGE_SIZE) % LEAF_PAGES) | 0] |= MapEntry.dirty;
  }

  /** Was the page written since this was last asked? Forgets it. The caller ends with {@link MemoryMap.changed}. */
  takeDirty(gpa: number): boolean {
    const leaf = this.leaf(Math.floor(gpa / (LEAF_PAGES * PAGE_SIZE)));
    if (leaf === undefined) return false;
    const index = ((gpa / PAGE_SIZE) % LEAF_PAGES) | 0;
    const dirty = (leaf[index] & MapEntry.dirty) !== 0;
    leaf[index] &= ~MapEntry.dirty;
    return dirty;
  }

  /** Makes every cached translation stale. */
  changed(): void {
    this.epoch++;
    this.lastIndex = -1;
  }

  private leaf(index: number): Int32Array | undefined {
    if (index !== this.lastIndex) {
      this.lastIndex = index;
      this.lastLeaf = this.leaves.get(index);
    }
    return this.lastLeaf;
  }
}
