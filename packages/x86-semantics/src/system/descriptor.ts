/**
 * Segment and gate descriptors: reading one from the GDT or LDT through a machine, its fields, and marking it accessed
 * or busy. Which descriptor an operation accepts is that operation's business (Intel SDM volume 3, sections 3.4.5 and 5.8).
 */

import { Abort, Intent, type Machine, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import { Cr4 } from "./control-bits.ts";
import {
  isCanonical,
  isLongMode,
  SegmentAttribute,
  segmentAttributes,
  segmentBaseHigh,
  segmentBaseLow,
  segmentLimit,
  setSegment,
} from "./processor-mode.ts";

/** Types of system descriptors (SDM volume 3, table 3-2). @public */
export const SystemType = {
  tss16: 1,
  ldt: 2,
  busyTss16: 3,
  callGate16: 4,
  taskGate: 5,
  interruptGate16: 6,
  trapGate16: 7,
  /** Also the 64-bit TSS. */
  tss32: 9,
  busyTss32: 11,
  /** Also the 64-bit call gate. */
  callGate32: 12,
  interruptGate32: 14,
  trapGate32: 15,
} as const;

/** Reading a table that ends before the descriptor does, told apart from what the table's memory does. */
const readTable = Intent.read | Intent.system;

/**
 * One descriptor as it stands in memory, with where it stands.
 *
 * @example
 * ```ts
 * import { Descriptor } from "@whvkit/x86-semantics";
 * const descriptor = new Descriptor();
 * descriptor.low = 0x0000_ffff;
 * descriptor.high = 0x00cf_9b00; // flat 32-bit code
 * descriptor.isCode; // true
 * descriptor.isDefault32; // true
 * descriptor.limit; // 0xffff_ffff
 * ```
 *
 * @public
 */
export class Descriptor {
  /** The selector that named it. */
  selector = 0;
  /** Bits 31..0. */
  low = 0;
  /** Bits 63..32. */
  high = 0;
  /** Bits 95..64 of a 16-byte descriptor: the upper half of a base or offset. */
  upper = 0;
  /** Linear address of the descriptor. */
  addressLow = 0;
  /** Bits 63..32 of that address. */
  addressHigh = 0;

  /** The attribute word as a segment register holds it. */
  get attributes(): number {
    return (this.high >>> 8) & 0xf0ff;
  }

  /** Type field, 0 to 15 (Intel SDM volume 3, tables 3-1 and 3-2). */
  get type(): number {
    return (this.high >>> 8) & 15;
  }

  /** A system segment or gate: S is 0. */
  get isSystem(): boolean {
    return (this.high & 0x1000) === 0;
  }

  /** A code segment. */
  get isCode(): boolean {
    return (this.high & 0x1800) === 0x1800;
  }

  /** A conforming code segment. */
  get isConforming(): boolean {
    return (this.high & 0x1c00) === 0x1c00;
  }

  /** A code segment that may be read. */
  get isReadableCode(): boolean {
    return (this.high & 0x1a00) === 0x1a00;
  }

  /** A data segment that may be written. */
  get isWritableData(): boolean {
    return (this.high & 0x1a00) === 0x1200;
  }

  /** DPL, 0 to 3. */
  get privilege(): number {
    return (this.high >>> 13) & 3;
  }

  /** P. */
  get isPresent(): boolean {
    return (this.high & 0x8000) !== 0;
  }

  /** L: a segment of 64-bit code. */
  get isLong(): boolean {
    return (this.high & 0x20_0000) !== 0;
  }

  /** D/B: 32-bit operands, addresses or stack by default. */
  get isDefault32(): boolean {
    return (this.high & 0x40_0000) !== 0;
  }

  /** Base, or the low half of it in a 16-byte descriptor. */
  get base(): number {
    return (this.low >>> 16) | ((this.high & 0xff) << 16) | (this.high & 0xff00_0000);
  }

  /** Limit in bytes, unsigned. */
  get limit(): number {
    const limit = (this.low & 0xffff) | (this.high & 0xf_0000);
    return (this.high & 0x80_0000) !== 0 ? ((limit << 12) | 0xfff) >>> 0 : limit;
  }

  /** Offset in a gate: bits 31..0. */
  get gateOffset(): number {
    return (this.low & 0xffff) | (this.high & 0xffff_0000);
  }

  /** Selector in a gate: where it leads. */
  get gateSelector(): number {
    return this.low >>> 16;
  }

  /** Parameters that a call gate copies. */
  get gateParameters(): number {
    return this.high & 31;
  }
}

/**
 * Is this a null selector (its RPL does not count)?
 *
 * @param selector - 16 bits
 *
 * @example
 * ```ts
 * import { isNullSelector } from "@whvkit/x86-semantics";
 * isNullSelector(3); // true
 * isNullSelector(8); // false
 * ```
 *
 * @public
 */
export function isNullSelector(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

/**
 * Reads the descriptor of a selector that is not null. A selector outside of its table raises `vector` with the
 * selector as error code; `external` (0 or 1) is the EXT bit of that code.
 *
 * @param descriptor - filled in
 * @returns an {@link Abort}
 *
 * @example
 * ```ts
 * import { Abort, Descriptor, FlatMachine, readDescriptor, RegisterOffset, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000));
 * new DataView(machine.memory.buffer).setBigUint64(0x108, 0x00cf_9300_0000_ffffn, true); // selector 8: flat data
 * const gdtr = RegisterOffset.gdtr; // as WHV_X64_TABLE_REGISTER: the limit is at byte 6, the base at byte 8
 * machine.registers.halfwords[(gdtr + 6) >> 1] = 0x0f;
 * machine.registers.set64(gdtr + 8, 0x100n);
 * const descriptor = new Descriptor();
 * readDescriptor(machine, 8, descriptor, Vector.GP) === Abort.none; // true
 * descriptor.isWritableData; // true
 * readDescriptor(machine, 0x10, descriptor, Vector.GP) === Abort.fault; // true
 * machine.fault.errorCode; // 0x10
 * ```
 *
 * @public
 */
export function readDescriptor(
  machine: Machine,
  selector: number,
  descriptor: Descriptor,
  vector: number,
  external = 0,
): number {
  const { registers } = machine;
  let baseLow: number;
  let baseHigh: number;
  let limit: number;
  if ((selector & 4) !== 0) {
    if ((segmentAttributes(registers, Segment.ldtr) & SegmentAttribute.present) === 0)
      return machine.raise(vector, (selector & 0xfffc) | external);
    baseLow = segmentBaseLow(registers, Segment.ldtr);
    baseHigh = segmentBaseHigh(registers, Segment.ldtr);
    limit = segmentLimit(registers, Segment.ldtr);
  } else {
    baseLow = registers.words[(RegisterOffset.gdtr + 8) >> 2] as number;
    baseHigh = registers.words[(RegisterOffset.gdtr + 12) >> 2] as number;
    limit = registers.halfwords[(RegisterOffset.gdtr + 6) >> 1] as number;
  }
  if ((selector | 7) > limit) return machine.raise(vector, (selector & 0xfffc) | external);
  const offset = selector & 0xfff8;
  descriptor.selector = selector;
  descriptor.upper = 0;
  descriptor.addressLow = (baseLow + offset) | 0;
  descriptor.addressHigh = systemAddressHigh(machine, baseLow, baseHigh, offset);
  const abort = machine.load(Segment.ldtr, descriptor.addressLow, descriptor.addressHigh, 8, readTable);
  if (abort !== Abort.none) return abort;
  descriptor.low = machine.data[0] as number;
  descriptor.high = machine.data[1] as number;
  return Abort.none;
}

/**
 * Reads the second half of a 16-byte descriptor (system descriptors in IA-32e mode): base or offset bits 63..32. The
 * table's limit counts for it too, and its type field (bits 8 to 12 of the last word) must be 0: else #GP(selector).
 */
export function readUpperHalf(machine: Machine, descriptor: Descriptor): number {
  const { registers } = machine;
  const { selector } = descriptor;
  const limit =
    (selector & 4) !== 0
      ? segmentLimit(registers, Segment.ldtr)
      : (registers.halfwords[(RegisterOffset.gdtr + 6) >> 1] as number);
  if ((selector & 0xfff8) + 15 > limit) return machine.raise(Vector.GP, selector & 0xfffc);
  const low = (descriptor.addressLow + 8) | 0;
  const high = systemAddressHigh(machine, descriptor.addressLow, descriptor.addressHigh, 8);
  const abort = machine.load(Segment.ldtr, low, high, 8, readTable);
  if (abort !== Abort.none) return abort;
  descriptor.upper = machine.data[0] as number;
  if (((machine.data[1] as number) & 0x1f00) !== 0) return machine.raise(Vector.GP, selector & 0xfffc);
  return Abort.none;
}

/** Bits 63..32 of base + offset: linear addresses wrap at 4 GiB outside of IA-32e mode. `offset` is not negative. */
export function systemAddressHigh(machine: Machine, baseLow: number, baseHigh: number, offset: number): number {
  if (!isLongMode(machine.registers)) return 0;
  const carry = (baseLow >>> 0) + offset > 0xffff_ffff ? 1 : 0;
  return (baseHigh + carry) | 0;
}

/** Sets the accessed bit of a code or data descriptor in memory, where it is not set yet. */
export function markAccessed(machine: Machine, descriptor: Descriptor): number {
  if ((descriptor.high & 0x100) !== 0) return Abort.none;
  return writeTypeBits(machine, descriptor, 0x100);
}

/** Sets the busy bit of a TSS descriptor in memory. */
export function markBusy(machine: Machine, descriptor: Descriptor): number {
  return writeTypeBits(machine, descriptor, 0x200);
}

function writeTypeBits(machine: Machine, descriptor: Descriptor, bits: number): number {
  const low = (descriptor.addressLow + 4) | 0;
  const high = systemAddressHigh(machine, descriptor.addressLow, descriptor.addressHigh, 4);
  const intent = Intent.write | Intent.system | Intent.locked;
  const abort = machine.store(Segment.ldtr, low, high, 4, descriptor.high | bits, 0, intent);
  if (abort === Abort.none) descriptor.high |= bits;
  return abort;
}

/** Puts a code or data descriptor into a segment register, under the given selector. */
export function installSegment(machine: Machine, segment: number, selector: number, descriptor: Descriptor): void {
  setSegment(
    machine.registers,
    segment,
    selector,
    descriptor.base,
    0,
    descriptor.limit,
    descriptor.attributes | SegmentAttribute.accessed,
  );
}

/** Is the address canonical under the paging that CR4 selects? */
export function isCanonicalFor(machine: Machine, high: number): boolean {
  return isCanonical(high, ((machine.registers.words[RegisterOffset.cr4 >> 2] as number) & Cr4.LA57) !== 0);
}
