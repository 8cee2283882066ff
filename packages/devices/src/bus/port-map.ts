/** Which device answers to which of the 65,536 ports: one table look-up an access. */
import type { Attachment, BusDevice } from "./bus-device.ts";

/** Ports `start` to `end - 1` of one device. */
export interface PortRange {
  readonly start: number;
  readonly end: number;
  readonly device: BusDevice;
}

const PORTS = 0x10000;

export class PortMap {
  /** For each port 0 (nobody) or an index into `#ranges`. */
  readonly #owners = new Uint16Array(PORTS);
  readonly #ranges: (PortRange | null)[] = [null];

  attach(start: number, count: number, device: BusDevice): Attachment {
    if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 1 || start + count > PORTS) {
      throw new RangeError(`ports ${start} to ${start + count - 1}: outside 0 to 0xffff`);
    }
    for (let port = start; port < start + count; port++) {
      if (this.#owners[port] !== 0)
        throw new RangeError(`port 0x${port.toString(16)} already belongs to another device`);
    }
    const free = this.#ranges.indexOf(null, 1);
    const index = free < 0 ? this.#ranges.length : free;
    this.#ranges[index] = { start, end: start + count, device };
    this.#owners.fill(index, start, start + count);
    let attached = true;
    return {
      detach: () => {
        if (!attached) return;
        attached = false;
        this.#owners.fill(0, start, start + count);
        this.#ranges[index] = null;
      },
    };
  }

  find(port: number): PortRange | null {
    return this.#ranges[this.#owners[port & 0xffff] as number] as PortRange | null;
  }
}
