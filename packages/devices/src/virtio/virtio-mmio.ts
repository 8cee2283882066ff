/**
 * The virtio transport over memory-mapped registers (virtio 1.2, section 4.2): the register block, feature negotiation,
 * the device status life cycle and queue set-up. What a device type does with its queues is the type's own file.
 *
 * Not offered: VIRTIO_F_RING_RESET, VIRTIO_F_EVENT_IDX, packed rings, shared memory regions and the legacy interface
 * (version 1). Their registers read as the specification says for devices without them.
 */
import type { BusDevice } from "../bus/bus-device.ts";
import type { GuestRam } from "../bus/guest-ram.ts";
import { type InterruptLine, unconnectedLine } from "../interrupts/interrupt-line.ts";
import type { VirtioDevice, VirtioTransport } from "./virtio-device.ts";
import { Virtqueue } from "./virtqueue.ts";

/** Register offsets (virtio 1.2, table 4.1). @public */
export const VirtioMmioRegister = {
  MagicValue: 0x000,
  Version: 0x004,
  DeviceID: 0x008,
  VendorID: 0x00c,
  DeviceFeatures: 0x010,
  DeviceFeaturesSel: 0x014,
  DriverFeatures: 0x020,
  DriverFeaturesSel: 0x024,
  QueueSel: 0x030,
  QueueNumMax: 0x034,
  QueueNum: 0x038,
  QueueReady: 0x044,
  QueueNotify: 0x050,
  InterruptStatus: 0x060,
  InterruptACK: 0x064,
  Status: 0x070,
  QueueDescLow: 0x080,
  QueueDescHigh: 0x084,
  QueueDriverLow: 0x090,
  QueueDriverHigh: 0x094,
  QueueDeviceLow: 0x0a0,
  QueueDeviceHigh: 0x0a4,
  SHMLenLow: 0x0b0,
  SHMLenHigh: 0x0b4,
  SHMBaseLow: 0x0b8,
  SHMBaseHigh: 0x0bc,
  ConfigGeneration: 0x0fc,
  Config: 0x100,
} as const;

/** Device status bits (virtio 1.2, section 2.1). @public */
export const VirtioStatus = {
  acknowledge: 1,
  driver: 2,
  driverOk: 4,
  featuresOk: 8,
  deviceNeedsReset: 64,
  failed: 128,
} as const;

/** Size in bytes of the block that a device takes in memory: registers and configuration. @public */
export const VIRTIO_MMIO_SIZE = 0x200;

const MAGIC = 0x74726976; // "virt"
const VERSION = 2;
/** "WHVK"; vendors choose freely (the specification only asks for a value). */
const VENDOR = 0x4b564857;
const Interrupt = { usedBuffer: 1, configuration: 2 } as const;
/** Feature bits 28 (VIRTIO_F_INDIRECT_DESC), in word 0, and 32 (VIRTIO_F_VERSION_1), in word 1. */
const FEATURE_INDIRECT = 0x10000000;
const FEATURE_VERSION_1 = 0x1;

/** What a {@link VirtioMmio} is connected to. @public */
export interface VirtioMmioOptions {
  /** The device type behind the registers. */
  readonly device: VirtioDevice;
  /** Where the driver's queues and buffers are. */
  readonly ram: GuestRam;
  /** The interrupt: high while InterruptStatus is not 0. */
  readonly line?: InterruptLine;
}

/**
 * One virtio device behind memory-mapped registers.
 *
 * @example
 * ```ts
 * import { Bus, VIRTIO_MMIO_SIZE, VirtioConsole, VirtioMmio, VirtioMmioRegister } from "@whvkit/devices";
 * const ram = new Uint8Array(0x1000);
 * const view = (gpa: number, length: number) => (gpa + length <= ram.length ? ram.subarray(gpa, gpa + length) : null);
 * const bus = new Bus();
 * const console = new VirtioMmio({ device: new VirtioConsole(), ram: { view } });
 * bus.attachMemory(0xd000_0000, VIRTIO_MMIO_SIZE, console);
 * bus.readMemory(0xd000_0000 + VirtioMmioRegister.MagicValue, 4); // 0x74726976
 * ```
 *
 * @public
 */
