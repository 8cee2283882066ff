/**
 * Loading ES, SS, DS, FS, GS (MOV, POP, LDS and kin) and the system segment registers LDTR and TR, with every check in
 * the manual's order (Intel SDM volume 2, MOV, LLDT and LTR; volume 3, section 5.6). CS is loaded by far transfers only.
 */

import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { Segment } from "../machine/register-file.ts";
import {
  Descriptor,
  installSegment,
  isCanonicalFor,
  isNullSelector,
  markAccessed,
  markBusy,
  readDescriptor,
  readUpperHalf,
  SystemType,
} from "./descriptor.ts";
import {
  currentPrivilege,
  is64Bit,
  isLongMode,
  isParagraphMode,
  SegmentAttribute,
  segmentAttributes,
  setParagraphSegment,
  setSegment,
} from "./processor-mode.ts";

/**
 * Loads a segment register other than CS.
 * @param segment - index of {@link Segment}: es, ss, ds, fs or gs.
 * @param selector - 16 bits.
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, loadSegment, Segment, segmentBaseLow } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // in real mode
 * loadSegment(machine, Segment.ds, 0xb800) === Abort.none; // true
 * segmentBaseLow(machine.registers, Segment.ds); // 0xb8000
 * ```
 *
 * @public
 */
export function loadSegment(machine: Machine, segment: number, selector: number): number {
  const { registers } = machine;
  if (isParagraphMode(registers)) {
    setParagraphSegment(registers, segment, selector);
    return Abort.none;
  }
  const privilege = currentPrivilege(registers);
  if (segment === Segment.ss) return loadStackSegment(machine, selector, privilege);
  if (isNullSelector(selector)) {
    setSegment(registers, segment, selector, 0, 0, 0, 0);
    return Abort.none;
  }
  const descriptor = new Descriptor();
  let abort = readDescriptor(machine, selector, descriptor, Vector.GP);
  if (abort !== Abort.none) return abort;
  const code = selector & 0xfffc;
  if (descriptor.isSystem || (descriptor.isCode && !descriptor.isReadableCode)) return machine.raise(Vector.GP, code);
  if (!descriptor.isConforming && Math.max(selector & 3, privilege) > descriptor.privilege)
    return machine.raise(Vector.GP, code);
  if (!descriptor.isPresent) return machine.raise(Vector.NP, code);
  abort = markAccessed(machine, descriptor);
  if (abort !== Abort.none) return abort;
  installSegment(machine, segment, selector, descriptor);
  return Abort.none;
}

function loadStackSegment(machine: Machine, selector: number, privilege: number): number {
  if (isNullSelector(selector)) {
    if (!is64Bit(machine.registers) || privilege === 3 || (selector & 3) !== privilege)
      return machine.raise(Vector.GP, 0);
    setNullStackSegment(machine, selector, privilege);
    return Abort.none;
  }
  const descriptor = new Descriptor();
  let abort = readStackDescriptor(machine, selector, descriptor, privilege, Vector.GP, 0);
  if (abort !== Abort.none) return abort;
  abort = markAccessed(machine, descriptor);
  if (abort !== Abort.none) return abort;
  installSegment(machine, Segment.ss, selector, descriptor);
  return Abort.none;
}

/**
 * Reads and checks a descriptor for SS at the privilege that the stack is to serve. MOV raises #GP where a stack switch
 * raises #TS (`vector`); a stack that is not present is #SS in both. `external` is the EXT bit.
 */
export function readStackDescriptor(
  machine: Machine,
  selector: number,
  descriptor: Descriptor,
  privilege: number,
  vector: number,
  external: number,
): number {
  const abort = readDescriptor(machine, selector, descriptor, vector, external);
  if (abort !== Abort.none) return abort;
  const code = (selector & 0xfffc) | external;
  if ((selector & 3) !== privilege || !descriptor.isWritableData || descriptor.privilege !== privilege)
    return machine.raise(vector, code);
  if (!descriptor.isPresent) return machine.raise(Vector.SS, code);
  return Abort.none;
}

/** A null SS of 64-bit mode: not usable by old code, but its DPL still says the CPL. */
export function setNullStackSegment(machine: Machine, selector: number, privilege: number): void {
  setSegment(machine.registers, Segment.ss, selector, 0, 0, 0, privilege << 5);
}

