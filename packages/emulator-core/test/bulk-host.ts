/** A test host that moves runs of elements at once, through its own single accesses, and may do less than it is asked. */
import { EmulatorIoAccess, EmulatorMemoryAccess, S_OK } from "@whvkit/whv-types";
import type { EmulatorBulkIoAccess, EmulatorBulkMemoryAccess, EmulatorCallbackSet } from "../src/index.ts";
import { hostCallbacks, TestHost } from "./test-host.ts";

export class BulkHost extends TestHost {
  /** Elements that successive bulk calls do at most, over and over. */
  limits: readonly number[] = [Number.POSITIVE_INFINITY];
  /** The how-many-th element read from memory or a port, or written to them, fails, from 0. */
  failsAt: { readonly write: boolean; readonly at: number } | null = null;
  bulkCalls = 0;
  readonly #memory = new EmulatorMemoryAccess();
  readonly #port = new EmulatorIoAccess();
  readonly #done = [0, 0];

  /** One element; false: it fails. */
  #allowed(direction: 0 | 1): boolean {
    if (this.failsAt?.write === (direction === 1) && this.failsAt.at === this.#done[direction]) return false;
    (this.#done[direction] as number) += 1;
    return true;
  }

  #limit(count: number): number {
    return Math.min(count, this.limits[this.bulkCalls++ % this.limits.length] as number);
  }

  override memory(access: EmulatorMemoryAccess): number {
    return this.#allowed(access.direction) ? super.memory(access) : 0x8000_4005;
  }

  override ioPort(access: EmulatorIoAccess): number {
    return this.#allowed(access.direction) ? super.ioPort(access) : 0x8000_4005;
  }

  memoryBulk(access: EmulatorBulkMemoryAccess): number {
    const { elementSize, elementCount, data, direction } = access;
    if ((access.gpaAddress % 4096) + elementSize * elementCount > 4096) throw new Error("a run crosses a page");
    const one = this.#memory;
    for (let i = 0, limit = this.#limit(elementCount); i < limit; i++) {
      const place = data.subarray(i * elementSize, (i + 1) * elementSize);
      Object.assign(one, { gpaAddress: access.gpaAddress + i * elementSize, accessSize: elementSize, direction });
      one.data.fill(0);
      one.data.set(place);
      const answer = this.memory(one);
      if (answer !== S_OK) return answer;
      place.set(one.data.subarray(0, elementSize));
      access.completed++;
    }
    return S_OK;
  }

  ioPortBulk(access: EmulatorBulkIoAccess): number {
    const { elementSize, elementCount, data, direction, port } = access;
    const view = new DataView(data.buffer, data.byteOffset);
    const one = this.#port;
    for (let i = 0, limit = this.#limit(elementCount); i < limit; i++) {
      const at = i * elementSize;
      const value =
        elementSize === 1 ? view.getUint8(at) : elementSize === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
      Object.assign(one, { port, accessSize: elementSize, direction, data: direction === 1 ? value : 0 });
      const answer = this.ioPort(one);
      if (answer !== S_OK) return answer;
      for (let byte = 0; byte < elementSize; byte++) data[at + byte] = one.data >>> (byte * 8);
      access.completed++;
    }
    return S_OK;
  }
}

export const bulkMemory: Partial<EmulatorCallbackSet<BulkHost>> = {
  memoryBulk: (host, access) => host.memoryBulk(access),
};
export const bulkPorts: Partial<EmulatorCallbackSet<BulkHost>> = {
  ioPortBulk: (host, access) => host.ioPortBulk(access),
};

/** The callbacks for an emulator whose context is a {@link BulkHost}. */
export const singles: EmulatorCallbackSet<BulkHost> = hostCallbacks;
