/**
 * Where each WHv register lives in the register file: the bridge between the intervals that programs are described by
 * and the names that the register callbacks take. State that has no WHv name (upper halves of YMM and ZMM, opmasks, PKRU)
 * is found here as extended.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { REGISTER_FILE_SIZE, type RegisterInterval, RegisterOffset, Segment } from "@whvkit/x86-semantics";

/** One register that the platform names. */
export interface MappedRegister {
  /** A `WHV_REGISTER_NAME`. */
  readonly name: number;
  readonly offset: number;
  /** Bytes: 8 or 16. MXCSR's composite register has its own copying. */
  readonly size: 8 | 16;
}

const NAME = WHV_REGISTER_NAME;

function run(count: number, name: number, offset: number, size: 8 | 16, stride: number): MappedRegister[] {
  return Array.from({ length: count }, (_, i) => ({ name: name + i, offset: offset + i * stride, size }));
}

function segment(name: number, index: number): MappedRegister {
  return { name, offset: RegisterOffset.segments + index * 16, size: 16 };
}

function word(name: number, offset: number): MappedRegister {
  return { name, offset, size: 8 };
}

/** Every register that five callbacks reach. */
export const MAPPED_REGISTERS: readonly MappedRegister[] = [
  ...run(16, NAME.WHvX64RegisterRax, RegisterOffset.general, 8, 8),
  word(NAME.WHvX64RegisterRip, RegisterOffset.rip),
  word(NAME.WHvX64RegisterRflags, RegisterOffset.rflags),
  segment(NAME.WHvX64RegisterEs, Segment.es),
  segment(NAME.WHvX64RegisterCs, Segment.cs),
  segment(NAME.WHvX64RegisterSs, Segment.ss),
  segment(NAME.WHvX64RegisterDs, Segment.ds),
  segment(NAME.WHvX64RegisterFs, Segment.fs),
  segment(NAME.WHvX64RegisterGs, Segment.gs),
  segment(NAME.WHvX64RegisterLdtr, Segment.ldtr),
  segment(NAME.WHvX64RegisterTr, Segment.tr),
  { name: NAME.WHvX64RegisterGdtr, offset: RegisterOffset.gdtr, size: 16 },
  { name: NAME.WHvX64RegisterIdtr, offset: RegisterOffset.idtr, size: 16 },
  word(NAME.WHvX64RegisterCr0, RegisterOffset.cr0),
  word(NAME.WHvX64RegisterCr2, RegisterOffset.cr2),
  word(NAME.WHvX64RegisterCr3, RegisterOffset.cr3),
  word(NAME.WHvX64RegisterCr4, RegisterOffset.cr4),
  word(NAME.WHvX64RegisterCr8, RegisterOffset.cr8),
  word(NAME.WHvX64RegisterXCr0, RegisterOffset.xcr0),
  ...run(4, NAME.WHvX64RegisterDr0, RegisterOffset.dr0, 8, 8),
  word(NAME.WHvX64RegisterDr6, RegisterOffset.dr6),
  word(NAME.WHvX64RegisterDr7, RegisterOffset.dr7),
  word(NAME.WHvX64RegisterEfer, RegisterOffset.efer),
  word(NAME.WHvX64RegisterStar, RegisterOffset.star),
  word(NAME.WHvX64RegisterLstar, RegisterOffset.lstar),
  word(NAME.WHvX64RegisterCstar, RegisterOffset.cstar),
  word(NAME.WHvX64RegisterSfmask, RegisterOffset.fmask),
  word(NAME.WHvX64RegisterKernelGsBase, RegisterOffset.kernelGsBase),
  word(NAME.WHvX64RegisterTscAux, RegisterOffset.tscAux),
  word(NAME.WHvX64RegisterSysenterCs, RegisterOffset.sysenterCs),
  word(NAME.WHvX64RegisterSysenterEsp, RegisterOffset.sysenterEsp),
  word(NAME.WHvX64RegisterSysenterEip, RegisterOffset.sysenterEip),
  word(NAME.WHvX64RegisterPat, RegisterOffset.pat),
  word(NAME.WHvX64RegisterApicBase, RegisterOffset.apicBase),
  word(NAME.WHvX64RegisterTsc, RegisterOffset.tsc),
  { name: NAME.WHvX64RegisterFpControlStatus, offset: RegisterOffset.fpuControl, size: 16 },
  ...run(8, NAME.WHvX64RegisterFpMmx0, RegisterOffset.fpu, 16, 16),
  ...run(16, NAME.WHvX64RegisterXmm0, RegisterOffset.vector, 16, 64),
  // Also holds the last x87 data pointer: see COMPOSITE.
  { name: NAME.WHvX64RegisterXmmControlStatus, offset: RegisterOffset.mxcsr, size: 8 },
];

/**
 * `WHV_X64_XMM_CONTROL_STATUS_REGISTER`: the x87 data pointer in its low half, MXCSR and its mask in the upper; the
 * register file keeps them apart.
 */
export const COMPOSITE: number = MAPPED_REGISTERS.findIndex(({ name }) => name === NAME.WHvX64RegisterXmmControlStatus);

/** What {@link eachRegister} says of 8 bytes without a name: vector state, opmasks, PKRU. */
export const EXTENDED = -1;

/** Index into {@link MAPPED_REGISTERS} for every 8 bytes of the register file. */
const indexOfGranule: Int16Array = fillGranules();

function fillGranules(): Int16Array {
  const granules = new Int16Array(REGISTER_FILE_SIZE >> 3).fill(EXTENDED);
  for (const [index, { offset, size }] of MAPPED_REGISTERS.entries())
    for (let at = offset; at < offset + size; at += 8) granules[at >> 3] = index;
  granules[RegisterOffset.fpuDataPointer >> 3] = COMPOSITE;
  return granules;
}

/** Calls `visit` with the index of each mapped register that the interval touches, or with {@link EXTENDED}. */
export function eachRegister(interval: RegisterInterval, visit: (index: number) => void): void {
  const last = (interval.offset + interval.size - 1) >> 3;
  let before: number | null = null;
  for (let granule = interval.offset >> 3; granule <= last; granule++) {
    const index = indexOfGranule[granule];
    if (index !== before) visit(index);
    before = index;
  }
}

/** Index into {@link MAPPED_REGISTERS} of the register at a byte offset. */
export function registerAt(offset: number): number {
  return indexOfGranule[offset >> 3];
}
