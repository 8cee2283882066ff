/** Which memory a partition has mapped where, so that memory in use is not given back. The platform's rules are its own. */
import type { NativeMemory } from "../native/native-memory.ts";

interface MappedRange {
  readonly gpa: number;
  readonly size: number;
  readonly memory: NativeMemory;
}

export class MappedRanges {
  private ranges: MappedRange[] = [];

  add(gpa: number, size: number, memory: NativeMemory): void {
    this.remove(gpa, size);
    this.keep(this.ranges, gpa, size, memory);
  }

  /** Takes a range out; what only overlaps it is cut. */
  remove(gpa: number, size: number): void {
    const end = gpa + size;
    const kept: MappedRange[] = [];
    for (const range of this.ranges) {
      const rangeEnd = range.gpa + range.size;
      if (rangeEnd <= gpa || range.gpa >= end) {
        kept.push(range);
        continue;
      }
      range.memory.mappings--;
      if (range.gpa < gpa) this.keep(kept, range.gpa, gpa - range.gpa, range.memory);
      if (rangeEnd > end) this.keep(kept, end, rangeEnd - end, range.memory);
    }
    this.ranges = kept;
  }

  clear(): void {
    for (const { memory } of this.ranges) memory.mappings--;
    this.ranges = [];
  }

  private keep(ranges: MappedRange[], gpa: number, size: number, memory: NativeMemory): void {
    ranges.push({ gpa, size, memory });
    memory.mappings++;
  }
}
