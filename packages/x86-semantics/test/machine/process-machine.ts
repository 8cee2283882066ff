/**
 * The memory and privilege of the process that the vectors come from (`tooling/oracle/native/native.c`): 64 KiB of data, a
 * read-only page, a page without access; CPL 3 with alignment checks; flat segments, or 16-bit ones based at code and data. Outside
 * 64-bit mode FS is all of the data, and GS a part of it with a limit of its own.
 */
import {
  CODE,
  DATA,
  DATA_SIZE,
  LEGACY_GS_BASE,
  LEGACY_GS_LIMIT,
  PAGE,
} from "../../../../tooling/oracle/src/vectors.js";
import {
  Abort,
  Flag,
  GuestFault,
  Helper,
  Intent,
  type Machine,
  RegisterFile,
  RegisterOffset,
  Segment,
  Vector,
} from "../../src/index.ts";
import { writeFlags } from "../../src/system/flags-image.ts";

const READ_ONLY = DATA + DATA_SIZE;
/** Bits of a page fault's error code. */
const PRESENT = 1;
const WRITE = 2;
const USER = 4;

/** Of addresses that belong to the kernel, the last page of the lower half included, it says that they are there. */
const isKernels = (low: number, high: number): boolean => high < 0 || (high === 0x7fff && low >>> 0 >= 0xffff_f000);
const isCanonical = (high: number): boolean => (high << 16) >> 16 === high;

export class ProcessMachine implements Machine {
  readonly registers: RegisterFile = new RegisterFile();
  readonly fault: GuestFault = new GuestFault();
  readonly data: Int32Array = new Int32Array(4);
  readonly memory: Uint8Array = new Uint8Array(DATA_SIZE + PAGE);
  readonly #view: DataView = new DataView(this.memory.buffer);
  #long = true;

  enter(mode: 16 | 32 | 64): void {
    this.#long = mode === 64;
    const view = new DataView(this.registers.bytes.buffer);
    for (let segment: number = Segment.es; segment <= Segment.gs; segment++) {
      const at = RegisterOffset.segments + 16 * segment;
      const isCode = segment === Segment.cs;
      const isLocal = mode !== 64 && segment >= Segment.fs;
      const base = isLocal || (mode === 16 && !isCode) ? DATA : mode === 16 ? CODE : 0;
      view.setBigUint64(at, BigInt(segment === Segment.gs && isLocal ? LEGACY_GS_BASE : base), true);
      view.setUint32(
        at + 8,
        segment === Segment.gs && isLocal ? LEGACY_GS_LIMIT : base !== 0 ? 0xffff : 0xffff_ffff,
        true,
      );
      const selector = isCode ? [7, 0x23, 0x33] : [15, 0x2b, 0x2b];
      const local = mode === 64 ? 0 : segment === Segment.fs ? 15 : 23;
      view.setUint16(at + 12, segment >= Segment.fs ? local : (selector[mode >> 5] as number), true);
      // Accessed code or data, DPL 3, present; L and D of code, B of data.
      const size = mode === 16 || isLocal ? 0 : mode === 32 || !isCode ? 0xc000 : 0xa000;
      view.setUint16(at + 14, (isCode ? 0xfb : 0xf3) | size, true);
    }
    this.registers.set64(RegisterOffset.cr0, 0x8005_0033n);
    this.registers.set64(RegisterOffset.cr4, 0x35_0ef0n);
    this.registers.set64(RegisterOffset.efer, 0xd01n);
    this.registers.set64(RegisterOffset.xcr0, 0xe7n);
    this.registers.words[RegisterOffset.mxcsrMask >> 2] = 0x2_ffff;
  }

