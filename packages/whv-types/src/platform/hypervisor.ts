/**
 * The platform interface that hosts compose through: `Hypervisor -> Partition -> VirtualProcessor`, with the operations
 * of `WinHvPlatform.dll`. `@whvkit/sim-backend` and `@whvkit/win-backend` implement it; a host takes a `Hypervisor` by
 * value. Every operation that fails throws a {@link WhvError} with the platform's HRESULT. What not every backend can do
 * is optional, in partition-operations.ts and processor-operations.ts.
 */
import type { RegisterValues } from "../registers/register-values.ts";
import type { WHV_VIRTUAL_PROCESSOR_PROPERTY } from "../structures/generated/notifications.ts";
import type { RunVpExit } from "./exit.ts";
import type {
  DoorbellOperations,
  GuestMemoryOperations,
  InterruptTargetOperations,
  MigrationOperations,
  NotificationPortOperations,
  PartitionCounterOperations,
  PartitionLifecycleOperations,
  StructuredPropertyOperations,
  TriggerOperations,
  VirtualPciOperations,
} from "./partition-operations.ts";
import type {
  CpuidOperations,
  GuestAccessOperations,
  InterruptControllerOperations,
  ProcessorCounterOperations,
  ProcessorStateOperations,
  SyntheticInterruptOperations,
  XsaveOperations,
} from "./processor-operations.ts";

/**
 * Memory that a partition can map: allocated by the backend (page aligned for the operating system, or inside the
 * simulator's memory).
 *
 * @public
 */
export interface GuestMemory {
  /** Bytes; a multiple of 4096. */
  readonly size: number;
  /** The bytes, viewed without copying. */
  readonly bytes: Uint8Array;
  /** Gives the memory back. It must not be mapped any more. */
  dispose(): void;
}

/**
 * The answer of `WHvTranslateGva`.
 *
 * @public
 */
export interface GvaTranslation {
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  resultCode: number;
  /** Guest-physical byte address, where the result is Success. */
  gpa: number;
}

/**
 * `WHV_INTERRUPT_CONTROL` in object form, without its reserved bits.
 *
 * @public
 */
export interface InterruptRequest {
  /** `WHV_INTERRUPT_TYPE`. */
  readonly type: number;
  /** `WHV_INTERRUPT_DESTINATION_MODE`. */
  readonly destinationMode: number;
  /** `WHV_INTERRUPT_TRIGGER_MODE`. */
  readonly triggerMode: number;
  /** APIC ID, or logical destination. */
  readonly destination: number;
  /** Vector, 0 to 255. */
  readonly vector: number;
}

/**
 * One virtual processor of a partition.
 *
 * @public
 */
export interface VirtualProcessor
  extends Partial<ProcessorStateOperations>,
    Partial<XsaveOperations>,
    Partial<InterruptControllerOperations>,
    Partial<GuestAccessOperations>,
    Partial<SyntheticInterruptOperations>,
    Partial<CpuidOperations>,
    Partial<ProcessorCounterOperations> {
  /** The processor's index in its partition; its APIC ID. */
  readonly index: number;
  /**
   * `WHvRunVirtualProcessor`: runs until the next exit. The returned object is reused: it holds until the next call.
   * `WHV_E_VP_DOES_NOT_EXIST`, `WHV_E_INVALID_VP_STATE`. Since Windows 10, version 1803.
   */
  run(): RunVpExit;
  /**
   * `WHvCancelRunVirtualProcessor`: makes the current or next `run` answer `WHvRunVpExitReasonCanceled`.
   * `WHV_E_VP_DOES_NOT_EXIST`. Since Windows 10, version 1803.
   */
  cancelRun(): void;
  /**
   * `WHvGetVirtualProcessorRegisters`: reads `count` registers into the first entries of `values`.
   * `WHV_E_INVALID_VP_REGISTER_NAME`, `WHV_E_VP_DOES_NOT_EXIST`. Since Windows 10, version 1803.
   */
  getRegisters(names: Uint32Array, count: number, values: RegisterValues): void;
  /**
   * `WHvSetVirtualProcessorRegisters`: writes `count` registers, all or none. `WHV_E_INVALID_VP_REGISTER_NAME`,
   * `WHV_E_VP_DOES_NOT_EXIST`. Since Windows 10, version 1803.
   */
  setRegisters(names: Uint32Array, count: number, values: RegisterValues): void;
  /**
   * `WHvTranslateGva`: page walk for one guest-virtual address with `WHV_TRANSLATE_GVA_FLAGS`. How it went is in
   * `result`. `WHV_E_VP_DOES_NOT_EXIST`. Since Windows 10, version 1803.
   */
  translateGva(gvaLow: number, gvaHigh: number, flags: number, result: GvaTranslation): void;
  /** `WHvDeleteVirtualProcessor`. `WHV_E_VP_DOES_NOT_EXIST`. Since Windows 10, version 1803. */
  dispose(): void;
}

/**
 * One partition: memory map, properties, virtual processors.
 *
 * @public
 */
