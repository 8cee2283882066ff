/**
 * Far jumps, calls and returns, straight to a code segment or through a call gate, to inner and outer levels (Intel SDM
 * volume 2, JMP, CALL and RET; volume 3, section 5.8). Task gates and TSS selectors would be task switches and are
 * answered as unsupported.
 */

import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import {
  Descriptor,
  installSegment,
  isCanonicalFor,
  isNullSelector,
  markAccessed,
  readDescriptor,
  readUpperHalf,
  SystemType,
} from "./descriptor.ts";
import {
  currentPrivilege,
  is64Bit,
  isLongMode,
  isParagraphMode,
  isVirtual8086,
  segmentLimit,
  segmentSelector,
  setInstructionPointer,
  setParagraphSegment,
} from "./processor-mode.ts";
import { readStackDescriptor, releaseInnerSegments, setNullStackSegment } from "./segment-load.ts";
import { Stack } from "./stack-frame.ts";
import { type InnerStack, readInnerStack, readLongStack, taskSwitch } from "./task-state.ts";

const stackPointer = (RegisterOffset.general + 32) >> 2;

/** Where a direct transfer or a gate leads. */
class Target {
  readonly code = new Descriptor();
  /** Selector for CS, RPL not yet adjusted. */
  selector = 0;
  low = 0;
  high = 0;
  /** Size of the values that a call pushes, in bytes. */
  size = 2;
  /** Level that the code will run at. */
  privilege = 0;
  throughGate = false;
  parameters = 0;
}

/**
 * JMP far to selector:offset. `operandSize` is 2, 4 or 8 bytes.
 *
 * @param machine - whose registers, memory and tables count
 * @param selector - 16 bits
 * @param low - bits 31..0 of the offset
 * @param high - bits 63..32 of it
 * @param operandSize - bytes: 2, 4 or 8
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, farJump, FlatMachine, RegisterOffset, Segment, segmentBaseLow } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // in real mode
 * farJump(machine, 0xf000, 0xfff0, 0, 2) === Abort.none; // true
 * segmentBaseLow(machine.registers, Segment.cs); // 0xf0000
 * machine.registers.get64(RegisterOffset.rip); // 0xfff0n
 * ```
 *
 * @public
 */
export function farJump(machine: Machine, selector: number, low: number, high: number, operandSize: number): number {
  const { registers } = machine;
  selector &= 0xffff;
  if (isParagraphMode(registers)) return jumpParagraph(machine, selector, low, operandSize);
  const target = new Target();
  let abort = resolveTarget(machine, selector, low, high, operandSize, target, false);
  if (abort === Abort.none) abort = checkOffset(machine, target);
  if (abort === Abort.none) abort = markAccessed(machine, target.code);
  if (abort !== Abort.none) return abort;
  enterCode(machine, target);
  return Abort.none;
}

/**
 * CALL far to selector:offset, saving CS and the address after the instruction (`returnLow`, `returnHigh`).
 *
 * @param machine - whose registers, memory and tables count
 * @param selector - 16 bits
 * @param low - bits 31..0 of the offset
 * @param high - bits 63..32 of it
 * @param operandSize - bytes: 2, 4 or 8
 *
 * @example
 * ```ts
 * import { Abort, farCall, FlatMachine, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000)); // in real mode
 * machine.registers.set64(RegisterOffset.general + 8 * 4, 0x100n); // SP
 * setSegment(machine.registers, Segment.ss, 0, 0, 0, 0xffff, 0x93);
 * farCall(machine, 0x1234, 0x10, 0, 2, 0x7c05, 0) === Abort.none; // true
 * machine.memory.slice(0xfc, 0x100); // [0x05, 0x7c, 0, 0]
 * ```
 *
 * @public
 */
