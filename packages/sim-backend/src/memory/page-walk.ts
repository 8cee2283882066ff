/**
 * The page walk: from a linear address to a guest-physical one through no paging, 32-bit, PAE, 4-level or 5-level
 * tables, with every permission bit (Intel SDM volume 3, chapter 4). One walker serves the processor's own accesses and
 * `WHvTranslateGva`. What a translation is cached as is `translation-cache.ts`'s.
 */

import { WHV_TRANSLATE_GVA_RESULT_CODE as Result } from "@whvkit/whv-types";
import { Cr0, Cr4, Efer, Flag, isCanonical, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import type { MemoryArena } from "./memory-arena.ts";
import { MapEntry, type MemoryMap } from "./memory-map.ts";

/** What a walk is for. Bits may be combined; `user` and `exempt` say who asks. */
export const WalkAccess = {
  read: 1,
  write: 2,
  execute: 4,
  /** The access is made at CPL 3. */
  user: 8,
  /** Supervisor access that RFLAGS.AC does not excuse from SMAP: an implicit one. */
  implicit: 16,
  /** Neither U/S nor SMAP nor SMEP is looked at (`WHvTranslateGvaFlagPrivilegeExempt`). */
  exempt: 32,
  /** Leave accessed and dirty bits as they are. */
  keepBits: 64,
  /** SMAP is not looked at (`WHvTranslateGvaFlagOverrideSmap`). */
  overrideSmap: 128,
} as const;

/** Bits of the error code of #PF. */
export const PageFaultCode = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16 } as const;

/** Bits of page-table entries. */
const Entry = { present: 1, writable: 2, user: 4, accessed: 0x20, dirty: 0x40, large: 0x80, global: 0x100 } as const;

/** Physical address bits of the processor model: entries with higher ones set fault. */
export const PHYSICAL_ADDRESS_BITS = 48;

/** Bits of the high word of an entry that lie above the physical address width and below bit 52 (bits 62..52 are free, 63 is NX). */
const RESERVED_HIGH = 0xf_ffff & ~((1 << (PHYSICAL_ADDRESS_BITS - 32)) - 1);

const TWO_TO_32 = 0x1_0000_0000;

/**
 * One walk at a time; the answer stands in the fields until the next.
 */
export class PageWalker {
  /** Guest-physical address of the linear address, when `resultCode` is Success or one of the Gpa results. */
  gpa = 0;
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  resultCode: number = Result.WHvTranslateGvaResultSuccess;
  /** Error code of #PF when the result is PageNotPresent, PrivilegeViolation or InvalidPageTableFlags. */
  errorCode = 0;
  /** Is the translation global (CR4.PGE and the entry's G)? */
  global = false;
  /** Does it come from a large page? */
  large = false;
  /** Guest-physical address of a page-table entry that is not RAM, when the result is GpaUnmapped or GpaNoReadAccess before the last level; else -1. */
  tableGpa = -1;

  private readonly registers: RegisterFile;
  private readonly map: MemoryMap;
  private readonly arena: MemoryArena;
  /** Arena offsets of the entries of this walk, from the top. */
  private readonly trail = new Float64Array(5);
  private readonly trailGpa = new Float64Array(5);

  constructor(registers: RegisterFile, map: MemoryMap, arena: MemoryArena) {
    this.registers = registers;
    this.map = map;
    this.arena = arena;
  }

  /** Walks for one address; answers whether paging allows the access (whether RAM is there is the caller's question). */
  walk(low: number, high: number, access: number): boolean {
    const { words } = this.registers;
    this.tableGpa = -1;
    this.global = false;
    this.large = false;
    this.errorCode = 0;
    const cr0 = words[RegisterOffset.cr0 >> 2];
    if ((cr0 & Cr0.PG) === 0) {
      this.gpa = low >>> 0;
      this.resultCode = Result.WHvTranslateGvaResultSuccess;
      return true;
    }
    const cr4 = words[RegisterOffset.cr4 >> 2];
    const efer = words[RegisterOffset.efer >> 2];
    if ((efer & Efer.LMA) !== 0) {
      const fiveLevel = (cr4 & Cr4.LA57) !== 0;
      if (!isCanonical(high, fiveLevel)) return this.fail(Result.WHvTranslateGvaResultPageNotPresent, access, 0);
      const root = this.physical(words[RegisterOffset.cr3 >> 2] & ~0xfff, words[(RegisterOffset.cr3 >> 2) + 1]);
      return this.walkWide(low, high, access, root, fiveLevel ? 5 : 4);
    }
    if ((cr4 & Cr4.PAE) !== 0) return this.walkPae(low, access);
    return this.walkNarrow(low, access);
  }

