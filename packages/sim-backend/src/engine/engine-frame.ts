/**
 * The frame: what the WebAssembly interpreter and its engine tell each other, at a fixed place of the arena. The engine
 * writes what follows from mode, privilege and segments; the interpreter keeps the page that execution is in.
 */

import { codeBits, RegisterOffset, Segment } from "@whvkit/x86-semantics";
import type { GuestMachine } from "../memory/guest-machine.ts";
import type { MemoryArena } from "../memory/memory-arena.ts";
import { AccessClass, AccessKind, cacheSlot } from "../memory/translation-cache.ts";
import { ENGINE_FRAME_SIZE } from "./engine.ts";

/** Byte offsets in the frame. */
export const FrameOffset = {
  /** i32: the record at which the interpreter stopped; 0 where RIP says where execution stands. */
  record: 0,
  /** i32: what is left of the budget. */
  left: 4,
  /** i64: linear address of the page that execution is in; {@link NO_PAGE} for none. */
  page: 8,
  /** i64: instruction pointer of that page's first byte, negative where CS starts inside of it. */
  pageIp: 16,
  /** i64: base of CS as the mode counts it. */
  codeBase: 24,
  /** i64: bits of a linear address. */
  linearMask: 32,
  /** i64: the highest instruction pointer, signed; a page that reaches beyond it is the evaluator's. */
  ipLimit: 40,
  /** i64: bits of the instruction pointer. */
  ipMask: 48,
  /** i32: slots of that page ({@link CodeRecords}). */
  slots: 56,
  /** i32: what blocks of code have to show to be used without a look at their bytes. */
  generation: 60,
  /** i32 each: translation caches for the explicit accesses that the current state makes. */
  reads: 64,
  writes: 68,
  fetches: 72,
  /** i32: blocks by page of the arena in the current mode. */
  directory: 76,
  /** i32: instructions that were run by a call, since the engine last looked. */
  calls: 80,
  /** 16 bytes for each of ES to GS: the highest offset that may be read, and written, i64; -1 where the machine must look. */
  limits: 96,
} as const;

const SEGMENTS = 6;
const NARROW_MODE = [0xffff, 0xffff_ffff] as const;

/** A page address that no page has. */
const NO_PAGE = 1;

/** Bits of segment attributes: executable, expand-down or conforming, writable or readable, present. */
const Type = { code: 8, expandDown: 4, access: 2, present: 0x80 } as const;

const segmentWords = RegisterOffset.segments >> 2;
const segmentHalfwords = RegisterOffset.segments >> 1;

/** The frame of one processor. */
export class EngineFrame {
  /** Where it starts in the arena. */
  readonly address: number;
  /** Mode of CS: 0, 1, 2 for 16, 32, 64 bits. */
  mode = 0;
  private readonly words: Int32Array;
  private readonly machine: GuestMachine;
  private readonly cacheAddress: number;

  constructor(arena: MemoryArena, address: number, machine: GuestMachine) {
    this.address = address;
    this.machine = machine;
    this.cacheAddress = machine.cache.words.byteOffset;
    this.words = new Int32Array(arena.buffer, address, ENGINE_FRAME_SIZE >> 2);
  }

  get record(): number {
    return this.words[FrameOffset.record >> 2] >>> 0;
  }

  get left(): number {
    return this.words[FrameOffset.left >> 2];
  }

  get calls(): number {
    return this.words[FrameOffset.calls >> 2];
  }

  clearCalls(): void {
    this.words[FrameOffset.calls >> 2] = 0;
  }

  set generation(value: number) {
    this.words[FrameOffset.generation >> 2] = value;
  }

  /** The page that execution is in has to be found anew. */
  leavePage(): void {
    this.set64(FrameOffset.page, NO_PAGE, 0);
  }

  /** Does a page of 16- or 32-bit code, whose first byte has this instruction pointer, end below the limit of CS? */
  holdsPage(pageIp: number): boolean {
    return pageIp + 0xfff <= this.words[FrameOffset.ipLimit >> 2] >>> 0;
  }

  /** The instruction pointer of an offset in the page that execution is in: its low word. */
  ipLow(inPage: number): number {
    const sum = (this.words[FrameOffset.pageIp >> 2] >>> 0) + inPage;
    return sum & this.words[FrameOffset.ipMask >> 2];
  }

  /** Its high word. */
  ipHigh(inPage: number): number {
    const carry = (this.words[FrameOffset.pageIp >> 2] >>> 0) + inPage > 0xffff_ffff ? 1 : 0;
    return (this.words[(FrameOffset.pageIp >> 2) + 1] + carry) & this.words[(FrameOffset.ipMask >> 2) + 1];
  }

  /**
   * Takes over what the registers say. `directories` are the addresses of the three modes' directories.
   *
   * @returns whether the interpreter may run: it makes no alignment checks.
   */
  enterMode(directories: readonly number[]): boolean {
    const { words, machine } = this;
    const { registers } = machine;
    const bits = codeBits(registers);
    this.mode = bits === 16 ? 0 : bits === 32 ? 1 : 2;
    this.leavePage();
    if (machine.checksAlignment) return false;
    const code = segmentWords + Segment.cs * 4;
    if (this.mode === 2) {
      this.set64(FrameOffset.codeBase, 0, 0);
      this.set64(FrameOffset.linearMask, -1, -1);
      this.set64(FrameOffset.ipLimit, -1, 0x7fff_ffff);
      this.set64(FrameOffset.ipMask, -1, -1);
    } else {
      const mask = NARROW_MODE[this.mode as 0 | 1];
      this.set64(FrameOffset.codeBase, registers.words[code], 0);
      this.set64(FrameOffset.linearMask, -1, 0);
      this.set64(FrameOffset.ipLimit, Math.min(registers.words[code + 2] >>> 0, mask), 0);
      this.set64(FrameOffset.ipMask, mask, 0);
      for (let segment = 0; segment < SEGMENTS; segment++) this.setLimits(segment);
    }
    const { accessClass } = machine;
    const fetchClass = accessClass === AccessClass.excused ? AccessClass.supervisor : accessClass;
    words[FrameOffset.reads >> 2] = this.table(accessClass, AccessKind.read);
    words[FrameOffset.writes >> 2] = this.table(accessClass, AccessKind.write);
    words[FrameOffset.fetches >> 2] = this.table(fetchClass, AccessKind.execute);
    words[FrameOffset.directory >> 2] = directories[this.mode] as number;
    return true;
  }

  private table(accessClass: number, kind: number): number {
    return this.cacheAddress + cacheSlot(accessClass, kind, 0) * 4;
  }

  private set64(offset: number, low: number, high: number): void {
    this.words[offset >> 2] = low;
    this.words[(offset >> 2) + 1] = high;
  }

  /** What `GuestMachine.checkSegment` allows without a second thought. */
  private setLimits(segment: number): void {
    const { registers, protectedMode } = this.machine;
    const limit = registers.words[segmentWords + segment * 4 + 2];
    let readable = true;
    let writable = true;
    if (protectedMode) {
      const attributes = registers.halfwords[segmentHalfwords + segment * 8 + 7];
      const isCode = (attributes & Type.code) !== 0;
      const plain = (attributes & Type.present) !== 0 && (isCode || (attributes & Type.expandDown) === 0);
      readable = plain && (!isCode || (attributes & Type.access) !== 0);
      writable = plain && !isCode && (attributes & Type.access) !== 0;
    }
    const at = FrameOffset.limits + segment * 16;
    this.set64(at, readable ? limit : -1, readable ? 0 : -1);
    this.set64(at + 8, writable ? limit : -1, writable ? 0 : -1);
  }
}