export interface Partition
  extends Partial<StructuredPropertyOperations>,
    Partial<PartitionLifecycleOperations>,
    Partial<GuestMemoryOperations>,
    Partial<PartitionCounterOperations>,
    Partial<DoorbellOperations>,
    Partial<NotificationPortOperations>,
    Partial<TriggerOperations>,
    Partial<InterruptTargetOperations>,
    Partial<VirtualPciOperations>,
    Partial<MigrationOperations> {
  /** `WHvGetPartitionProperty`. `WHV_E_UNKNOWN_PROPERTY`. Since Windows 10, version 1803. */
  getProperty(code: number): bigint;
  /**
   * `WHvSetPartitionProperty`, for properties that are one integer. `WHV_E_UNKNOWN_PROPERTY`,
   * `WHV_E_INVALID_PARTITION_CONFIG` where it is too late. Since Windows 10, version 1803.
   */
  setProperty(code: number, value: bigint): void;
  /**
   * `WHvSetupPartition`: fixes the properties and makes the partition usable. `WHV_E_INVALID_PARTITION_CONFIG`. Since
   * Windows 10, version 1803.
   */
  setup(): void;
  /** Allocates zeroed memory that this partition can map. `size` is a multiple of 4096. `E_OUTOFMEMORY`. */
  allocateMemory(size: number): GuestMemory;
  /**
   * `WHvMapGpaRange`: `flags` is `WHV_MAP_GPA_RANGE_FLAGS`; addresses and sizes are multiples of 4096. `E_INVALIDARG`,
   * `WHV_E_INVALID_PARTITION_CONFIG` before setup. Since Windows 10, version 1803.
   */
  mapGpaRange(memory: GuestMemory, memoryOffset: number, gpa: number, size: number, flags: number): void;
  /** `WHvUnmapGpaRange`. `WHV_E_GPA_RANGE_NOT_FOUND`. Since Windows 10, version 1803. */
  unmapGpaRange(gpa: number, size: number): void;
  /**
   * `WHvQueryGpaRangeDirtyBitmap`: one bit a page, bit 0 of word 0 is the first page; reading clears.
   * `WHV_E_GPA_RANGE_NOT_FOUND`. Since Windows 10, version 2004 at the latest.
   */
  queryGpaRangeDirtyBitmap(gpa: number, size: number, bitmap: Uint32Array): void;
  /**
   * `WHvCreateVirtualProcessor`, or `WHvCreateVirtualProcessor2` where properties are given (since a build after
   * 19041). `WHV_E_VP_ALREADY_EXISTS`, `WHV_E_INVALID_PARTITION_CONFIG`. Since Windows 10, version 1803.
   */
  createVirtualProcessor(index: number, properties?: readonly WHV_VIRTUAL_PROCESSOR_PROPERTY[]): VirtualProcessor;
  /**
   * `WHvRequestInterrupt`: needs a local APIC in the hypervisor. `E_INVALIDARG`. Since Windows 10, version 2004 at the
   * latest.
   */
  requestInterrupt(request: InterruptRequest): void;
  /** `WHvDeletePartition`: releases everything. Since Windows 10, version 1803. */
  dispose(): void;
}

/**
 * A hypervisor: the native one or the simulator.
 *
 * @public
 */
export interface Hypervisor {
  /** A short name for people: `"sim"`, `"win"`. */
  readonly name: string;
  /**
   * `WHvGetCapability`, for capabilities that are one integer; `WHV_E_UNKNOWN_CAPABILITY` for unknown codes. Since
   * Windows 10, version 1803.
   */
  getCapability(code: number): bigint;
  /**
   * `WHvGetCapability` into native memory, for those that are more than one integer: a `CapabilityView` reads it. Answers
   * how many bytes were written. `WHV_E_UNKNOWN_CAPABILITY`, `WHV_E_INSUFFICIENT_BUFFER`.
   */
  readCapability?(code: number, destination: Uint8Array): number;
  /** `WHvCreatePartition`. Since Windows 10, version 1803. */
  createPartition(): Partition;
  /** `WHvAcceptPartitionMigration`: takes over the partition of another process. Since a build after 19041. */
  acceptMigration?(handle: bigint): Partition;
}

/**
 * A platform operation failed: which one, and the HRESULT (unsigned).
 *
 * @example
 * ```ts
 * import { WHV_E_GPA_RANGE_NOT_FOUND, WhvError } from "@whvkit/whv-types";
 * const error = new WhvError("WHvUnmapGpaRange", WHV_E_GPA_RANGE_NOT_FOUND);
 * error.message; // "WHvUnmapGpaRange failed with 0x80370305"
 * error.hresult; // 0x80370305
 * ```
 *
 * @public
 */
export class WhvError extends Error {
  /** Tells this error from others where classes cannot be compared. */
  override readonly name = "WhvError";
  /** The platform's name of the operation. */
  readonly operation: string;
  /** Unsigned. `hresultMessage` says what it means. */
  readonly hresult: number;

  /** `hresult` may be signed; `detail` is added to the message. */
  constructor(operation: string, hresult: number, detail?: string) {
    super(`${operation} failed with 0x${(hresult >>> 0).toString(16).padStart(8, "0")}${detail ? `: ${detail}` : ""}`);
    this.operation = operation;
    this.hresult = hresult >>> 0;
  }
}
