/**
 * Operations of a partition that not every backend and not every Windows version has. {@link Partition} carries each of
 * them as optional: a host asks whether it is there. An operation that fails throws a {@link WhvError} with the
 * platform's HRESULT; one that is there but that this version of Windows lacks, with `E_NOTIMPL`.
 */
import type { WHV_INTERRUPT_DESTINATION_MODE } from "../enums/generated/events.ts";
import type { WHV_ADVISE_GPA_RANGE_CODE } from "../enums/generated/memory.ts";
import type { WHV_NOTIFICATION_PORT_PROPERTY_CODE } from "../enums/generated/notifications.ts";
import type { WHV_PARTITION_COUNTER_SET } from "../enums/generated/state-and-counters.ts";
import type { WHV_VPCI_DEVICE_PROPERTY_CODE } from "../enums/generated/vpci.ts";
import type { WHV_ADVISE_GPA_RANGE_POPULATE, WHV_MEMORY_RANGE_ENTRY } from "../structures/generated/guest-memory.ts";
import type {
  WHV_DOORBELL_MATCH_DATA,
  WHV_NOTIFICATION_PORT_PARAMETERS,
  WHV_TRIGGER_PARAMETERS,
} from "../structures/generated/notifications.ts";
import type {
  WHV_VPCI_DEVICE_NOTIFICATION,
  WHV_VPCI_DEVICE_REGISTER,
  WHV_VPCI_INTERRUPT_TARGET,
  WHV_VPCI_MMIO_MAPPING,
} from "../structures/generated/vpci.ts";
import type { WhvInit } from "../structures/object-form.ts";

/**
 * Properties that are more than one integer: feature banks, CPUID lists.
 *
 * @public
 */
export interface StructuredPropertyOperations {
  /**
   * `WHvGetPartitionProperty` into native memory: a `PartitionPropertyView` reads it. Answers how many bytes were
   * written. `WHV_E_UNKNOWN_PROPERTY`, `WHV_E_INSUFFICIENT_BUFFER`. Since Windows 10, version 1803.
   */
  readProperty(code: number, destination: Uint8Array): number;
  /**
   * `WHvSetPartitionProperty` from native memory. `WHV_E_UNKNOWN_PROPERTY`, `WHV_E_INVALID_PARTITION_CONFIG`. Since
   * Windows 10, version 1803.
   */
  writeProperty(code: number, source: Uint8Array): void;
}

/**
 * The partition's state as a whole, and its time.
 *
 * @public
 */
export interface PartitionLifecycleOperations {
  /** `WHvResetPartition`: back to the state after setup. Since a build after 19041. */
  reset(): void;
  /** `WHvSuspendPartitionTime`: time stands until `resumeTime` or the next run; no processor may run. Since Windows 10, version 1903. */
  suspendTime(): void;
  /** `WHvResumePartitionTime`. Since Windows 10, version 1903. */
  resumeTime(): void;
}

/**
 * Guest memory beyond mapping it.
 *
 * @public
 */
export interface GuestMemoryOperations {
  /**
   * `WHvMapGpaRange2`: maps memory of another process. `process` is its handle, `address` where the memory lies there.
   * Since a build after 19041.
   */
  mapGpaRangeOfProcess(process: bigint, address: bigint, gpa: number, size: number, flags: number): void;
  /** `WHvAdviseGpaRange`: `populate` counts for the advice Populate. Since a build after 19041. */
  adviseGpaRange(
    ranges: readonly WhvInit<WHV_MEMORY_RANGE_ENTRY>[],
    advice: WHV_ADVISE_GPA_RANGE_CODE,
    populate?: WhvInit<WHV_ADVISE_GPA_RANGE_POPULATE>,
  ): void;
}

/**
 * What a partition counts.
 *
 * @public
 */
export interface PartitionCounterOperations {
  /**
   * `WHvGetPartitionCounters` into native memory (`PartitionMemoryCountersView` for the set Memory). Answers how many
   * bytes were written. `WHV_E_UNKNOWN_PROPERTY`. Since Windows 10, version 2004 at the latest.
   */
  readCounters(set: WHV_PARTITION_COUNTER_SET, destination: Uint8Array): number;
}

/**
 * Writes by the guest that signal the host without an exit, in the older form.
 *
 * @public
 */
export interface DoorbellOperations {
  /**
   * `WHvRegisterPartitionDoorbellEvent`: `onRing` is called after the guest has written what `match` says. Deprecated
   * by Microsoft in favour of notification ports. Since Windows 10, version 2004 at the latest.
   */
  registerDoorbell(match: WhvInit<WHV_DOORBELL_MATCH_DATA>, onRing: () => void): void;
  /** `WHvUnregisterPartitionDoorbellEvent`, with the same `match`. Since Windows 10, version 2004 at the latest. */
  unregisterDoorbell(match: WhvInit<WHV_DOORBELL_MATCH_DATA>): void;
}

/**
 * A notification port, until it is disposed of.
 *
 * @public
 */
export interface NotificationPort {
  /** `WHvSetNotificationPortProperty`. `WHV_E_UNKNOWN_PROPERTY`. */
  setProperty(code: WHV_NOTIFICATION_PORT_PROPERTY_CODE, value: bigint): void;
  /** `WHvDeleteNotificationPort`. */
  dispose(): void;
}

