/**
 * LAR, LSL, VERR and VERW: what a program may learn of a descriptor without loading it. None of them faults on a bad
 * selector; they answer in ZF (Intel SDM volume 2).
 */

import { Abort, type Machine, Vector } from "../machine/machine.ts";
import { Descriptor, isNullSelector, readDescriptor, SystemType } from "./descriptor.ts";
import { currentPrivilege, isLongMode, isParagraphMode } from "./processor-mode.ts";

/** Which instruction asks; argument b of `Helper.inspectSelector`. @public */
export const Inspection = { lar: 0, lsl: 1, verr: 2, verw: 3 } as const;

/** Types of system descriptors that LAR and LSL accept, one bit each: legacy and IA-32e mode. */
const { tss16, ldt, busyTss16, callGate16, taskGate, tss32, busyTss32, callGate32 } = SystemType;
const larTypes = mask([tss16, ldt, busyTss16, callGate16, taskGate, tss32, busyTss32, callGate32]);
const larLongTypes = mask([ldt, tss32, busyTss32, callGate32]);
const lslTypes = mask([tss16, ldt, busyTss16, tss32, busyTss32]);
const lslLongTypes = mask([ldt, tss32, busyTss32]);

/**
 * Result in `machine.data`: word 0 the access rights (LAR) or limit (LSL), word 2 ZF. #UD in real-address and
 * virtual-8086 mode; the reading of the table may fault or exit.
 *
 * @param machine - whose registers, memory and tables count
 * @param selector - 16 bits
 * @param inspection - one of {@link Inspection}
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, Inspection, inspectSelector, RegisterOffset } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000));
 * machine.registers.set64(RegisterOffset.cr0, 1n); // protected mode
 * inspectSelector(machine, 0, Inspection.lar) === Abort.none; // true
 * machine.data[2]; // 0
 * ```
 *
 * @public
 */
export function inspectSelector(machine: Machine, selector: number, inspection: number): number {
  const { registers } = machine;
  if (isParagraphMode(registers)) return machine.raise(Vector.UD, -1);
  selector &= 0xffff;
  const descriptor = new Descriptor();
  let found = false;
  if (!isNullSelector(selector)) {
    const abort = readDescriptor(machine, selector, descriptor, Vector.GP);
    if (abort === Abort.none) found = isVisible(machine, selector, descriptor, inspection);
    // Outside of its table: the answer is ZF = 0, not the exception.
    else if (abort !== Abort.fault || machine.fault.vector !== Vector.GP) return abort;
  }
  machine.data[0] = !found ? 0 : inspection === Inspection.lar ? descriptor.high & 0xf0_ff00 : descriptor.limit | 0;
  machine.data[1] = 0;
  machine.data[2] = found ? 1 : 0;
  return Abort.none;
}

function isVisible(machine: Machine, selector: number, descriptor: Descriptor, inspection: number): boolean {
  const long = isLongMode(machine.registers);
  if (descriptor.isSystem) {
    if (inspection >= Inspection.verr) return false;
    const accepted = inspection === Inspection.lar ? (long ? larLongTypes : larTypes) : long ? lslLongTypes : lslTypes;
    if (((accepted >> descriptor.type) & 1) === 0) return false;
  }
  const level = Math.max(currentPrivilege(machine.registers), selector & 3);
  if (!descriptor.isConforming && level > descriptor.privilege) return false;
  if (inspection === Inspection.verr) return !descriptor.isCode || descriptor.isReadableCode;
  if (inspection === Inspection.verw) return descriptor.isWritableData;
  return true;
}

function mask(types: readonly number[]): number {
  return types.reduce((bits, type) => bits | (1 << type), 0);
}