export function farCall(
  machine: Machine,
  selector: number,
  low: number,
  high: number,
  operandSize: number,
  returnLow: number,
  returnHigh: number,
): number {
  const { registers } = machine;
  selector &= 0xffff;
  if (isParagraphMode(registers)) {
    const stack = new Stack().useCurrent(registers);
    let abort = stack.reserve(machine, 2, operandSize);
    if (abort !== Abort.none) return abort;
    const offset = operandSize === 2 ? low & 0xffff : low;
    if (offset >>> 0 > paragraphLimit(machine)) return machine.raise(Vector.GP, 0);
    abort = pushReturn(machine, stack, operandSize, returnLow, 0);
    if (abort !== Abort.none) return abort;
    stack.commit(registers);
    return jumpParagraph(machine, selector, low, operandSize);
  }
  const target = new Target();
  let abort = resolveTarget(machine, selector, low, high, operandSize, target, true);
  if (abort !== Abort.none) return abort;
  if (target.throughGate && target.privilege < currentPrivilege(registers))
    return callInner(machine, target, returnLow, returnHigh);
  const stack = new Stack().useCurrent(registers);
  abort = stack.reserve(machine, 2, target.size);
  if (abort === Abort.none) abort = checkOffset(machine, target);
  if (abort === Abort.none) abort = markAccessed(machine, target.code);
  if (abort === Abort.none) abort = pushReturn(machine, stack, target.size, returnLow, returnHigh);
  if (abort !== Abort.none) return abort;
  stack.commit(registers);
  enterCode(machine, target);
  return Abort.none;
}

/**
 * RET far, releasing `release` bytes of parameters.
 *
 * @param machine - whose registers, memory and tables count
 * @param release - bytes of parameters, 0 to 0xffff
 * @param operandSize - bytes: 2, 4 or 8
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, farReturn, FlatMachine, RegisterOffset, Segment, segmentSelector, setSegment } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000)); // in real mode
 * machine.memory.set([0x10, 0x00, 0x34, 0x12], 0x100); // IP, CS
 * machine.registers.set64(RegisterOffset.general + 8 * 4, 0x100n); // SP
 * setSegment(machine.registers, Segment.ss, 0, 0, 0, 0xffff, 0x93);
 * farReturn(machine, 0, 2) === Abort.none; // true
 * segmentSelector(machine.registers, Segment.cs); // 0x1234
 * ```
 *
 * @public
 */
export function farReturn(machine: Machine, release: number, operandSize: number): number {
  const { registers } = machine;
  const stack = new Stack().useCurrent(registers);
  let abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const low = machine.data[0] as number;
  const high = operandSize === 8 ? (machine.data[1] as number) : 0;
  abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const selector = (machine.data[0] as number) & 0xffff;
  if (isParagraphMode(registers)) {
    abort = jumpParagraph(machine, selector, low, operandSize);
    if (abort !== Abort.none) return abort;
    stack.move(release);
    stack.commit(registers);
    return Abort.none;
  }
  const privilege = currentPrivilege(registers);
  const level = selector & 3;
  const target = new Target();
  target.selector = selector;
  target.low = low;
  target.high = high;
  target.privilege = level;
  abort = readReturnCode(machine, selector, target.code, privilege);
  if (abort !== Abort.none) return abort;
  if (level === privilege) {
    abort = checkOffset(machine, target);
    if (abort === Abort.none) abort = markAccessed(machine, target.code);
    if (abort !== Abort.none) return abort;
    stack.move(release);
    stack.commit(registers);
    enterCode(machine, target);
    return Abort.none;
  }
  return returnOuter(machine, stack, target, release, operandSize);
}

function returnOuter(machine: Machine, stack: Stack, target: Target, release: number, operandSize: number): number {
  const { registers } = machine;
  const level = target.privilege;
  stack.move(release);
  let abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const spLow = machine.data[0] as number;
  const spHigh = operandSize === 8 ? (machine.data[1] as number) : 0;
  abort = stack.pop(machine, operandSize);
  if (abort !== Abort.none) return abort;
  const selector = (machine.data[0] as number) & 0xffff;
  const nullStack = isNullSelector(selector);
  const segment = new Descriptor();
  if (nullStack) {
    const allowed = isLongMode(registers) && target.code.isLong && level !== 3 && (selector & 3) === level;
    if (!allowed) return machine.raise(Vector.GP, 0);
  } else {
    abort = readStackDescriptor(machine, selector, segment, level, Vector.GP, 0);
    if (abort !== Abort.none) return abort;
  }
  abort = checkOffset(machine, target);
  if (abort === Abort.none) abort = markAccessed(machine, target.code);
  if (abort === Abort.none && !nullStack) abort = markAccessed(machine, segment);
  if (abort !== Abort.none) return abort;
  enterCode(machine, target);
  if (nullStack) setNullStackSegment(machine, selector, level);
  else installSegment(machine, Segment.ss, selector, segment);
  const outerStack = new Stack().useCurrent(registers);
  outerStack.low = spLow;
  outerStack.high = spHigh;
  outerStack.move(release);
  outerStack.commit(registers);
  releaseInnerSegments(machine, level);
  return Abort.none;
}

