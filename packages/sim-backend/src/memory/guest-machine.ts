/**
 * The simulator's {@link Machine}: how an instruction's loads, stores and port accesses reach guest memory, with
 * segment checks, paging and the exits that unmapped memory asks for. System instructions are handed to
 * `../processor/system-instructions.ts`.
 */

import { WHV_MEMORY_ACCESS_TYPE, WHV_RUN_VP_EXIT_REASON, WHV_TRANSLATE_GVA_RESULT_CODE } from "@whvkit/whv-types";
import {
  Abort,
  Cr0,
  Cr4,
  checkPortBitmap,
  currentPrivilege,
  Flag,
  GuestFault,
  Intent,
  ioPrivilegeSuffices,
  is64Bit,
  isCanonical,
  isProtected,
  isVirtual8086,
  type RegisterFile,
  RegisterOffset,
  Segment,
  type SpanMachine,
  StateOffset,
  Vector,
} from "@whvkit/x86-semantics";
import { ExitRequest } from "../processor/exit-request.ts";
import type { MemoryArena } from "./memory-arena.ts";
import { MapEntry, type MemoryMap } from "./memory-map.ts";
import { PageWalker, WalkAccess } from "./page-walk.ts";
import { AccessClass, AccessKind, cacheSlot, TranslationCache } from "./translation-cache.ts";

const segmentWords = RegisterOffset.segments >> 2;
const segmentHalfwords = RegisterOffset.segments >> 1;

/** Who wants to know that memory with decoded instructions in it was written. */
export interface CodeObserver {
  /** Pages of the arena that hold decoded instructions: not 0. Indexed by arena page. */
  readonly codePages: Uint8Array;
  /** A guest store changed `size` bytes of such a page. */
  codeWritten(offset: number, size: number): void;
}

/** What {@link GuestMachine} cannot do itself. */
export interface SystemInstructions {
  execute(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number;
}

export class GuestMachine implements SpanMachine {
  readonly registers: RegisterFile;
  readonly fault: GuestFault = new GuestFault();
  /** In the arena, behind the registers, where compiled code finds it ({@link StateOffset}). */
  readonly data: Int32Array;
  /** Filled when a method answers `Abort.exit` or `Abort.unsupported`. */
  readonly exit: ExitRequest = new ExitRequest();
  readonly cache: TranslationCache;
  readonly walker: PageWalker;
  spanAddress = 0;
  spanElements = 0;

  /** Length and operand size in bytes of the instruction that runs, for system instructions. */
  instructionLength = 0;
  operandSize = 0;
  /** Class of the explicit accesses that the current state makes: see {@link GuestMachine.refresh}. */
  accessClass = 0;
  private wide = false;
  /** Do segments have rights (protected mode without virtual-8086 mode)? */
  protectedMode = false;
  private fiveLevel = false;
  /** Do misaligned accesses fault now? */
  checksAlignment = false;

  private readonly map: MemoryMap;
  private readonly view: DataView;
  private readonly tlb: Int32Array;
  private mapEpoch = -1;
  private observer: CodeObserver | null = null;
  private codePages: Uint8Array = new Uint8Array(0);
  private system: SystemInstructions | null = null;

  constructor(registers: RegisterFile, arena: MemoryArena, map: MemoryMap, cacheOffset: number) {
    this.registers = registers;
    this.data = new Int32Array(arena.buffer, registers.bytes.byteOffset + StateOffset.data, 8);
    this.map = map;
    this.view = arena.view;
    this.cache = new TranslationCache(arena, cacheOffset);
    this.tlb = this.cache.words;
    this.walker = new PageWalker(registers, map, arena);
  }

  /** Connects what is built on top of the machine: the engine's decoded code, and system instructions. */
  connect(observer: CodeObserver, system: SystemInstructions): void {
    this.observer = observer;
    this.codePages = observer.codePages;
    this.system = system;
  }

  /**
   * Takes over what CS, SS, CR0, CR4, EFER and RFLAGS say about accesses. To be called after anything that may have
   * changed them.
   */
  refresh(): void {
    const { registers } = this;
    const { words } = registers;
    const cr4 = words[RegisterOffset.cr4 >> 2];
    const flags = words[RegisterOffset.rflags >> 2];
    const privilege = currentPrivilege(registers);
    this.wide = is64Bit(registers);
    this.protectedMode = isProtected(registers) && !isVirtual8086(registers);
    this.fiveLevel = (cr4 & Cr4.LA57) !== 0;
    const ac = (flags & Flag.AC) !== 0;
    this.checksAlignment = ac && privilege === 3 && (words[RegisterOffset.cr0 >> 2] & Cr0.AM) !== 0;
    if (privilege === 3) this.accessClass = AccessClass.user;
    else this.accessClass = ac && (cr4 & Cr4.SMAP) !== 0 ? AccessClass.excused : AccessClass.supervisor;
    if (this.mapEpoch !== this.map.epoch) {
      this.mapEpoch = this.map.epoch;
      this.cache.clear();
    }
  }

  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }

