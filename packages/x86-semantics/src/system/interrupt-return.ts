/**
 * IRET, IRETD and IRETQ in every mode: to the same level, to an outer level, to virtual-8086 mode (Intel SDM volume 2,
 * IRET). A nested task (RFLAGS.NT) is reported as unsupported.
 */

import { Flag } from "../ir/flag.ts";
import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import { Descriptor, installSegment, isCanonicalFor, isNullSelector, markAccessed } from "./descriptor.ts";
import { readReturnCode } from "./far-transfer.ts";
import { mergeFlags, writableFlags } from "./flags-image.ts";
import {
  currentPrivilege,
  ioPrivilege,
  is64Bit,
  isLongMode,
  isProtected,
  isVirtual8086,
  segmentLimit,
  setInstructionPointer,
  setParagraphSegment,
} from "./processor-mode.ts";
import { readStackDescriptor, releaseInnerSegments, setNullStackSegment } from "./segment-load.ts";
import { Stack } from "./stack-frame.ts";
import { taskSwitch } from "./task-state.ts";

const rflags = RegisterOffset.rflags >> 2;
const stackPointer = (RegisterOffset.general + 32) >> 2;

/**
 * IRET with an operand size of 2, 4 or 8 bytes.
 *
 * @param machine - whose registers, memory and tables count
 * @param operandSize - bytes: 2, 4 or 8
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, interruptReturn, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000)); // in real mode
 * machine.memory.set([0x10, 0x00, 0x34, 0x12, 0x02, 0x02], 0x100); // IP, CS, FLAGS
 * machine.registers.set64(RegisterOffset.general + 8 * 4, 0x100n); // SP
 * setSegment(machine.registers, Segment.ss, 0, 0, 0, 0xffff, 0x93);
 * interruptReturn(machine, 2) === Abort.none; // true
 * machine.registers.get64(RegisterOffset.rflags); // 0x202n
 * ```
 *
 * @public
 */
export function interruptReturn(machine: Machine, operandSize: number): number {
  const { registers } = machine;
  const stack = new Stack().useCurrent(registers);
  const virtual = isVirtual8086(registers);
  if (virtual && ioPrivilege(registers) < 3) return machine.raise(Vector.GP, 0);
  if (!isProtected(registers) || virtual) return returnToParagraphs(machine, stack, operandSize);
  const flags = registers.words[rflags] as number;
  if ((flags & Flag.NT) !== 0) return isLongMode(registers) ? machine.raise(Vector.GP, 0) : taskSwitch();
  return returnProtected(machine, stack, operandSize);
}

/** Real-address mode, and virtual-8086 mode with IOPL 3. */
function returnToParagraphs(machine: Machine, stack: Stack, operandSize: number): number {
  const { registers } = machine;
  let abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const ip = machine.data[0] as number;
  abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const selector = (machine.data[0] as number) & 0xffff;
  abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const image = machine.data[0] as number;
  const virtual = isVirtual8086(registers);
  const limit = virtual ? 0xffff : segmentLimit(registers, Segment.cs);
  if ((operandSize === 2 ? ip & 0xffff : ip) >>> 0 > limit) return machine.raise(Vector.GP, 0);
  // In virtual-8086 mode IOPL stays; in real mode everything but the reserved bits is written.
  const mask = virtual
    ? writableFlags(operandSize, 3, 3) | (operandSize > 2 ? Flag.RF : 0)
    : writableFlags(operandSize, 0, 3) | (operandSize > 2 ? Flag.RF : 0);
  stack.commit(registers);
  setParagraphSegment(registers, Segment.cs, selector);
  setInstructionPointer(registers, operandSize === 2 ? ip & 0xffff : ip, 0);
  mergeFlags(registers, image, mask);
  return Abort.none;
}

