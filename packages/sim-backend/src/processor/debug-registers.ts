/**
 * Instruction breakpoints in DR0 to DR3 (Intel SDM volume 3, 18.2). Breakpoints on data and I/O are not offered; DR7
 * keeps their bits, and nothing comes of them.
 */

import { Flag, is64Bit, type RegisterFile, RegisterOffset, Segment, segmentBaseLow } from "@whvkit/x86-semantics";

const dr0Word = RegisterOffset.dr0 >> 2;
const dr7Word = RegisterOffset.dr7 >> 2;
const ripWord = RegisterOffset.rip >> 2;

/** Is any breakpoint enabled that an instruction fetch can hit? */
export function hasInstructionBreakpoint(registers: RegisterFile): boolean {
  const dr7 = registers.words[dr7Word];
  if ((dr7 & 0xff) === 0) return false;
  for (let i = 0; i < 4; i++) if (isArmed(dr7, i)) return true;
  return false;
}

/** DR6 bits of the breakpoints that the instruction at CS:RIP hits; 0 with RFLAGS.RF set. */
export function instructionBreakpoints(registers: RegisterFile): number {
  const { words } = registers;
  if ((words[RegisterOffset.rflags >> 2] & Flag.RF) !== 0) return 0;
  const dr7 = words[dr7Word];
  const wide = is64Bit(registers);
  const low = wide ? words[ripWord] : (segmentBaseLow(registers, Segment.cs) + words[ripWord]) | 0;
  const high = wide ? words[ripWord + 1] : 0;
  let hit = 0;
  for (let i = 0; i < 4; i++) {
    if (isArmed(dr7, i) && words[dr0Word + i * 2] === low && words[dr0Word + i * 2 + 1] === high) hit |= 1 << i;
  }
  return hit;
}

/** Enabled locally or globally, with R/W 00 (execution). */
function isArmed(dr7: number, index: number): boolean {
  return ((dr7 >> (index * 2)) & 3) !== 0 && ((dr7 >>> (16 + index * 4)) & 3) === 0;
}