  load(segment: number, low: number, high: number, size: number, intent: number): number {
    if ((intent & Intent.system) === 0) {
      const abort = this.checkSegment(segment, low, high, size, intent);
      if (abort !== Abort.none) return abort;
    }
    if ((low & 0xfff) + size > 0x1000) return this.loadAcross(low, high, size, intent);
    const at = this.translate(low, high, intent);
    if (at < 0) return -1 - at;
    this.read(at, size);
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
    if ((intent & Intent.system) === 0) {
      const abort = this.checkSegment(segment, low, high, size, intent);
      if (abort !== Abort.none) return abort;
    }
    if ((low & 0xfff) + size > 0x1000) {
      this.data[0] = valueLow;
      this.data[1] = valueHigh;
      return this.storeAcross(low, high, size, intent);
    }
    const at = this.translate(low, high, intent);
    if (at < 0) return -1 - at;
    this.write(at, size, valueLow, valueHigh);
    return Abort.none;
  }

  store128(segment: number, low: number, high: number, intent: number): number {
    if ((intent & Intent.system) === 0) {
      const abort = this.checkSegment(segment, low, high, 16, intent);
      if (abort !== Abort.none) return abort;
    }
    if ((low & 0xfff) + 16 > 0x1000) return this.storeAcross(low, high, 16, intent);
    const at = this.translate(low, high, intent);
    if (at < 0) return -1 - at;
    const { data, view } = this;
    for (let i = 0; i < 4; i++) view.setInt32(at + i * 4, data[i], true);
    if (this.codePages[at >>> 12] !== 0) this.observer?.codeWritten(at, 16);
    return Abort.none;
  }

  probe(segment: number, low: number, high: number, size: number, intent: number): number {
    if ((intent & Intent.system) === 0) {
      const abort = this.checkSegment(segment, low, high, size, intent);
      if (abort !== Abort.none) return abort;
    }
    const at = this.translate(low, high, intent);
    if (at < 0) return -1 - at;
    if ((low & 0xfff) + size <= 0x1000) return Abort.none;
    const end = this.translateSecond(low, high, intent);
    return end < 0 ? -1 - end : Abort.none;
  }

