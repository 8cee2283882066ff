/**
 * The stack as system operations use it: a place that is checked as a whole before the first push, so that an
 * operation which faults has written nothing. It serves the current stack and one that is only about to become current.
 */

import { Abort, Intent, type Machine, Vector } from "../machine/machine.ts";
import { type RegisterFile, RegisterOffset, Segment } from "../machine/register-file.ts";
import type { Descriptor } from "./descriptor.ts";
import {
  SegmentAttribute,
  segmentAttributes,
  segmentBaseHigh,
  segmentBaseLow,
  segmentLimit,
  stackAddressSize,
} from "./processor-mode.ts";

const stackPointer = 4 * 8;

/** One stack and its pointer. Pushing and popping move {@link Stack.low} and {@link Stack.high}, never RSP. */
export class Stack {
  /** Width of the pointer in bytes. */
  addressSize: 2 | 4 | 8 = 2;
  baseLow = 0;
  baseHigh = 0;
  limit = 0;
  expandDown = false;
  /** Upper bound of an expand-down segment. */
  top = 0xffff;
  /** The pointer. */
  low = 0;
  high = 0;
  /** Added to the intent of every access: `Intent.system` for a stack of an inner level. */
  intent = 0;
  /** Does the machine check the limit (the current SS), or this class (a stack not yet in SS)? */
  private checked = false;
  private limitError = 0;

  /** The current stack: SS and RSP. */
  useCurrent(registers: RegisterFile): this {
    this.addressSize = stackAddressSize(registers);
    // In 64-bit mode SS has no base: whatever the register holds does not count.
    const flat = this.addressSize === 8;
    this.baseLow = flat ? 0 : segmentBaseLow(registers, Segment.ss);
    this.baseHigh = flat ? 0 : segmentBaseHigh(registers, Segment.ss);
    this.limit = segmentLimit(registers, Segment.ss);
    this.expandDown = (segmentAttributes(registers, Segment.ss) & SegmentAttribute.expandDown) !== 0;
    this.low = registers.words[(RegisterOffset.general + stackPointer) >> 2] as number;
    this.high = registers.words[(RegisterOffset.general + stackPointer + 4) >> 2] as number;
    this.intent = 0;
    this.checked = true;
    return this;
  }

  /** A stack of a legacy mode that its descriptor describes. `limitError` is the error code of #SS when it is too small. */
  useSegment(descriptor: Descriptor, pointer: number, limitError: number): this {
    this.addressSize = descriptor.isDefault32 ? 4 : 2;
    this.baseLow = descriptor.base;
    this.baseHigh = 0;
    this.limit = descriptor.limit;
    this.expandDown = (descriptor.attributes & SegmentAttribute.expandDown) !== 0;
    this.top = descriptor.isDefault32 ? 0xffff_ffff : 0xffff;
    this.low = pointer;
    this.high = 0;
    this.intent = Intent.system;
    this.checked = false;
    this.limitError = limitError;
    return this;
  }

  /** A stack of 64-bit mode. */
  useFlat(low: number, high: number, inner: boolean): this {
    this.addressSize = 8;
    this.baseLow = 0;
    this.baseHigh = 0;
    this.low = low;
    this.high = high;
    this.intent = inner ? Intent.system : 0;
    this.checked = true;
    return this;
  }

  /** Asks whether `count` values of `size` bytes can be pushed; faults and exits come back as the push would give them. */
  reserve(machine: Machine, count: number, size: number): number {
    const { low, high } = this;
    let abort: number = Abort.none;
    for (let i = 0; i < count && abort === Abort.none; i++) {
      this.move(-size);
      abort = this.checkLimit(machine, size);
      if (abort === Abort.none)
        abort = machine.probe(Segment.ss, this.linearLow(), this.linearHigh(), size, Intent.write | this.intent);
    }
    this.low = low;
    this.high = high;
    return abort;
  }

  push(machine: Machine, size: number, low: number, high: number): number {
    this.move(-size);
    const intent = Intent.write | this.intent;
    return machine.store(Segment.ss, this.linearLow(), this.linearHigh(), size, low, high, intent);
  }

  /** Reads a value at the pointer into `machine.data` and moves the pointer past it. */
  pop(machine: Machine, size: number): number {
    const abort = machine.load(Segment.ss, this.linearLow(), this.linearHigh(), size, Intent.read | this.intent);
    if (abort === Abort.none) this.move(size);
    return abort;
  }

  /** Moves the pointer by a number of bytes, with the wrap of its width. */
  move(bytes: number): void {
    if (this.addressSize === 2) {
      this.low = (this.low & ~0xffff) | ((this.low + bytes) & 0xffff);
      return;
    }
    const sum = (this.low >>> 0) + bytes;
    this.low = sum | 0;
    if (this.addressSize === 8) this.high = (this.high + Math.floor(sum / 0x1_0000_0000)) | 0;
  }

  /** Makes the pointer the stack pointer: SP, ESP (upper half cleared, as all 32-bit writes) or RSP. */
  commit(registers: RegisterFile): void {
    const word = (RegisterOffset.general + stackPointer) >> 2;
    if (this.addressSize === 2) {
      registers.words[word] = ((registers.words[word] as number) & ~0xffff) | (this.low & 0xffff);
      return;
    }
    registers.words[word] = this.low;
    registers.words[word + 1] = this.addressSize === 8 ? this.high : 0;
  }

  private checkLimit(machine: Machine, size: number): number {
    if (this.checked) return Abort.none;
    const first = (this.addressSize === 2 ? this.low & 0xffff : this.low) >>> 0;
    const last = first + size - 1;
    const outside = this.expandDown ? first <= this.limit || last > this.top : last > this.limit;
    return outside ? machine.raise(Vector.SS, this.limitError) : Abort.none;
  }

  private linearLow(): number {
    return (this.baseLow + (this.addressSize === 2 ? this.low & 0xffff : this.low)) | 0;
  }

  /** Only 64-bit mode has linear addresses above 4 GiB on the stack. */
  private linearHigh(): number {
    return this.addressSize === 8 ? this.high : 0;
  }
}
