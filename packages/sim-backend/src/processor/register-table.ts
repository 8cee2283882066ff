/**
 * The registers of `WHvGetVirtualProcessorRegisters` and `WHvSetVirtualProcessorRegisters`: for each name where its
 * state stands, in which form, and which values the platform refuses.
 */

import { WHV_REGISTER_NAME as Name } from "@whvkit/whv-types";
import { RegisterOffset } from "@whvkit/x86-semantics";
import { ExtraRegister } from "./model-specific-registers.ts";

/** How a register is read and written. */
export const RegisterKind = {
  /** 64 bits of the register file or the extra registers. */
  word64: 0,
  /** 16 bytes of the register file: segments, XMM. */
  word128: 1,
  table: 2,
  /** FpMmx0 to FpMmx7: ten bytes, in stack order. */
  fpu: 3,
  fpControlStatus: 4,
  xmmControlStatus: 5,
  /** Not in a file: events, TSC and others; `special` says which. */
  special: 6,
} as const;

/** Which values are refused with E_INVALIDARG. */
export const ValueCheck = {
  any: 0,
  low32: 1,
  canonical: 2,
  cr0: 3,
  cr3: 4,
  cr4: 5,
  cr8: 6,
  efer: 7,
  pat: 8,
  rflags: 9,
  debugControl: 10,
  xcr0: 11,
} as const;

export interface RegisterRow {
  readonly kind: number;
  readonly offset: number;
  readonly check: number;
}

const table = new Map<number, RegisterRow>();

function row(name: number, kind: number, offset: number, check: number = ValueCheck.any): void {
  table.set(name, { kind, offset, check });
}

function fill(): void {
  const { word64, word128, table: descriptorTable, fpu, fpControlStatus, xmmControlStatus, special } = RegisterKind;
  const at = RegisterOffset;
  for (let i = 0; i < 16; i++) row(Name.WHvX64RegisterRax + i, word64, at.general + i * 8);
  row(Name.WHvX64RegisterRip, word64, at.rip);
  row(Name.WHvX64RegisterRflags, word64, at.rflags, ValueCheck.rflags);
  for (let i = 0; i < 8; i++) row(Name.WHvX64RegisterEs + i, word128, at.segments + i * 16);
  row(Name.WHvX64RegisterIdtr, descriptorTable, at.idtr);
  row(Name.WHvX64RegisterGdtr, descriptorTable, at.gdtr);
  row(Name.WHvX64RegisterCr0, word64, at.cr0, ValueCheck.cr0);
  row(Name.WHvX64RegisterCr2, word64, at.cr2);
  row(Name.WHvX64RegisterCr3, word64, at.cr3, ValueCheck.cr3);
  row(Name.WHvX64RegisterCr4, word64, at.cr4, ValueCheck.cr4);
  row(Name.WHvX64RegisterCr8, word64, at.cr8, ValueCheck.cr8);
  for (let i = 0; i < 4; i++) row(Name.WHvX64RegisterDr0 + i, word64, at.dr0 + i * 8);
  row(Name.WHvX64RegisterDr6, word64, at.dr6, ValueCheck.debugControl);
  row(Name.WHvX64RegisterDr7, word64, at.dr7, ValueCheck.debugControl);
  row(Name.WHvX64RegisterXCr0, word64, at.xcr0, ValueCheck.xcr0);
  for (let i = 0; i < 16; i++) row(Name.WHvX64RegisterXmm0 + i, word128, at.vector + i * 64);
  for (let i = 0; i < 8; i++) row(Name.WHvX64RegisterFpMmx0 + i, fpu, i);
  row(Name.WHvX64RegisterFpControlStatus, fpControlStatus, at.fpuControl);
  row(Name.WHvX64RegisterXmmControlStatus, xmmControlStatus, at.mxcsr);
  row(Name.WHvX64RegisterEfer, word64, at.efer, ValueCheck.efer);
  row(Name.WHvX64RegisterKernelGsBase, word64, at.kernelGsBase, ValueCheck.canonical);
  row(Name.WHvX64RegisterApicBase, word64, at.apicBase);
  row(Name.WHvX64RegisterPat, word64, at.pat, ValueCheck.pat);
  row(Name.WHvX64RegisterSysenterCs, word64, at.sysenterCs, ValueCheck.low32);
  row(Name.WHvX64RegisterSysenterEip, word64, at.sysenterEip, ValueCheck.canonical);
  row(Name.WHvX64RegisterSysenterEsp, word64, at.sysenterEsp, ValueCheck.canonical);
  row(Name.WHvX64RegisterStar, word64, at.star);
  row(Name.WHvX64RegisterLstar, word64, at.lstar, ValueCheck.canonical);
  row(Name.WHvX64RegisterCstar, word64, at.cstar, ValueCheck.canonical);
  row(Name.WHvX64RegisterSfmask, word64, at.fmask, ValueCheck.low32);
  row(Name.WHvX64RegisterTscAux, word64, at.tscAux, ValueCheck.low32);
  row(Name.WHvX64RegisterMsrMtrrDefType, word64, ExtraRegister.mtrrDefType);
  for (let i = 0; i < 16; i++) {
    row(Name.WHvX64RegisterMsrMtrrPhysBase0 + i, word64, ExtraRegister.mtrrPhysBase + i * 8);
    row(Name.WHvX64RegisterMsrMtrrPhysMask0 + i, word64, ExtraRegister.mtrrPhysMask + i * 8);
  }
  for (let i = 0; i < 11; i++) row(Name.WHvX64RegisterMsrMtrrFix64k00000 + i, word64, ExtraRegister.mtrrFix + i * 8);
  row(Name.WHvX64RegisterTscAdjust, word64, ExtraRegister.tscAdjust);
  for (const name of [
    Name.WHvX64RegisterTsc,
    Name.WHvX64RegisterMsrMtrrCap,
    Name.WHvX64RegisterInitialApicId,
    Name.WHvRegisterPendingInterruption,
    Name.WHvRegisterInterruptState,
    Name.WHvRegisterPendingEvent,
    Name.WHvX64RegisterDeliverabilityNotifications,
    Name.WHvRegisterInternalActivityState,
    Name.WHvX64RegisterPendingDebugException,
  ]) {
    row(name, special, name);
  }
}

/** The row of a register, or undefined where the simulator has no such register. */
export function registerRow(name: number): RegisterRow | undefined {
  if (table.size === 0) fill();
  return table.get(name >>> 0);
}

/** All names, for tests. */
export function registerNames(): readonly number[] {
  if (table.size === 0) fill();
  return [...table.keys()];
}
