/**
 * The virtio console (virtio 1.2, section 5.3): one port with a receive and a transmit queue, the screen's size, and
 * the emergency write register. Not offered: VIRTIO_CONSOLE_F_MULTIPORT.
 */
import { ByteQueue } from "../serial/byte-queue.ts";
import type { VirtioDevice, VirtioTransport } from "./virtio-device.ts";
import type { Virtqueue } from "./virtqueue.ts";

const DEVICE_ID = 3;
const QUEUE_SIZE = 64;
const Queue = { receive: 0, transmit: 1 } as const;
const FeatureBit = { size: 0, emergencyWrite: 2 } as const;
/** Configuration layout (5.3.4): cols u16, rows u16, max_nr_ports u32, emerg_wr u32. */
const Config = { cols: 0, rows: 2, emergencyWrite: 8, size: 12 } as const;

/** What a {@link VirtioConsole} is made of. @public */
export interface VirtioConsoleOptions {
  /** Takes each byte that the guest sends. */
  readonly output?: (byte: number) => void;
  /** Width in characters, 1 to 65535; 80 when left out. */
  readonly columns?: number;
  /** Height in characters, 1 to 65535; 25 when left out. */
  readonly rows?: number;
}

/**
 * The console device.
 *
 * @example
 * ```ts
 * import { VirtioConsole } from "@whvkit/devices";
 * const sent: number[] = [];
 * const console = new VirtioConsole({ output: (byte) => sent.push(byte), columns: 132 });
 * console.configuration.slice(0, 4); // [132, 0, 25, 0]
 * console.writeConfiguration(8, 4, 0x41); // the emergency write register
 * sent; // [0x41]
 * ```
 *
 * @public
 */
export class VirtioConsole implements VirtioDevice {
  readonly deviceId: number = DEVICE_ID;
  readonly features: number = (1 << FeatureBit.size) | (1 << FeatureBit.emergencyWrite);
  readonly queueSizes: readonly number[] = [QUEUE_SIZE, QUEUE_SIZE];
  readonly configuration: Uint8Array = new Uint8Array(Config.size);
  readonly #output: (byte: number) => void;
  readonly #input = new ByteQueue();
  #transport: VirtioTransport | undefined;

  constructor(options: VirtioConsoleOptions = {}) {
    this.#output = options.output ?? (() => undefined);
    this.#setSize(options.columns ?? 80, options.rows ?? 25);
  }

  connect(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  /** Lets bytes arrive for the guest; they wait until its driver offers buffers. */
  receive(bytes: Uint8Array): void {
    this.#input.push(bytes);
    this.#deliver();
  }

  /** The console on the host's side changed its size. */
  resize(columns: number, rows: number): void {
    this.#setSize(columns, rows);
    this.#transport?.configurationChanged();
  }

  notify(index: number): void {
    if (index === Queue.receive) this.#deliver();
    else this.#transmit();
  }

  /** The emergency write register works at any time, without queues and before negotiation (5.3.4). */
  writeConfiguration(offset: number, _size: number, value: number): void {
    if (offset === Config.emergencyWrite) this.#output(value & 0xff);
  }

  reset(): void {
    // Input that no buffer took yet waits for the next driver.
  }

  #deliver(): void {
    const queue = this.#queue(Queue.receive);
    while (this.#input.length > 0) {
      const chain = queue?.take();
      if (!chain) return;
      let written = 0;
      for (const buffer of chain.writable) {
        for (let i = 0; i < buffer.length && this.#input.length > 0; i++, written++) buffer[i] = this.#input.shift();
      }
      queue?.give(written);
    }
  }

  #transmit(): void {
    const queue = this.#queue(Queue.transmit);
    for (let chain = queue?.take(); chain; chain = queue?.take()) {
      for (const buffer of chain.readable) for (const byte of buffer) this.#output(byte);
      queue?.give(0);
    }
  }

  #queue(index: number): Virtqueue | undefined {
    return this.#transport?.queues[index];
  }

  #setSize(columns: number, rows: number): void {
    const view = new DataView(this.configuration.buffer);
    view.setUint16(Config.cols, columns, true);
    view.setUint16(Config.rows, rows, true);
  }
}
