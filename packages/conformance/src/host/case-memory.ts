/**
 * The RAM of a case: exactly the bytes it lists, at any guest-physical addresses, with the memory of what they were.
 * What stands outside of it is device memory and belongs to the host.
 */
import type { MemoryRun } from "../emulation/emulation-case.ts";

interface Block {
  readonly gpa: number;
  readonly bytes: Uint8Array;
  readonly before: Uint8Array;
}

/**
 * Sparse RAM. Of overlapping runs the later one holds.
 *
 * @example
 * ```ts
 * import { CaseMemory } from "@whvkit/conformance";
 * const memory = new CaseMemory([{ gpa: 0x1000, bytes: Uint8Array.of(1, 2, 3, 4) }]);
 * memory.readInteger(0x1000, 4); // 0x0403_0201n
 * memory.write(0x1002, 0xff); // true
 * memory.write(0x2000, 0xff); // false
 * memory.changes(); // [{ gpa: 0x1002, bytes: [0xff] }]
 * ```
 *
 * @public
 */
export class CaseMemory {
  /** Ascending, neither overlapping nor adjacent. */
  private readonly blocks: readonly Block[];
  private recent: Block | undefined;

  constructor(runs: readonly MemoryRun[]) {
    const blocks: Block[] = [];
    for (const extent of extentsOf(runs)) {
      const bytes = new Uint8Array(extent.end - extent.gpa);
      blocks.push({ gpa: extent.gpa, bytes, before: bytes });
    }
    this.blocks = blocks;
    for (const run of runs) {
      const block = this.blockAt(run.gpa);
      block?.bytes.set(run.bytes, run.gpa - block.gpa);
    }
    this.blocks = blocks.map(({ gpa, bytes }) => ({ gpa, bytes, before: bytes.slice() }));
    this.recent = undefined;
  }

  /** The byte at an address, or -1 where there is no RAM. */
  read(gpa: number): number {
    const block = this.blockAt(gpa);
    return block === undefined ? -1 : (block.bytes[gpa - block.gpa] as number);
  }

  /** Writes one byte; false where there is no RAM. */
  write(gpa: number, byte: number): boolean {
    const block = this.blockAt(gpa);
    if (block === undefined) return false;
    block.bytes[gpa - block.gpa] = byte;
    return true;
  }

  /** Little-endian integer of `size` bytes; bytes without RAM read as 0. */
  readInteger(gpa: number, size: number): bigint {
    let integer = 0n;
    for (let i = size - 1; i >= 0; i--) integer = (integer << 8n) | BigInt(Math.max(this.read(gpa + i), 0));
    return integer;
  }

  /** The bytes whose value is another than at the start, as ascending runs. */
  changes(): MemoryRun[] {
    const runs: MemoryRun[] = [];
    for (const { gpa, bytes, before } of this.blocks) {
      let start = -1;
      for (let i = 0; i <= bytes.length; i++) {
        const changed = i < bytes.length && bytes[i] !== before[i];
        if (changed && start < 0) start = i;
        if (!changed && start >= 0) {
          runs.push({ gpa: gpa + start, bytes: bytes.slice(start, i) });
          start = -1;
        }
      }
    }
    return runs;
  }

  private blockAt(gpa: number): Block | undefined {
    const recent = this.recent;
    if (recent !== undefined && gpa >= recent.gpa && gpa < recent.gpa + recent.bytes.length) return recent;
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.blocks[middle] as Block).gpa <= gpa) low = middle + 1;
      else high = middle;
    }
    const block = this.blocks[low - 1];
    if (block === undefined || gpa >= block.gpa + block.bytes.length) return undefined;
    this.recent = block;
    return block;
  }
}

/** The union of the runs as ascending extents; runs that touch become one, so that an access may span them. */
function extentsOf(runs: readonly MemoryRun[]): { gpa: number; end: number }[] {
  const extents: { gpa: number; end: number }[] = [];
  const ascending = runs.filter((run) => run.bytes.length > 0).sort((a, b) => a.gpa - b.gpa);
  for (const { gpa, bytes } of ascending) {
    const last = extents.at(-1);
    if (last !== undefined && gpa <= last.end) last.end = Math.max(last.end, gpa + bytes.length);
    else extents.push({ gpa, end: gpa + bytes.length });
  }
  return extents;
}
