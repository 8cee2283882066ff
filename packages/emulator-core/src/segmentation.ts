/**
 * Is this linear address one that its segment allows? Limits, rights and canonical form (Intel SDM volume 3, sections
 * 3.4 and 5.3 to 5.5; volume 1, section 3.3.7.1). The address has been formed already; here it is only judged. Paging
 * comes after, in `translation.ts`.
 */
import {
  Abort,
  type GuestFault,
  Intent,
  type RegisterFile,
  RegisterOffset,
  Segment,
  Vector,
} from "@whvkit/x86-semantics";
import type { ExitContext } from "./exit-context.ts";

/** Bits of a segment's attributes (WHV_X64_SEGMENT_REGISTER). */
const TYPE_CODE = 1 << 3;
/** Code segments. */
const TYPE_READABLE = 1 << 1;
/** Data segments. */
const TYPE_WRITABLE = 1 << 1;
const TYPE_EXPAND_DOWN = 1 << 2;
const PRESENT = 1 << 7;
const DEFAULT_BIG = 1 << 14;

export class Segmentation {
  /** Set by {@link Segmentation.limits}: the lowest and highest offset that the segment allows. */
  lowest = 0;
  highest = 0;
  readonly #exit: ExitContext;
  readonly #registers: RegisterFile;
  readonly #fault: GuestFault;
  /** CR4.LA57, asked for only when an address needs 57 bits. */
  readonly #fiveLevelPaging: () => boolean | null;

  /**
   * @param fiveLevelPaging - reads CR4.LA57; `null` when the register callback failed.
   */
  constructor(exit: ExitContext, registers: RegisterFile, fault: GuestFault, fiveLevelPaging: () => boolean | null) {
    this.#exit = exit;
    this.#registers = registers;
    this.#fault = fault;
    this.#fiveLevelPaging = fiveLevelPaging;
  }

  /** Checks `size` bytes from a linear address that was formed with `segment`. */
  check(segment: number, low: number, high: number, size: number, intent: number): number {
    if (this.#exit.mode === 64) {
      // Bits 63 to 47 all equal. The canonical range ends on a page, so an access inside a page needs one check.
      const top = high >> 15;
      if ((top === 0 || top === -1) && (low & 0xfff) + size <= 0x1000) return Abort.none;
      return this.#checkCanonical(segment, low, high, size, intent);
    }
    return this.#checkLegacy(segment, low, size, intent);
  }

  /**
   * How many elements of `size` bytes from this address on, going up or down, the segment allows. The first has been
   * checked.
   */
  elements(segment: number, low: number, size: number, down: boolean): number {
    if (this.#exit.mode === 64) return Number.POSITIVE_INFINITY;
    const offset = this.#offset(segment, low);
    this.limits(segment);
    return down ? Math.floor((offset - this.lowest) / size) + 1 : Math.floor((this.highest - offset + 1) / size);
  }

  /** Puts the range of offsets that a segment allows into `lowest` and `highest`. */
  limits(segment: number): void {
    const at = RegisterOffset.segments + segment * 16;
    const limit = this.#registers.words[(at + 8) >> 2] >>> 0;
    const attributes = this.#registers.halfwords[(at + 14) >> 1];
    if (this.#typed() && (attributes & (TYPE_CODE | TYPE_EXPAND_DOWN)) === TYPE_EXPAND_DOWN) {
      this.lowest = limit + 1;
      this.highest = (attributes & DEFAULT_BIG) !== 0 ? 0xffffffff : 0xffff;
    } else {
      this.lowest = 0;
      this.highest = limit;
    }
  }

  /** Real and virtual-8086 mode have no segment types. */
  #typed(): boolean {
    return this.#exit.protectedMode && !this.#exit.virtual8086;
  }

  #offset(segment: number, low: number): number {
    return (low - this.#registers.words[(RegisterOffset.segments + segment * 16) >> 2]) >>> 0;
  }

  #checkLegacy(segment: number, low: number, size: number, intent: number): number {
    if ((intent & Intent.system) !== 0) return Abort.none;
    if (this.#typed()) {
      const attributes = this.#registers.halfwords[(RegisterOffset.segments + segment * 16 + 14) >> 1];
      // A null selector leaves the segment unusable.
      if ((attributes & PRESENT) === 0) return this.#violation(segment);
      const code = (attributes & TYPE_CODE) !== 0;
      if ((intent & Intent.write) !== 0 && (code || (attributes & TYPE_WRITABLE) === 0))
        return this.#raise(Vector.GP, 0);
      if ((intent & Intent.read) !== 0 && code && (attributes & TYPE_READABLE) === 0) return this.#raise(Vector.GP, 0);
    }
    const first = this.#offset(segment, low);
    const last = first + size - 1;
    this.limits(segment);
    // With the highest limit there is nothing to exceed: the access wraps to offset 0 (SDM volume 3, section 5.3).
    if (first < this.lowest || (last > this.highest && this.highest !== 0xffffffff)) return this.#violation(segment);
    return Abort.none;
  }

  #checkCanonical(segment: number, low: number, high: number, size: number, intent: number): number {
    const carry = (low >>> 0) + size - 1 > 0xffffffff ? 1 : 0;
    const lastHigh = (high + carry) | 0;
    const first = canonicalBits(high);
    const last = canonicalBits(lastHigh);
    // Both ends in the same half, or an access that wraps from the very top to 0.
    if (first <= 48 && last <= 48) return Abort.none;
    if (first <= 57 && last <= 57) {
      const wide = this.#fiveLevelPaging();
      if (wide === null) return Abort.host;
      if (wide) return Abort.none;
    }
    return (intent & Intent.system) !== 0 ? this.#raise(Vector.GP, 0) : this.#violation(segment);
  }

  /** #SS(0) for the stack segment, #GP(0) for the others. */
  #violation(segment: number): number {
    return this.#raise(segment === Segment.ss ? Vector.SS : Vector.GP, 0);
  }

  #raise(vector: number, errorCode: number): number {
    this.#fault.vector = vector;
    this.#fault.errorCode = errorCode;
    return Abort.fault;
  }
}

/** The smallest width, of 48, 57 and 64 bits, in which an address with this upper half is canonical. */
function canonicalBits(high: number): number {
  const top48 = high >> 15;
  if (top48 === 0 || top48 === -1) return 48;
  const top57 = high >> 24;
  return top57 === 0 || top57 === -1 ? 57 : 64;
}
