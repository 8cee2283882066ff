/**
 * A partition over `WinHvPlatform.dll`: properties, guest memory, processors, interrupts, and what must happen when it
 * goes. Its signals to and from the host are in `partition-signals.ts`, its PCI devices in `vpci-device.ts`.
 */
import {
  AdviseGpaRangePopulateView,
  E_INVALIDARG,
  type GuestMemory,
  InterruptControlView,
  type InterruptRequest,
  MemoryRangeEntryView,
  type NotificationPort,
  type Partition,
  type Trigger,
  VirtualProcessorPropertyView,
  type VpciDevice,
  type WHV_ADVISE_GPA_RANGE_CODE,
  type WHV_ADVISE_GPA_RANGE_POPULATE,
  type WHV_DOORBELL_MATCH_DATA,
  type WHV_INTERRUPT_DESTINATION_MODE,
  type WHV_MEMORY_RANGE_ENTRY,
  type WHV_NOTIFICATION_PORT_PARAMETERS,
  type WHV_PARTITION_COUNTER_SET,
  type WHV_PARTITION_PROPERTY_CODE,
  type WHV_TRIGGER_PARAMETERS,
  type WHV_VIRTUAL_PROCESSOR_PROPERTY,
  WhvError,
  type WhvInit,
  type WinHvPlatformFunctions,
} from "@whvkit/whv-types";
import type { NativePointer } from "../native/kernel32.ts";
import { NativeMemory, PAGE_SIZE } from "../native/native-memory.ts";
import { check, requireBytes, requireSafeInteger, requireUint32, requireUint64 } from "./argument-checks.ts";
import { MappedRanges } from "./mapped-ranges.ts";
import { PartitionHandle } from "./partition-handle.ts";
import { PartitionSignals } from "./partition-signals.ts";
import { propertySize } from "./property-sizes.ts";
import { RunWatch, type WinHypervisorOptions } from "./run-watch.ts";
import { readInteger, readInto } from "./variable-output.ts";
import { allocateVpciResource, NativeVpciDevice } from "./vpci-device.ts";
import { NativeVirtualProcessor, type WinVirtualProcessor } from "./win-virtual-processor.ts";

/**
 * A partition of Windows: every operation of {@link Partition}. One that this version of Windows lacks throws a WhvError
 * with `E_NOTIMPL`.
 *
 * @public
 */
export interface WinPartition extends Required<Partition> {
  /**
   * The `WHV_PARTITION_HANDLE`, for the functions of {@link bindWinHvPlatform}: a worker thread that has it can cancel the
   * runs of this one. `E_INVALIDARG` after disposal.
   */
  readonly handle: bigint;
  /** As {@link Partition.createVirtualProcessor}. */
  createVirtualProcessor(index: number, properties?: readonly WHV_VIRTUAL_PROCESSOR_PROPERTY[]): WinVirtualProcessor;
  /** {@link Partition.dispose}, for `using`. */
  [Symbol.dispose](): void;
}

const NO_FLAGS = 0;
/** Virtual processors that a partition of Windows can have at most (Windows Server 2022); the answer's room. */
const MAX_PROCESSORS = 2048;

export class NativePartition implements WinPartition {
  private readonly functions: WinHvPlatformFunctions;
  private readonly native: PartitionHandle;
  private readonly signals: PartitionSignals;
  private readonly processors = new Map<number, NativeVirtualProcessor>();
  private readonly devices = new Set<NativeVpciDevice>();
  private readonly memories = new Set<NativeMemory>();
  private readonly mapped = new MappedRanges();
  /** After disposal: what is deleted when the last run has ended. */
  private deleting: NativePointer | null = null;

  private readonly options: WinHypervisorOptions;

  constructor(functions: WinHvPlatformFunctions, handle: NativePointer, options: WinHypervisorOptions) {
    this.options = options;
    this.functions = functions;
    this.native = new PartitionHandle(functions, handle);
    this.signals = new PartitionSignals(this.native);
  }

  get handle(): bigint {
    return this.native.of("WHV_PARTITION_HANDLE");
  }

