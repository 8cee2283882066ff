/**
 * Questions about a register file that every system operation asks: which mode is the processor in, at which
 * privilege level, how wide is the stack; and the fields of one segment register. Nothing here changes anything except
 * {@link setSegment}.
 */

import { Flag } from "../ir/flag.ts";
import { type RegisterFile, RegisterOffset, Segment } from "../machine/register-file.ts";
import { Cr0, Efer } from "./control-bits.ts";

/**
 * Bits of a segment's attribute word (`WHV_X64_SEGMENT_REGISTER.Attributes`, the descriptor's bits 40 to 55).
 *
 * @public
 */
export const SegmentAttribute = {
  type: 0xf,
  accessed: 0x1,
  /** Data: writable. Code: readable. */
  writable: 0x2,
  readable: 0x2,
  /** Data: expand-down. Code: conforming. */
  expandDown: 0x4,
  conforming: 0x4,
  code: 0x8,
  nonSystem: 0x10,
  privilege: 0x60,
  present: 0x80,
  available: 0x1000,
  long: 0x2000,
  default: 0x4000,
  granularity: 0x8000,
} as const;

/**
 * CR0.PE.
 *
 * @example
 * ```ts
 * import { Cr0, isProtected, RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * isProtected(registers); // false
 * registers.set64(RegisterOffset.cr0, BigInt(Cr0.PE));
 * isProtected(registers); // true
 * ```
 *
 * @public
 */
export function isProtected(registers: RegisterFile): boolean {
  return ((registers.words[RegisterOffset.cr0 >> 2] as number) & Cr0.PE) !== 0;
}

/**
 * Virtual-8086 mode: CR0.PE and RFLAGS.VM.
 *
 * @example
 * ```ts
 * import { Cr0, Flag, isVirtual8086, RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * registers.set64(RegisterOffset.cr0, BigInt(Cr0.PE));
 * registers.set64(RegisterOffset.rflags, BigInt(Flag.VM));
 * isVirtual8086(registers); // true
 * ```
 *
 * @public
 */
export function isVirtual8086(registers: RegisterFile): boolean {
  return isProtected(registers) && ((registers.words[RegisterOffset.rflags >> 2] as number) & Flag.VM) !== 0;
}

/**
 * Real-address or virtual-8086 mode: a selector is a paragraph number, no descriptor is read.
 *
 * @example
 * ```ts
 * import { Cr0, isParagraphMode, RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile(); // real mode
 * isParagraphMode(registers); // true
 * registers.set64(RegisterOffset.cr0, BigInt(Cr0.PE));
 * isParagraphMode(registers); // false
 * ```
 *
 * @public
 */
export function isParagraphMode(registers: RegisterFile): boolean {
  return !isProtected(registers) || isVirtual8086(registers);
}

/**
 * IA-32e mode (EFER.LMA): 64-bit or compatibility.
 *
 * @example
 * ```ts
 * import { Efer, isLongMode, RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * registers.set64(RegisterOffset.efer, BigInt(Efer.LMA));
 * isLongMode(registers); // true
 * ```
 *
 * @public
 */
export function isLongMode(registers: RegisterFile): boolean {
  return ((registers.words[RegisterOffset.efer >> 2] as number) & Efer.LMA) !== 0;
}

/**
 * 64-bit mode: EFER.LMA and CS.L.
 *
 * @example
 * ```ts
 * import { Efer, is64Bit, RegisterFile, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * registers.set64(RegisterOffset.efer, BigInt(Efer.LMA));
 * is64Bit(registers); // false
 * setSegment(registers, Segment.cs, 8, 0, 0, 0, 0xa09b); // CS.L
 * is64Bit(registers); // true
 * ```
 *
 * @public
 */
export function is64Bit(registers: RegisterFile): boolean {
  return isLongMode(registers) && (segmentAttributes(registers, Segment.cs) & SegmentAttribute.long) !== 0;
}

/**
 * Bitness of the code that runs: 16, 32 or 64.
 *
 * @example
 * ```ts
 * import { codeBits, FlatMachine, Segment, setSegment } from "@whvkit/x86-semantics";
 * const { registers } = new FlatMachine(new Uint8Array(0));
 * codeBits(registers); // 32
 * setSegment(registers, Segment.cs, 8, 0, 0, 0xffff, 0x9b);
 * codeBits(registers); // 16
 * ```
 *
 * @public
 */
