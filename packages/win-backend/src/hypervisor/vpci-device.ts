/** A virtual PCI device of a partition: its registers, memory ranges, interrupts and notifications. */
import {
  E_FAIL,
  E_INVALIDARG,
  type VpciDevice,
  VpciDeviceNotificationView,
  VpciDeviceRegisterView,
  VpciMmioMappingView,
  WHV_E_INSUFFICIENT_BUFFER,
  type WHV_VPCI_DEVICE_NOTIFICATION,
  type WHV_VPCI_DEVICE_PROPERTY_CODE,
  type WHV_VPCI_DEVICE_REGISTER,
  type WHV_VPCI_INTERRUPT_TARGET,
  type WHV_VPCI_MMIO_MAPPING,
  WhvError,
  type WhvInit,
  type WinHvPlatformFunctions,
} from "@whvkit/whv-types";
import { requireKoffi } from "../native/native-support.ts";
import { SignalEvent } from "../native/signal-event.ts";
import { check, requireBytes, requireUint32, requireUint64 } from "./argument-checks.ts";
import type { PartitionHandle } from "./partition-handle.ts";
import { readInto } from "./variable-output.ts";

/** `WHvAllocateVpciResource`, which needs no partition. */
export function allocateVpciResource(
  functions: WinHvPlatformFunctions,
  provider: Uint8Array | null,
  flags: number,
  descriptor: Uint8Array | null,
): bigint {
  const operation = "WHvAllocateVpciResource";
  requireUint32(operation, "flags", flags);
  if (provider !== null && provider.length !== 16)
    throw new WhvError(operation, E_INVALIDARG, `a GUID has 16 bytes; provider has ${provider.length}`);
  const resource = new BigUint64Array(1);
  const out = new Uint8Array(resource.buffer);
  const { WHvAllocateVpciResource: allocate } = functions;
  check(operation, allocate(provider, flags, descriptor, descriptor?.length ?? 0, out));
  return resource[0] as bigint;
}

interface DeviceParameters {
  readonly logicalDeviceId: bigint;
  readonly resource: bigint;
  readonly flags: number;
  readonly onNotification: (() => void) | undefined;
}

/** Registers of PCI devices are 1, 2, 4 or 8 bytes wide. */
const REGISTER_WIDTHS: readonly number[] = [1, 2, 4, 8];
/** More than any device has; a bound for what the platform answers. */
const MAX_MMIO_RANGES = 4096;

export class NativeVpciDevice implements VpciDevice {
  readonly logicalDeviceId: bigint;
  private readonly partition: PartitionHandle;
  private readonly functions: WinHvPlatformFunctions;
  private readonly event: SignalEvent | null;
  private readonly removed: () => void;
  private live = true;

  constructor(partition: PartitionHandle, parameters: DeviceParameters, removed: () => void) {
    const operation = "WHvCreateVpciDevice";
    const { logicalDeviceId, resource, flags, onNotification } = parameters;
    requireUint64(operation, "logicalDeviceId", logicalDeviceId);
    requireUint64(operation, "resource", resource);
    requireUint32(operation, "flags", flags);
    this.partition = partition;
    this.functions = partition.functions;
    this.logicalDeviceId = logicalDeviceId;
    this.removed = removed;
    const handle = partition.of(operation);
    const { WHvCreateVpciDevice: create } = this.functions;
    this.event = onNotification === undefined ? null : new SignalEvent(onNotification);
    try {
      check(operation, create(handle, logicalDeviceId, resource, flags, this.event?.handle ?? 0n));
    } catch (error) {
      this.event?.dispose();
      throw error;
    }
  }

  readProperty(code: WHV_VPCI_DEVICE_PROPERTY_CODE, destination: Uint8Array): number {
    const operation = "WHvGetVpciDeviceProperty";
    const handle = this.existing(operation);
    requireUint32(operation, "code", code);
    requireBytes(operation, "destination", destination);
    const { WHvGetVpciDeviceProperty: get } = this.functions;
    const id = this.logicalDeviceId;
    return readInto(operation, destination, (buffer, size, written) => get(handle, id, code, buffer, size, written));
  }