/**
 * Doorbells and connections of the synthetic interrupt controller that signal the host.
 *
 * @public
 */
export interface NotificationPortOperations {
  /** `WHvCreateNotificationPort`: `onSignal` is called after each signal. Since build 20348. */
  createNotificationPort(parameters: WHV_NOTIFICATION_PORT_PARAMETERS, onSignal: () => void): NotificationPort;
}

/**
 * A trigger, until it is disposed of.
 *
 * @public
 */
export interface Trigger {
  /** Signals the trigger's event: the guest is interrupted. */
  signal(): void;
  /** `WHvUpdateTriggerParameters`. */
  update(parameters: WHV_TRIGGER_PARAMETERS): void;
  /** `WHvDeleteTrigger`. */
  dispose(): void;
}

/**
 * Events of the host that interrupt the guest.
 *
 * @public
 */
export interface TriggerOperations {
  /** `WHvCreateTrigger`. Since a build after 19041. */
  createTrigger(parameters: WHV_TRIGGER_PARAMETERS): Trigger;
}

/**
 * Interrupts as the hypervisor's local APICs see them.
 *
 * @public
 */
export interface InterruptTargetOperations {
  /** `WHvGetInterruptTargetVpSet`: the indices of the processors that an interrupt would reach. Since a build after 19041. */
  getInterruptTargetVpSet(destination: bigint, mode: WHV_INTERRUPT_DESTINATION_MODE): number[];
}

/**
 * A virtual PCI device, until it is disposed of.
 *
 * @public
 */
export interface VpciDevice {
  /** Which device, as the partition knows it. */
  readonly logicalDeviceId: bigint;
  /** `WHvGetVpciDeviceProperty` into native memory; answers how many bytes were written. `WHV_E_UNKNOWN_PROPERTY`. */
  readProperty(code: WHV_VPCI_DEVICE_PROPERTY_CODE, destination: Uint8Array): number;
  /** `WHvGetVpciDeviceNotification`: the next notification. */
  takeNotification(): WHV_VPCI_DEVICE_NOTIFICATION;
  /** `WHvMapVpciDeviceMmioRanges`: the device's memory in this process. */
  mapMmioRanges(): WHV_VPCI_MMIO_MAPPING[];
  /** `WHvUnmapVpciDeviceMmioRanges`. */
  unmapMmioRanges(): void;
  /** `WHvSetVpciDevicePowerState`: `DEVICE_POWER_STATE`, 1 (D0) to 4 (D3). */
  setPowerState(state: number): void;
  /** `WHvReadVpciDeviceRegister`: fills `data`, whose length is the register's size. */
  readRegister(register: WhvInit<WHV_VPCI_DEVICE_REGISTER>, data: Uint8Array): void;
  /** `WHvWriteVpciDeviceRegister`. */
  writeRegister(register: WhvInit<WHV_VPCI_DEVICE_REGISTER>, data: Uint8Array): void;
  /** `WHvMapVpciDeviceInterrupt`: the message to give to the device. */
  mapInterrupt(
    index: number,
    messageCount: number,
    target: WhvInit<WHV_VPCI_INTERRUPT_TARGET>,
  ): { readonly msiAddress: bigint; readonly msiData: number };
  /** `WHvUnmapVpciDeviceInterrupt`. */
  unmapInterrupt(index: number): void;
  /** `WHvRetargetVpciDeviceInterrupt`. */
  retargetInterrupt(msiAddress: bigint, msiData: number, target: WhvInit<WHV_VPCI_INTERRUPT_TARGET>): void;
  /** `WHvRequestVpciDeviceInterrupt`. */
  requestInterrupt(msiAddress: bigint, msiData: number): void;
  /** `WHvGetVpciDeviceInterruptTarget`. */
  getInterruptTarget(index: number, multiMessageNumber: number): WHV_VPCI_INTERRUPT_TARGET;
  /** `WHvDeleteVpciDevice`. */
  dispose(): void;
}

/**
 * Virtual PCI devices. Since a build after 19041.
 *
 * @public
 */
export interface VirtualPciOperations {
  /**
   * `WHvAllocateVpciResource`: a handle of the host's resource, for `createVpciDevice`. `provider` is a GUID of 16 bytes
   * or `null`; `descriptor` a `WHV_SRIOV_RESOURCE_DESCRIPTOR` in native memory or `null`.
   */
  allocateVpciResource(provider: Uint8Array | null, flags: number, descriptor: Uint8Array | null): bigint;
  /** `WHvCreateVpciDevice`: `onNotification` is called when `takeNotification` has something. */
  createVpciDevice(logicalDeviceId: bigint, resource: bigint, flags: number, onNotification?: () => void): VpciDevice;
}

/**
 * Handing a partition to another process. Since a build after 19041.
 *
 * @public
 */
export interface MigrationOperations {
  /** `WHvStartPartitionMigration`: a handle for the process that takes the partition over. */
  startMigration(): bigint;
  /** `WHvCancelPartitionMigration`. */
  cancelMigration(): void;
  /** `WHvCompletePartitionMigration`. */
  completeMigration(): void;
}