  getProperty(code: number): bigint {
    const operation = "WHvGetPartitionProperty";
    const handle = this.native.of(operation);
    requireUint32(operation, "code", code);
    const { WHvGetPartitionProperty: get } = this.functions;
    const known = code as WHV_PARTITION_PROPERTY_CODE;
    return readInteger(operation, (buffer, size, written) => get(handle, known, buffer, size, written));
  }

  setProperty(code: number, value: bigint): void {
    const operation = "WHvSetPartitionProperty";
    requireUint64(operation, "value", value);
    const size = propertySize(code);
    if (BigInt.asUintN(size * 8, value) !== value)
      throw new WhvError(
        operation,
        E_INVALIDARG,
        `property 0x${code.toString(16)} has ${size} bytes; ${value} does not fit`,
      );
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.writeProperty(code, bytes.subarray(0, size));
  }

  readProperty(code: number, destination: Uint8Array): number {
    const operation = "WHvGetPartitionProperty";
    const handle = this.native.of(operation);
    requireUint32(operation, "code", code);
    requireBytes(operation, "destination", destination);
    const { WHvGetPartitionProperty: get } = this.functions;
    const known = code as WHV_PARTITION_PROPERTY_CODE;
    return readInto(operation, destination, (buffer, size, written) => get(handle, known, buffer, size, written));
  }

  writeProperty(code: number, source: Uint8Array): void {
    const operation = "WHvSetPartitionProperty";
    const handle = this.native.of(operation);
    requireUint32(operation, "code", code);
    requireBytes(operation, "source", source);
    const known = code as WHV_PARTITION_PROPERTY_CODE;
    check(operation, this.functions.WHvSetPartitionProperty(handle, known, source, source.length));
  }

  setup(): void {
    this.call("WHvSetupPartition");
  }

  reset(): void {
    this.call("WHvResetPartition");
  }

  suspendTime(): void {
    this.call("WHvSuspendPartitionTime");
  }

  resumeTime(): void {
    this.call("WHvResumePartitionTime");
  }

  allocateMemory(size: number): GuestMemory {
    this.native.of("VirtualAlloc");
    const memory = new NativeMemory(size, (released) => this.memories.delete(released));
    this.memories.add(memory);
    return memory;
  }

  mapGpaRange(memory: GuestMemory, memoryOffset: number, gpa: number, size: number, flags: number): void {
    const operation = "WHvMapGpaRange";
    const handle = this.native.of(operation);
    requireSafeInteger(operation, "memoryOffset", memoryOffset);
    requireRange(operation, gpa, size);
    requireUint32(operation, "flags", flags);
    if (!(memory instanceof NativeMemory) || !this.memories.has(memory))
      throw new WhvError(operation, E_INVALIDARG, "the memory was not allocated by this partition");
    if (memoryOffset + size > memory.size)
      throw new WhvError(operation, E_INVALIDARG, `${size} bytes from ${memoryOffset} of a memory of ${memory.size}`);
    const source = memory.address + BigInt(memoryOffset);
    check(operation, this.functions.WHvMapGpaRange(handle, source, gpa, BigInt(size), flags));
    this.mapped.add(gpa, size, memory);
  }

  mapGpaRangeOfProcess(process: bigint, address: bigint, gpa: number, size: number, flags: number): void {
    const operation = "WHvMapGpaRange2";
    const handle = this.native.of(operation);
    requireUint64(operation, "process", process);
    requireUint64(operation, "address", address);
    requireRange(operation, gpa, size);
    requireUint32(operation, "flags", flags);
    check(operation, this.functions.WHvMapGpaRange2(handle, process, address, gpa, BigInt(size), flags));
    this.mapped.remove(gpa, size);
  }

  unmapGpaRange(gpa: number, size: number): void {
    const operation = "WHvUnmapGpaRange";
    const handle = this.native.of(operation);
    requireRange(operation, gpa, size);
    check(operation, this.functions.WHvUnmapGpaRange(handle, gpa, BigInt(size)));
    this.mapped.remove(gpa, size);
  }

