/**
 * One emulation case: an exit of a virtual processor and the world that the emulator's callbacks see. What its fields
 * mean is README.md's table; reading one from JSON is case-reader.ts, running it emulation-run.ts.
 */
import type { EmulatorCallbacks } from "@whvkit/whv-types";
import type { RegisterWords } from "../registers/register-json.ts";

/** The callbacks by the names that cases and transcripts use. @public */
export type CallbackName = "memory" | "ioPort" | "getRegisters" | "setRegisters" | "translate";

/** The short names of the five callbacks, beside their names in `EmulatorCallbacks`. */
export const callbackNames: Readonly<Record<keyof EmulatorCallbacks, CallbackName>> = {
  memory: "memory",
  ioPort: "ioPort",
  getVirtualProcessorRegisters: "getRegisters",
  setVirtualProcessorRegisters: "setRegisters",
  translateGvaPage: "translate",
};

/** `WHV_VP_EXIT_CONTEXT`. @public */
export interface CaseVpContext {
  /** Current privilege level, 0 to 3. */
  readonly cpl: number;
  readonly cr0Pe: boolean;
  readonly cr0Am: boolean;
  readonly eferLma: boolean;
  readonly debugActive: boolean;
  readonly interruptionPending: boolean;
  readonly interruptShadow: boolean;
  /** 0 to 15; 0 where the hypervisor does not say. */
  readonly instructionLength: number;
  /** 0 to 15. */
  readonly cr8: number;
  readonly cs: RegisterWords;
  readonly rip: bigint;
  readonly rflags: bigint;
}

/** `WHV_MEMORY_ACCESS_CONTEXT`. @public */
export interface CaseMemoryExit {
  readonly kind: "mmio";
  /** 0 to 255 bytes; the structure holds 16, the count says how many were given. */
  readonly instructionBytes: Uint8Array;
  /** `WHV_MEMORY_ACCESS_TYPE`: 0 read, 1 write, 2 execute; 3 is none and must be refused. */
  readonly accessType: number;
  readonly gpaUnmapped: boolean;
  readonly gvaValid: boolean;
  readonly gpa: number;
  readonly gva: bigint;
}

/** `WHV_X64_IO_PORT_ACCESS_CONTEXT`. @public */
export interface CaseIoExit {
  readonly kind: "io";
  readonly instructionBytes: Uint8Array;
  readonly isWrite: boolean;
  /** 0 to 7; only 1, 2 and 4 are sizes. */
  readonly accessSize: number;
  readonly stringOp: boolean;
  readonly repPrefix: boolean;
  readonly port: number;
  readonly rax: bigint;
  readonly rcx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly ds: RegisterWords;
  readonly es: RegisterWords;
}

/** Consecutive bytes of RAM. @public */
export interface MemoryRun {
  /** Guest-physical address of the first byte. */
  readonly gpa: number;
  readonly bytes: Uint8Array;
}

/** What the translate callback answers for one page. @public */
export interface PageTranslation {
  readonly gvaPage: bigint;
  readonly gpaPage: number;
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  readonly result: number;
}

/** A callback failure to stage: the `at`-th call (from 0) of that callback answers `hresult`. @public */
export interface StagedFailure {
  readonly callback: CallbackName;
  readonly at: number;
  /** Unsigned, not 0. */
  readonly hresult: number;
}

/** One emulation case. @public */
export interface EmulationCase {
  /** As given; `null` where the case has none. */
  readonly id: string | number | null;
  readonly vp: CaseVpContext;
  /** `kind` tells which entry point of the emulator the case is for. */
  readonly exit: CaseMemoryExit | CaseIoExit;
  /** By `WHV_REGISTER_NAME`. */
  readonly registers: ReadonlyMap<number, RegisterWords>;
  /** RAM; of overlapping runs the later one holds. */
  readonly memory: readonly MemoryRun[];
  /** What device reads return, in order; then 0xff. */
  readonly deviceReads: Uint8Array;
  /** What port reads return, in order; then all ones. */
  readonly portReads: readonly number[];
  readonly translate: "identity" | "walk" | readonly PageTranslation[];
  readonly fail: StagedFailure | null;
  /** Creation options of the emulator, handed through. */
  readonly options: Readonly<Record<string, unknown>>;
}
