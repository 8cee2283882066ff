/**
 * Decoded instructions as the interpreter reads them: records in the arena, found by the page of memory and the offset in
 * it that their bytes stand at, one block a page and mode. Records of a straight line lie behind each other, so that the
 * interpreter walks on without a look; a record whose bytes were changed stays where it is and says so.
 */

import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { RecordOffset, writeRecord } from "@whvkit/x86-semantics";
import type { CodeObserver } from "../memory/guest-machine.ts";
import { type MemoryArena, PAGE_SIZE } from "../memory/memory-arena.ts";
import { type InterpretedForm, interpretedForm } from "./form-code.ts";
import type { FormNumbers } from "./form-numbers.ts";
import { BlockPlace, ENGINE_RECORD_SIZE, FIRST_RECORD, RecordPlace, Special } from "./record-layout.ts";

const BLOCK_SIZE: number = PAGE_SIZE * 5 + 64;

const MODES = 3;
const MAX_LENGTH = 15;
/** Instructions decoded ahead at most. */
const LONGEST_LINE = 32;
const LENGTH_MASK = 0xf;

/** Bytes of the records of an arena of a capacity: directories, marks, and blocks and records. */
export function recordsSize(capacity: number): number {
  const pages = capacity / PAGE_SIZE;
  const code = Math.min(Math.max(capacity >> 4, 0x100_0000), 0x400_0000);
  return pages * (4 * MODES + 1) + code;
}

/** The records of one processor. */
export class CodeRecords implements CodeObserver {
  readonly codePages: Uint8Array;
  /** Addresses of the directories of the three modes: the block of each page of the arena, 0 for none. */
  readonly directories: readonly number[];
  generation = 1;
  /** Changes when all records are forgotten. */
  epoch = 0;

  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly halfwords: Uint16Array;
  private readonly view: DataView;
  private readonly forms: FormNumbers;
  private readonly decoders: readonly Decoder[] = [new Decoder(16), new Decoder(32), new Decoder(64)];
  private readonly instruction = new Instruction();
  private readonly start: number;
  private readonly end: number;
  private next: number;
  /** Indices in `words` of directory entries that hold a block. */
  private readonly used: number[] = [];
  /** Records that wait for the code of their form. */
  private readonly waiting: number[] = [];

  /**
   * @param tables - where {@link recordsSize} bytes for it start in the arena: new ones, or those of records disposed of.
   */
  constructor(arena: MemoryArena, tables: number, forms: FormNumbers) {
    this.bytes = arena.bytes;
    this.words = new Int32Array(arena.buffer);
    this.halfwords = new Uint16Array(arena.buffer);
    this.view = arena.view;
    this.forms = forms;
    const pages = arena.capacity / PAGE_SIZE;
    this.directories = Array.from({ length: MODES }, (_, mode) => tables + mode * pages * 4);
    const marks = tables + MODES * pages * 4;
    this.codePages = arena.bytes.subarray(marks, marks + pages);
    this.start = Math.ceil((marks + pages) / 64) * 64;
    this.end = tables + recordsSize(arena.capacity);
    this.next = this.start;
  }