/**
 * LLDT: #UD outside of protected mode, #GP(0) unless CPL 0. A null selector makes the LDT unusable.
 *
 * @param machine - whose registers, memory and tables count
 * @param selector - 16 bits
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, loadLocalDescriptorTable, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // in real mode, where there is no LLDT
 * loadLocalDescriptorTable(machine, 8) === Abort.fault; // true
 * machine.fault.vector === Vector.UD; // true
 * ```
 *
 * @public
 */
export function loadLocalDescriptorTable(machine: Machine, selector: number): number {
  const { registers } = machine;
  if (isParagraphMode(registers)) return machine.raise(Vector.UD, -1);
  if (currentPrivilege(registers) !== 0) return machine.raise(Vector.GP, 0);
  if (isNullSelector(selector)) {
    setSegment(registers, Segment.ldtr, selector, 0, 0, 0, 0);
    return Abort.none;
  }
  const descriptor = new Descriptor();
  const abort = readSystemSegment(machine, selector, descriptor);
  if (abort !== Abort.none) return abort;
  if (descriptor.type !== SystemType.ldt) return machine.raise(Vector.GP, selector & 0xfffc);
  return finishSystemSegment(machine, Segment.ldtr, selector, descriptor);
}

/**
 * LTR: #UD outside of protected mode, #GP(0) unless CPL 0 or with a null selector; marks the TSS busy.
 *
 * @param machine - whose registers, memory and tables count
 * @param selector - 16 bits
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, loadTaskRegister, RegisterOffset, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0));
 * machine.registers.set64(RegisterOffset.cr0, 1n); // protected mode
 * loadTaskRegister(machine, 0) === Abort.fault; // true
 * machine.fault.vector === Vector.GP; // true
 * ```
 *
 * @public
 */
export function loadTaskRegister(machine: Machine, selector: number): number {
  const { registers } = machine;
  if (isParagraphMode(registers)) return machine.raise(Vector.UD, -1);
  if (currentPrivilege(registers) !== 0 || isNullSelector(selector)) return machine.raise(Vector.GP, 0);
  const descriptor = new Descriptor();
  const abort = readSystemSegment(machine, selector, descriptor);
  if (abort !== Abort.none) return abort;
  const available =
    descriptor.type === SystemType.tss32 || (descriptor.type === SystemType.tss16 && !isLongMode(registers));
  if (!available) return machine.raise(Vector.GP, selector & 0xfffc);
  return finishSystemSegment(machine, Segment.tr, selector, descriptor);
}

function readSystemSegment(machine: Machine, selector: number, descriptor: Descriptor): number {
  if ((selector & 4) !== 0) return machine.raise(Vector.GP, selector & 0xfffc);
  const abort = readDescriptor(machine, selector, descriptor, Vector.GP);
  if (abort !== Abort.none) return abort;
  if (!descriptor.isSystem) return machine.raise(Vector.GP, selector & 0xfffc);
  return Abort.none;
}

function finishSystemSegment(machine: Machine, segment: number, selector: number, descriptor: Descriptor): number {
  if (!descriptor.isPresent) return machine.raise(Vector.NP, selector & 0xfffc);
  if (isLongMode(machine.registers)) {
    const abort = readUpperHalf(machine, descriptor);
    if (abort !== Abort.none) return abort;
    if (!isCanonicalFor(machine, descriptor.upper)) return machine.raise(Vector.GP, selector & 0xfffc);
  }
  if (segment === Segment.tr) {
    const abort = markBusy(machine, descriptor);
    if (abort !== Abort.none) return abort;
  }
  const attributes = descriptor.attributes & ~(SegmentAttribute.nonSystem as number);
  setSegment(machine.registers, segment, selector, descriptor.base, descriptor.upper, descriptor.limit, attributes);
  return Abort.none;
}

const dataSegments = [Segment.es, Segment.ds, Segment.fs, Segment.gs] as const;

/**
 * After a return to an outer level: a data segment that the new level may not use becomes null (SDM volume 2, RET).
 */
export function releaseInnerSegments(machine: Machine, privilege: number): void {
  const { registers } = machine;
  for (const segment of dataSegments) {
    const attributes = segmentAttributes(registers, segment);
    const conforming = (attributes & 0x1c) === 0x1c;
    const present = (attributes & SegmentAttribute.present) !== 0;
    if (present && ((attributes >> 5) & 3) < privilege && !conforming) setSegment(registers, segment, 0, 0, 0, 0, 0);
  }
}
