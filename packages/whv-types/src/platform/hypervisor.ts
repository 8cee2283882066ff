/**
 * The platform interface that hosts compose through: `Hypervisor -> Partition -> VirtualProcessor`, with the operations
 * of `WinHvPlatform.dll`. `@whvkit/sim-backend` and `@whvkit/win-backend` implement it; a host takes a `Hypervisor` by
 * value. Every operation that fails throws a {@link WhvError} with the platform's HRESULT.
 */
import type { RegisterValues } from "../registers/register-values.ts";
import type { RunVpExit } from "./exit.ts";

/** Memory that a partition can map: allocated by the backend (page aligned for the operating system, or inside the simulator's memory). */
export interface GuestMemory {
  /** Bytes; a multiple of 4096. */
  readonly size: number;
  /** The bytes, viewed without copying. */
  readonly bytes: Uint8Array;
  /** Gives the memory back. It must not be mapped any more. */
  dispose(): void;
}

/** The answer of `WHvTranslateGva`. */
export interface GvaTranslation {
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  resultCode: number;
  /** Guest-physical byte address, where the result is Success. */
  gpa: number;
}

/** `WHV_INTERRUPT_CONTROL` in object form. */
export interface InterruptRequest {
  /** `WHV_INTERRUPT_TYPE`. */
  readonly type: number;
  /** `WHV_INTERRUPT_DESTINATION_MODE`. */
  readonly destinationMode: number;
  /** `WHV_INTERRUPT_TRIGGER_MODE`. */
  readonly triggerMode: number;
  readonly destination: number;
  readonly vector: number;
}

/** One virtual processor of a partition. */
export interface VirtualProcessor {
  readonly index: number;
  /**
   * `WHvRunVirtualProcessor`: runs until the next exit. The returned object is reused: it holds until the next call.
   */
  run(): RunVpExit;
  /** `WHvCancelRunVirtualProcessor`: makes the current or next `run` answer `WHvRunVpExitReasonCanceled`. */
  cancelRun(): void;
  /** `WHvGetVirtualProcessorRegisters`: reads `count` registers into the first entries of `values`. */
  getRegisters(names: Uint32Array, count: number, values: RegisterValues): void;
  /** `WHvSetVirtualProcessorRegisters`: writes `count` registers, all or none. */
  setRegisters(names: Uint32Array, count: number, values: RegisterValues): void;
  /** `WHvTranslateGva`: page walk for one guest-virtual address with `WHV_TRANSLATE_GVA_FLAGS`. */
  translateGva(gvaLow: number, gvaHigh: number, flags: number, result: GvaTranslation): void;
  /** `WHvDeleteVirtualProcessor`. */
  dispose(): void;
}

/** One partition: memory map, properties, virtual processors. */
export interface Partition {
  /** `WHvGetPartitionProperty`. */
  getProperty(code: number): bigint;
  /** `WHvSetPartitionProperty`, for properties that are one integer. */
  setProperty(code: number, value: bigint): void;
  /** `WHvSetupPartition`: fixes the properties and makes the partition usable. */
  setup(): void;
  /** Allocates zeroed memory that this partition can map. `size` is a multiple of 4096. */
  allocateMemory(size: number): GuestMemory;
  /** `WHvMapGpaRange`: `flags` is `WHV_MAP_GPA_RANGE_FLAGS`; addresses and sizes are multiples of 4096. */
  mapGpaRange(memory: GuestMemory, memoryOffset: number, gpa: number, size: number, flags: number): void;
  /** `WHvUnmapGpaRange`. */
  unmapGpaRange(gpa: number, size: number): void;
  /** `WHvQueryGpaRangeDirtyBitmap`: one bit a page, bit 0 of word 0 is the first page; reading clears. */
  queryGpaRangeDirtyBitmap(gpa: number, size: number, bitmap: Uint32Array): void;
  /** `WHvCreateVirtualProcessor`. */
  createVirtualProcessor(index: number): VirtualProcessor;
  /** `WHvRequestInterrupt`: needs a local APIC in the hypervisor. */
  requestInterrupt(request: InterruptRequest): void;
  /** `WHvDeletePartition`: releases everything. */
  dispose(): void;
}

/** A hypervisor: the native one or the simulator. */
export interface Hypervisor {
  /** A short name for people: `"sim"`, `"win"`. */
  readonly name: string;
  /** `WHvGetCapability`, for capabilities that are one integer; throws `WhvError` for unknown codes. */
  getCapability(code: number): bigint;
  /** `WHvCreatePartition`. */
  createPartition(): Partition;
}

/** A platform operation failed: which one, and the HRESULT (unsigned). */
export class WhvError extends Error {
  override readonly name = "WhvError";
  readonly operation: string;
  readonly hresult: number;

  constructor(operation: string, hresult: number, detail?: string) {
    super(`${operation} failed with 0x${(hresult >>> 0).toString(16).padStart(8, "0")}${detail ? `: ${detail}` : ""}`);
    this.operation = operation;
    this.hresult = hresult >>> 0;
  }
}
