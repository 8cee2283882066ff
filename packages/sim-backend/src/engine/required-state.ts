/**
 * Which processor state instructions may use now: x87, MMX, SSE, AVX and AVX-512 have to be enabled by the system, and a task
 * switch asks to be told of their first use (Intel SDM volume 3, tables 2-2 and 14-1; volume 2, tables 2-18 to 2-26).
 */

import { Mnemonic } from "@whvkit/x86-decoder";
import {
  Cr0,
  Cr4,
  isParagraphMode,
  type Program,
  type RegisterFile,
  RegisterOffset,
  Vector,
} from "@whvkit/x86-semantics";

const WAIT_FAULTS = Cr0.MP | Cr0.TS;

/** The vector that an instruction raises because its state is off, or -1 where it may run. */
export function stateFault(program: Program, isVectorEncoded: boolean, registers: RegisterFile): number {
  const { requires } = program;
  const { words } = registers;
  const cr0 = words[RegisterOffset.cr0 >> 2];
  const cr4 = words[RegisterOffset.cr4 >> 2];
  // VEX, XOP and EVEX do not exist in real-address and virtual-8086 mode, whatever they encode.
  if (isVectorEncoded && isParagraphMode(registers)) return Vector.UD;
  if (requires === null) return -1;
  if (requires === "x87") {
    // WAIT asks for both MP and TS; all others fault with either EM or TS.
    if (program.mnemonic === Mnemonic.wait) return (cr0 & WAIT_FAULTS) === WAIT_FAULTS ? Vector.NM : -1;
    return (cr0 & (Cr0.EM | Cr0.TS)) !== 0 ? Vector.NM : -1;
  }
  if (requires === "avx" || requires === "avx512") {
    const components = requires === "avx" ? 6 : 0xe6;
    const enabled = words[RegisterOffset.xcr0 >> 2] & components;
    if ((cr4 & Cr4.OSXSAVE) === 0 || enabled !== components) return Vector.UD;
  } else {
    if ((cr0 & Cr0.EM) !== 0) return Vector.UD;
    if (requires === "sse" && (cr4 & Cr4.OSFXSR) === 0) return Vector.UD;
  }
  return (cr0 & Cr0.TS) !== 0 ? Vector.NM : -1;
}