  queryGpaRangeDirtyBitmap(gpa: number, size: number, bitmap: Uint32Array): void {
    const operation = "WHvQueryGpaRangeDirtyBitmap";
    const handle = this.native.of(operation);
    requireRange(operation, gpa, size);
    // The platform fills words of 64 bits.
    const words = Math.ceil(size / PAGE_SIZE / 64);
    if (!(bitmap instanceof Uint32Array) || bitmap.length * 32 < size / PAGE_SIZE)
      throw new WhvError(operation, E_INVALIDARG, `a bitmap of ${bitmap.length} words for ${size / PAGE_SIZE} pages`);
    const filled = new Uint32Array(words * 2);
    const bytes = new Uint8Array(filled.buffer);
    check(operation, this.functions.WHvQueryGpaRangeDirtyBitmap(handle, gpa, BigInt(size), bytes, bytes.length));
    bitmap.set(filled.subarray(0, Math.min(filled.length, bitmap.length)));
  }

  adviseGpaRange(
    ranges: readonly WhvInit<WHV_MEMORY_RANGE_ENTRY>[],
    advice: WHV_ADVISE_GPA_RANGE_CODE,
    populate?: WhvInit<WHV_ADVISE_GPA_RANGE_POPULATE>,
  ): void {
    const operation = "WHvAdviseGpaRange";
    const handle = this.native.of(operation);
    requireUint32(operation, "advice", advice);
    const { size } = MemoryRangeEntryView;
    const entries = new Uint8Array(ranges.length * size);
    for (const [at, range] of ranges.entries()) entries.set(MemoryRangeEntryView.from(range).bytes, at * size);
    const advised = populate === undefined ? null : AdviseGpaRangePopulateView.from(populate).bytes;
    const { WHvAdviseGpaRange: advise } = this.functions;
    check(operation, advise(handle, entries, ranges.length, advice, advised, advised?.length ?? 0));
  }

  readCounters(set: WHV_PARTITION_COUNTER_SET, destination: Uint8Array): number {
    const operation = "WHvGetPartitionCounters";
    const handle = this.native.of(operation);
    requireUint32(operation, "set", set);
    requireBytes(operation, "destination", destination);
    const { WHvGetPartitionCounters: get } = this.functions;
    return readInto(operation, destination, (buffer, size, written) => get(handle, set, buffer, size, written));
  }

  createVirtualProcessor(index: number, properties?: readonly WHV_VIRTUAL_PROCESSOR_PROPERTY[]): WinVirtualProcessor {
    const operation = properties === undefined ? "WHvCreateVirtualProcessor" : "WHvCreateVirtualProcessor2";
    const handle = this.native.of(operation);
    requireUint32(operation, "index", index);
    if (properties === undefined) check(operation, this.functions.WHvCreateVirtualProcessor(handle, index, NO_FLAGS));
    else {
      const { size } = VirtualProcessorPropertyView;
      const bytes = new Uint8Array(properties.length * size);
      for (const [at, property] of properties.entries())
        bytes.set(VirtualProcessorPropertyView.from(property).bytes, at * size);
      check(operation, this.functions.WHvCreateVirtualProcessor2(handle, index, bytes, properties.length));
    }
    const watch = this.options.maxRunMilliseconds === undefined ? null : new RunWatch(handle, index, this.options);
    const deleted = (): void => {
      watch?.dispose();
      this.deleteProcessor(handle, index);
    };
    const processor = new NativeVirtualProcessor(this.native, index, watch, deleted);
    this.processors.set(index, processor);
    return processor;
  }

  requestInterrupt(request: InterruptRequest): void {
    const operation = "WHvRequestInterrupt";
    const handle = this.native.of(operation);
    const { bytes } = InterruptControlView.from(request);
    check(operation, this.functions.WHvRequestInterrupt(handle, bytes, bytes.length));
  }

  getInterruptTargetVpSet(destination: bigint, mode: WHV_INTERRUPT_DESTINATION_MODE): number[] {
    const operation = "WHvGetInterruptTargetVpSet";
    const handle = this.native.of(operation);
    requireUint64(operation, "destination", destination);
    requireUint32(operation, "mode", mode);
    const targets = new Uint32Array(MAX_PROCESSORS);
    const count = new Uint32Array(1);
    const { WHvGetInterruptTargetVpSet: get } = this.functions;
    const [targetBytes, countBytes] = [new Uint8Array(targets.buffer), new Uint8Array(count.buffer)];
    check(operation, get(handle, destination, mode, targetBytes, targets.length, countBytes));
    return [...targets.subarray(0, count[0])];
  }

