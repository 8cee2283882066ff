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
  /** CR0.PE: protected mode. */
  readonly cr0Pe: boolean;
  /** CR0.AM: alignment mask. */
  readonly cr0Am: boolean;
  /** EFER.LMA: long mode is active. */
  readonly eferLma: boolean;
  /** A debug register is armed. */
  readonly debugActive: boolean;
  /** An event was being delivered when the exit happened. */
  readonly interruptionPending: boolean;
  /** The processor stands behind STI, MOV SS or POP SS. */
  readonly interruptShadow: boolean;
  /** 0 to 15; 0 where the hypervisor does not say. */
  readonly instructionLength: number;
  /** 0 to 15. */
  readonly cr8: number;
  /** The code segment. */
  readonly cs: RegisterWords;
  /** Offset of the instruction in CS, 64 bits. */
  readonly rip: bigint;
  /** 64 bits. */
  readonly rflags: bigint;
}

/** `WHV_MEMORY_ACCESS_CONTEXT`. @public */
export interface CaseMemoryExit {
  /** For `WHvEmulatorTryMmioEmulation`. */
  readonly kind: "mmio";
  /** 0 to 255 bytes; the structure holds 16, the count says how many were given. */
  readonly instructionBytes: Uint8Array;
  /** `WHV_MEMORY_ACCESS_TYPE`: 0 read, 1 write, 2 execute; 3 is none and must be refused. */
  readonly accessType: number;
  /** Nothing is mapped at `gpa`. */
  readonly gpaUnmapped: boolean;
  /** `gva` counts. */
  readonly gvaValid: boolean;
  /** Guest-physical address of the access, 0 to 2^52-1. */
  readonly gpa: number;
  /** Guest-virtual address of the access, 64 bits. */
  readonly gva: bigint;
}

/** `WHV_X64_IO_PORT_ACCESS_CONTEXT`. @public */
export interface CaseIoExit {
  /** For `WHvEmulatorTryIoEmulation`. */
  readonly kind: "io";
  /** 0 to 255 bytes, as for a memory access. */
  readonly instructionBytes: Uint8Array;
  /** OUT or OUTS, not IN or INS. */
  readonly isWrite: boolean;
  /** 0 to 7; only 1, 2 and 4 are sizes. */
  readonly accessSize: number;
  /** INS or OUTS. */
  readonly stringOp: boolean;
  /** The instruction has a REP prefix. */
  readonly repPrefix: boolean;
  /** 0 to 0xffff. */
  readonly port: number;
  /** RAX, 64 bits. */
  readonly rax: bigint;
  /** RCX, 64 bits. */
  readonly rcx: bigint;
  /** RSI, 64 bits. */
  readonly rsi: bigint;
  /** RDI, 64 bits. */
  readonly rdi: bigint;
  /** The data segment. */
  readonly ds: RegisterWords;
  /** The extra segment. */
  readonly es: RegisterWords;
}

/** Consecutive bytes of RAM. @public */
export interface MemoryRun {
  /** Guest-physical address of the first byte. */
  readonly gpa: number;
  /** Lowest address first. */
  readonly bytes: Uint8Array;
}

/** What the translate callback answers for one page. @public */
export interface PageTranslation {
  /** Guest-virtual address of the page, 64 bits. */
  readonly gvaPage: bigint;
  /** Guest-physical address to answer; an emulator must refuse one that is no multiple of 4096. */
  readonly gpaPage: number;
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  readonly result: number;
}

/** A callback failure to stage: the `at`-th call (from 0) of that callback answers `hresult`. @public */
export interface StagedFailure {
  /** Whose calls are counted. */
  readonly callback: CallbackName;
  /** From 0. */
  readonly at: number;
  /** Unsigned, not 0. */
  readonly hresult: number;
}

/** One emulation case. @public */
export interface EmulationCase {
  /** As given; `null` where the case has none. */
  readonly id: string | number | null;
  /** The part that every exit has. */
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
  /** How the translate callback answers. */
  readonly translate: "identity" | "walk" | readonly PageTranslation[];
  /** `null`: no callback fails. */
  readonly fail: StagedFailure | null;
  /** Creation options of the emulator, handed through. */
  readonly options: Readonly<Record<string, unknown>>;
}