  /** Where a run of bytes lies in `memory`, or -1 after recording the fault. */
  #at(segment: number, low: number, high: number, size: number, write: boolean, unit = size): number {
    // Every byte must have a canonical address, so the last one too.
    const lastHigh = (high + ((low >>> 0) + size - 1 > 0xffff_ffff ? 1 : 0)) | 0;
    if (this.#long && !(isCanonical(high) && isCanonical(lastHigh))) return this.#general(segment);
    // Outside 64-bit mode, the limit and the rights of the segment come before paging.
    const { words } = this.registers;
    if (!this.#long) {
      const limit = words[(RegisterOffset.segments + 16 * segment + 8) >> 2] as number;
      const offset = (low - (words[(RegisterOffset.segments + 16 * segment) >> 2] as number)) >>> 0;
      if (offset + size - 1 > limit >>> 0 || (write && segment === Segment.cs)) return this.#general(segment);
    }
    // Zen checks the alignment before it looks at pages.
    const checked = ((words[RegisterOffset.rflags >> 2] as number) & Flag.AC) !== 0;
    if (checked && (low & (unit - 1)) !== 0) {
      this.fault.vector = Vector.AC;
      this.fault.errorCode = 0;
      return -1;
    }
    for (const byte of [0, size - 1]) {
      const address = (low >>> 0) + byte;
      const isThere = high === 0 && address >= DATA && address < READ_ONLY + PAGE;
      if (!isThere || (write && address >= READ_ONLY)) {
        // The fault names the first byte that cannot be reached.
        const page = byte === 0 ? address : address & ~(PAGE - 1);
        this.fault.vector = Vector.PF;
        this.fault.errorCode = USER | (write ? WRITE : 0) | (isThere || isKernels(low, high) ? PRESENT : 0);
        this.fault.cr2Low = page | 0;
        this.fault.cr2High = high;
        return -1;
      }
    }
    return (low >>> 0) - DATA;
  }
  #general(segment: number): number {
    this.fault.vector = segment === Segment.ss ? Vector.SS : Vector.GP;
    this.fault.errorCode = 0;
    return -1;
  }

  load(segment: number, low: number, high: number, size: number, intent: number): number {
    const at = this.#at(segment, low, high, size, (intent & Intent.write) !== 0);
    if (at < 0) return Abort.fault;
    const { data } = this;
    data.fill(0);
    if (size === 1) data[0] = this.#view.getUint8(at);
    else if (size === 2) data[0] = this.#view.getUint16(at, true);
    else for (let i = 0; i < size; i += 4) data[i >> 2] = this.#view.getInt32(at + i, true);
    return Abort.none;
  }
  store(
    segment: number,
    low: number,
    high: number,
    size: number,
    valueLow: number,
    valueHigh: number,
    _intent: number,
  ): number {
    const at = this.#at(segment, low, high, size, true);
    if (at < 0) return Abort.fault;
    if (size === 1) this.#view.setUint8(at, valueLow);
    else if (size === 2) this.#view.setUint16(at, valueLow, true);
    else this.#view.setInt32(at, valueLow, true);
    if (size === 8) this.#view.setInt32(at + 4, valueHigh, true);
    return Abort.none;
  }
  store128(segment: number, low: number, high: number, _intent: number): number {
    const at = this.#at(segment, low, high, 16, true);
    if (at < 0) return Abort.fault;
    for (let i = 0; i < 4; i++) this.#view.setInt32(at + 4 * i, this.data[i] as number, true);
    return Abort.none;
  }
  probe(segment: number, low: number, high: number, size: number, intent: number): number {
    return this.#at(segment, low, high, size, (intent & Intent.write) !== 0, size > 64 ? 1 : Math.min(size, 16)) < 0
      ? Abort.fault
      : Abort.none;
  }
  in(): number {
    return this.raise(Vector.GP, 0);
  }
  out(): number {
    return this.raise(Vector.GP, 0);
  }
  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }
  helper(id: number, aLow: number): number {
    if (id === Helper.writeFlags) return writeFlags(this, aLow, this.data[2] as number);
    return Abort.unsupported;
  }
}