function returnProtected(machine: Machine, stack: Stack, operandSize: number): number {
  const { registers } = machine;
  const privilege = currentPrivilege(registers);
  const iopl = ioPrivilege(registers);
  const wide = is64Bit(registers);
  let abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const ipLow = machine.data[0] as number;
  const ipHigh = operandSize === 8 ? (machine.data[1] as number) : 0;
  abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const selector = (machine.data[0] as number) & 0xffff;
  abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const image = machine.data[0] as number;
  if ((image & Flag.VM) !== 0 && privilege === 0 && operandSize === 4 && !isLongMode(registers))
    return returnToVirtual8086(machine, stack, ipLow, selector, image);

  const code = new Descriptor();
  abort = readReturnCode(machine, selector, code, privilege);
  if (abort !== Abort.none) return abort;
  const level = selector & 3;
  const outer = level > privilege;

  let spLow = 0;
  let spHigh = 0;
  let stackSelector = 0;
  const stackSegment = new Descriptor();
  if (outer || wide) {
    abort = stack.pop(machine, operandSize);
    if (abort !== Abort.none) return abort;
    spLow = machine.data[0] as number;
    spHigh = operandSize === 8 ? (machine.data[1] as number) : 0;
    abort = stack.pop(machine, operandSize);
    if (abort !== Abort.none) return abort;
    stackSelector = (machine.data[0] as number) & 0xffff;
    if (isNullSelector(stackSelector)) {
      if (!wide || level === 3 || !code.isLong || (stackSelector & 3) !== level) return machine.raise(Vector.GP, 0);
    } else {
      abort = readStackDescriptor(machine, stackSelector, stackSegment, level, Vector.GP, 0);
      if (abort !== Abort.none) return abort;
    }
  }
  const long = isLongMode(registers) && code.isLong;
  if (long ? !isCanonicalFor(machine, ipHigh) : ipLow >>> 0 > code.limit || ipHigh !== 0)
    return machine.raise(Vector.GP, 0);
  abort = markAccessed(machine, code);
  if (abort === Abort.none && (outer || wide) && !isNullSelector(stackSelector))
    abort = markAccessed(machine, stackSegment);
  if (abort !== Abort.none) return abort;

  // From here on nothing can fail.
  let mask = writableFlags(operandSize, privilege, iopl);
  if (operandSize > 2) mask |= Flag.RF;
  if (operandSize > 2 && privilege === 0) mask |= Flag.VIF | Flag.VIP;
  installSegment(machine, Segment.cs, selector, code);
  setInstructionPointer(registers, ipLow, ipHigh);
  mergeFlags(registers, image, mask);
  if (!outer && !wide) {
    stack.commit(registers);
    return Abort.none;
  }
  if (isNullSelector(stackSelector)) setNullStackSegment(machine, stackSelector, level);
  else installSegment(machine, Segment.ss, stackSelector, stackSegment);
  // A 16-bit stack takes only SP: the upper bits of ESP stay as they are.
  const narrow = !long && !isNullSelector(stackSelector) && !stackSegment.isDefault32;
  registers.words[stackPointer] = narrow
    ? ((registers.words[stackPointer] as number) & ~0xffff) | (spLow & 0xffff)
    : spLow;
  if (!narrow) registers.words[stackPointer + 1] = spHigh;
  if (outer) releaseInnerSegments(machine, level);
  return Abort.none;
}

/** From level 0 to virtual-8086 mode: the frame also holds ESP, SS, ES, DS, FS and GS. */
function returnToVirtual8086(machine: Machine, stack: Stack, ip: number, selector: number, image: number): number {
  const { registers } = machine;
  const values: number[] = [];
  for (let i = 0; i < 6; i++) {
    const abort = stack.pop(machine, 4);
    if (abort !== Abort.none) return abort;
    values.push(machine.data[0] as number);
  }
  if (ip >>> 0 > 0xffff) return machine.raise(Vector.GP, 0);
  mergeFlags(registers, image, writableFlags(4, 0, 3) | Flag.RF | Flag.VM | Flag.VIF | Flag.VIP);
  setParagraphSegment(registers, Segment.cs, selector);
  setInstructionPointer(registers, ip & 0xffff, 0);
  registers.words[stackPointer] = values[0] as number;
  registers.words[stackPointer + 1] = 0;
  virtualSegments.forEach((segment, i) => {
    setParagraphSegment(registers, segment, (values[i + 1] as number) & 0xffff);
  });
  return Abort.none;
}

/** Order of the segments in the frame, after ESP. */
const virtualSegments = [Segment.ss, Segment.es, Segment.ds, Segment.fs, Segment.gs] as const;
