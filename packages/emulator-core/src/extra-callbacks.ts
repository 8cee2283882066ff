/**
 * Callbacks beyond the five documented ones. They add reach or atomicity and are all optional: an emulator given just the
 * five does everything that five can do.
 */
import type { EmulatorCallbacks } from "@whvkit/whv-types";
import { type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";

/**
 * State that has no `WHV_REGISTER_NAME`: all of ZMM0 to ZMM31, the opmasks and PKRU. The emulator owns one instance and
 * reuses it.
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
}

/**
 * What `createEmulator` takes: the five callbacks, and any of the optional ones.
 *
 * @public
 */
export type EmulatorCallbackSet<Context = unknown> = EmulatorCallbacks<Context> &
  Partial<EmulatorExtraCallbacks<Context>>;
