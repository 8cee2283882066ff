/**
 * RFLAGS as POPF, IRET, CLI and STI change it: which bits a flags image may write depends on the operand size, CPL
 * and IOPL (Intel SDM volume 2, POPF and IRET). VME and PVI are not offered, so CR4 does not come in.
 */

import { Flag, STATUS_FLAGS } from "../ir/flag.ts";
import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { type RegisterFile, RegisterOffset } from "../machine/register-file.ts";
import { currentPrivilege, ioPrivilege, isProtected, isVirtual8086 } from "./processor-mode.ts";

const rflags = RegisterOffset.rflags >> 2;

/** Bits that any code may write with a 16-bit image. */
const WRITABLE = STATUS_FLAGS | Flag.TF | Flag.DF | Flag.NT;

/**
 * Bits of RFLAGS that an image of `operandSize` bytes may change at a privilege level.
 *
 * @param operandSize - bytes: 2, 4 or 8
 * @param privilege - CPL, 0 to 3
 * @param iopl - 0 to 3
 * @returns bits of RFLAGS
 *
 * @example
 * ```ts
 * import { Flag, flagNames, writableFlags } from "@whvkit/x86-semantics";
 * flagNames(writableFlags(4, 3, 0) & (Flag.IF | Flag.IOPL)); // ""
 * flagNames(writableFlags(4, 0, 0) & Flag.IF); // "IF"
 * ```
 *
 * @public
 */
export function writableFlags(operandSize: number, privilege: number, iopl: number): number {
  let mask = WRITABLE;
  if (operandSize > 2) mask |= Flag.AC | Flag.ID;
  if (privilege <= iopl) mask |= Flag.IF;
  if (privilege === 0) mask |= Flag.IOPL;
  return mask;
}

/**
 * Writes the bits of `mask` from an image.
 *
 * @param image - bits of RFLAGS
 * @param mask - bits of RFLAGS that are written; bit 1 is always set
 *
 * @example
 * ```ts
 * import { Flag, FlatMachine, mergeFlags, RegisterOffset } from "@whvkit/x86-semantics";
 * const { registers } = new FlatMachine(new Uint8Array(0));
 * mergeFlags(registers, 0xffff_ffff, Flag.CF | Flag.ZF);
 * registers.get64(RegisterOffset.rflags); // 0x43n
 * ```
 *
 * @public
 */
export function mergeFlags(registers: RegisterFile, image: number, mask: number): void {
  const flags = registers.words[rflags] as number;
  registers.words[rflags] = (flags & ~mask) | (image & mask) | 2;
}

/**
 * POPF, POPFD, POPFQ. In virtual-8086 mode with IOPL below 3 it is #GP(0). RF is cleared by the 32- and 64-bit forms; VM, VIF
 * and VIP stay.
 *
 * @param machine - whose registers, memory and tables count
 * @param image - what was popped
 * @param operandSize - bytes: 2, 4 or 8
 *
 * @example
 * ```ts
 * import { Abort, Flag, FlatMachine, RegisterOffset, writeFlags } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // in real mode
 * writeFlags(machine, Flag.IF | Flag.CF, 2) === Abort.none; // true
 * machine.registers.get64(RegisterOffset.rflags); // 0x203n
 * ```
 *
 * @public
 */
export function writeFlags(machine: Machine, image: number, operandSize: number): number {
  const { registers } = machine;
  const iopl = ioPrivilege(registers);
  if (isVirtual8086(registers) && iopl < 3) return machine.raise(Vector.GP, 0);
  const privilege = isVirtual8086(registers) ? 3 : currentPrivilege(registers);
  const mask = writableFlags(operandSize, privilege, iopl);
  mergeFlags(registers, image, mask);
  if (operandSize > 2) registers.words[rflags] = (registers.words[rflags] as number) & ~Flag.RF;
  return Abort.none;
}

/**
 * Is CLI, STI, IN or the like allowed by IOPL?
 *
 * @example
 * ```ts
 * import { ioPrivilegeSuffices, RegisterFile, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * registers.set64(RegisterOffset.cr0, 1n); // protected mode, IOPL 0
 * ioPrivilegeSuffices(registers); // true
 * setSegment(registers, Segment.ss, 0x23, 0, 0, 0xffff_ffff, 0xc0f3); // CPL 3
 * ioPrivilegeSuffices(registers); // false
 * ```
 *
 * @public
 */
export function ioPrivilegeSuffices(registers: RegisterFile): boolean {
  return !isProtected(registers) || currentPrivilege(registers) <= ioPrivilege(registers);
}

/**
 * CLI: #GP(0) unless CPL <= IOPL.
 *
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, clearInterruptFlag, FlatMachine, RegisterOffset } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // in real mode
 * machine.registers.set64(RegisterOffset.rflags, 0x202n);
 * clearInterruptFlag(machine) === Abort.none; // true
 * machine.registers.get64(RegisterOffset.rflags); // 2n
 * ```
 *
 * @public
 */
export function clearInterruptFlag(machine: Machine): number {
  const { registers } = machine;
  if (!ioPrivilegeSuffices(registers)) return machine.raise(Vector.GP, 0);
  registers.words[rflags] = (registers.words[rflags] as number) & ~Flag.IF;
  return Abort.none;
}

/**
 * STI: #GP(0) unless CPL <= IOPL. When IF was clear, the machine must hold interrupts off until after the next
 * instruction; it sees that by comparing IF.
 *
 * @returns an {@link Abort}; a fault is described in `machine.fault`
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, RegisterOffset, setInterruptFlag } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0)); // in real mode
 * machine.registers.set64(RegisterOffset.rflags, 2n);
 * setInterruptFlag(machine) === Abort.none; // true
 * machine.registers.get64(RegisterOffset.rflags); // 0x202n
 * ```
 *
 * @public
 */
export function setInterruptFlag(machine: Machine): number {
  const { registers } = machine;
  if (!ioPrivilegeSuffices(registers)) return machine.raise(Vector.GP, 0);
  registers.words[rflags] = (registers.words[rflags] as number) | Flag.IF;
  return Abort.none;
}
