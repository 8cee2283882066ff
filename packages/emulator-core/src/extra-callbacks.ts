/**
 * Callbacks beyond the five documented ones. They add reach, atomicity or speed and are all optional: an emulator given just the
 * five does everything that five can do.
 */
import type { EmulatorCallbacks } from "@whvkit/whv-types";
import { type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";

/**
 * State that has no `WHV_REGISTER_NAME`: all of ZMM0 to ZMM31, the opmasks and PKRU. The emulator owns one instance and
 * reuses it.
 *
 * @example
 * ```ts
 * import { EmulatorExtendedState, type EmulatorExtraCallbacks } from "@whvkit/emulator-core";
 * import { S_OK } from "@whvkit/whv-types";
 * const zmm = new Uint8Array(32 * 64); // where the host keeps ZMM0 to ZMM31
 * const callbacks: Partial<EmulatorExtraCallbacks> = {
 *   getExtendedState(_context, state: EmulatorExtendedState) {
 *     state.vectors.set(zmm);
 *     return S_OK;
 *   },
 *   setExtendedState(_context, state: EmulatorExtendedState) {
 *     zmm.set(state.vectors);
 *     return S_OK;
 *   },
 * };
 * Object.keys(callbacks); // ["getExtendedState", "setExtendedState"]
 * ```
 *
 * @public
 */
export class EmulatorExtendedState {
  /** ZMM0 to ZMM31, 64 bytes each in memory order; YMM and XMM are their low ends. A processor without AVX-512 fills what it has. */
  readonly vectors: Uint8Array;
  /** K0 to K7, 8 bytes each. */
  readonly masks: Uint8Array;
  /** PKRU, 4 bytes. Only RDPKRU, WRPKRU and the XSAVE family look at it. */
  readonly pkru: Uint8Array;

  /** @internal */
  constructor(registers: RegisterFile) {
    this.vectors = registers.bytes.subarray(RegisterOffset.vector, RegisterOffset.vector + 32 * 64);
    this.masks = registers.bytes.subarray(RegisterOffset.mask, RegisterOffset.mask + 8 * 8);
    this.pkru = registers.bytes.subarray(RegisterOffset.pkru, RegisterOffset.pkru + 4);
  }
}

/**
 * One atomic compare-and-exchange of guest-physical memory. The emulator owns one instance and reuses it.
 *
 * @example
 * ```ts
 * import { EmulatorCompareExchange, type EmulatorExtraCallbacks } from "@whvkit/emulator-core";
 * import { E_FAIL, S_OK } from "@whvkit/whv-types";
 * const ram = new Int32Array(new SharedArrayBuffer(0x1000));
 * const compareExchange: EmulatorExtraCallbacks["compareExchange"] = (_context, exchange) => {
 *   if (exchange.accessSize !== 4) return E_FAIL;
 *   const [expected = 0, , desired = 0] = exchange.words;
 *   exchange.exchanged = Atomics.compareExchange(ram, exchange.gpaAddress >> 2, expected, desired) === (expected | 0);
 *   return S_OK;
 * };
 * const exchange = new EmulatorCompareExchange(); // the emulator makes its own
 * exchange.accessSize = 4;
 * exchange.desired[0] = 7;
 * compareExchange(null, exchange); // 0
 * exchange.exchanged; // true
 * ram[0]; // 7
 * ```
 *
 * @public
 */
export class EmulatorCompareExchange {
  /** Guest-physical address of the first byte. The access never crosses a page. */
  gpaAddress = 0;
  /** Bytes: 1, 2, 4 or 8. */
  accessSize = 0;
  /** What the instruction read before: the first `accessSize` bytes count. */
  readonly expected: Uint8Array;
  /** What it writes. */
  readonly desired: Uint8Array;
  /** `expected` and `desired` as two words each. */
  readonly words: Uint32Array;
  /** Out: memory held `expected` and holds `desired` now. False: it held something else and was left alone. */
  exchanged = false;

  constructor() {
    const buffer = new ArrayBuffer(16);
    this.expected = new Uint8Array(buffer, 0, 8);
    this.desired = new Uint8Array(buffer, 8, 8);
    this.words = new Uint32Array(buffer);
  }
}

/** Bytes that one bulk access carries at most: a page. */
const LARGEST_BULK = 4096;

/**
 * A run of elements of one REP instruction, in memory, at once. The emulator owns one instance and reuses it; its `data` is
 * that of {@link EmulatorBulkIoAccess} too.
 *
 * @example
 * ```ts
 * import { EmulatorBulkMemoryAccess, type EmulatorExtraCallbacks } from "@whvkit/emulator-core";
 * import { S_OK } from "@whvkit/whv-types";
 * const ram = new Uint8Array(0x10_0000);
 * const memoryBulk: EmulatorExtraCallbacks["memoryBulk"] = (_context, access: EmulatorBulkMemoryAccess) => {
 *   const { gpaAddress, direction, data } = access;
 *   const size = access.elementSize * access.elementCount;
 *   if (gpaAddress + size > ram.length) return S_OK; // no RAM: `completed` stays 0, and the elements come one by one
 *   if (direction === 0) data.set(ram.subarray(gpaAddress, gpaAddress + size));
 *   else ram.set(data.subarray(0, size), gpaAddress);
 *   access.completed = access.elementCount;
 *   return S_OK;
 * };
 * const callback: Partial<EmulatorExtraCallbacks> = { memoryBulk }; // beside the five of createEmulator
 * Object.keys(callback); // ["memoryBulk"]
 * ```
 *
 * @public
 */
export class EmulatorBulkMemoryAccess {
  /** Guest-physical address of the first byte. The run never crosses a page; its elements follow each other upwards. */
  gpaAddress = 0;
  /** 0 = read (fill `data`), 1 = write (take `data`). */
  direction: 0 | 1 = 0;
  /** Bytes of one element: 1, 2, 4 or 8. */
  elementSize = 1;
  /** Elements asked for, at least 1. */
  elementCount = 0;
  /** The elements in memory order: the first `elementSize * elementCount` of 4096 bytes count. */
  readonly data: Uint8Array;
  /** Out: how many elements were done, from the first on; 0 before the call. */
  completed = 0;

  /** @internal */
  constructor(data: Uint8Array) {
    this.data = data;
  }
}

/**
 * A run of elements of REP INS or OUTS, at a port, at once. The emulator owns one instance and reuses it.
 *
 * @example
 * ```ts
 * import { EmulatorBulkIoAccess, type EmulatorExtraCallbacks } from "@whvkit/emulator-core";
 * import { S_OK } from "@whvkit/whv-types";
 * const disk = { sector: new Uint8Array(512).fill(0x55), at: 0 };
 * const ioPortBulk: EmulatorExtraCallbacks["ioPortBulk"] = (_context, access: EmulatorBulkIoAccess) => {
 *   if (access.port !== 0x1f0 || access.direction !== 0) return S_OK; // `completed` stays 0: the elements come one by one
 *   const size = access.elementSize * access.elementCount;
 *   access.data.set(disk.sector.subarray(disk.at, disk.at + size));
 *   disk.at += size;
 *   access.completed = access.elementCount;
 *   return S_OK;
 * };
 * const callback: Partial<EmulatorExtraCallbacks> = { ioPortBulk }; // beside the five of createEmulator
 * Object.keys(callback); // ["ioPortBulk"]
 * ```
 *
 * @public
 */
export class EmulatorBulkIoAccess {
  /** Port number, 0 to 0xffff: the same for every element. */
  port = 0;
  /** 0 = INS (fill `data`), 1 = OUTS (take `data`). */
  direction: 0 | 1 = 0;
  /** Bytes of one element: 1, 2 or 4. */
  elementSize: 1 | 2 | 4 = 1;
  /** Elements asked for, at least 1. */
  elementCount = 0;
  /** The elements one after the other, each little endian: the first `elementSize * elementCount` of 4096 bytes count. */
  readonly data: Uint8Array;
  /** Out: how many elements were done, from the first on; 0 before the call. */
  completed = 0;

  /** @internal */
  constructor(data: Uint8Array) {
    this.data = data;
  }
}

/** The two, over one page of bytes: what one side has read is what the other writes. */
export class BulkAccesses {
  readonly data: Uint8Array = new Uint8Array(LARGEST_BULK);
  /** The same bytes as words. */
  readonly words: Int32Array = new Int32Array(this.data.buffer);
  readonly memory: EmulatorBulkMemoryAccess = new EmulatorBulkMemoryAccess(this.data);
  readonly port: EmulatorBulkIoAccess = new EmulatorBulkIoAccess(this.data);
}

/**
 * The optional callbacks. Each answers an HRESULT like the documented ones.
 *
 * @public
 */
export interface EmulatorExtraCallbacks<Context = unknown> {
  /**
   * Fills the state from the processor's XSAVE area (`WHvGetVirtualProcessorXsaveState`). Called, before the get of the
   * registers, only for instructions that touch YMM, ZMM or opmask state or PKRU; with `setExtendedState`, or not at all. A failure
   * counts as `GetVirtualProcessorRegistersCallbackFailed`.
   */
  getExtendedState(context: Context, state: EmulatorExtendedState): number;
  /**
   * Writes the state back. Called right before the set of the registers, only when the instruction changed some of it.
   * A failure counts as `SetVirtualProcessorRegistersCallbackFailed`.
   */
  setExtendedState(context: Context, state: EmulatorExtendedState): number;
  /**
   * Performs the write of a locked read-modify-write (LOCK prefix, XCHG) of up to eight bytes inside a page atomically. When
   * it answers `exchanged` false, the instruction is run again from its read. A failure counts as `MemoryCallbackFailed`.
   */
  compareExchange(context: Context, exchange: EmulatorCompareExchange): number;
  /**
   * Reads or writes a run of elements of REP MOVS, STOS, INS or OUTS at once, in their order, and says in
   * `access.completed` how many. Fewer than asked for, or none, is no failure: the others are asked for again, or come one
   * by one through `memory`. A failure counts as `MemoryCallbackFailed`, at the element after the completed ones.
   *
   * A REP MOVS reads its run before it writes it, so a host answers 0 for memory in which a write changes what other
   * addresses read. Downward runs (RFLAGS.DF), overlapping ones, single-stepped ones, those under data breakpoints, and all
   * of an emulator with `shouldYield` come one by one.
   */
  memoryBulk(context: Context, access: EmulatorBulkMemoryAccess): number;
  /**
   * Reads or writes a run of elements of REP INS or OUTS at their port at once, in their order, and says in
   * `access.completed` how many. Fewer than asked for, or none, is no failure, as with `memoryBulk`. A failure counts as
   * `IoPortCallbackFailed`. The other side of the run, in memory, goes through `memoryBulk`, or one by one through `memory`.
   */
  ioPortBulk(context: Context, access: EmulatorBulkIoAccess): number;
}

/**
 * What `createEmulator` takes: the five callbacks, and any of the optional ones.
 *
 * @public
 */
export type EmulatorCallbackSet<Context = unknown> = EmulatorCallbacks<Context> &
  Partial<EmulatorExtraCallbacks<Context>>;
