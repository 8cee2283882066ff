/**
 * The translation look-aside buffer of one virtual processor: from a linear page straight to the arena page behind
 * it, for one kind of access and one class of privilege. Only translations that the access may use without any further
 * work are in it, so a hit needs no check. It lies in the arena, where compiled code can look into it too.
 */

import type { MemoryArena } from "./memory-arena.ts";

/** What an entry allows. */
export const AccessKind = { read: 0, write: 1, execute: 2 } as const;

/** Who may use an entry: CPL 0 to 2, CPL 3, and CPL 0 to 2 with RFLAGS.AC set, which SMAP excuses. */
export const AccessClass = { supervisor: 0, user: 1, excused: 2 } as const;

/** Entries for each kind and class; the index is the low bits of the page number. */
export const CACHE_ENTRIES = 256;

/**
 * Words of one entry: linear address bits 31..0 with the low 12 bits all ones (so that 0 is never a match); bits
 * 63..32; arena offset of the page; 1 when global.
 */
export const CACHE_ENTRY_WORDS = 4;

const TABLES = 9;

/** Bytes of the cache in the arena. */
export const TRANSLATION_CACHE_SIZE: number = TABLES * CACHE_ENTRIES * CACHE_ENTRY_WORDS * 4;

/** Word index of the slot for a linear page. */
export function cacheSlot(accessClass: number, kind: number, low: number): number {
  return (((accessClass * 3 + kind) << 8) | ((low >>> 12) & 0xff)) << 2;
}

/** The cache of one processor. */
export class TranslationCache {
  readonly words: Int32Array;
  /** Has a large page been cached since everything was last forgotten? Then one INVLPG must forget more than one entry. */
  private holdsLargePages = false;

  /** @param byteOffset - where its {@link TRANSLATION_CACHE_SIZE} bytes start in the arena. */
  constructor(arena: MemoryArena, byteOffset: number) {
    this.words = new Int32Array(arena.buffer, byteOffset, TRANSLATION_CACHE_SIZE >> 2);
  }

  insert(
    accessClass: number,
    kind: number,
    low: number,
    high: number,
    pageOffset: number,
    global: boolean,
    large: boolean,
  ): void {
    const slot = cacheSlot(accessClass, kind, low);
    this.words[slot] = low | 0xfff;
    this.words[slot + 1] = high;
    this.words[slot + 2] = pageOffset;
    this.words[slot + 3] = global ? 1 : 0;
    if (large) this.holdsLargePages = true;
  }

  /** Forgets everything, global translations too. */
  clear(): void {
    this.words.fill(0);
    this.holdsLargePages = false;
  }

  /** Forgets all but global translations (MOV to CR3). */
  clearLocal(): void {
    const { words } = this;
    for (let slot = 0; slot < words.length; slot += CACHE_ENTRY_WORDS) if (words[slot + 3] === 0) words[slot] = 0;
  }

  /** Forgets one page (INVLPG), whoever it was cached for. */
  clearPage(low: number, high: number): void {
    if (this.holdsLargePages) {
      this.clear();
      return;
    }
    for (let table = 0; table < TABLES; table++) {
      const slot = cacheSlot(0, table, low);
      if (this.words[slot] === (low | 0xfff) && this.words[slot + 1] === high) this.words[slot] = 0;
    }
  }
}
