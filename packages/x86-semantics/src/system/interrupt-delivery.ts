/**
 * Delivering an event: a hardware interrupt, NMI, exception or software interrupt goes through the interrupt vector
 * table or the IDT to its handler, with the stack switch and the frame that the mode asks for (Intel SDM volume 3,
 * sections 6.10 to 6.14 and 20.3). What an event does before it is delivered (double faults, CR2, DR6, exits) is the
 * machine's business.
 */

import { Flag } from "../ir/flag.ts";
import { Abort, Intent, type Machine, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import {
  Descriptor,
  installSegment,
  isCanonicalFor,
  isNullSelector,
  markAccessed,
  readDescriptor,
  SystemType,
  systemAddressHigh,
} from "./descriptor.ts";
import { mergeFlags } from "./flags-image.ts";
import {
  currentPrivilege,
  ioPrivilege,
  isLongMode,
  isProtected,
  isVirtual8086,
  segmentSelector,
  setInstructionPointer,
  setParagraphSegment,
  setSegment,
} from "./processor-mode.ts";
import { readStackDescriptor, setNullStackSegment } from "./segment-load.ts";
import { Stack } from "./stack-frame.ts";
import { type InnerStack, readInnerStack, readLongStack, taskSwitch } from "./task-state.ts";

/** What kind of event is delivered; the numbers are those of VMX's interruption types. @public */
export const EventKind = {
  external: 0,
  nmi: 2,
  exception: 3,
  /** INT n. */
  software: 4,
  /** INT1. */
  privilegedSoftware: 5,
  /** INT3, INTO. */
  softwareException: 6,
} as const;
/** A value of {@link EventKind}. @public */
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

const rflags = RegisterOffset.rflags >> 2;

/** A gate of the IDT, in the fields that all kinds share. */
class Gate {
  type = 0;
  privilege = 0;
  present = false;
  selector = 0;
  offsetLow = 0;
  offsetHigh = 0;
  interruptStack = 0;
}

/**
 * Delivers one event. On `Abort.none` CS:RIP is the handler; on anything else nothing has changed (a fault raised
 * while delivering is in `machine.fault`, with the EXT bit).
 *
 * @param vector - 0 to 255.
 * @param kind - {@link EventKind}.
 * @param errorCode - pushed where it is not -1 (never in real mode).
 * @param returnLow - instruction pointer that the frame saves: the instruction itself for faults, the next for traps and software interrupts.
 *
 * @example
 * ```ts
 * import { Abort, deliverEvent, EventKind, FlatMachine, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000)); // in real mode
 * const { registers, memory } = machine;
 * registers.halfwords[(RegisterOffset.idtr + 6) >> 1] = 0x3ff; // the limit of IDTR
 * memory.set([0x00, 0x02, 0x00, 0xf0], 8 * 4); // vector 8: f000:0200
 * registers.set64(RegisterOffset.general + 8 * 4, 0x800n); // SP
 * setSegment(registers, Segment.ss, 0, 0, 0, 0xffff, 0x93);
 * deliverEvent(machine, 8, EventKind.external, -1, 0x7c00, 0) === Abort.none; // true
 * registers.get64(RegisterOffset.rip); // 0x200n
 * ```
 *
 * @public
 */
export function deliverEvent(
  machine: Machine,
  vector: number,
  kind: number,
  errorCode: number,
  returnLow: number,
  returnHigh: number,
): number {
  const { registers } = machine;
  if (!isProtected(registers)) return deliverReal(machine, vector, returnLow);
  const software = kind === EventKind.software || kind === EventKind.softwareException;
  const external = software ? 0 : 1;
  if (kind === EventKind.software && isVirtual8086(registers) && ioPrivilege(registers) < 3)
    return machine.raise(Vector.GP, 0);
  const abort = isLongMode(registers)
    ? deliverLong(machine, vector, kind, errorCode, returnLow, returnHigh, software, external)
    : deliverProtected(machine, vector, kind, errorCode, returnLow, software, external);
  // Faults of the current stack carry no selector; EXT still belongs to their code.
  if (abort === Abort.fault && external !== 0 && machine.fault.vector === Vector.SS) machine.fault.errorCode |= 1;
  return abort;
}

/** Real-address mode: four bytes a vector, a frame of three words. A vector outside of the table is #GP (#DF when delivering it fails as well). */
function deliverReal(machine: Machine, vector: number, returnLow: number): number {
  const { registers } = machine;
  const limit = registers.halfwords[(RegisterOffset.idtr + 6) >> 1] as number;
  if (vector * 4 + 3 > limit) return machine.raise(Vector.GP, -1);
  const base = registers.words[(RegisterOffset.idtr + 8) >> 2] as number;
  let abort = machine.load(Segment.ldtr, (base + vector * 4) | 0, 0, 4, Intent.read | Intent.system);
  if (abort !== Abort.none) return abort;
  const target = machine.data[0] as number;
  const stack = new Stack().useCurrent(registers);
  abort = stack.reserve(machine, 3, 2);
  if (abort !== Abort.none) return abort;
  const flags = registers.words[rflags] as number;
  abort = stack.push(machine, 2, flags & 0xffff, 0);
  if (abort === Abort.none) abort = stack.push(machine, 2, segmentSelector(registers, Segment.cs), 0);
  if (abort === Abort.none) abort = stack.push(machine, 2, returnLow & 0xffff, 0);
  if (abort !== Abort.none) return abort;
  stack.commit(registers);
  registers.words[rflags] = flags & ~(Flag.IF | Flag.TF | Flag.AC | Flag.RF);
  setParagraphSegment(registers, Segment.cs, target >>> 16);
  setInstructionPointer(registers, target & 0xffff, 0);
  return Abort.none;
}

/** Reads and checks the gate of a vector; error codes point into the IDT (bit 1). */
function readGate(machine: Machine, vector: number, gate: Gate, software: boolean, external: number): number {
  const { registers } = machine;
  const long = isLongMode(registers);
  const size = long ? 16 : 8;
  const offset = vector * size;
  const code = vector * 8 + 2 + external;
  if (offset + size - 1 > (registers.halfwords[(RegisterOffset.idtr + 6) >> 1] as number))
    return machine.raise(Vector.GP, code);
  const baseLow = registers.words[(RegisterOffset.idtr + 8) >> 2] as number;
  const baseHigh = registers.words[(RegisterOffset.idtr + 12) >> 2] as number;
  if (long) {
    const high = systemAddressHigh(machine, baseLow, baseHigh, offset + 8);
    const abort = machine.load(Segment.ldtr, (baseLow + offset + 8) | 0, high, 4, Intent.read | Intent.system);
    if (abort !== Abort.none) return abort;
    gate.offsetHigh = machine.data[0] as number;
  }
  const high = systemAddressHigh(machine, baseLow, baseHigh, offset);
  const abort = machine.load(Segment.ldtr, (baseLow + offset) | 0, high, 8, Intent.read | Intent.system);
  if (abort !== Abort.none) return abort;
  const first = machine.data[0] as number;
  const second = machine.data[1] as number;
  gate.type = (second >>> 8) & 31;
  gate.privilege = (second >>> 13) & 3;
  gate.present = (second & 0x8000) !== 0;
  gate.selector = first >>> 16;
  gate.offsetLow = (first & 0xffff) | (second & 0xffff_0000);
  gate.interruptStack = second & 7;
  const wide = gate.type === SystemType.interruptGate32 || gate.type === SystemType.trapGate32;
  const narrow =
    gate.type === SystemType.interruptGate16 ||
    gate.type === SystemType.trapGate16 ||
    gate.type === SystemType.taskGate;
  if (!wide && (long || !narrow)) return machine.raise(Vector.GP, code);
  if (software && gate.privilege < currentPrivilege(registers)) return machine.raise(Vector.GP, code);
  if (!gate.present) return machine.raise(Vector.NP, code);
  return Abort.none;
}

/** Reads and checks the handler's code segment. */
function readHandler(machine: Machine, gate: Gate, code: Descriptor, external: number): number {
  if (isNullSelector(gate.selector)) return machine.raise(Vector.GP, external);
  const abort = readDescriptor(machine, gate.selector, code, Vector.GP, external);
  if (abort !== Abort.none) return abort;
  const errorCode = (gate.selector & 0xfffc) | external;
  const privilege = currentPrivilege(machine.registers);
  if (!code.isCode || code.privilege > privilege) return machine.raise(Vector.GP, errorCode);
  if (isLongMode(machine.registers) && (!code.isLong || code.isDefault32)) return machine.raise(Vector.GP, errorCode);
  if (!code.isPresent) return machine.raise(Vector.NP, errorCode);
  return Abort.none;
}

/** The flags image of a frame: RF set for fault-class exceptions (SDM volume 3, 18.3.1.1). */
function flagsImage(machine: Machine, vector: number, kind: number): number {
  const flags = machine.registers.words[rflags] as number;
  const trap = vector === Vector.DB || vector === Vector.BP || vector === Vector.OF;
  return kind === EventKind.exception && !trap ? flags | Flag.RF : flags;
}

/** The flags that the handler starts with. */
function enterHandler(machine: Machine, gate: Gate): void {
  const interruptGate = (gate.type & 1) === 0;
  const cleared = Flag.TF | Flag.NT | Flag.RF | Flag.VM | (interruptGate ? Flag.IF : 0);
  mergeFlags(machine.registers, 0, cleared);
}

/** Protected and virtual-8086 mode. */
function deliverProtected(
  machine: Machine,
  vector: number,
  kind: number,
  errorCode: number,
  returnLow: number,
  software: boolean,
  external: number,
): number {
  const { registers } = machine;
  const gate = new Gate();
  let abort = readGate(machine, vector, gate, software, external);
  if (abort !== Abort.none) return abort;
  if (gate.type === SystemType.taskGate) return taskSwitch();
  const code = new Descriptor();
  abort = readHandler(machine, gate, code, external);
  if (abort !== Abort.none) return abort;

  const virtual = isVirtual8086(registers);
  const privilege = currentPrivilege(registers);
  const inner = !code.isConforming && code.privilege < privilege;
  // From virtual-8086 mode only a handler at level 0 will do.
  if (virtual && (!inner || code.privilege !== 0)) return machine.raise(Vector.GP, (gate.selector & 0xfffc) | external);
  const size = (gate.type & 8) !== 0 ? 4 : 2;
  const offset = size === 4 ? gate.offsetLow >>> 0 : gate.offsetLow & 0xffff;

  const stack = new Stack();
  const stackSegment = new Descriptor();
  const target: InnerStack = { selector: 0, low: 0, high: 0 };
  if (inner) {
    abort = readInnerStack(machine, code.privilege, target, external);
    if (abort !== Abort.none) return abort;
    if (isNullSelector(target.selector)) return machine.raise(Vector.TS, external);
    abort = readStackDescriptor(machine, target.selector, stackSegment, code.privilege, Vector.TS, external);
    if (abort !== Abort.none) return abort;
    stack.useSegment(stackSegment, target.low, (target.selector & 0xfffc) | external);
  } else {
    stack.useCurrent(registers);
  }
  const slots = (virtual ? 4 : 0) + (inner ? 2 : 0) + 3 + (errorCode !== -1 ? 1 : 0);
  abort = stack.reserve(machine, slots, size);
  if (abort !== Abort.none) return abort;
  if (offset > code.limit) return machine.raise(Vector.GP, external);
  abort = markAccessed(machine, code);
  if (abort === Abort.none && inner) abort = markAccessed(machine, stackSegment);
  if (abort !== Abort.none) return abort;

  if (virtual) {
    for (const segment of virtualFrame) {
      abort = stack.push(machine, size, segmentSelector(registers, segment), 0);
      if (abort !== Abort.none) return abort;
    }
  }
  if (inner) {
    abort = stack.push(machine, size, segmentSelector(registers, Segment.ss), 0);
    if (abort === Abort.none)
      abort = stack.push(machine, size, registers.words[(RegisterOffset.general + 32) >> 2] as number, 0);
    if (abort !== Abort.none) return abort;
  }
  abort = stack.push(machine, size, flagsImage(machine, vector, kind), 0);
  if (abort === Abort.none) abort = stack.push(machine, size, segmentSelector(registers, Segment.cs), 0);
  if (abort === Abort.none) abort = stack.push(machine, size, returnLow, 0);
  if (abort === Abort.none && errorCode !== -1) abort = stack.push(machine, size, errorCode, 0);
  if (abort !== Abort.none) return abort;

  enterHandler(machine, gate);
  if (virtual) for (const segment of virtualFrame) setSegment(registers, segment, 0, 0, 0, 0, 0);
  if (inner) installSegment(machine, Segment.ss, target.selector, stackSegment);
  stack.commit(registers);
  const level = inner ? code.privilege : privilege;
  installSegment(machine, Segment.cs, (gate.selector & 0xfffc) | level, code);
  setInstructionPointer(registers, offset, 0);
  return Abort.none;
}

/** Segments that a frame from virtual-8086 mode saves, first pushed first. */
const virtualFrame = [Segment.gs, Segment.fs, Segment.ds, Segment.es] as const;

/** IA-32e mode: 64-bit handlers only, the frame always holds SS:RSP and starts 16-byte aligned. */
function deliverLong(
  machine: Machine,
  vector: number,
  kind: number,
  errorCode: number,
  returnLow: number,
  returnHigh: number,
  software: boolean,
  external: number,
): number {
  const { registers } = machine;
  const gate = new Gate();
  let abort = readGate(machine, vector, gate, software, external);
  if (abort !== Abort.none) return abort;
  const code = new Descriptor();
  abort = readHandler(machine, gate, code, external);
  if (abort !== Abort.none) return abort;

  const privilege = currentPrivilege(registers);
  const inner = !code.isConforming && code.privilege < privilege;
  const level = inner ? code.privilege : privilege;
  const pointer = (RegisterOffset.general + 32) >> 2;
  const oldLow = registers.words[pointer] as number;
  const oldHigh = registers.words[pointer + 1] as number;
  const target: InnerStack = { selector: 0, low: oldLow, high: oldHigh };
  if (gate.interruptStack !== 0) abort = readLongStack(machine, gate.interruptStack + 3, target, external);
  else if (inner) abort = readLongStack(machine, code.privilege, target, external);
  if (abort !== Abort.none) return abort;
  if (!isCanonicalFor(machine, target.high)) return machine.raise(Vector.SS, external);

  const stack = new Stack().useFlat(target.low & ~15, target.high, level < 3);
  abort = stack.reserve(machine, errorCode !== -1 ? 6 : 5, 8);
  if (abort !== Abort.none) return abort;
  if (!isCanonicalFor(machine, gate.offsetHigh)) return machine.raise(Vector.GP, external);
  abort = markAccessed(machine, code);
  if (abort !== Abort.none) return abort;

  abort = stack.push(machine, 8, segmentSelector(registers, Segment.ss), 0);
  if (abort === Abort.none) abort = stack.push(machine, 8, oldLow, oldHigh);
  if (abort === Abort.none) abort = stack.push(machine, 8, flagsImage(machine, vector, kind), 0);
  if (abort === Abort.none) abort = stack.push(machine, 8, segmentSelector(registers, Segment.cs), 0);
  if (abort === Abort.none) abort = stack.push(machine, 8, returnLow, returnHigh);
  if (abort === Abort.none && errorCode !== -1) abort = stack.push(machine, 8, errorCode, 0);
  if (abort !== Abort.none) return abort;

  enterHandler(machine, gate);
  if (inner) setNullStackSegment(machine, level, level);
  stack.commit(registers);
  installSegment(machine, Segment.cs, (gate.selector & 0xfffc) | level, code);
  setInstructionPointer(registers, gate.offsetLow, gate.offsetHigh);
  return Abort.none;
}