  /** PAE: four page-directory pointers, which have neither rights nor accessed bits. */
  private walkPae(low: number, access: number): boolean {
    const { words } = this.registers;
    const root = (words[RegisterOffset.cr3 >> 2] & ~0x1f) >>> 0;
    const gpa = root + (low >>> 30) * 8;
    const offset = this.map.offset(gpa);
    if (offset < 0) return this.noTable(gpa);
    const entry = this.arena.view.getInt32(offset, true);
    const entryHigh = this.arena.view.getInt32(offset + 4, true);
    if ((entry & Entry.present) === 0) return this.fail(Result.WHvTranslateGvaResultPageNotPresent, access, 0);
    if ((entry & 0x1e6) !== 0 || (entryHigh & (~0xf_ffff | RESERVED_HIGH)) !== 0)
      return this.fail(Result.WHvTranslateGvaResultInvalidPageTableFlags, access, PageFaultCode.reserved);
    return this.walkWide(low, 0, access, this.physical(entry & ~0xfff, entryHigh), 2);
  }

  /** Tables of 512 eight-byte entries: 2 levels under PAE, 4 or 5 in IA-32e mode. */
  private walkWide(low: number, high: number, access: number, root: number, levels: number): boolean {
    const { words } = this.registers;
    const { view } = this.arena;
    const noExecute = (words[RegisterOffset.efer >> 2] & Efer.NXE) !== 0;
    let table = root;
    let rights: number = Entry.writable | Entry.user;
    let forbidExecute = false;
    let reserved = false;
    for (let level = levels; level >= 1; level--) {
      const gpa = table + tableIndex(low, high, level) * 8;
      const offset = this.map.offset(gpa);
      if (offset < 0) return this.noTable(gpa);
      const entry = view.getInt32(offset, true);
      const entryHigh = view.getInt32(offset + 4, true);
      if ((entry & Entry.present) === 0) return this.fail(Result.WHvTranslateGvaResultPageNotPresent, access, 0);
      this.trail[levels - level] = offset;
      this.trailGpa[levels - level] = gpa;
      rights &= entry;
      if (entryHigh < 0) {
        forbidExecute = true;
        reserved ||= !noExecute;
      }
      // PAE paging has no free bits 62..52.
      reserved ||= (entryHigh & (levels === 2 ? RESERVED_HIGH | 0x7ff0_0000 : RESERVED_HIGH)) !== 0;
      const isLarge = (entry & Entry.large) !== 0 && level > 1;
      // Large pages exist at levels 2 and 3 (3 only in IA-32e mode); the bits of their address below the size are reserved, bit 12 is PAT.
      reserved ||= isLarge && (level > 3 || (entry & (level === 2 ? 0x1f_e000 : 0x3fff_e000)) !== 0);
      if (reserved) return this.fail(Result.WHvTranslateGvaResultInvalidPageTableFlags, access, PageFaultCode.reserved);
      if (level === 1 || isLarge) {
        const pageMask = level === 1 ? 0xfff : level === 2 ? 0x1f_ffff : 0x3fff_ffff;
        this.gpa = this.physical((entry & ~pageMask & ~0xfff) | (low & pageMask), entryHigh);
        this.large = isLarge;
        return this.finish(access, rights, forbidExecute, levels - level + 1, entry);
      }
      table = this.physical(entry & ~0xfff, entryHigh);
    }
    return false;
  }

  /** 32-bit paging: two levels of 1024 four-byte entries, with 4 MiB pages under CR4.PSE (PSE-36). */
  private walkNarrow(low: number, access: number): boolean {
    const { words } = this.registers;
    const { view } = this.arena;
    const largePages = (words[RegisterOffset.cr4 >> 2] & Cr4.PSE) !== 0;
    let gpa = ((words[RegisterOffset.cr3 >> 2] & ~0xfff) >>> 0) + (low >>> 22) * 4;
    let offset = this.map.offset(gpa);
    if (offset < 0) return this.noTable(gpa);
    let entry = view.getInt32(offset, true);
    if ((entry & Entry.present) === 0) return this.fail(Result.WHvTranslateGvaResultPageNotPresent, access, 0);
    this.trail[0] = offset;
    this.trailGpa[0] = gpa;
    let rights = entry;
    if (largePages && (entry & Entry.large) !== 0) {
      // Bits 20..13 are address bits 39..32; bit 21 is reserved.
      if ((entry & 0x20_0000) !== 0)
        return this.fail(Result.WHvTranslateGvaResultInvalidPageTableFlags, access, PageFaultCode.reserved);
      this.gpa = ((entry >>> 13) & 0xff) * TWO_TO_32 + (((entry & 0xffc0_0000) | (low & 0x3f_ffff)) >>> 0);
      this.large = true;
      return this.finish(access, rights, false, 1, entry);
    }
    gpa = (entry & ~0xfff) >>> 0;
    gpa += ((low >>> 12) & 0x3ff) * 4;
    offset = this.map.offset(gpa);
    if (offset < 0) return this.noTable(gpa);
    entry = view.getInt32(offset, true);
    if ((entry & Entry.present) === 0) return this.fail(Result.WHvTranslateGvaResultPageNotPresent, access, 0);
    this.trail[1] = offset;
    this.trailGpa[1] = gpa;
    rights &= entry;
    this.gpa = ((entry & ~0xfff) | (low & 0xfff)) >>> 0;
    return this.finish(access, rights, false, 2, entry);
  }

