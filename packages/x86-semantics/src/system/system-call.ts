/**
 * SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS: fast changes between level 3 and level 0 that read MSRs instead of
 * descriptors (Intel SDM volume 2; AMD APM volume 3). The processor is the AMD-like model that `sim-backend` states:
 * SYSCALL works in legacy and compatibility mode too, SYSRET to a non-canonical address faults at level 0.
 */

import { Flag } from "../ir/flag.ts";
import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { type RegisterFile, RegisterOffset, Segment } from "../machine/register-file.ts";
import { Efer } from "./control-bits.ts";
import { isCanonicalFor } from "./descriptor.ts";
import {
  currentPrivilege,
  is64Bit,
  isLongMode,
  isProtected,
  isVirtual8086,
  setInstructionPointer,
  setSegment,
} from "./processor-mode.ts";

const rflags = RegisterOffset.rflags >> 2;
const rcx = (RegisterOffset.general + 8) >> 2;
const rdx = (RegisterOffset.general + 16) >> 2;
const rsp = (RegisterOffset.general + 32) >> 2;
const r11 = (RegisterOffset.general + 88) >> 2;

/** Attributes of the flat segments that these instructions install; the privilege level is added. */
const CODE_64 = 0xa09b;
const CODE_32 = 0xc09b;
const DATA_32 = 0xc093;

/**
 * SYSCALL: `returnLow`, `returnHigh` is the address after the instruction. #UD unless EFER.SCE and protected mode.
 *
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, systemCall, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // EFER.SCE is clear
 * systemCall(machine, 0x1002, 0) === Abort.fault; // true
 * machine.fault.vector === Vector.UD; // true
 * ```
 *
 * @public
 */
export function systemCall(machine: Machine, returnLow: number, returnHigh: number): number {
  const { registers } = machine;
  const { words } = registers;
  if (((words[RegisterOffset.efer >> 2] as number) & Efer.SCE) === 0 || !isProtected(registers))
    return machine.raise(Vector.UD, -1);
  const selector = (words[(RegisterOffset.star + 4) >> 2] as number) & 0xfffc;
  const flags = words[rflags] as number;
  if (isLongMode(registers)) {
    const entry = (is64Bit(registers) ? RegisterOffset.lstar : RegisterOffset.cstar) >> 2;
    words[rcx] = returnLow;
    words[rcx + 1] = returnHigh;
    words[r11] = flags & ~Flag.RF;
    words[r11 + 1] = 0;
    setInstructionPointer(registers, words[entry] as number, words[entry + 1] as number);
    words[rflags] = (flags & ~((words[RegisterOffset.fmask >> 2] as number) | Flag.RF)) | 2;
    setSegment(registers, Segment.cs, selector, 0, 0, 0xffff_ffff, CODE_64);
  } else {
    words[rcx] = returnLow;
    words[rcx + 1] = 0;
    setInstructionPointer(registers, words[RegisterOffset.star >> 2] as number, 0);
    words[rflags] = flags & ~(Flag.VM | Flag.IF | Flag.RF);
    setSegment(registers, Segment.cs, selector, 0, 0, 0xffff_ffff, CODE_32);
  }
  setSegment(registers, Segment.ss, (selector + 8) & 0xffff, 0, 0, 0xffff_ffff, DATA_32);
  return Abort.none;
}

/**
 * SYSRET with an operand size of 4 (to compatibility or legacy code) or 8 (to 64-bit code). #GP(0) unless CPL 0.
 *
 * @param operandSize - bytes: 4 or 8
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, systemReturn, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // EFER.SCE is clear
 * systemReturn(machine, 8) === Abort.fault; // true
 * machine.fault.vector === Vector.UD; // true
 * ```
 *
 * @public
 */
export function systemReturn(machine: Machine, operandSize: number): number {
  const { registers } = machine;
  const { words } = registers;
  if (((words[RegisterOffset.efer >> 2] as number) & Efer.SCE) === 0 || !isProtected(registers))
    return machine.raise(Vector.UD, -1);
  if (isVirtual8086(registers) || currentPrivilege(registers) !== 0) return machine.raise(Vector.GP, 0);
  const base = (words[(RegisterOffset.star + 4) >> 2] as number) >>> 16;
  const wide = operandSize === 8 && is64Bit(registers);
  if (wide && !isCanonicalFor(machine, words[rcx + 1] as number)) return machine.raise(Vector.GP, 0);
  if (isLongMode(registers)) {
    // RF and VM cannot come back this way (SDM: R11 & 3C7FD7H | 2).
    words[rflags] = ((words[r11] as number) & 0x3c_7fd7) | 2;
  } else {
    words[rflags] = (words[rflags] as number) | Flag.IF;
  }
  const selector = ((wide ? base + 16 : base) & 0xffff) | 3;
  setInstructionPointer(registers, words[rcx] as number, wide ? (words[rcx + 1] as number) : 0);
  setSegment(registers, Segment.cs, selector, 0, 0, 0xffff_ffff, (wide ? CODE_64 : CODE_32) | 0x60);
  setSegment(registers, Segment.ss, ((base + 8) & 0xffff) | 3, 0, 0, 0xffff_ffff, DATA_32 | 0x60);
  return Abort.none;
}

