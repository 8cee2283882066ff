/**
 * MSRs: which exist, where their value stands and which values they refuse. A row of the table is one MSR; the WHv
 * register names that show the same state are `register-table.ts`'s.
 */

import { isCanonical, type RegisterFile, RegisterOffset, Segment } from "@whvkit/x86-semantics";

/** Which values a write may have. */
export const MsrCheck = {
  any: 0,
  /** A canonical address. */
  canonical: 1,
  /** Bits 63..32 are 0. */
  low32: 2,
  /** Eight memory types. */
  pat: 3,
  readOnly: 4,
  /** Handled by name: EFER, TSC. */
  special: 5,
  /** Written values are dropped, reads give 0. */
  ignored: 6,
} as const;

export interface MsrRow {
  readonly msr: number;
  readonly name: string;
  /** Byte offset in the register file, or of the extra registers (from {@link EXTRA} on). */
  readonly offset: number;
  readonly check: number;
}

/** Offsets from here on are in the extra registers: state that the register file has no place for. */
export const EXTRA = 0x1_0000;

/** Extra registers by WHv order: MTRRs, then others. */
export const ExtraRegister = {
  mtrrDefType: EXTRA,
  mtrrPhysBase: EXTRA + 8,
  mtrrPhysMask: EXTRA + 8 + 128,
  mtrrFix: EXTRA + 8 + 256,
  tscAdjust: EXTRA + 8 + 256 + 88,
} as const;

/** Number of 64-bit extra registers. */
export const EXTRA_REGISTERS = 1 + 16 + 16 + 11 + 1;

/** Variable-range MTRRs that the model has. */
export const VARIABLE_MTRRS = 8;
/** IA32_MTRRCAP: variable ranges, fixed ranges, write-combining. */
export const MTRR_CAPABILITIES: number = VARIABLE_MTRRS | 0x100 | 0x400;

/** MSR numbers that code names. */
export const Msr = { tsc: 0x10, apicBase: 0x1b, mtrrCapabilities: 0xfe, efer: 0xc000_0080 } as const;

const gs = RegisterOffset.segments + Segment.gs * 16;
const fs = RegisterOffset.segments + Segment.fs * 16;
const FIXED_MTRRS = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];

const { any, canonical, low32, pat, special, readOnly, ignored } = MsrCheck;
const rows: readonly MsrRow[] = [
  { msr: Msr.tsc, name: "IA32_TIME_STAMP_COUNTER", offset: RegisterOffset.tsc, check: special },
  { msr: Msr.apicBase, name: "IA32_APIC_BASE", offset: RegisterOffset.apicBase, check: any },
  { msr: 0x8b, name: "PATCH_LEVEL", offset: -1, check: readOnly },
  { msr: Msr.mtrrCapabilities, name: "IA32_MTRRCAP", offset: -1, check: readOnly },
  { msr: 0x174, name: "IA32_SYSENTER_CS", offset: RegisterOffset.sysenterCs, check: low32 },
  { msr: 0x175, name: "IA32_SYSENTER_ESP", offset: RegisterOffset.sysenterEsp, check: canonical },
  { msr: 0x176, name: "IA32_SYSENTER_EIP", offset: RegisterOffset.sysenterEip, check: canonical },
  ...Array.from({ length: VARIABLE_MTRRS * 2 }, (_, i) => ({
    msr: 0x200 + i,
    name: i % 2 === 0 ? `IA32_MTRR_PHYSBASE${i >> 1}` : `IA32_MTRR_PHYSMASK${i >> 1}`,
    offset: (i % 2 === 0 ? ExtraRegister.mtrrPhysBase : ExtraRegister.mtrrPhysMask) + (i >> 1) * 8,
    check: any,
  })),
  ...FIXED_MTRRS.map((msr, i) => ({
    msr,
    name: `IA32_MTRR_FIX${i}`,
    offset: ExtraRegister.mtrrFix + i * 8,
    check: any,
  })),
  { msr: 0x277, name: "IA32_PAT", offset: RegisterOffset.pat, check: pat },
  { msr: 0x2ff, name: "IA32_MTRR_DEF_TYPE", offset: ExtraRegister.mtrrDefType, check: any },
  { msr: Msr.efer, name: "IA32_EFER", offset: RegisterOffset.efer, check: special },
  { msr: 0xc000_0081, name: "IA32_STAR", offset: RegisterOffset.star, check: any },
  { msr: 0xc000_0082, name: "IA32_LSTAR", offset: RegisterOffset.lstar, check: canonical },
  { msr: 0xc000_0083, name: "IA32_CSTAR", offset: RegisterOffset.cstar, check: canonical },
  { msr: 0xc000_0084, name: "IA32_FMASK", offset: RegisterOffset.fmask, check: low32 },
  { msr: 0xc000_0100, name: "IA32_FS_BASE", offset: fs, check: canonical },
  { msr: 0xc000_0101, name: "IA32_GS_BASE", offset: gs, check: canonical },
  { msr: 0xc000_0102, name: "IA32_KERNEL_GS_BASE", offset: RegisterOffset.kernelGsBase, check: canonical },
  { msr: 0xc000_0103, name: "IA32_TSC_AUX", offset: RegisterOffset.tscAux, check: low32 },
  { msr: 0xc001_0010, name: "SYS_CFG", offset: -1, check: ignored },
  { msr: 0xc001_0015, name: "HWCR", offset: -1, check: ignored },
];

const byNumber = new Map(rows.map((row) => [row.msr, row]));

/** The row of an MSR, or undefined where the model lacks it. */
export function msrRow(msr: number): MsrRow | undefined {
  return byNumber.get(msr >>> 0);
}

/** May this value be written? `special` rows are not this function's to judge. */
export function msrAccepts(check: number, low: number, high: number, fiveLevel: boolean): boolean {
  switch (check) {
    case canonical:
      return isCanonical(high, fiveLevel);
    case low32:
      return high === 0;
    case pat:
      return acceptsMemoryTypes(low) && acceptsMemoryTypes(high);
    case readOnly:
      return false;
    default:
      return true;
  }
}

/** Four bytes of the PAT: each is 0, 1 or 4 to 7. */
function acceptsMemoryTypes(word: number): boolean {
  for (let shift = 0; shift < 32; shift += 8) {
    const type = (word >>> shift) & 0xff;
    if (type > 7 || type === 2 || type === 3) return false;
  }
  return true;
}

/** MSR state that the register file has no place for. */
export class ExtraRegisters {
  readonly words: Int32Array = new Int32Array(EXTRA_REGISTERS * 2);
}

/** Word array and index of a row's value. */
export function msrWords(offset: number, registers: RegisterFile, extra: ExtraRegisters): Int32Array {
  return offset >= EXTRA ? extra.words : registers.words;
}

export function msrIndex(offset: number): number {
  return (offset >= EXTRA ? offset - EXTRA : offset) >> 2;
}