  takeNotification(): WHV_VPCI_DEVICE_NOTIFICATION {
    const operation = "WHvGetVpciDeviceNotification";
    const handle = this.existing(operation);
    const notification = VpciDeviceNotificationView.from({});
    const { bytes } = notification;
    check(operation, this.functions.WHvGetVpciDeviceNotification(handle, this.logicalDeviceId, bytes, bytes.length));
    return notification.toObject();
  }

  mapMmioRanges(): WHV_VPCI_MMIO_MAPPING[] {
    const operation = "WHvMapVpciDeviceMmioRanges";
    const handle = this.existing(operation);
    const count = new Uint32Array(1);
    const mappings = new BigUint64Array(1);
    const { WHvMapVpciDeviceMmioRanges: map } = this.functions;
    const [countOut, mappingsOut] = [new Uint8Array(count.buffer), new Uint8Array(mappings.buffer)];
    check(operation, map(handle, this.logicalDeviceId, countOut, mappingsOut));
    const ranges = count[0] as number;
    if (ranges === 0) return [];
    if (ranges > MAX_MMIO_RANGES || mappings[0] === 0n)
      throw new WhvError(operation, E_FAIL, `the platform answers ${ranges} ranges at 0x${mappings[0]?.toString(16)}`);
    const { size } = VpciMmioMappingView;
    // The platform's memory, valid until the ranges are unmapped: copied out at once.
    const view = new DataView(requireKoffi(operation).view(mappings[0] as bigint, ranges * size));
    return Array.from({ length: ranges }, (_, at) => new VpciMmioMappingView(view, at * size).toObject());
  }

  unmapMmioRanges(): void {
    const operation = "WHvUnmapVpciDeviceMmioRanges";
    check(operation, this.functions.WHvUnmapVpciDeviceMmioRanges(this.existing(operation), this.logicalDeviceId));
  }

  setPowerState(state: number): void {
    const operation = "WHvSetVpciDevicePowerState";
    const handle = this.existing(operation);
    requireUint32(operation, "state", state);
    check(operation, this.functions.WHvSetVpciDevicePowerState(handle, this.logicalDeviceId, state));
  }

  readRegister(register: WhvInit<WHV_VPCI_DEVICE_REGISTER>, data: Uint8Array): void {
    const operation = "WHvReadVpciDeviceRegister";
    const handle = this.existing(operation);
    const { bytes } = registerOf(operation, register, data);
    check(operation, this.functions.WHvReadVpciDeviceRegister(handle, this.logicalDeviceId, bytes, data));
  }

  writeRegister(register: WhvInit<WHV_VPCI_DEVICE_REGISTER>, data: Uint8Array): void {
    const operation = "WHvWriteVpciDeviceRegister";
    const handle = this.existing(operation);
    const { bytes } = registerOf(operation, register, data);
    check(operation, this.functions.WHvWriteVpciDeviceRegister(handle, this.logicalDeviceId, bytes, data));
  }

  mapInterrupt(
    index: number,
    messageCount: number,
    target: WhvInit<WHV_VPCI_INTERRUPT_TARGET>,
  ): { readonly msiAddress: bigint; readonly msiData: number } {
    const operation = "WHvMapVpciDeviceInterrupt";
    const handle = this.existing(operation);
    requireUint32(operation, "index", index);
    requireUint32(operation, "messageCount", messageCount);
    const [address, data] = [new BigUint64Array(1), new Uint32Array(1)];
    const [addressOut, dataOut] = [new Uint8Array(address.buffer), new Uint8Array(data.buffer)];
    const bytes = interruptTarget(target);
    const { WHvMapVpciDeviceInterrupt: map } = this.functions;
    check(operation, map(handle, this.logicalDeviceId, index, messageCount, bytes, addressOut, dataOut));
    return { msiAddress: address[0] as bigint, msiData: data[0] as number };
  }

  unmapInterrupt(index: number): void {
    const operation = "WHvUnmapVpciDeviceInterrupt";
    const handle = this.existing(operation);
    requireUint32(operation, "index", index);
    check(operation, this.functions.WHvUnmapVpciDeviceInterrupt(handle, this.logicalDeviceId, index));
  }