  span(segment: number, low: number, high: number, size: number, intent: number, down: boolean): number {
    const abort = this.checkSegment(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    this.spanElements = 0;
    const inPage = low & 0xfff;
    if (inPage + size > 0x1000) return Abort.none;
    const at = this.translate(low, high, intent);
    if (at < 0) return -1 - at;
    this.spanAddress = at;
    let bytes = down ? inPage + size : 0x1000 - inPage;
    if (!this.wide) bytes = Math.min(bytes, this.bytesInSegment(segment, low, size, down));
    this.spanElements = Math.max(1, Math.floor(bytes / size));
    return Abort.none;
  }

  /** Bytes from an element on that stay inside the limit of its segment; the element itself has been checked. */
  private bytesInSegment(segment: number, low: number, size: number, down: boolean): number {
    const word = segmentWords + segment * 4;
    const offset = (low - this.registers.words[word]) >>> 0;
    const attributes = this.registers.halfwords[segmentHalfwords + segment * 8 + 7];
    const limit = this.registers.words[word + 2] >>> 0;
    if (this.protectedMode && (attributes & 0xc) === 4) {
      const top = (attributes & 0x4000) !== 0 ? 0xffff_ffff : 0xffff;
      return down ? offset + size - (limit + 1) : top - offset + 1;
    }
    return down ? offset + size : limit - offset + 1;
  }

  /** `gpa` is what {@link GuestMachine.spanAddress} answered, which here is an offset in the arena. */
  loadPhysical(gpa: number, size: number): number {
    this.read(gpa, size);
    return Abort.none;
  }

  storePhysical(gpa: number, size: number, valueLow: number, valueHigh: number): number {
    this.write(gpa, size, valueLow, valueHigh);
    return Abort.none;
  }

  in(port: number, size: number): number {
    return this.portAccess(port & 0xffff, size, false, false, false);
  }

  out(port: number, size: number, _value: number): number {
    return this.portAccess(port & 0xffff, size, true, false, false);
  }

  /** Every port belongs to the host: checks the right to it (IOPL, then the TSS's bitmap), then asks for the exit. */
  portAccess(port: number, size: number, isWrite: boolean, stringOperation: boolean, repeat: boolean): number {
    if (isVirtual8086(this.registers) || !ioPrivilegeSuffices(this.registers)) {
      const abort = checkPortBitmap(this, port, size);
      if (abort !== Abort.none) return abort;
    }
    const { exit } = this;
    exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess;
    exit.port = port;
    exit.accessSize = size;
    exit.isWrite = isWrite;
    exit.stringOperation = stringOperation;
    exit.repeat = repeat;
    return Abort.exit;
  }

  helper(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number {
    if (this.system === null) throw new Error("GuestMachine.connect was not called");
    return this.system.execute(id, aLow, aHigh, bLow, bHigh);
  }

  /** Arena offset of the instruction byte at a linear address, or -1 - Abort. */
  translateFetch(low: number, high: number): number {
    const accessClass = this.accessClass === AccessClass.excused ? AccessClass.supervisor : this.accessClass;
    const slot = cacheSlot(accessClass, AccessKind.execute, low);
    if (this.tlb[slot] === (low | 0xfff) && this.tlb[slot + 1] === high) return this.tlb[slot + 2] + (low & 0xfff);
    return this.fill(low, high, accessClass, AccessKind.execute);
  }

  /** Arena offset behind a linear address for a data access, or -1 - Abort. */
  private translate(low: number, high: number, intent: number): number {
    const accessClass = (intent & Intent.system) !== 0 ? AccessClass.supervisor : this.accessClass;
    const kind = (intent >> 1) & 1;
    const slot = cacheSlot(accessClass, kind, low);
    if (this.tlb[slot] === (low | 0xfff) && this.tlb[slot + 1] === high) return this.tlb[slot + 2] + (low & 0xfff);
    return this.fill(low, high, accessClass, kind);
  }

  /** The same for the page after the one that holds the address, at its start. */
  private translateSecond(low: number, high: number, intent: number): number {
    const next = ((low | 0xfff) + 1) | 0;
    return this.translate(next, next === 0 && this.wide ? (high + 1) | 0 : high, intent);
  }

  /** Walks the tables and caches the result, or records the fault or exit. */
  private fill(low: number, high: number, accessClass: number, kind: number): number {
    if (high !== 0 && !isCanonical(high, this.fiveLevel)) return -1 - this.raise(Vector.GP, 0);
    let access: number =
      kind === AccessKind.execute ? WalkAccess.execute : kind === AccessKind.write ? WalkAccess.write : WalkAccess.read;
    if (accessClass === AccessClass.user) access |= WalkAccess.user;
    // What is cached for supervisor code without AC serves implicit accesses as well: neither may touch user pages under SMAP.
    if (accessClass === AccessClass.supervisor) access |= WalkAccess.implicit;
    const { walker } = this;
    if (!walker.walk(low, high, access)) {
      if (walker.tableGpa >= 0) return this.memoryExit(low, high, WHV_MEMORY_ACCESS_TYPE.WHvMemoryAccessRead);
      this.fault.cr2Low = low;
      this.fault.cr2High = high;
      return -1 - this.raise(Vector.PF, walker.errorCode);
    }
    if (walker.mapResult(access) !== WHV_TRANSLATE_GVA_RESULT_CODE.WHvTranslateGvaResultSuccess)
      return this.memoryExit(low, high, kind);
    const entry = this.map.entry(walker.gpa);
    if (kind === AccessKind.write && (entry & MapEntry.dirty) === 0) this.map.setDirty(walker.gpa);
    const pageOffset = (entry >>> MapEntry.pageShift) << 12;
    this.cache.insert(accessClass, kind, low, high, pageOffset, walker.global, walker.large);
    return pageOffset + (low & 0xfff);
  }

  /** The kinds of access are numbered as `WHV_MEMORY_ACCESS_TYPE` numbers them. */
  private memoryExit(low: number, high: number, accessType: number): number {
    const { exit, walker } = this;
    exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonMemoryAccess;
    exit.accessType = accessType;
    exit.gpa = walker.gpa;
    exit.gpaUnmapped = this.map.entry(walker.gpa) === 0;
    exit.gvaLow = low;
    exit.gvaHigh = high;
    exit.gvaValid = true;
    return -1 - Abort.exit;
  }

  /** Limit and rights of a segment, canonical form, alignment. `low` was formed with the segment's base. */
  private checkSegment(segment: number, low: number, high: number, size: number, intent: number): number {
    if (this.checksAlignment && size > 1 && size <= 8 && (low & (size - 1)) !== 0)
      return this.checkAligned(segment, low, high, size, intent);
    if (this.wide) {
      if (high === 0 || isCanonical(high, this.fiveLevel)) return Abort.none;
      return this.raise(segment === Segment.ss ? Vector.SS : Vector.GP, 0);
    }
    const word = segmentWords + segment * 4;
    const offset = (low - this.registers.words[word]) >>> 0;
    const last = offset + size - 1;
    const limit = this.registers.words[word + 2] >>> 0;
    if (!this.protectedMode) return last <= limit ? Abort.none : this.segmentFault(segment);
    const attributes = this.registers.halfwords[segmentHalfwords + segment * 8 + 7];
    if ((attributes & 0x80) === 0) return this.segmentFault(segment);
    if ((attributes & 8) !== 0) {
      // Code: never writable, readable by its R bit.
      if ((intent & Intent.write) !== 0 || (attributes & 2) === 0) return this.segmentFault(segment);
    } else {
      if ((intent & Intent.write) !== 0 && (attributes & 2) === 0) return this.segmentFault(segment);
      if ((attributes & 4) !== 0) {
        const top = (attributes & 0x4000) !== 0 ? 0xffff_ffff : 0xffff;
        return offset > limit && last <= top ? Abort.none : this.segmentFault(segment);
      }
    }
    return last <= limit ? Abort.none : this.segmentFault(segment);
  }

  private segmentFault(segment: number): number {
    return this.raise(segment === Segment.ss ? Vector.SS : Vector.GP, 0);
  }

  /** A misaligned access at CPL 3 with alignment checks on: #AC, unless something of higher priority is wrong. */
  private checkAligned(segment: number, low: number, high: number, size: number, intent: number): number {
    this.checksAlignment = false;
    const abort = this.probe(segment, low, high, size, intent);
    this.checksAlignment = true;
    return abort !== Abort.none ? abort : this.raise(Vector.AC, 0);
  }

  private loadAcross(low: number, high: number, size: number, intent: number): number {
    const first = this.translate(low, high, intent);
    if (first < 0) return -1 - first;
    const second = this.translateSecond(low, high, intent);
    if (second < 0) return -1 - second;
    const { data, view } = this;
    const split = 0x1000 - (low & 0xfff);
    data.fill(0, 0, 4);
    for (let i = 0; i < size; i++) {
      const byte = view.getUint8(i < split ? first + i : second + i - split);
      data[i >> 2] |= byte << ((i & 3) * 8);
    }
    return Abort.none;
  }

  private storeAcross(low: number, high: number, size: number, intent: number): number {
    const first = this.translate(low, high, intent);
    if (first < 0) return -1 - first;
    const second = this.translateSecond(low, high, intent);
    if (second < 0) return -1 - second;
    const { data, view } = this;
    const split = 0x1000 - (low & 0xfff);
    for (let i = 0; i < size; i++)
      view.setUint8(i < split ? first + i : second + i - split, data[i >> 2] >>> ((i & 3) * 8));
    if (this.codePages[first >>> 12] !== 0) this.observer?.codeWritten(first, split);
    if (this.codePages[second >>> 12] !== 0) this.observer?.codeWritten(second, size - split);
    return Abort.none;
  }

  private read(at: number, size: number): void {
    const { data, view } = this;
    switch (size) {
      case 1:
        data[0] = view.getUint8(at);
        data[1] = 0;
        return;
      case 2:
        data[0] = view.getUint16(at, true);
        data[1] = 0;
        return;
      case 4:
        data[0] = view.getInt32(at, true);
        data[1] = 0;
        return;
      case 8:
        data[0] = view.getInt32(at, true);
        data[1] = view.getInt32(at + 4, true);
        return;
      default:
        for (let i = 0; i < 4; i++) data[i] = view.getInt32(at + i * 4, true);
    }
  }

  private write(at: number, size: number, low: number, high: number): void {
    const { view } = this;
    switch (size) {
      case 1:
        view.setUint8(at, low);
        break;
      case 2:
        view.setUint16(at, low, true);
        break;
      case 4:
        view.setInt32(at, low, true);
        break;
      default:
        view.setInt32(at, low, true);
        view.setInt32(at + 4, high, true);
    }
    if (this.codePages[at >>> 12] !== 0) this.observer?.codeWritten(at, size);
  }
}
