/**
 * The processor that the simulator states to be: CPUID leaves and the widths and reserved bits that follow from them.
 * A feature bit is set only where the simulator really has the feature; the table says which. It calls itself an AMD
 * processor because where vendors differ (undefined flags, SYSCALL in legacy mode, null segment loads) the simulator
 * follows AMD, whose results the instruction vectors of this repository were measured on.
 */

import { Cr0, Cr4, Efer, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import { PHYSICAL_ADDRESS_BITS } from "../memory/page-walk.ts";

/**
 * One CPUID result that replaces the model's: `WHV_X64_CPUID_RESULT`.
 *
 * @public
 */
export interface CpuidResult {
  /** The leaf, unsigned. */
  readonly function: number;
  /** Only this sub-leaf; every one where it is left out. */
  readonly index?: number;
  /** 32 bits, as all four. */
  readonly eax: number;
  /** 32 bits. */
  readonly ebx: number;
  /** 32 bits. */
  readonly ecx: number;
  /** 32 bits. */
  readonly edx: number;
}

/** Family 17h, model 31h, stepping 0. */
const SIGNATURE = 0x0083_0f10;

/** A 64-byte line for CLFLUSH, one logical processor. */
const LEAF_1_EBX = 0x0001_0800;

const bits = (...numbers: readonly number[]): number => numbers.reduce((all, bit) => all | (1 << bit), 0);

/** Leaf 1 EDX: DE PSE TSC MSR PAE CX8 SEP MTRR PGE CMOV PAT PSE-36 CLFSH. */
const FEATURES_1_EDX = bits(2, 3, 4, 5, 6, 8, 11, 12, 13, 15, 16, 17, 19);
/** Leaf 1 ECX: CMPXCHG16B MOVBE POPCNT. */
const FEATURES_1_ECX = bits(13, 22, 23);
/** Leaf 7 EBX: SMEP ERMS SMAP. */
const FEATURES_7_EBX = bits(7, 9, 20);
/** Leaf 7 ECX: LA57. */
const FEATURES_7_ECX = bits(16);
/** Leaf 8000_0001h EDX, above what it repeats of leaf 1: SYSCALL NX PDPE1GB RDTSCP LM. */
const FEATURES_EXTENDED_EDX = bits(11, 20, 26, 27, 29);
/** What AMD repeats of leaf 1 EDX there (SEP's bit is SYSCALL's). */
const REPEATED_EDX = FEATURES_1_EDX & ~bits(11, 19);
/** Leaf 8000_0001h ECX: LAHF/SAHF in 64-bit mode, LZCNT, PREFETCHW. */
const FEATURES_EXTENDED_ECX = bits(0, 5, 8);

const VENDOR = "AuthenticAMD";
const BRAND = "whvkit simulated x86-64 processor";

/** Bits of CR0 that exist. Others are reserved: ignored in bits 31..0 as AMD does, #GP above. */
export const CR0_BITS: number =
  Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.ET | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD | Cr0.PG;

/** Bits of CR4 that the model has; setting another is #GP. */
export const CR4_BITS: number =
  Cr4.TSD |
  Cr4.DE |
  Cr4.PSE |
  Cr4.PAE |
  Cr4.MCE |
  Cr4.PGE |
  Cr4.PCE |
  Cr4.OSFXSR |
  Cr4.OSXMMEXCPT |
  Cr4.LA57 |
  Cr4.SMEP |
  Cr4.SMAP;

/**
 * Bits of CR4 that only the host can set: the state of AVX and AVX-512 is there, but CPUID does not offer XSAVE until its
 * instructions have a meaning, so a guest cannot turn it on by itself.
 */
export const CR4_HOST_BITS: number = CR4_BITS | Cr4.OSXSAVE;

/** State components of XCR0: x87, SSE, AVX, opmask, ZMM_Hi256, Hi16_ZMM. */
export const XCR0_BITS = 0xe7;

/** May XCR0 hold this? x87 always; AVX needs SSE; the three of AVX-512 come together and need AVX. */
export function acceptsStateComponents(low: number, high: number): boolean {
  const avx512 = low & 0xe0;
  if (high !== 0 || (low & 1) === 0 || (low & ~XCR0_BITS) !== 0) return false;
  if ((low & 4) !== 0 && (low & 2) === 0) return false;
  return avx512 === 0 || (avx512 === 0xe0 && (low & 4) !== 0);
}

/** Bits of EFER that the model has; setting another is #GP. */
export const EFER_BITS: number = Efer.SCE | Efer.LME | Efer.LMA | Efer.NXE;

/** High words of CR3 that are not reserved. */
export const CR3_HIGH_BITS: number = (1 << (PHYSICAL_ADDRESS_BITS - 32)) - 1;

/** The processor model of one partition. */
export class CpuModel {
  private readonly results: readonly CpuidResult[];

  constructor(results: readonly CpuidResult[]) {
    this.results = results;
  }

  /** Answers one CPUID into EAX, EBX, ECX, EDX of `out`. A leaf that the model lacks answers zeros, as AMD does. */
  cpuid(leaf: number, subleaf: number, registers: RegisterFile, processor: number, out: Int32Array): void {
    out.fill(0, 0, 4);
    const replaced = this.results.find(
      (result) => result.function >>> 0 === leaf >>> 0 && (result.index ?? subleaf) >>> 0 === subleaf >>> 0,
    );
    if (replaced) {
      out[0] = replaced.eax;
      out[1] = replaced.ebx;
      out[2] = replaced.ecx;
      out[3] = replaced.edx;
      return;
    }
    switch (leaf >>> 0) {
      case 0:
        out[0] = 0xd;
        vendor(out);
        return;
      case 1:
        out[0] = SIGNATURE;
        out[1] = LEAF_1_EBX | (processor << 24);
        out[2] = FEATURES_1_ECX;
        out[3] = FEATURES_1_EDX;
        if ((registers.words[RegisterOffset.cr4 >> 2] & Cr4.OSXSAVE) !== 0) out[2] |= bits(27);
        return;
      case 7:
        if (subleaf !== 0) return;
        out[1] = FEATURES_7_EBX;
        out[2] = FEATURES_7_ECX;
        return;
      case 0x8000_0000:
        out[0] = 0x8000_0008;
        vendor(out);
        return;
      case 0x8000_0001:
        out[0] = SIGNATURE;
        out[2] = FEATURES_EXTENDED_ECX;
        out[3] = FEATURES_EXTENDED_EDX | REPEATED_EDX;
        return;
      case 0x8000_0002:
      case 0x8000_0003:
      case 0x8000_0004:
        for (let i = 0; i < 4; i++) out[i] = textWord(BRAND, ((leaf >>> 0) - 0x8000_0002) * 16 + i * 4);
        return;
      case 0x8000_0008:
        out[0] = PHYSICAL_ADDRESS_BITS | (57 << 8);
        return;
    }
  }
}

function vendor(out: Int32Array): void {
  out[1] = textWord(VENDOR, 0);
  out[3] = textWord(VENDOR, 4);
  out[2] = textWord(VENDOR, 8);
}

function textWord(text: string, at: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word |= (at + i < text.length ? text.charCodeAt(at + i) : 0) << (8 * i);
  return word;
}