  retargetInterrupt(msiAddress: bigint, msiData: number, target: WhvInit<WHV_VPCI_INTERRUPT_TARGET>): void {
    const operation = "WHvRetargetVpciDeviceInterrupt";
    const handle = this.existing(operation);
    requireUint64(operation, "msiAddress", msiAddress);
    requireUint32(operation, "msiData", msiData);
    const { WHvRetargetVpciDeviceInterrupt: retarget } = this.functions;
    check(operation, retarget(handle, this.logicalDeviceId, msiAddress, msiData, interruptTarget(target)));
  }

  requestInterrupt(msiAddress: bigint, msiData: number): void {
    const operation = "WHvRequestVpciDeviceInterrupt";
    const handle = this.existing(operation);
    requireUint64(operation, "msiAddress", msiAddress);
    requireUint32(operation, "msiData", msiData);
    const { WHvRequestVpciDeviceInterrupt: request } = this.functions;
    check(operation, request(handle, this.logicalDeviceId, msiAddress, msiData));
  }

  getInterruptTarget(index: number, multiMessageNumber: number): WHV_VPCI_INTERRUPT_TARGET {
    const operation = "WHvGetVpciDeviceInterruptTarget";
    const handle = this.existing(operation);
    requireUint32(operation, "index", index);
    requireUint32(operation, "multiMessageNumber", multiMessageNumber);
    const { WHvGetVpciDeviceInterruptTarget: get } = this.functions;
    const id = this.logicalDeviceId;
    for (let processors = 64; ; processors *= 8) {
      const bytes = new Uint8Array(TARGET_HEADER + 4 * processors);
      try {
        readInto(operation, bytes, (buffer, size, written) =>
          get(handle, id, index, multiMessageNumber, buffer, size, written),
        );
      } catch (error) {
        const tooSmall = error instanceof WhvError && error.hresult === WHV_E_INSUFFICIENT_BUFFER;
        if (tooSmall && processors < 4096) continue;
        throw error;
      }
      const view = new DataView(bytes.buffer);
      const processorCount = view.getUint32(8, true);
      const length = Math.min(processorCount, processors);
      const at = (entry: number): number => view.getUint32(TARGET_HEADER + 4 * entry, true);
      const targets = Array.from({ length }, (_, entry) => at(entry));
      return { vector: view.getUint32(0, true), flags: view.getUint32(4, true), processorCount, processors: targets };
    }
  }

  dispose(): void {
    if (!this.live) return;
    const operation = "WHvDeleteVpciDevice";
    this.live = false;
    try {
      const handle = this.partition.of(operation);
      check(operation, this.functions.WHvDeleteVpciDevice(handle, this.logicalDeviceId));
    } finally {
      this.event?.dispose();
      this.removed();
    }
  }

  private existing(operation: string): bigint {
    const handle = this.partition.of(operation);
    if (!this.live) throw new WhvError(operation, E_INVALIDARG, "the device is deleted");
    return handle;
  }
}

/** Vector, flags and count come before the processors of `WHV_VPCI_INTERRUPT_TARGET`. */
const TARGET_HEADER = 12;

/** `WHV_VPCI_INTERRUPT_TARGET` ends in an array of any length, which its view does not reach. */
function interruptTarget(target: WhvInit<WHV_VPCI_INTERRUPT_TARGET>): Uint8Array {
  const { vector = 0, flags = 0, processors = [], processorCount = processors.length } = target;
  const words = Uint32Array.of(vector, flags, processorCount, ...processors);
  if (processorCount !== processors.length)
    throw new RangeError(`processorCount is ${processorCount}; ${processors.length} processors were given`);
  return new Uint8Array(words.buffer);
}

/** The register, with the size that `data` has. C reads or fills as many bytes. */
function registerOf(
  operation: string,
  register: WhvInit<WHV_VPCI_DEVICE_REGISTER>,
  data: Uint8Array,
): VpciDeviceRegisterView {
  requireBytes(operation, "data", data);
  if (!REGISTER_WIDTHS.includes(data.length))
    throw new WhvError(operation, E_INVALIDARG, `a register has 1, 2, 4 or 8 bytes; data has ${data.length}`);
  return VpciDeviceRegisterView.from({ ...register, sizeInBytes: data.length });
}
