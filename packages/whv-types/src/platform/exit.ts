/**
 * What `run` answers: `WHV_RUN_VP_EXIT_CONTEXT` as a discriminated union on the exit reason, read in place from the
 * 224 bytes that the platform filled. A `RunVpExitContextView` satisfies it, so a backend returns its view.
 */
import type { WHV_RUN_VP_EXIT_REASON } from "../enums/generated/exits.ts";
import type {
  ApicEoiContextView,
  ApicInitSipiContextView,
  ApicSmiContextView,
  ApicWriteContextView,
  SynicSintDeliverableContextView,
} from "../structures/generated/apic-exits.ts";
import type { VpExitContextView } from "../structures/generated/exit-context.ts";
import type { HypercallContextView } from "../structures/generated/hypercall-exit.ts";
import type { IoPortAccessContextView } from "../structures/generated/io-port-access.ts";
import type { MemoryAccessContextView } from "../structures/generated/memory-access.ts";
import type {
  CpuidAccessContextView,
  InterruptionDeliverableContextView,
  MsrAccessContextView,
  RdtscContextView,
  RunVpCanceledContextView,
  UnsupportedFeatureContextView,
  VpExceptionContextView,
} from "../structures/generated/processor-exits.ts";

/** What every exit has: where the processor stopped, and in which mode. @public */
export interface VpExitCommon {
  /** Mode, RIP, CS, RFLAGS, instruction length. */
  readonly vpContext: VpExitContextView;
}

/** An access to guest-physical memory that is not mapped, or not with the rights needed: for the emulator. @public */
export interface MemoryAccessExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonMemoryAccess;
  /** The access. */
  readonly memoryAccess: MemoryAccessContextView;
}

/** A port instruction: for the emulator. @public */
export interface IoPortAccessExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess;
  /** The port instruction. */
  readonly ioPortAccess: IoPortAccessContextView;
}

/** A RDMSR or WRMSR that the partition asked for. The host finishes the instruction and moves RIP on. @public */
export interface MsrAccessExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64MsrAccess;
  /** The access. */
  readonly msrAccess: MsrAccessContextView;
}

/** A CPUID that the partition asked for. The host finishes the instruction and moves RIP on. @public */
export interface CpuidExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Cpuid;
  /** The registers, and what the hypervisor would have answered. */
  readonly cpuidAccess: CpuidAccessContextView;
}

/** An exception that the partition asked for. It is not delivered unless the host does so. @public */
export interface ExceptionExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonException;
  /** The exception. */
  readonly vpException: VpExceptionContextView;
}

/** An event that the host waits to inject can be delivered now. @public */
export interface InterruptWindowExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64InterruptWindow;
  /** Which kind of event. */
  readonly interruptWindow: InterruptionDeliverableContextView;
}

/** The guest used something that the platform does not support. @public */
export interface UnsupportedFeatureExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonUnsupportedFeature;
  /** What it used. */
  readonly unsupportedFeature: UnsupportedFeatureContextView;
}

/** `cancelRun` was called. @public */
export interface CanceledExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonCanceled;
  /** By whom. */
  readonly cancelReason: RunVpCanceledContextView;
}

/** The guest ended a level-triggered interrupt of the hypervisor's local APIC. @public */
export interface ApicEoiExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64ApicEoi;
  /** Which vector. */
  readonly apicEoi: ApicEoiContextView;
}

/** A RDTSC or RDTSCP that the partition asked for. @public */
export interface RdtscExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Rdtsc;
  /** The counter. */
  readonly readTsc: RdtscContextView;
}

/** The guest sent a system-management interrupt. @public */
export interface ApicSmiExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64ApicSmiTrap;
  /** The interrupt command. */
  readonly apicSmi: ApicSmiContextView;
}

/** A hypercall that the hypervisor leaves to the host. @public */
export interface HypercallExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonHypercall;
  /** The registers that carry its parameters. */
  readonly hypercall: HypercallContextView;
}

/** The guest sent an INIT or start-up interrupt. @public */
export interface ApicInitSipiExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64ApicInitSipiTrap;
  /** The interrupt command. */
  readonly apicInitSipi: ApicInitSipiContextView;
}

/** The guest wrote a trapped register of the local APIC. @public */
export interface ApicWriteExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64ApicWriteTrap;
  /** Which register, and what was written. */
  readonly apicWrite: ApicWriteContextView;
}

/** Synthetic interrupts can be delivered. @public */
export interface SynicSintDeliverableExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonSynicSintDeliverable;
  /** Which ones. */
  readonly synicSintDeliverable: SynicSintDeliverableContextView;
}

/** HLT. @public */
export interface HaltExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Halt;
}

/** A triple fault. @public */
export interface UnrecoverableExceptionExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonUnrecoverableException;
}

/** The registers hold values that no processor accepts together. @public */
export interface InvalidVpRegisterValueExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonInvalidVpRegisterValue;
}

/** Nothing happened yet. @public */
export interface NoExit extends VpExitCommon {
  /** Says which exit this is. */
  readonly exitReason: typeof WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonNone;
}

/**
 * One exit of a virtual processor, by `exitReason`.
 *
 * @public
 */
export type RunVpExit =
  | MemoryAccessExit
  | IoPortAccessExit
  | MsrAccessExit
  | CpuidExit
  | ExceptionExit
  | InterruptWindowExit
  | UnsupportedFeatureExit
  | CanceledExit
  | ApicEoiExit
  | RdtscExit
  | ApicSmiExit
  | HypercallExit
  | ApicInitSipiExit
  | ApicWriteExit
  | SynicSintDeliverableExit
  | HaltExit
  | UnrecoverableExceptionExit
  | InvalidVpRegisterValueExit
  | NoExit;