export function codeBits(registers: RegisterFile): 16 | 32 | 64 {
  if (is64Bit(registers)) return 64;
  return (segmentAttributes(registers, Segment.cs) & SegmentAttribute.default) !== 0 ? 32 : 16;
}

/**
 * CPL. Outside of real mode it is SS.DPL, as in the guest state of VMX and SVM, where it also holds with conforming
 * code and with a null SS in 64-bit mode; in virtual-8086 mode it is 3.
 *
 * @example
 * ```ts
 * import { currentPrivilege, FlatMachine, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
 * const { registers } = new FlatMachine(new Uint8Array(0));
 * currentPrivilege(registers); // 0
 * registers.set64(RegisterOffset.cr0, 1n); // protected mode
 * setSegment(registers, Segment.ss, 0x23, 0, 0, 0xffff_ffff, 0xc0f3); // DPL 3
 * currentPrivilege(registers); // 3
 * ```
 *
 * @public
 */
export function currentPrivilege(registers: RegisterFile): number {
  if (!isProtected(registers)) return 0;
  if (((registers.words[RegisterOffset.rflags >> 2] as number) & Flag.VM) !== 0) return 3;
  return (segmentAttributes(registers, Segment.ss) >> 5) & 3;
}

/**
 * RFLAGS.IOPL.
 *
 * @example
 * ```ts
 * import { ioPrivilege, RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * registers.set64(RegisterOffset.rflags, 0x3000n);
 * ioPrivilege(registers); // 3
 * ```
 *
 * @public
 */
export function ioPrivilege(registers: RegisterFile): number {
  return ((registers.words[RegisterOffset.rflags >> 2] as number) >> 12) & 3;
}

/**
 * Width of the stack pointer in bytes: 8 in 64-bit mode, else by SS.B.
 *
 * @example
 * ```ts
 * import { RegisterFile, Segment, setSegment, stackAddressSize } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * stackAddressSize(registers); // 2
 * setSegment(registers, Segment.ss, 0x10, 0, 0, 0xffff_ffff, 0xc093); // SS.B
 * stackAddressSize(registers); // 4
 * ```
 *
 * @public
 */
export function stackAddressSize(registers: RegisterFile): 2 | 4 | 8 {
  if (is64Bit(registers)) return 8;
  return (segmentAttributes(registers, Segment.ss) & SegmentAttribute.default) !== 0 ? 4 : 2;
}

/**
 * Is a linear address canonical: for 4-level paging bits 63..47 equal, for 5-level paging bits 63..56?
 *
 * @param high - bits 63..32 of the address, signed or unsigned
 * @param fiveLevel - whether CR4.LA57 is set
 *
 * @example
 * ```ts
 * import { isCanonical } from "@whvkit/x86-semantics";
 * isCanonical(0x0000_7fff, false); // true
 * isCanonical(0x0000_8000, false); // false
 * isCanonical(0x0000_8000, true); // true
 * ```
 *
 * @public
 */
export function isCanonical(high: number, fiveLevel: boolean): boolean {
  const sign = high >> (fiveLevel ? 24 : 15);
  return sign === 0 || sign === -1;
}

/**
 * The selector in a segment register, 0 to 0xffff.
 *
 * @param segment - index of {@link Segment}: 0 to 7
 *
 * @example
 * ```ts
 * import { RegisterFile, Segment, segmentSelector, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * setSegment(registers, Segment.ds, 0x10, 0x1000, 0, 0xffff, 0x93);
 * segmentSelector(registers, Segment.ds); // 0x10
 * ```
 *
 * @public
 */
export function segmentSelector(registers: RegisterFile, segment: number): number {
  return registers.halfwords[(RegisterOffset.segments + segment * 16 + 12) >> 1] as number;
}

/**
 * The attribute word of a segment register, as `WHV_X64_SEGMENT_REGISTER` holds it.
 *
 * @param segment - index of {@link Segment}: 0 to 7
 *
 * @example
 * ```ts
 * import { RegisterFile, Segment, segmentAttributes, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * setSegment(registers, Segment.ds, 0x10, 0x1000, 0, 0xffff, 0x93);
 * segmentAttributes(registers, Segment.ds); // 0x93
 * ```
 *
 * @public
 */
