/** Which device answers to which guest-physical address: sorted ranges, the last one hit remembered. */
import type { Attachment, BusDevice } from "./bus-device.ts";

/** Addresses `start` to `end - 1` of one device. */
export interface MemoryRange {
  readonly start: number;
  readonly end: number;
  readonly device: BusDevice;
}

const ADDRESS_LIMIT = 2 ** 52;

export class MemoryMap {
  /** Ascending, without overlaps. */
  #ranges: MemoryRange[] = [];
  #last: MemoryRange | null = null;

  attach(start: number, size: number, device: BusDevice): Attachment {
    const end = start + size;
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(size) || start < 0 || size < 1 || end > ADDRESS_LIMIT) {
      throw new RangeError(`memory range of ${size} bytes at ${start}: outside 0 to 2^52-1`);
    }
    const overlapped = this.#ranges.find((range) => range.start < end && start < range.end);
    if (overlapped !== undefined) {
      throw new RangeError(
        `memory range at 0x${start.toString(16)} overlaps the device at 0x${overlapped.start.toString(16)}`,
      );
    }
    const range: MemoryRange = { start, end, device };
    this.#ranges = [...this.#ranges, range].sort((a, b) => a.start - b.start);
    return {
      detach: () => {
        this.#ranges = this.#ranges.filter((other) => other !== range);
        if (this.#last === range) this.#last = null;
      },
    };
  }

  find(address: number): MemoryRange | null {
    const last = this.#last;
    if (last !== null && address >= last.start && address < last.end) return last;
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = ranges[middle] as MemoryRange;
      if (address < range.start) high = middle - 1;
      else if (address >= range.end) low = middle + 1;
      else {
        this.#last = range;
        return range;
      }
    }
    return null;
  }
}