/**
 * Reads and checks the code segment that RET or IRET returns to: its level is the selector's RPL, and never an inner one.
 */
export function readReturnCode(machine: Machine, selector: number, code: Descriptor, privilege: number): number {
  if (isNullSelector(selector)) return machine.raise(Vector.GP, 0);
  const abort = readDescriptor(machine, selector, code, Vector.GP);
  if (abort !== Abort.none) return abort;
  const errorCode = selector & 0xfffc;
  const level = selector & 3;
  if (!code.isCode || level < privilege) return machine.raise(Vector.GP, errorCode);
  if (code.isConforming ? code.privilege > level : code.privilege !== level) return machine.raise(Vector.GP, errorCode);
  if (isLongMode(machine.registers) && code.isLong && code.isDefault32) return machine.raise(Vector.GP, errorCode);
  if (!code.isPresent) return machine.raise(Vector.NP, errorCode);
  return Abort.none;
}

/** Finds the code segment that a selector leads to, directly or through a call gate, with the checks of privilege. */
function resolveTarget(
  machine: Machine,
  selector: number,
  low: number,
  high: number,
  operandSize: number,
  target: Target,
  call: boolean,
): number {
  if (isNullSelector(selector)) return machine.raise(Vector.GP, 0);
  const { code } = target;
  const abort = readDescriptor(machine, selector, code, Vector.GP);
  if (abort !== Abort.none) return abort;
  const long = isLongMode(machine.registers);
  const privilege = currentPrivilege(machine.registers);
  const errorCode = selector & 0xfffc;
  target.privilege = privilege;
  if (!code.isSystem) {
    target.selector = selector;
    target.low = operandSize === 2 ? low & 0xffff : low;
    target.high = operandSize === 8 ? high : 0;
    target.size = operandSize;
    if (!code.isCode) return machine.raise(Vector.GP, errorCode);
    const allowed = code.isConforming
      ? code.privilege <= privilege
      : (selector & 3) <= privilege && code.privilege === privilege;
    if (!allowed || (long && code.isLong && code.isDefault32)) return machine.raise(Vector.GP, errorCode);
    return code.isPresent ? Abort.none : machine.raise(Vector.NP, errorCode);
  }
  return resolveGate(machine, selector, target, privilege, long, call);
}

function resolveGate(
  machine: Machine,
  selector: number,
  target: Target,
  privilege: number,
  long: boolean,
  call: boolean,
): number {
  const { code } = target;
  const errorCode = selector & 0xfffc;
  const { type } = code;
  const isGate = type === SystemType.callGate32 || (type === SystemType.callGate16 && !long);
  const isTask = !long && (type === SystemType.taskGate || type === SystemType.tss16 || type === SystemType.tss32);
  if (!isGate && !isTask) return machine.raise(Vector.GP, errorCode);
  if (code.privilege < Math.max(privilege, selector & 3)) return machine.raise(Vector.GP, errorCode);
  if (long) {
    const abort = readUpperHalf(machine, code);
    if (abort !== Abort.none) return abort;
  }
  if (!code.isPresent) return machine.raise(Vector.NP, errorCode);
  if (isTask) return taskSwitch();

  target.throughGate = true;
  target.selector = code.gateSelector;
  target.low = type === SystemType.callGate16 ? code.gateOffset & 0xffff : code.gateOffset;
  target.high = code.upper;
  target.size = long ? 8 : type === SystemType.callGate16 ? 2 : 4;
  target.parameters = long ? 0 : code.gateParameters;
  if (isNullSelector(target.selector)) return machine.raise(Vector.GP, 0);
  const abort = readDescriptor(machine, target.selector, code, Vector.GP);
  if (abort !== Abort.none) return abort;
  const codeError = target.selector & 0xfffc;
  if (!code.isCode || code.privilege > privilege) return machine.raise(Vector.GP, codeError);
  if (long && (!code.isLong || code.isDefault32)) return machine.raise(Vector.GP, codeError);
  // A jump cannot change the level; a call can, to an inner one.
  if (!call && !code.isConforming && code.privilege !== privilege) return machine.raise(Vector.GP, codeError);
  if (!code.isPresent) return machine.raise(Vector.NP, codeError);
  if (!code.isConforming) target.privilege = code.privilege;
  return Abort.none;
}