/**
 * SYSENTER: #GP(0) in real mode or when SYSENTER_CS is null.
 *
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, RegisterOffset, Segment, segmentSelector, sysenter } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0));
 * const { registers } = machine;
 * registers.set64(RegisterOffset.cr0, 1n); // protected mode
 * registers.set64(RegisterOffset.sysenterCs, 8n);
 * registers.set64(RegisterOffset.sysenterEip, 0x8000n);
 * sysenter(machine) === Abort.none; // true
 * registers.get64(RegisterOffset.rip); // 0x8000n
 * segmentSelector(registers, Segment.ss); // 0x10
 * ```
 *
 * @public
 */
export function sysenter(machine: Machine): number {
  const { registers } = machine;
  const { words } = registers;
  const cs = words[RegisterOffset.sysenterCs >> 2] as number;
  if (!isProtected(registers) || (cs & 0xfffc) === 0) return machine.raise(Vector.GP, 0);
  const long = isLongMode(registers);
  const selector = cs & 0xfffc;
  words[rflags] = (words[rflags] as number) & ~(Flag.VM | Flag.IF | Flag.RF);
  copyRegister(registers, rsp, RegisterOffset.sysenterEsp >> 2, long);
  copyRegister(registers, RegisterOffset.rip >> 2, RegisterOffset.sysenterEip >> 2, long);
  setSegment(registers, Segment.cs, selector, 0, 0, 0xffff_ffff, long ? CODE_64 : CODE_32);
  setSegment(registers, Segment.ss, (selector + 8) & 0xffff, 0, 0, 0xffff_ffff, DATA_32);
  return Abort.none;
}

/**
 * SYSEXIT with an operand size of 4 or 8: to RDX with the stack of RCX. #GP(0) unless CPL 0 and SYSENTER_CS is set.
 *
 * @param operandSize - bytes: 4 or 8
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, currentPrivilege, FlatMachine, RegisterOffset, Segment, setSegment, sysexit } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0));
 * const { registers } = machine;
 * registers.set64(RegisterOffset.cr0, 1n); // protected mode
 * setSegment(registers, Segment.ss, 0x10, 0, 0, 0xffff_ffff, 0xc093); // CPL 0
 * registers.set64(RegisterOffset.sysenterCs, 8n);
 * registers.set64(RegisterOffset.general + 8 * 2, 0x4000n); // RDX
 * sysexit(machine, 4) === Abort.none; // true
 * registers.get64(RegisterOffset.rip); // 0x4000n
 * currentPrivilege(registers); // 3
 * ```
 *
 * @public
 */
export function sysexit(machine: Machine, operandSize: number): number {
  const { registers } = machine;
  const { words } = registers;
  const cs = words[RegisterOffset.sysenterCs >> 2] as number;
  if (!isProtected(registers) || (cs & 0xfffc) === 0) return machine.raise(Vector.GP, 0);
  if (isVirtual8086(registers) || currentPrivilege(registers) !== 0) return machine.raise(Vector.GP, 0);
  const wide = operandSize === 8;
  const canonical =
    isCanonicalFor(machine, words[rdx + 1] as number) && isCanonicalFor(machine, words[rcx + 1] as number);
  if (wide && !canonical) return machine.raise(Vector.GP, 0);
  const code = (cs & 0xfffc) + (wide ? 32 : 16);
  copyRegister(registers, rsp, rcx, wide);
  copyRegister(registers, RegisterOffset.rip >> 2, rdx, wide);
  setSegment(registers, Segment.cs, (code & 0xffff) | 3, 0, 0, 0xffff_ffff, (wide ? CODE_64 : CODE_32) | 0x60);
  setSegment(registers, Segment.ss, ((code + 8) & 0xffff) | 3, 0, 0, 0xffff_ffff, DATA_32 | 0x60);
  return Abort.none;
}

/**
 * SWAPGS: #UD outside of 64-bit mode, #GP(0) unless CPL 0.
 *
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, Efer, FlatMachine, RegisterOffset, Segment, segmentBaseLow, setSegment, swapGs } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0));
 * const { registers } = machine;
 * registers.set64(RegisterOffset.cr0, 1n);
 * registers.set64(RegisterOffset.efer, BigInt(Efer.LMA));
 * setSegment(registers, Segment.cs, 8, 0, 0, 0, 0xa09b); // 64-bit mode
 * setSegment(registers, Segment.ss, 0x10, 0, 0, 0, 0x93); // CPL 0
 * registers.set64(RegisterOffset.kernelGsBase, 0x5000n);
 * swapGs(machine) === Abort.none; // true
 * segmentBaseLow(registers, Segment.gs); // 0x5000
 * ```
 *
 * @public
 */
export function swapGs(machine: Machine): number {
  const { registers } = machine;
  if (!is64Bit(registers)) return machine.raise(Vector.UD, -1);
  if (currentPrivilege(registers) !== 0) return machine.raise(Vector.GP, 0);
  const { words } = registers;
  const base = (RegisterOffset.segments + Segment.gs * 16) >> 2;
  const other = RegisterOffset.kernelGsBase >> 2;
  for (let i = 0; i < 2; i++) {
    const word = words[base + i] as number;
    words[base + i] = words[other + i] as number;
    words[other + i] = word;
  }
  return Abort.none;
}

/** Copies a 64-bit register, or its low half zero-extended, by word index. */
function copyRegister(registers: RegisterFile, to: number, from: number, wide: boolean): void {
  registers.words[to] = registers.words[from] as number;
  registers.words[to + 1] = wide ? (registers.words[from + 1] as number) : 0;
}
