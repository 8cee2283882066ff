/**
 * Reading the current task-state segment: inner stack pointers, interrupt stack table, I/O permission bitmap (Intel SDM
 * volume 3, chapter 8). Task switches themselves are not offered; operations that would need one answer
 * `Abort.unsupported` through {@link taskSwitch}.
 */

import { Abort, Intent, type Machine, Vector } from "../machine/machine.ts";
import { Segment } from "../machine/register-file.ts";
import { systemAddressHigh } from "./descriptor.ts";
import { segmentAttributes, segmentBaseHigh, segmentBaseLow, segmentLimit, segmentSelector } from "./processor-mode.ts";

/** Reads `size` bytes at an offset of the TSS into `machine.data`; the caller has checked the limit. */
function readTaskState(machine: Machine, offset: number, size: number): number {
  const { registers } = machine;
  const baseLow = segmentBaseLow(registers, Segment.tr);
  const high = systemAddressHigh(machine, baseLow, segmentBaseHigh(registers, Segment.tr), offset);
  return machine.load(Segment.tr, (baseLow + offset) | 0, high, size, Intent.read | Intent.system);
}

/** A stack that the TSS names. */
export interface InnerStack {
  selector: number;
  low: number;
  high: number;
}

/** The legacy stack of a privilege level (SS and ESP or SP). #TS(TR) when the TSS is too short. */
export function readInnerStack(machine: Machine, privilege: number, stack: InnerStack, external: number): number {
  const { registers } = machine;
  const wide = (segmentAttributes(registers, Segment.tr) & 8) !== 0;
  const offset = wide ? 4 + privilege * 8 : 2 + privilege * 4;
  if (offset + (wide ? 5 : 3) > segmentLimit(registers, Segment.tr)) return raiseInvalidTaskState(machine, external);
  let abort = readTaskState(machine, offset, wide ? 4 : 2);
  if (abort !== Abort.none) return abort;
  stack.low = machine.data[0] as number;
  stack.high = 0;
  abort = readTaskState(machine, offset + (wide ? 4 : 2), 2);
  if (abort !== Abort.none) return abort;
  stack.selector = machine.data[0] as number;
  return Abort.none;
}

/**
 * A stack pointer of the 64-bit TSS: RSP0 to RSP2 for `slot` 0 to 2, IST1 to IST7 for `slot` 4 to 10 (byte offset
 * 4 + slot * 8). #TS(TR) when the TSS is too short.
 */
export function readLongStack(machine: Machine, slot: number, stack: InnerStack, external: number): number {
  const offset = 4 + slot * 8;
  if (offset + 7 > segmentLimit(machine.registers, Segment.tr)) return raiseInvalidTaskState(machine, external);
  const abort = readTaskState(machine, offset, 8);
  if (abort !== Abort.none) return abort;
  stack.low = machine.data[0] as number;
  stack.high = machine.data[1] as number;
  return Abort.none;
}

/**
 * Does the I/O permission bitmap allow a port access? Answers `Abort.none`, or #GP(0), or what reading the TSS gave. A
 * TSS without a bitmap, or a 16-bit one, allows nothing.
 *
 * @param machine - whose registers, memory and tables count
 * @param port - the first port, 0 to 0xffff
 * @param size - ports: 1, 2 or 4
 *
 * @example
 * ```ts
 * import { Abort, checkPortBitmap, FlatMachine, Segment, setSegment, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000));
 * setSegment(machine.registers, Segment.tr, 0x28, 0, 0, 0x66, 0x8b); // a TSS too short to say where its bitmap is
 * checkPortBitmap(machine, 0x60, 1) === Abort.fault; // true
 * machine.fault.vector === Vector.GP; // true
 * ```
 *
 * @public
 */
export function checkPortBitmap(machine: Machine, port: number, size: number): number {
  const { registers } = machine;
  const attributes = segmentAttributes(registers, Segment.tr);
  const limit = segmentLimit(registers, Segment.tr);
  if ((attributes & 0x80) === 0 || (attributes & 8) === 0 || limit < 103) return machine.raise(Vector.GP, 0);
  let abort = readTaskState(machine, 102, 2);
  if (abort !== Abort.none) return abort;
  const offset = (machine.data[0] as number) + (port >> 3);
  // The processor always reads two bytes, so that an unaligned port range is covered (SDM volume 1, 19.5.2).
  if (offset + 1 > limit) return machine.raise(Vector.GP, 0);
  abort = readTaskState(machine, offset, 2);
  if (abort !== Abort.none) return abort;
  const bits = (machine.data[0] as number) >> (port & 7);
  return (bits & ((1 << size) - 1)) === 0 ? Abort.none : machine.raise(Vector.GP, 0);
}

function raiseInvalidTaskState(machine: Machine, external: number): number {
  return machine.raise(Vector.TS, (segmentSelector(machine.registers, Segment.tr) & 0xfffc) | external);
}

/** A far transfer or gate asks for a hardware task switch, which no machine here performs. */
export function taskSwitch(): number {
  return Abort.unsupported;
}
