/** The virtio entropy device (virtio 1.2, section 5.4): fills the driver's buffers with random bytes. */
import type { VirtioDevice, VirtioTransport } from "./virtio-device.ts";
import type { Virtqueue } from "./virtqueue.ts";

const DEVICE_ID = 4;
const QUEUE_SIZE = 64;
/** At most this much for one request; a driver must take less than it asked for (5.4.6.1). */
const MOST_BYTES = 65_536;

/**
 * The entropy device. Where randomness comes from is handed in: a host's generator, or a fixed sequence for runs that
 * must be the same every time.
 *
 * @example
 * ```ts
 * import { VirtioEntropy, VirtioMmio, VirtioMmioRegister } from "@whvkit/devices";
 * const ram = new Uint8Array(0x1000);
 * const entropy = new VirtioMmio({
 *   device: new VirtioEntropy((bytes) => bytes.fill(7)), // or crypto.getRandomValues(bytes)
 *   ram: { view: (gpa, length) => (gpa + length <= ram.length ? ram.subarray(gpa, gpa + length) : null) },
 * });
 * entropy.read(VirtioMmioRegister.DeviceID, 4); // 4
 * ```
 *
 * @public
 */
export class VirtioEntropy implements VirtioDevice {
  readonly deviceId: number = DEVICE_ID;
  readonly features = 0;
  readonly queueSizes: readonly number[] = [QUEUE_SIZE];
  readonly configuration: Uint8Array = new Uint8Array(0);
  readonly #fill: (bytes: Uint8Array) => void;
  #queue: Virtqueue | undefined;

  /** @param fill - fills the given bytes with random values */
  constructor(fill: (bytes: Uint8Array) => void) {
    this.#fill = fill;
  }

  connect(transport: VirtioTransport): void {
    this.#queue = transport.queues[0];
  }

  notify(): void {
    for (let chain = this.#queue?.take(); chain; chain = this.#queue?.take()) {
      let written = 0;
      for (const buffer of chain.writable) {
        const wanted = buffer.subarray(0, MOST_BYTES - written);
        this.#fill(wanted);
        written += wanted.length;
      }
      this.#queue?.give(written);
    }
  }

  writeConfiguration(): void {
    // The device has no configuration (5.4.4).
  }

  reset(): void {
    // Nothing is kept between requests.
  }
}
