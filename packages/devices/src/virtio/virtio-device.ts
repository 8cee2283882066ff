/** What a virtio device type is to its transport, and what the transport offers it. */
import type { Virtqueue } from "./virtqueue.ts";

/** Offered to a device by its transport. @public */
export interface VirtioTransport {
  /** The device's queues, in the order of the device type's specification. */
  readonly queues: readonly Virtqueue[];
  /** Whether the driver accepted the device's feature bit 0 to 31. */
  hasFeature(bit: number): boolean;
  /** The device's configuration changed: the driver is interrupted and the generation counter moves on. */
  configurationChanged(): void;
}

/**
 * One virtio device type (virtio 1.2, section 5): its identity, features, queues, configuration and what it does with
 * buffers. The transport calls; a device never throws for anything a guest can do.
 *
 * @public
 */
export interface VirtioDevice {
  /** Device type (virtio 1.2, section 5): 3 console, 4 entropy … */
  readonly deviceId: number;
  /** Feature bits 0 to 23 of the type that are offered. */
  readonly features: number;
  /** The largest size of each queue, powers of two up to 32768. */
  readonly queueSizes: readonly number[];
  /** The configuration space, read byte by byte; empty where the type has none. */
  readonly configuration: Uint8Array;
  /** The driver writes `size` bytes (1, 2 or 4) of configuration at `offset`. */
  writeConfiguration(offset: number, size: number, value: number): void;
  /** The transport that the device hangs on; called once, before anything else. */
  connect(transport: VirtioTransport): void;
  /** There may be new buffers in queue `index`; called only between DRIVER_OK and reset. */
  notify(index: number): void;
  /** Back to the state before any driver came. */
  reset(): void;
}
