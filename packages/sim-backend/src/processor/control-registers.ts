/**
 * MOV to and from CR0, CR2, CR3, CR4, CR8 and EFER: which values are refused, and what follows from a change: long
 * mode becomes active or ends, cached translations are forgotten (Intel SDM volume 3, sections 2.5, 4.1 and 10.8.5).
 */

import {
  Abort,
  Cr0,
  Cr4,
  Efer,
  is64Bit,
  type Machine,
  RegisterOffset,
  Segment,
  SegmentAttribute,
  segmentAttributes,
  Vector,
} from "@whvkit/x86-semantics";
import type { TranslationCache } from "../memory/translation-cache.ts";
import { CR0_BITS, CR3_HIGH_BITS, CR4_BITS, CR4_HOST_BITS, EFER_BITS } from "./cpu-model.ts";

const cr0Word = RegisterOffset.cr0 >> 2;
const cr3Word = RegisterOffset.cr3 >> 2;
const cr4Word = RegisterOffset.cr4 >> 2;
const eferWord = RegisterOffset.efer >> 2;

/** Paging bits: a change of any forgets all translations. */
const CR0_TRANSLATION = Cr0.PG | Cr0.WP | Cr0.PE;
const CR4_TRANSLATION = Cr4.PSE | Cr4.PAE | Cr4.PGE | Cr4.LA57 | Cr4.SMEP | Cr4.SMAP;

/** Reads CR0, CR2, CR3, CR4 or CR8 into `machine.data`. The caller has checked CPL; another number is #UD. */
export function readControl(machine: Machine, number: number): number {
  const offset = controlOffset(number);
  if (offset < 0) return machine.raise(Vector.UD, -1);
  machine.data[0] = machine.registers.words[offset >> 2];
  machine.data[1] = machine.registers.words[(offset >> 2) + 1];
  return Abort.none;
}

function controlOffset(number: number): number {
  switch (number) {
    case 0:
      return RegisterOffset.cr0;
    case 2:
      return RegisterOffset.cr2;
    case 3:
      return RegisterOffset.cr3;
    case 4:
      return RegisterOffset.cr4;
    case 8:
      return RegisterOffset.cr8;
    default:
      return -1;
  }
}

/** Writes a control register, or raises #GP(0) and changes nothing. */
export function writeControl(
  machine: Machine,
  cache: TranslationCache,
  number: number,
  low: number,
  high: number,
): number {
  const { words } = machine.registers;
  switch (number) {
    case 0:
      return writeCr0(machine, cache, low, high);
    case 2:
      words[RegisterOffset.cr2 >> 2] = low;
      words[(RegisterOffset.cr2 >> 2) + 1] = high;
      return Abort.none;
    case 3:
      if ((high & ~CR3_HIGH_BITS) !== 0) return machine.raise(Vector.GP, 0);
      words[cr3Word] = low;
      words[cr3Word + 1] = high;
      cache.clearLocal();
      return Abort.none;
    case 4:
      return writeCr4(machine, cache, low, high);
    case 8:
      if ((low & ~15) !== 0 || high !== 0) return machine.raise(Vector.GP, 0);
      words[RegisterOffset.cr8 >> 2] = low;
      return Abort.none;
    default:
      return machine.raise(Vector.UD, -1);
  }
}

function writeCr0(machine: Machine, cache: TranslationCache, low: number, high: number): number {
  const { registers } = machine;
  const { words } = registers;
  const paging = (low & Cr0.PG) !== 0;
  if (high !== 0 || (paging && (low & Cr0.PE) === 0) || ((low & Cr0.NW) !== 0 && (low & Cr0.CD) === 0))
    return machine.raise(Vector.GP, 0);
  const efer = words[eferWord];
  const old = words[cr0Word];
  const wasPaging = (old & Cr0.PG) !== 0;
  if (paging && !wasPaging && (efer & Efer.LME) !== 0) {
    // Activating IA-32e mode: PAE must be on, and the code that does it cannot be a 64-bit segment.
    const longCode = (segmentAttributes(registers, Segment.cs) & SegmentAttribute.long) !== 0;
    const shortTask = (segmentAttributes(registers, Segment.tr) & 0xf) === 3;
    if ((words[cr4Word] & Cr4.PAE) === 0 || longCode || shortTask) return machine.raise(Vector.GP, 0);
    words[eferWord] = efer | Efer.LMA;
  } else if (!paging && wasPaging && (efer & Efer.LMA) !== 0) {
    if (is64Bit(registers)) return machine.raise(Vector.GP, 0);
    words[eferWord] = efer & ~Efer.LMA;
  }
  words[cr0Word] = (low & CR0_BITS) | Cr0.ET;
  if (((old ^ low) & CR0_TRANSLATION) !== 0) cache.clear();
  return Abort.none;
}

function writeCr4(machine: Machine, cache: TranslationCache, low: number, high: number): number {
  const { words } = machine.registers;
  const old = words[cr4Word];
  const longMode = (words[eferWord] & Efer.LMA) !== 0;
  const leavesPae = longMode && (low & Cr4.PAE) === 0;
  const changesDepth = longMode && ((old ^ low) & Cr4.LA57) !== 0;
  // A bit that the host has set may stay.
  const reserved = ~(CR4_BITS | (old & CR4_HOST_BITS));
  if (high !== 0 || (low & reserved) !== 0 || leavesPae || changesDepth) return machine.raise(Vector.GP, 0);
  words[cr4Word] = low;
  if (((old ^ low) & CR4_TRANSLATION) !== 0) cache.clear();
  return Abort.none;
}

/** WRMSR to EFER: LMA is not software's to write, LME not while paging is on. */
export function writeEfer(machine: Machine, cache: TranslationCache, low: number, high: number): number {
  const { words } = machine.registers;
  const old = words[eferWord];
  const changesMode = ((old ^ low) & Efer.LME) !== 0 && (words[cr0Word] & Cr0.PG) !== 0;
  if (high !== 0 || (low & ~EFER_BITS) !== 0 || changesMode) return machine.raise(Vector.GP, 0);
  words[eferWord] = (low & ~Efer.LMA) | (old & Efer.LMA);
  if (((old ^ low) & Efer.NXE) !== 0) cache.clear();
  return Abort.none;
}
