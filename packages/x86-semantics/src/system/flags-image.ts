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

/** Bits of RFLAGS that an image of `operandSize` bytes may change at a privilege level. @public */
export function writableFlags(operandSize: number, privilege: number, iopl: number): number {
  let mask = WRITABLE;
  if (operandSize > 2) mask |= Flag.AC | Flag.ID;
  if (privilege <= iopl) mask |= Flag.IF;
  if (privilege === 0) mask |= Flag.IOPL;
  return mask;
}

/** Writes the bits of `mask` from an image. @public */
export function mergeFlags(registers: RegisterFile, image: number, mask: number): void {
  const flags = registers.words[rflags] as number;
  registers.words[rflags] = (flags & ~mask) | (image & mask) | 2;
}

/**
 * POPF, POPFD, POPFQ. In virtual-8086 mode with IOPL below 3 it is #GP(0). RF is cleared by the 32- and 64-bit forms; VM, VIF
 * and VIP stay.
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

/** Is CLI, STI, IN or the like allowed by IOPL? @public */
export function ioPrivilegeSuffices(registers: RegisterFile): boolean {
  return !isProtected(registers) || currentPrivilege(registers) <= ioPrivilege(registers);
}

/** CLI: #GP(0) unless CPL <= IOPL. @public */
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
 * @public
 */
export function setInterruptFlag(machine: Machine): number {
  const { registers } = machine;
  if (!ioPrivilegeSuffices(registers)) return machine.raise(Vector.GP, 0);
  registers.words[rflags] = (registers.words[rflags] as number) | Flag.IF;
  return Abort.none;
}