export function segmentAttributes(registers: RegisterFile, segment: number): number {
  return registers.halfwords[(RegisterOffset.segments + segment * 16 + 14) >> 1] as number;
}

/**
 * Limit in bytes, unsigned.
 *
 * @param segment - index of {@link Segment}: 0 to 7
 *
 * @example
 * ```ts
 * import { FlatMachine, Segment, segmentLimit } from "@whvkit/x86-semantics";
 * const { registers } = new FlatMachine(new Uint8Array(0));
 * segmentLimit(registers, Segment.ds); // 0xffff_ffff
 * ```
 *
 * @public
 */
export function segmentLimit(registers: RegisterFile, segment: number): number {
  return (registers.words[(RegisterOffset.segments + segment * 16 + 8) >> 2] as number) >>> 0;
}

/**
 * Bits 31..0 of the base of a segment register.
 *
 * @param segment - index of {@link Segment}: 0 to 7
 *
 * @example
 * ```ts
 * import { RegisterFile, Segment, segmentBaseLow, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * setSegment(registers, Segment.gs, 0, 0x1000, 0xffff_8000, 0, 0);
 * segmentBaseLow(registers, Segment.gs); // 0x1000
 * ```
 *
 * @public
 */
export function segmentBaseLow(registers: RegisterFile, segment: number): number {
  return registers.words[(RegisterOffset.segments + segment * 16) >> 2] as number;
}

/**
 * Bits 63..32 of the base of a segment register.
 *
 * @param segment - index of {@link Segment}: 0 to 7
 *
 * @example
 * ```ts
 * import { RegisterFile, Segment, segmentBaseHigh, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * setSegment(registers, Segment.gs, 0, 0x1000, 1, 0, 0);
 * segmentBaseHigh(registers, Segment.gs); // 1
 * ```
 *
 * @public
 */
export function segmentBaseHigh(registers: RegisterFile, segment: number): number {
  return registers.words[(RegisterOffset.segments + segment * 16 + 4) >> 2] as number;
}

/**
 * Writes all of a segment register. `limit` counts bytes.
 *
 * @example
 * ```ts
 * import { RegisterFile, Segment, segmentBaseLow, segmentSelector, setSegment } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * setSegment(registers, Segment.ds, 0x10, 0x1000, 0, 0xffff, 0x93);
 * segmentSelector(registers, Segment.ds); // 0x10
 * segmentBaseLow(registers, Segment.ds); // 0x1000
 * ```
 *
 * @public
 */
export function setSegment(
  registers: RegisterFile,
  segment: number,
  selector: number,
  baseLow: number,
  baseHigh: number,
  limit: number,
  attributes: number,
): void {
  const offset = RegisterOffset.segments + segment * 16;
  registers.words[offset >> 2] = baseLow;
  registers.words[(offset + 4) >> 2] = baseHigh;
  registers.words[(offset + 8) >> 2] = limit;
  registers.halfwords[(offset + 12) >> 1] = selector;
  registers.halfwords[(offset + 14) >> 1] = attributes;
}

/**
 * Loads a segment as real-address and virtual-8086 mode do: base = selector * 16. Real mode keeps the limit and the
 * D, G bits that were there ("unreal mode" rests on that; measured behaviour since the 80386) and CS stays code, virtual-8086 mode
 * gives 64 KiB of user data.
 */
export function setParagraphSegment(registers: RegisterFile, segment: number, selector: number): void {
  const virtual = isVirtual8086(registers);
  const limit = virtual ? 0xffff : segmentLimit(registers, segment);
  const type = segment === Segment.cs ? 0x9b : 0x93;
  const attributes = virtual ? 0xf3 : (segmentAttributes(registers, segment) & 0xd000) | type;
  setSegment(registers, segment, selector, selector << 4, 0, limit, attributes);
}

/**
 * The 64-bit instruction pointer.
 *
 * @param low - bits 31..0
 * @param high - bits 63..32
 *
 * @example
 * ```ts
 * import { RegisterFile, RegisterOffset, setInstructionPointer } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * setInstructionPointer(registers, 0x1000, 1);
 * registers.get64(RegisterOffset.rip); // 0x1_0000_1000n
 * ```
 *
 * @public
 */
export function setInstructionPointer(registers: RegisterFile, low: number, high: number): void {
  registers.words[RegisterOffset.rip >> 2] = low;
  registers.words[(RegisterOffset.rip + 4) >> 2] = high;
}