/** CALL through a gate to an inner level: the stack of that level from the TSS, SS:SP and parameters copied to it. */
function callInner(machine: Machine, target: Target, returnLow: number, returnHigh: number): number {
  const { registers } = machine;
  const { size, privilege } = target;
  const long = isLongMode(registers);
  const inner: InnerStack = { selector: 0, low: 0, high: 0 };
  const segment = new Descriptor();
  const stack = new Stack();
  let abort: number;
  if (long) {
    abort = readLongStack(machine, privilege, inner, 0);
    if (abort !== Abort.none) return abort;
    if (!isCanonicalFor(machine, inner.high)) return machine.raise(Vector.SS, 0);
    stack.useFlat(inner.low, inner.high, true);
  } else {
    abort = readInnerStack(machine, privilege, inner, 0);
    if (abort !== Abort.none) return abort;
    if (isNullSelector(inner.selector)) return machine.raise(Vector.TS, 0);
    abort = readStackDescriptor(machine, inner.selector, segment, privilege, Vector.TS, 0);
    if (abort !== Abort.none) return abort;
    stack.useSegment(segment, inner.low, inner.selector & 0xfffc);
  }
  abort = stack.reserve(machine, 4 + target.parameters, size);
  if (abort === Abort.none) abort = checkOffset(machine, target);
  if (abort !== Abort.none) return abort;

  // The parameters lie at the top of the outer stack, the last pushed lowest; they are read before anything is written.
  const outer = new Stack().useCurrent(registers);
  const parameters: number[] = [];
  for (let i = 0; i < target.parameters; i++) {
    abort = outer.pop(machine, size);
    if (abort !== Abort.none) return abort;
    parameters.push(machine.data[0] as number);
  }
  abort = markAccessed(machine, target.code);
  if (abort === Abort.none && !long) abort = markAccessed(machine, segment);
  if (abort === Abort.none) abort = stack.push(machine, size, segmentSelector(registers, Segment.ss), 0);
  if (abort === Abort.none)
    abort = stack.push(
      machine,
      size,
      registers.words[stackPointer] as number,
      registers.words[stackPointer + 1] as number,
    );
  for (let i = parameters.length - 1; i >= 0 && abort === Abort.none; i--)
    abort = stack.push(machine, size, parameters[i] as number, 0);
  if (abort === Abort.none) abort = pushReturn(machine, stack, size, returnLow, returnHigh);
  if (abort !== Abort.none) return abort;
  if (long) setNullStackSegment(machine, privilege, privilege);
  else installSegment(machine, Segment.ss, inner.selector, segment);
  stack.commit(registers);
  enterCode(machine, target);
  return Abort.none;
}

function pushReturn(machine: Machine, stack: Stack, size: number, low: number, high: number): number {
  const abort = stack.push(machine, size, segmentSelector(machine.registers, Segment.cs), 0);
  return abort !== Abort.none ? abort : stack.push(machine, size, low, high);
}

/** Is the offset inside of the code segment, or canonical where the segment is 64-bit? */
function checkOffset(machine: Machine, target: Target): number {
  const inside =
    isLongMode(machine.registers) && target.code.isLong
      ? isCanonicalFor(machine, target.high)
      : target.high === 0 && target.low >>> 0 <= target.code.limit;
  return inside ? Abort.none : machine.raise(Vector.GP, 0);
}

function enterCode(machine: Machine, target: Target): void {
  installSegment(machine, Segment.cs, (target.selector & 0xfffc) | target.privilege, target.code);
  setInstructionPointer(machine.registers, target.low, is64Bit(machine.registers) ? target.high : 0);
}

/** The limit that CS will have after a load in real-address or virtual-8086 mode. */
function paragraphLimit(machine: Machine): number {
  return isVirtual8086(machine.registers) ? 0xffff : segmentLimit(machine.registers, Segment.cs);
}

function jumpParagraph(machine: Machine, selector: number, low: number, operandSize: number): number {
  const offset = operandSize === 2 ? low & 0xffff : low;
  if (offset >>> 0 > paragraphLimit(machine)) return machine.raise(Vector.GP, 0);
  setParagraphSegment(machine.registers, Segment.cs, selector);
  setInstructionPointer(machine.registers, offset, 0);
  return Abort.none;
}
