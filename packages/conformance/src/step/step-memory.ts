/** The RAM of one `whv step` case in a partition: the pages that the case lists, its RAM ranges, and the page tables. */
import { type GuestMemory, type Partition, WHV_MAP_GPA_RANGE_FLAGS } from "@whvkit/whv-types";
import type { MemoryRun } from "../emulation/emulation-case.ts";
import type { MemoryRange, StepCase } from "./step-case.ts";
import { pageTableBase, pageTableSize, writePageTables } from "./step-environment.ts";

const pageSize = 4096;

interface Extent {
  readonly gpa: number;
  end: number;
  /** Where its bytes start in the allocation. */
  offset: number;
}

/** Maps and fills the RAM of a case, and reads it back. */
export class StepMemory {
  private readonly extents: readonly Extent[];
  private readonly allocation: GuestMemory | null;
  private readonly partition: Partition;

  constructor(partition: Partition, { preset, memory, ram }: StepCase) {
    this.partition = partition;
    const usesTables = preset === "long";
    const tables = usesTables ? [{ gpa: pageTableBase, size: pageTableSize }] : [];
    const listed = memory.map(({ gpa, bytes }) => ({ gpa, size: bytes.length }));
    this.extents = pageExtents([...listed, ...ram, ...tables]);
    const size = this.extents.reduce((sum, { gpa, end }) => sum + end - gpa, 0);
    this.allocation = size === 0 ? null : partition.allocateMemory(size);
    const flags = WHV_MAP_GPA_RANGE_FLAGS;
    const access = flags.WHvMapGpaRangeFlagRead | flags.WHvMapGpaRangeFlagWrite | flags.WHvMapGpaRangeFlagExecute;
    for (const { gpa, end, offset } of this.extents) {
      if (this.allocation !== null) partition.mapGpaRange(this.allocation, offset, gpa, end - gpa, access);
    }
    if (usesTables) {
      const bytes = new Uint8Array(pageTableSize);
      writePageTables(bytes);
      this.write({ gpa: pageTableBase, bytes });
    }
    for (const run of memory) this.write(run);
  }

  /** Takes the RAM away again. */
  dispose(): void {
    for (const { gpa, end } of this.extents) this.partition.unmapGpaRange(gpa, end - gpa);
    this.allocation?.dispose();
  }

  /** The bytes of a range; those that are no RAM read as 0xff. */
  read({ gpa, size }: MemoryRange): Uint8Array {
    const bytes = new Uint8Array(size).fill(0xff);
    this.eachPart(gpa, size, (at, offset, length) => {
      bytes.set(this.allocation?.bytes.subarray(offset, offset + length) ?? [], at);
    });
    return bytes;
  }

  private write({ gpa, bytes }: MemoryRun): void {
    this.eachPart(gpa, bytes.length, (at, offset, length) => {
      this.allocation?.bytes.set(bytes.subarray(at, at + length), offset);
    });
  }

  /** The parts of a range that are RAM: where in the range, where in the allocation, and how long. */
  private eachPart(gpa: number, size: number, take: (at: number, offset: number, length: number) => void): void {
    for (const extent of this.extents) {
      const start = Math.max(gpa, extent.gpa);
      const end = Math.min(gpa + size, extent.end);
      if (start < end) take(start - gpa, extent.offset + start - extent.gpa, end - start);
    }
  }
}

/** The whole pages that the ranges touch, ascending; pages that follow each other are one extent. */
function pageExtents(ranges: readonly MemoryRange[]): Extent[] {
  const ascending = ranges
    .filter(({ size }) => size > 0)
    .map(({ gpa, size }) => ({
      gpa: gpa - (gpa % pageSize),
      end: Math.ceil((gpa + size) / pageSize) * pageSize,
      offset: 0,
    }))
    .sort((a, b) => a.gpa - b.gpa);
  const extents: Extent[] = [];
  for (const extent of ascending) {
    const last = extents.at(-1);
    if (last !== undefined && extent.gpa <= last.end) last.end = Math.max(last.end, extent.end);
    else extents.push(extent);
  }
  let offset = 0;
  for (const extent of extents) {
    extent.offset = offset;
    offset += extent.end - extent.gpa;
  }
  return extents;
}
