/**
 * Where things lie in guest-physical memory: the RAM of one allocation around the PC's holes, and what the processor's
 * accesses and devices' DMA see of it.
 *
 * | addresses | what |
 * | --- | --- |
 * | 0x00000000 to 0x0009ffff | RAM |
 * | 0x000a0000 to 0x000bffff | VGA window: the text screen at 0xb8000, else nothing |
 * | 0x000c0000 to 3 GiB | RAM, as far as it reaches |
 * | 0xd0000000 | virtio-mmio blocks, 4 KiB apart |
 * | from 4 GiB on | the RAM that is left |
 */
import type { GuestRam } from "@whvkit/devices";
import { type GuestMemory, type Partition, WHV_MAP_GPA_RANGE_FLAGS } from "@whvkit/whv-types";

/** The VGA window, which belongs to devices. */
const VGA_START = 0xa0000;
const VGA_END = 0xc0000;
/** RAM ends here and goes on at 4 GiB: what is between belongs to devices. */
const DEVICE_HOLE_START = 0xc0000000;
const DEVICE_HOLE_END = 2 ** 32;

/** First virtio-mmio register block, and how far apart they are. */
export const VIRTIO_MMIO_BASE = 0xd0000000;
export const VIRTIO_MMIO_STRIDE = 0x1000;

const READ_WRITE_EXECUTE =
  WHV_MAP_GPA_RANGE_FLAGS.WHvMapGpaRangeFlagRead |
  WHV_MAP_GPA_RANGE_FLAGS.WHvMapGpaRangeFlagWrite |
  WHV_MAP_GPA_RANGE_FLAGS.WHvMapGpaRangeFlagExecute;

/** One run of RAM: guest-physical `start` to `end - 1`, from `offset` on in the allocation. */
interface RamRun {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

/** The machine's RAM, mapped into its partition. */
export class MachineRam implements GuestRam {
  readonly bytes: Uint8Array;
  readonly #partition: Partition;
  readonly #memory: GuestMemory;
  readonly #runs: readonly RamRun[];

  /** Allocates `size` bytes from the partition and maps them. */
  constructor(partition: Partition, size: number) {
    this.#partition = partition;
    this.#memory = partition.allocateMemory(size);
    this.bytes = this.#memory.bytes;
    this.#runs = runsOf(size);
    for (const run of this.#runs) {
      partition.mapGpaRange(this.#memory, run.offset, run.start, run.end - run.start, READ_WRITE_EXECUTE);
    }
  }

  /** Where the byte at `gpa` lies in {@link MachineRam.bytes}, or -1 when it is not RAM. */
  offsetOf(gpa: number): number {
    for (const run of this.#runs) if (gpa >= run.start && gpa < run.end) return gpa - run.start + run.offset;
    return -1;
  }

  view(gpa: number, length: number): Uint8Array | null {
    for (const run of this.#runs) {
      if (gpa < run.start || gpa + length > run.end) continue;
      const offset = gpa - run.start + run.offset;
      return this.bytes.subarray(offset, offset + length);
    }
    return null;
  }

  /** Takes the RAM out of the partition, which must still be there, and gives it back. */
  dispose(): void {
    for (const run of this.#runs) this.#partition.unmapGpaRange(run.start, run.end - run.start);
    this.#memory.dispose();
  }
}

/** The allocation is as long as the RAM; the part under the VGA window is not mapped. */
function runsOf(size: number): RamRun[] {
  const runs: RamRun[] = [
    { start: 0, end: VGA_START, offset: 0 },
    { start: VGA_END, end: Math.min(size, DEVICE_HOLE_START), offset: VGA_END },
  ];
  if (size > DEVICE_HOLE_START) {
    runs.push({ start: DEVICE_HOLE_END, end: DEVICE_HOLE_END + size - DEVICE_HOLE_START, offset: DEVICE_HOLE_START });
  }
  return runs;
}