  registerDoorbell(match: WhvInit<WHV_DOORBELL_MATCH_DATA>, onRing: () => void): void {
    this.signals.registerDoorbell(match, onRing);
  }

  unregisterDoorbell(match: WhvInit<WHV_DOORBELL_MATCH_DATA>): void {
    this.signals.unregisterDoorbell(match);
  }

  createNotificationPort(parameters: WHV_NOTIFICATION_PORT_PARAMETERS, onSignal: () => void): NotificationPort {
    return this.signals.createNotificationPort(parameters, onSignal);
  }

  createTrigger(parameters: WHV_TRIGGER_PARAMETERS): Trigger {
    return this.signals.createTrigger(parameters);
  }

  allocateVpciResource(provider: Uint8Array | null, flags: number, descriptor: Uint8Array | null): bigint {
    this.native.of("WHvAllocateVpciResource");
    return allocateVpciResource(this.functions, provider, flags, descriptor);
  }

  createVpciDevice(logicalDeviceId: bigint, resource: bigint, flags: number, onNotification?: () => void): VpciDevice {
    const device = new NativeVpciDevice(this.native, { logicalDeviceId, resource, flags, onNotification }, () =>
      this.devices.delete(device),
    );
    this.devices.add(device);
    return device;
  }

  startMigration(): bigint {
    const operation = "WHvStartPartitionMigration";
    const migration = new BigUint64Array(1);
    const handle = this.native.of(operation);
    check(operation, this.functions.WHvStartPartitionMigration(handle, new Uint8Array(migration.buffer)));
    return migration[0] as bigint;
  }

  cancelMigration(): void {
    this.call("WHvCancelPartitionMigration");
  }

  completeMigration(): void {
    this.call("WHvCompletePartitionMigration");
  }

  /**
   * Deletes everything that was made by way of this partition, then the partition, then its memory. Processors that a
   * thread of the pool runs are cancelled; what is left to delete is deleted when they have stopped. Everything is tried;
   * the first failure is thrown at the end.
   */
  dispose(): void {
    if (!this.native.live) return;
    const failures: unknown[] = [];
    const attempt = (action: () => void): void => {
      try {
        action();
      } catch (failure) {
        failures.push(failure);
      }
    };
    for (const device of [...this.devices]) attempt(() => device.dispose());
    attempt(() => this.signals.dispose());
    for (const processor of [...this.processors.values()]) attempt(() => processor.dispose());
    this.deleting = this.native.take();
    if (this.processors.size === 0) attempt(() => this.deletePartition());
    if (failures.length > 0) throw failures[0];
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private deleteProcessor(handle: NativePointer, index: number): void {
    this.processors.delete(index);
    try {
      check("WHvDeleteVirtualProcessor", this.functions.WHvDeleteVirtualProcessor(handle, index));
    } finally {
      if (this.deleting !== null && this.processors.size === 0) this.deletePartition();
    }
  }

  private deletePartition(): void {
    const handle = this.deleting as NativePointer;
    this.deleting = null;
    try {
      check("WHvDeletePartition", this.functions.WHvDeletePartition(handle));
    } finally {
      this.mapped.clear();
      for (const memory of [...this.memories]) memory.release();
    }
  }

  private call(
    operation:
      | "WHvSetupPartition"
      | "WHvResetPartition"
      | "WHvSuspendPartitionTime"
      | "WHvResumePartitionTime"
      | "WHvCancelPartitionMigration"
      | "WHvCompletePartitionMigration",
  ): void {
    const handle = this.native.of(operation);
    check(operation, this.functions[operation](handle));
  }
}

function requireRange(operation: string, gpa: number, size: number): void {
  requireSafeInteger(operation, "gpa", gpa);
  requireSafeInteger(operation, "size", size);
}
