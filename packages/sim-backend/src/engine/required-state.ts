/**
 * Which processor state instructions may use now: MMX, SSE, AVX and AVX-512 have to be enabled by the system, and a task
 * switch asks to be told of their first use (Intel SDM volume 3, tables 2-2 and 14-1; volume 2, tables 2-18 to 2-26).
 */

import {
  Cr0,
  Cr4,
  isParagraphMode,
  type Program,
  type RegisterFile,
  RegisterOffset,
  Vector,
} from "@whvkit/x86-semantics";

type RequiredState = NonNullable<Program["requires"]>;

/** The vector that using the state raises, or -1 where it may be used. */
export function stateFault(requires: RequiredState | null, isVectorEncoded: boolean, registers: RegisterFile): number {
  const { words } = registers;
  const cr0 = words[RegisterOffset.cr0 >> 2];
  const cr4 = words[RegisterOffset.cr4 >> 2];
  // VEX, XOP and EVEX do not exist in real-address and virtual-8086 mode, whatever they encode.
  if (isVectorEncoded && isParagraphMode(registers)) return Vector.UD;
  if (requires === null) return -1;
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