export class VirtioMmio implements BusDevice, VirtioTransport {
  readonly width = 4;
  readonly queues: readonly Virtqueue[];

  readonly #device: VirtioDevice;
  readonly #line: InterruptLine;
  #status = 0;
  #interruptStatus = 0;
  #deviceFeaturesSel = 0;
  #driverFeaturesSel = 0;
  readonly #driverFeatures = new Uint32Array(2);
  #queueSel = 0;
  #configGeneration = 0;

  constructor(options: VirtioMmioOptions) {
    this.#device = options.device;
    this.#line = options.line ?? unconnectedLine;
    this.queues = options.device.queueSizes.map(
      (maximum) =>
        new Virtqueue(
          options.ram,
          maximum,
          () => this.#interrupt(Interrupt.usedBuffer),
          () => this.#needReset(),
        ),
    );
    options.device.connect(this);
  }

  hasFeature(bit: number): boolean {
    return ((this.#driverFeatures[0] as number) & (1 << bit)) !== 0;
  }

  configurationChanged(): void {
    this.#configGeneration = (this.#configGeneration + 1) >>> 0;
    if ((this.#status & VirtioStatus.driverOk) !== 0) this.#interrupt(Interrupt.configuration);
  }

  read(offset: number, size: number): number {
    if (offset >= VirtioMmioRegister.Config) return this.#readConfiguration(offset - VirtioMmioRegister.Config, size);
    // "The driver MUST only use 32 bit wide and aligned reads and writes" below the configuration (4.2.2.2).
    if (size !== 4 || (offset & 3) !== 0) return 0;
    switch (offset) {
      case VirtioMmioRegister.MagicValue:
        return MAGIC;
      case VirtioMmioRegister.Version:
        return VERSION;
      case VirtioMmioRegister.DeviceID:
        return this.#device.deviceId;
      case VirtioMmioRegister.VendorID:
        return VENDOR;
      case VirtioMmioRegister.DeviceFeatures:
        return this.#offered(this.#deviceFeaturesSel);
      case VirtioMmioRegister.QueueNumMax:
        return this.#queue?.maximum ?? 0; // 0: there is no such queue
      case VirtioMmioRegister.QueueReady:
        return this.#queue?.ready === true ? 1 : 0;
      case VirtioMmioRegister.InterruptStatus:
        return this.#interruptStatus;
      case VirtioMmioRegister.Status:
        return this.#status;
      case VirtioMmioRegister.ConfigGeneration:
        return this.#configGeneration;
      case VirtioMmioRegister.SHMLenLow:
      case VirtioMmioRegister.SHMLenHigh:
      case VirtioMmioRegister.SHMBaseLow:
      case VirtioMmioRegister.SHMBaseHigh:
        return 0xffffffff; // a length of -1: no such shared memory region
      default:
        return 0; // write-only and reserved registers
    }
  }

  write(offset: number, size: number, value: number): void {
    if (offset >= VirtioMmioRegister.Config) {
      this.#device.writeConfiguration(offset - VirtioMmioRegister.Config, size, value);
      return;
    }
    if (size !== 4 || (offset & 3) !== 0) return;
    switch (offset) {
      case VirtioMmioRegister.DeviceFeaturesSel:
        this.#deviceFeaturesSel = value;
        break;
      case VirtioMmioRegister.DriverFeaturesSel:
        this.#driverFeaturesSel = value;
        break;
      case VirtioMmioRegister.DriverFeatures:
        // Features are settled with FEATURES_OK (2.2.2).
        if (this.#driverFeaturesSel < 2 && (this.#status & VirtioStatus.featuresOk) === 0) {
          this.#driverFeatures[this.#driverFeaturesSel] = value;
        }
        break;
      case VirtioMmioRegister.QueueSel:
        this.#queueSel = value;
        break;
      case VirtioMmioRegister.QueueNotify:
        if (value < this.queues.length && this.#live) this.#device.notify(value);
        break;
      case VirtioMmioRegister.InterruptACK:
        this.#interruptStatus &= ~value;
        this.#line.set(this.#interruptStatus !== 0);
        break;
      case VirtioMmioRegister.Status:
        this.#writeStatus(value & 0xff);
        break;
      default:
        this.#writeQueueRegister(offset, value);
    }
  }

  get #queue(): Virtqueue | undefined {
    return this.queues[this.#queueSel];
  }

  /** The device works between DRIVER_OK and reset, as long as nothing is broken. */
  get #live(): boolean {
    return (this.#status & (VirtioStatus.driverOk | VirtioStatus.deviceNeedsReset)) === VirtioStatus.driverOk;
  }

  #offered(word: number): number {
    if (word === 0) return (this.#device.features | FEATURE_INDIRECT) >>> 0;
    return word === 1 ? FEATURE_VERSION_1 : 0;
  }

  #writeQueueRegister(offset: number, value: number): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    if (offset === VirtioMmioRegister.QueueReady) {
      if ((value & 1) === 0) queue.disable();
      else queue.enable();
      return;
    }
    if (queue.ready) return; // a queue in use keeps its place (4.2.2.2)
    switch (offset) {
      case VirtioMmioRegister.QueueNum:
        queue.size = value;
        break;
      case VirtioMmioRegister.QueueDescLow:
        queue.descriptorArea = withLow(queue.descriptorArea, value);
        break;
      case VirtioMmioRegister.QueueDescHigh:
        queue.descriptorArea = withHigh(queue.descriptorArea, value);
        break;
      case VirtioMmioRegister.QueueDriverLow:
        queue.driverArea = withLow(queue.driverArea, value);
        break;
      case VirtioMmioRegister.QueueDriverHigh:
        queue.driverArea = withHigh(queue.driverArea, value);
        break;
      case VirtioMmioRegister.QueueDeviceLow:
        queue.deviceArea = withLow(queue.deviceArea, value);
        break;
      case VirtioMmioRegister.QueueDeviceHigh:
        queue.deviceArea = withHigh(queue.deviceArea, value);
        break;
      default: // read-only and reserved registers
    }
  }

  #writeStatus(value: number): void {
    if (value === 0) {
      this.#reset();
      return;
    }
    // DEVICE_NEEDS_RESET is the device's own, and FEATURES_OK stands only for a choice that it can serve (3.1.1).
    let status = (value & ~VirtioStatus.deviceNeedsReset) | (this.#status & VirtioStatus.deviceNeedsReset);
    const settles = (status & ~this.#status & VirtioStatus.featuresOk) !== 0;
    if (settles && !this.#featuresAcceptable) status &= ~VirtioStatus.featuresOk;
    const starts = (status & ~this.#status & VirtioStatus.driverOk) !== 0;
    this.#status = status;
    if (!starts) return;
    // Buffers that were made available before DRIVER_OK are served now.
    for (let index = 0; index < this.queues.length; index++) if (this.#live) this.#device.notify(index);
  }

  get #featuresAcceptable(): boolean {
    const [low = 0, high = 0] = this.#driverFeatures;
    return (low & ~this.#offered(0)) === 0 && high === FEATURE_VERSION_1;
  }

  #reset(): void {
    this.#status = 0;
    this.#interruptStatus = 0;
    this.#driverFeatures.fill(0);
    this.#deviceFeaturesSel = 0;
    this.#driverFeaturesSel = 0;
    this.#queueSel = 0;
    for (const queue of this.queues) queue.reset();
    this.#device.reset();
    this.#line.set(false);
  }

  #needReset(): void {
    this.#status |= VirtioStatus.deviceNeedsReset;
    // "If DRIVER_OK is set, after it sets DEVICE_NEEDS_RESET, the device MUST send a device configuration change
    // notification" (2.1.2).
    if ((this.#status & VirtioStatus.driverOk) !== 0) this.#interrupt(Interrupt.configuration);
  }

  #interrupt(cause: number): void {
    this.#interruptStatus |= cause;
    this.#line.set(true);
  }

  #readConfiguration(offset: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = (value << 8) | (this.#device.configuration[offset + i] ?? 0);
    return value >>> 0;
  }
}

function withLow(address: number, low: number): number {
  return Math.floor(address / 2 ** 32) * 2 ** 32 + low;
}

function withHigh(address: number, high: number): number {
  return (address % 2 ** 32) + high * 2 ** 32;
}