  /**
   * The block of a page of the arena in a mode, with all its records right; made where there is none, 0 where there is no
   * room and everything has been forgotten.
   */
  block(page: number, mode: number): number {
    const entry = ((this.directories[mode] as number) >>> 2) + page;
    const known = this.words[entry] >>> 0;
    if (known !== 0) {
      if (this.words[(known + BlockPlace.generation) >>> 2] !== this.generation) this.verify(page, known);
      return known;
    }
    const block = this.allocate(BLOCK_SIZE);
    if (block === 0) return 0;
    this.words.fill(0, block >>> 2, (block + BlockPlace.bytes) >>> 2);
    this.bytes.copyWithin(block + BlockPlace.bytes, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    this.words[(block + BlockPlace.generation) >>> 2] = this.generation;
    this.words[entry] = block;
    this.used.push(entry);
    this.codePages[page] = 1;
    return block;
  }

  /** What a slot holds: an address of a record, or a number below {@link FIRST_RECORD}. */
  slot(block: number, inPage: number): number {
    return this.words[(block >>> 2) + inPage] >>> 0;
  }

  /** Counts a visit of a slot that holds no record. */
  visit(block: number, inPage: number): void {
    this.words[(block >>> 2) + inPage]++;
  }

  inPage(record: number): number {
    return this.halfwords[(record + RecordPlace.inPage) >>> 1];
  }

  /** Number of the form whose code a record waits for, or 0. */
  awaitedForm(record: number): number {
    return this.halfwords[record >>> 1] === Special.evaluate ? this.halfwords[(record + RecordPlace.form) >>> 1] : 0;
  }

  /**
   * Decodes the line of instructions from an offset of a page on. False where there was no room, and everything has been
   * forgotten.
   */
  decodeLine(page: number, mode: number, block: number, inPage: number): boolean {
    const size = (LONGEST_LINE + 1) * ENGINE_RECORD_SIZE;
    let record = this.allocate(size);
    if (record === 0) return false;
    for (let n = 0; n < LONGEST_LINE && inPage < PAGE_SIZE; n++) {
      if (n > 0 && this.slot(block, inPage) >= FIRST_RECORD) break;
      const form = this.decode(page, mode, inPage, record);
      this.words[(block >>> 2) + inPage] = record;
      this.halfwords[(record + RecordPlace.inPage) >>> 1] = inPage;
      inPage += this.bytes[record + RecordOffset.lengthAndScale] & LENGTH_MASK;
      record += ENGINE_RECORD_SIZE;
      if (form === null || form.ir.writesIp) break;
    }
    this.halfwords[record >>> 1] = Special.end;
    this.halfwords[(record + RecordPlace.inPage) >>> 1] = inPage;
    this.next = record + ENGINE_RECORD_SIZE;
    return true;
  }

  /** Decodes one instruction into a record; the answer is its form, null where the evaluator runs it. */
  private decode(page: number, mode: number, inPage: number, record: number): InterpretedForm | null {
    const { instruction } = this;
    const at = page * PAGE_SIZE + inPage;
    const here = Math.min(MAX_LENGTH, PAGE_SIZE - inPage);
    const status = (this.decoders[mode] as Decoder).decode(this.bytes.subarray(at, at + here), 0, instruction);
    const form = status === DecodeStatus.ok ? interpretedForm(instruction) : null;
    if (form === null) {
      this.halfwords[record >>> 1] = Special.evaluate;
      this.halfwords[(record + RecordPlace.form) >>> 1] = 0;
      // Whatever is wrong with the bytes, or goes on in the next page, depends on all that are here.
      this.bytes[record + RecordOffset.lengthAndScale] = status === DecodeStatus.ok ? instruction.length : here;
      return null;
    }
    const number = this.forms.numberOf(form);
    writeRecord(instruction, this.view, record, this.forms.hasCode(number) ? number : Special.evaluate);
    this.halfwords[(record + RecordPlace.form) >>> 1] = number;
    if (!this.forms.hasCode(number)) this.waiting.push(record);
    return form;
  }

  /** Gives waiting records their forms, once those have code. */
  formsCompiled(): void {
    const { waiting, halfwords } = this;
    let kept = 0;
    for (const record of waiting) {
      const form = this.awaitedForm(record);
      if (form === 0) continue;
      if (this.forms.hasCode(form)) halfwords[record >>> 1] = form;
      else waiting[kept++] = record;
    }
    waiting.length = kept;
  }

  codeWritten(offset: number, size: number): void {
    const page = Math.floor(offset / PAGE_SIZE);
    const first = offset % PAGE_SIZE;
    for (let mode = 0; mode < MODES; mode++) {
      const block = this.words[((this.directories[mode] as number) >>> 2) + page] >>> 0;
      if (block !== 0) this.changed(page, block, first, Math.min(first + size, PAGE_SIZE) - 1);
    }
  }

  /** The host had control: what is in memory may be other code. */
  nextGeneration(): void {
    this.generation = (this.generation + 1) | 0;
  }

  /** Forgets everything, and leaves the tables as it found them. */
  dispose(): void {
    this.clear();
    this.codePages.fill(0);
  }

  /** Forgets everything. */
  clear(): void {
    for (const entry of this.used) this.words[entry] = 0;
    this.used.length = 0;
    this.waiting.length = 0;
    this.next = this.start;
    this.epoch++;
  }

  /** Compares a page with the bytes that its records were made of. */
  private verify(page: number, block: number): void {
    const { words } = this;
    const memory = page * (PAGE_SIZE >> 2);
    const copy = (block + BlockPlace.bytes) >>> 2;
    for (let i = 0; i < PAGE_SIZE >> 2; i++)
      if (words[memory + i] !== words[copy + i]) this.changed(page, block, i * 4, i * 4 + 3);
    words[(block + BlockPlace.generation) >>> 2] = this.generation;
  }

  /** Bytes `first` to `last` of a page are others now. */
  private changed(page: number, block: number, first: number, last: number): void {
    const memory = page * PAGE_SIZE;
    this.bytes.copyWithin(block + BlockPlace.bytes + first, memory + first, memory + last + 1);
    for (let at = Math.max(0, first - MAX_LENGTH + 1); at <= last; at++) {
      const record = this.slot(block, at);
      if (record < FIRST_RECORD) continue;
      if (at + (this.bytes[record + RecordOffset.lengthAndScale] & LENGTH_MASK) <= first) continue;
      this.halfwords[record >>> 1] = Special.absent;
      this.words[(block >>> 2) + at] = 0;
    }
  }

  /** Room for blocks and records; 0 where there is none, and everything has been forgotten. */
  private allocate(size: number): number {
    const at = this.next;
    if (at + size > this.end) {
      this.clear();
      return 0;
    }
    this.next = at + Math.ceil(size / 8) * 8;
    return at;
  }
}