  /** Permission of the whole path, then accessed and dirty bits. */
  private finish(access: number, rights: number, forbidExecute: boolean, depth: number, last: number): boolean {
    const { words } = this.registers;
    if ((access & WalkAccess.exempt) === 0 && !this.allows(access, rights))
      return this.fail(Result.WHvTranslateGvaResultPrivilegeViolation, access, PageFaultCode.present);
    const readOnly = (rights & Entry.writable) === 0;
    const protectsSupervisor = (words[RegisterOffset.cr0 >> 2] & Cr0.WP) !== 0;
    const writeForbidden =
      readOnly && (access & WalkAccess.write) !== 0 && ((access & WalkAccess.user) !== 0 || protectsSupervisor);
    if (writeForbidden || (forbidExecute && (access & WalkAccess.execute) !== 0))
      return this.fail(Result.WHvTranslateGvaResultPrivilegeViolation, access, PageFaultCode.present);
    this.global = (last & Entry.global) !== 0 && (words[RegisterOffset.cr4 >> 2] & Cr4.PGE) !== 0;
    if ((access & WalkAccess.keepBits) === 0) this.setBits(depth, (access & WalkAccess.write) !== 0);
    this.resultCode = Result.WHvTranslateGvaResultSuccess;
    return true;
  }

  /** User pages and supervisor pages: U/S, SMEP and SMAP. */
  private allows(access: number, rights: number): boolean {
    const isUserPage = (rights & Entry.user) !== 0;
    if ((access & WalkAccess.user) !== 0) return isUserPage;
    if (!isUserPage) return true;
    const { words } = this.registers;
    const cr4 = words[RegisterOffset.cr4 >> 2];
    if ((access & WalkAccess.execute) !== 0) return (cr4 & Cr4.SMEP) === 0;
    if ((cr4 & Cr4.SMAP) === 0 || (access & WalkAccess.overrideSmap) !== 0) return true;
    return (access & WalkAccess.implicit) === 0 && (words[RegisterOffset.rflags >> 2] & Flag.AC) !== 0;
  }

  private setBits(depth: number, write: boolean): void {
    const { view } = this.arena;
    for (let i = 0; i < depth; i++) {
      const offset = this.trail[i];
      const entry = view.getInt32(offset, true);
      const bits = i === depth - 1 && write ? Entry.accessed | Entry.dirty : Entry.accessed;
      if ((entry & bits) !== bits) {
        view.setInt32(offset, entry | bits, true);
        this.map.setDirty(this.trailGpa[i]);
      }
    }
  }

  private fail(resultCode: number, access: number, bits: number): boolean {
    const { words } = this.registers;
    const cr4 = words[RegisterOffset.cr4 >> 2];
    const reportsFetch =
      (cr4 & Cr4.SMEP) !== 0 || ((cr4 & Cr4.PAE) !== 0 && (words[RegisterOffset.efer >> 2] & Efer.NXE) !== 0);
    let code = bits;
    if ((bits & PageFaultCode.reserved) !== 0) code |= PageFaultCode.present;
    if ((access & WalkAccess.write) !== 0) code |= PageFaultCode.write;
    if ((access & WalkAccess.user) !== 0) code |= PageFaultCode.user;
    if ((access & WalkAccess.execute) !== 0 && reportsFetch) code |= PageFaultCode.fetch;
    this.errorCode = code;
    this.resultCode = resultCode;
    return false;
  }

  /** A table of the walk is not RAM. */
  private noTable(gpa: number): boolean {
    this.tableGpa = gpa;
    this.gpa = gpa;
    this.resultCode = Result.WHvTranslateGvaResultGpaUnmapped;
    return false;
  }

  /** A physical address from an entry's two words, NX and free bits left out. */
  private physical(low: number, high: number): number {
    return (high & 0xf_ffff) * TWO_TO_32 + (low >>> 0);
  }

  /** Does the map lack a right for this access? Answers a result code. `gpa` must be set. */
  mapResult(access: number): number {
    const entry = this.map.entry(this.gpa);
    if (entry === 0) return Result.WHvTranslateGvaResultGpaUnmapped;
    if ((access & WalkAccess.write) !== 0 && (entry & MapEntry.write) === 0)
      return Result.WHvTranslateGvaResultGpaNoWriteAccess;
    const needed = (access & WalkAccess.execute) !== 0 ? MapEntry.execute : MapEntry.read;
    return (entry & needed) === 0 ? Result.WHvTranslateGvaResultGpaNoReadAccess : Result.WHvTranslateGvaResultSuccess;
  }
}

/** Index into the table of a level (1 is the last) for a linear address. */
function tableIndex(low: number, high: number, level: number): number {
  switch (level) {
    case 1:
      return (low >>> 12) & 0x1ff;
    case 2:
      return (low >>> 21) & 0x1ff;
    case 3:
      return ((low >>> 30) | (high << 2)) & 0x1ff;
    case 4:
      return (high >>> 7) & 0x1ff;
    default:
      return (high >>> 16) & 0x1ff;
  }
}
