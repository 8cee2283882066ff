/**
 * The registers of a processor after power-up (Intel SDM volume 3, table 10-1): real mode, CS:IP at the reset vector.
 */

import { type RegisterFile, RegisterOffset, Segment, setSegment } from "@whvkit/x86-semantics";
import type { ExtraRegisters } from "./model-specific-registers.ts";

/** Memory types of the PAT after reset. */
const RESET_PAT = 0x0007_0406;

export function resetRegisters(registers: RegisterFile, extra: ExtraRegisters): void {
  const { words, halfwords } = registers;
  words.fill(0);
  extra.words.fill(0);
  for (let segment: number = Segment.es; segment <= Segment.gs; segment++)
    setSegment(registers, segment, 0, 0, 0, 0xffff, 0x93);
  setSegment(registers, Segment.cs, 0xf000, 0xffff_0000 | 0, 0, 0xffff, 0x9b);
  setSegment(registers, Segment.ldtr, 0, 0, 0, 0xffff, 0x82);
  setSegment(registers, Segment.tr, 0, 0, 0, 0xffff, 0x8b);
  halfwords[(RegisterOffset.gdtr + 6) >> 1] = 0xffff;
  halfwords[(RegisterOffset.idtr + 6) >> 1] = 0xffff;
  words[RegisterOffset.rip >> 2] = 0xfff0;
  words[RegisterOffset.rflags >> 2] = 2;
  // CD, NW, ET.
  words[RegisterOffset.cr0 >> 2] = 0x6000_0010;
  words[RegisterOffset.xcr0 >> 2] = 1;
  words[RegisterOffset.dr6 >> 2] = 0xffff_0ff0 | 0;
  words[RegisterOffset.dr7 >> 2] = 0x400;
  // RDX holds family, model and stepping.
  words[(RegisterOffset.general >> 2) + 4] = 0x0083_0f10;
  words[RegisterOffset.pat >> 2] = RESET_PAT;
  words[(RegisterOffset.pat >> 2) + 1] = RESET_PAT;
  // Enabled, at the usual address; the bootstrap processor's bit is the partition's to set.
  words[RegisterOffset.apicBase >> 2] = 0xfee0_0800 | 0;
  halfwords[RegisterOffset.fpuControl >> 1] = 0x40;
  registers.bytes[RegisterOffset.fpuTag] = 0xff;
  words[RegisterOffset.mxcsr >> 2] = 0x1f80;
  words[RegisterOffset.mxcsrMask >> 2] = 0xffff;
}
