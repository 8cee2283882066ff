/**
 * Partition properties that are one integer: their defaults, which values they take, and what of them processors look at
 * while they run.
 */

import {
  WHV_PARTITION_PROPERTY_CODE as Code,
  E_INVALIDARG,
  E_NOTIMPL,
  WHV_E_INVALID_PARTITION_CONFIG,
  WHV_E_UNKNOWN_PROPERTY,
  WhvError,
} from "@whvkit/whv-types";
import type { InterceptSettings } from "../processor/system-instructions.ts";

/** Bits of `WHV_EXTENDED_VM_EXITS` that the simulator offers. */
export const ExtendedExit = { cpuid: 1n, msr: 2n, exception: 4n, rdtsc: 8n } as const;
export const EXTENDED_EXITS: bigint =
  ExtendedExit.cpuid | ExtendedExit.msr | ExtendedExit.exception | ExtendedExit.rdtsc;

/** Vectors whose exceptions can exit: all architectural ones but NMI. */
export const EXCEPTION_EXITS = 0xf_fffbn & ~(1n << 9n) & ~(1n << 15n);

/** UnhandledMsrs, TscMsrWrite, TscMsrRead, ApicBaseMsrWrite. */
export const MSR_EXITS = 0xfn;

/** Processors of one partition. */
export const MAX_PROCESSORS = 64n;

/** Hertz. */
export const CLOCK_FREQUENCY = 1_000_000_000n;

interface PropertyRow {
  readonly initial: bigint;
  /** Bits that may be set; null: the property can only be read. */
  readonly allowed: bigint | null;
}

const rows = new Map<number, PropertyRow>([
  [Code.WHvPartitionPropertyCodeExtendedVmExits, { initial: 0n, allowed: EXTENDED_EXITS }],
  [Code.WHvPartitionPropertyCodeExceptionExitBitmap, { initial: 0n, allowed: EXCEPTION_EXITS }],
  [Code.WHvPartitionPropertyCodeX64MsrExitBitmap, { initial: 1n, allowed: MSR_EXITS }],
  [Code.WHvPartitionPropertyCodeUnimplementedMsrAction, { initial: 0n, allowed: 3n }],
  [Code.WHvPartitionPropertyCodeProcessorCount, { initial: 1n, allowed: 0x7fn }],
  [Code.WHvPartitionPropertyCodeLocalApicEmulationMode, { initial: 0n, allowed: 0n }],
  [Code.WHvPartitionPropertyCodeSeparateSecurityDomain, { initial: 0n, allowed: 1n }],
  [Code.WHvPartitionPropertyCodeProcessorClFlushSize, { initial: 8n, allowed: null }],
  [Code.WHvPartitionPropertyCodeProcessorClockFrequency, { initial: CLOCK_FREQUENCY, allowed: null }],
  [Code.WHvPartitionPropertyCodeInterruptClockFrequency, { initial: CLOCK_FREQUENCY, allowed: null }],
]);

/** The properties of one partition. */
export class PartitionProperties {
  private readonly values = new Map<number, bigint>();
  /** What processors look at; filled when the partition is set up. */
  readonly settings: InterceptSettings;

  constructor(cpuidExitList: readonly number[] | undefined) {
    this.settings = {
      cpuidExit: false,
      cpuidExitList: cpuidExitList === undefined ? null : new Set(cpuidExitList.map((leaf) => leaf >>> 0)),
      msrExit: false,
      msrExitBitmap: 1,
      rdtscExit: false,
      unimplementedMsrAction: 0,
      exceptionBitmap: 0,
    };
  }

  get(code: number): bigint {
    const row = rows.get(code);
    if (row === undefined) throw new WhvError("WHvGetPartitionProperty", WHV_E_UNKNOWN_PROPERTY, `code ${code}`);
    return this.values.get(code) ?? row.initial;
  }

  set(code: number, value: bigint): void {
    const operation = "WHvSetPartitionProperty";
    const row = rows.get(code);
    if (row === undefined) throw new WhvError(operation, WHV_E_UNKNOWN_PROPERTY, `code ${code}`);
    if (code === Code.WHvPartitionPropertyCodeLocalApicEmulationMode && value !== 0n)
      throw new WhvError(operation, E_NOTIMPL, "the simulator has no local APIC");
    if (row.allowed === null) throw new WhvError(operation, E_INVALIDARG, `property ${code} can only be read`);
    const invalidCount = code === Code.WHvPartitionPropertyCodeProcessorCount && (value < 1n || value > MAX_PROCESSORS);
    if (value < 0n || (value & ~row.allowed) !== 0n || invalidCount)
      throw new WhvError(operation, E_INVALIDARG, `property ${code} cannot be 0x${value.toString(16)}`);
    if (code === Code.WHvPartitionPropertyCodeUnimplementedMsrAction && value > 2n)
      throw new WhvError(operation, E_INVALIDARG, `WHV_MSR_ACTION ${value}`);
    this.values.set(code, value);
  }

  /** Fixes what processors look at. */
  apply(): void {
    const exits = this.get(Code.WHvPartitionPropertyCodeExtendedVmExits);
    const { settings } = this;
    settings.cpuidExit = (exits & ExtendedExit.cpuid) !== 0n;
    settings.msrExit = (exits & ExtendedExit.msr) !== 0n;
    settings.msrExitBitmap = Number(this.get(Code.WHvPartitionPropertyCodeX64MsrExitBitmap));
    settings.rdtscExit = (exits & ExtendedExit.rdtsc) !== 0n;
    settings.unimplementedMsrAction = Number(this.get(Code.WHvPartitionPropertyCodeUnimplementedMsrAction));
    const exceptions = (exits & ExtendedExit.exception) !== 0n;
    settings.exceptionBitmap = exceptions ? Number(this.get(Code.WHvPartitionPropertyCodeExceptionExitBitmap)) : 0;
    if (exceptions && settings.exceptionBitmap === 0) {
      const detail = "ExtendedVmExits.ExceptionExit without an ExceptionExitBitmap";
      throw new WhvError("WHvSetupPartition", WHV_E_INVALID_PARTITION_CONFIG, detail);
    }
  }
}
