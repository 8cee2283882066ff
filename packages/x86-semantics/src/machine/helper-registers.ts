/**
 * Which registers each helper may read and write by itself, beyond its arguments and its result. From this an emulator
 * knows what to fetch before it calls one, and compiled code what to reload after.
 */
import { Helper } from "./helper.ts";
import { REGISTER_FILE_SIZE, type RegisterInterval, RegisterOffset, Segment } from "./register-file.ts";

/** What a helper does to the register file. @public */
export interface HelperRegisters {
  /** Every interval that it may read. */
  readonly reads: readonly RegisterInterval[];
  /** Every interval that it may write. */
  readonly writes: readonly RegisterInterval[];
  /** The helper decides where execution goes on. */
  readonly writesIp: boolean;
}

const at = (offset: number, size = 8): RegisterInterval => ({ offset, size });
const segment = (number: number): RegisterInterval => at(RegisterOffset.segments + 16 * number, 16);

const rip = at(RegisterOffset.rip);
const rflags = at(RegisterOffset.rflags);
const cr0 = at(RegisterOffset.cr0);
const cr4 = at(RegisterOffset.cr4);
const efer = at(RegisterOffset.efer);
/** What tells mode and privilege. */
const mode: readonly RegisterInterval[] = [cr0, efer, rflags, segment(Segment.cs), segment(Segment.ss)];
const allSegments = at(RegisterOffset.segments, 8 * 16);
const tables = at(RegisterOffset.gdtr, 32);
/** What a transfer through descriptors may touch: nearly everything but vectors. */
const transfer: readonly RegisterInterval[] = [
  at(RegisterOffset.general, 128),
  rip,
  rflags,
  allSegments,
  tables,
  cr0,
  at(RegisterOffset.cr2),
  at(RegisterOffset.cr3),
  cr4,
  efer,
];
const everything: readonly RegisterInterval[] = [at(0, REGISTER_FILE_SIZE)];

const none: HelperRegisters = { reads: mode, writes: [], writesIp: false };
const transfers: HelperRegisters = { reads: transfer, writes: transfer, writesIp: true };
const model: HelperRegisters = { reads: everything, writes: everything, writesIp: false };

const table: Readonly<Record<Helper, HelperRegisters>> = {
  [Helper.loadSegment]: { reads: [...mode, allSegments, tables], writes: [allSegments], writesIp: false },
  [Helper.farJump]: transfers,
  [Helper.farCall]: transfers,
  [Helper.farReturn]: transfers,
  [Helper.interruptReturn]: transfers,
  [Helper.softwareInterrupt]: transfers,
  [Helper.halt]: none,
  [Helper.cpuid]: { reads: [...mode, cr4, at(RegisterOffset.xcr0)], writes: [], writesIp: false },
  [Helper.readMsr]: { reads: everything, writes: [], writesIp: false },
  [Helper.writeMsr]: model,
  [Helper.readControl]: { reads: [...mode, at(RegisterOffset.cr0, 40)], writes: [], writesIp: false },
  [Helper.writeControl]: {
    reads: [...mode, at(RegisterOffset.cr0, 48)],
    writes: [at(RegisterOffset.cr0, 40), efer, ...mode],
    writesIp: false,
  },
  [Helper.readDebug]: {
    reads: [...mode, cr4, at(RegisterOffset.dr0, 48)],
    writes: [at(RegisterOffset.dr0, 48)],
    writesIp: false,
  },
  [Helper.writeDebug]: {
    reads: [...mode, cr4, at(RegisterOffset.dr0, 48)],
    writes: [at(RegisterOffset.dr0, 48)],
    writesIp: false,
  },
  [Helper.loadTable]: { reads: mode, writes: [tables], writesIp: false },
  [Helper.loadSystemSegment]: { reads: [...mode, allSegments, tables], writes: [allSegments], writesIp: false },
  [Helper.invalidatePage]: none,
  [Helper.readTimestamp]: {
    reads: [...mode, cr4, at(RegisterOffset.tsc), at(RegisterOffset.tscAux)],
    writes: [],
    writesIp: false,
  },
  [Helper.systemCall]: transfers,
  [Helper.systemReturn]: transfers,
  [Helper.sysenter]: transfers,
  [Helper.sysexit]: transfers,
  [Helper.writeFlags]: { reads: mode, writes: [rflags], writesIp: false },
  [Helper.clearInterruptFlag]: { reads: [...mode, cr4], writes: [rflags], writesIp: false },
  [Helper.setInterruptFlag]: { reads: [...mode, cr4], writes: [rflags], writesIp: false },
  [Helper.readExtendedControl]: { reads: [...mode, cr4, at(RegisterOffset.xcr0)], writes: [], writesIp: false },
  [Helper.writeExtendedControl]: { reads: [...mode, cr4], writes: [at(RegisterOffset.xcr0)], writesIp: false },
  [Helper.inspectSelector]: { reads: [...mode, allSegments, tables], writes: [], writesIp: false },
  [Helper.swapGs]: {
    reads: [...mode, segment(Segment.gs), at(RegisterOffset.kernelGsBase)],
    writes: [segment(Segment.gs), at(RegisterOffset.kernelGsBase)],
    writesIp: false,
  },
  [Helper.writeBackCaches]: none,
  [Helper.clearTaskSwitched]: { reads: mode, writes: [cr0], writesIp: false },
  [Helper.invalidateProcessContext]: { reads: [...mode, cr4, at(RegisterOffset.cr3)], writes: [], writesIp: false },
  [Helper.monitor]: none,
  [Helper.readPerformanceCounter]: { reads: [...mode, cr4], writes: [], writesIp: false },
  [Helper.readProcessorId]: { reads: [...mode, at(RegisterOffset.tscAux)], writes: [], writesIp: false },
  [Helper.inhibitInterrupts]: { reads: [], writes: [], writesIp: false },
  [Helper.otherExtendedState]: { reads: [], writes: [], writesIp: false },
};

/**
 * What a helper reads and writes by itself.
 *
 * @example
 * ```ts
 * import { Helper, helperRegisters } from "@whvkit/x86-semantics";
 * helperRegisters(Helper.swapGs).writesIp; // false
 * helperRegisters(Helper.farJump).writesIp; // true
 * ```
 *
 * @public
 */
export function helperRegisters(helper: Helper): HelperRegisters {
  return table[helper];
}
