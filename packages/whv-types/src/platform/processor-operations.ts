/**
 * Operations of a virtual processor that not every backend and not every Windows version has. {@link VirtualProcessor}
 * carries each of them as optional: a host asks whether it is there. An operation that fails throws a {@link WhvError}
 * with the platform's HRESULT; one that is there but that this version of Windows lacks, with `E_NOTIMPL`.
 */
import type { WHV_CACHE_TYPE } from "../enums/generated/memory.ts";
import type {
  WHV_PROCESSOR_COUNTER_SET,
  WHV_VIRTUAL_PROCESSOR_STATE_TYPE,
} from "../enums/generated/state-and-counters.ts";
import type { WHV_CPUID_OUTPUT } from "../structures/generated/cpuid-results.ts";

/**
 * Processor state that is read and written as one block.
 *
 * @public
 */
export interface ProcessorStateOperations {
  /**
   * `WHvGetVirtualProcessorState`; answers how many bytes were written. `WHV_E_INSUFFICIENT_BUFFER`. Since build 20348.
   */
  readState(type: WHV_VIRTUAL_PROCESSOR_STATE_TYPE, destination: Uint8Array): number;
  /** `WHvSetVirtualProcessorState`. Since build 20348. */
  writeState(type: WHV_VIRTUAL_PROCESSOR_STATE_TYPE, source: Uint8Array): void;
}

/**
 * The XSAVE area: what registers without a name hold, YMM, ZMM and mask registers among them.
 *
 * @public
 */
export interface XsaveOperations {
  /**
   * `WHvGetVirtualProcessorXsaveState`; answers how many bytes were written. The standard or compacted form, as the
   * area's header says. `WHV_E_INSUFFICIENT_BUFFER`. Since Windows 10, version 2004 at the latest.
   */
  readXsaveState(destination: Uint8Array): number;
  /** `WHvSetVirtualProcessorXsaveState`. Since Windows 10, version 2004 at the latest. */
  writeXsaveState(source: Uint8Array): void;
}

/**
 * The hypervisor's local APIC of this processor.
 *
 * @public
 */
export interface InterruptControllerOperations {
  /**
   * `WHvGetVirtualProcessorInterruptControllerState2` (or `WHvGetVirtualProcessorInterruptControllerState` on platforms
   * without it); answers how many bytes were written. `WHV_E_INSUFFICIENT_BUFFER`. Since Windows 10, version 2004 at the
   * latest.
   */
  readInterruptControllerState(destination: Uint8Array): number;
  /**
   * `WHvSetVirtualProcessorInterruptControllerState2` (or `WHvSetVirtualProcessorInterruptControllerState`). Since
   * Windows 10, version 2004 at the latest.
   */
  writeInterruptControllerState(source: Uint8Array): void;
}

/**
 * Small accesses to guest-physical memory as this processor would do them: device memory of the hypervisor included.
 *
 * @public
 */
export interface GuestAccessOperations {
  /** `WHvReadGpaRange`: up to 16 bytes. Since a build after 19041. */
  readGpaRange(gpa: number, destination: Uint8Array, cacheType?: WHV_CACHE_TYPE): void;
  /** `WHvWriteGpaRange`: up to 16 bytes. Since a build after 19041. */
  writeGpaRange(gpa: number, source: Uint8Array, cacheType?: WHV_CACHE_TYPE): void;
}

/**
 * The synthetic interrupt controller of this processor.
 *
 * @public
 */
export interface SyntheticInterruptOperations {
  /**
   * `WHvSignalVirtualProcessorSynicEvent`: source 0 to 15, flag 0 to 2047. Answers whether the flag was clear before.
   * Since a build after 19041.
   */
  signalSynicEvent(targetSint: number, flagNumber: number): boolean;
  /** `WHvPostVirtualProcessorSynicMessage`: up to 256 bytes. Since a build after 19041. */
  postSynicMessage(sintIndex: number, message: Uint8Array): void;
}

/**
 * What this processor answers to CPUID.
 *
 * @public
 */
export interface CpuidOperations {
  /** `WHvGetVirtualProcessorCpuidOutput`. Since a build after 19041. */
  getCpuidOutput(eax: number, ecx: number): WHV_CPUID_OUTPUT;
}

/**
 * What this processor counts.
 *
 * @public
 */
export interface ProcessorCounterOperations {
  /**
   * `WHvGetVirtualProcessorCounters` into native memory (`ProcessorRuntimeCountersView` and its like); answers how many
   * bytes were written. `WHV_E_UNKNOWN_PROPERTY`. Since Windows 10, version 2004 at the latest.
   */
  readCounters(set: WHV_PROCESSOR_COUNTER_SET, destination: Uint8Array): number;
}
