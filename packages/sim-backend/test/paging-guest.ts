/** Guests with page tables: builds them entry by entry, so that a test can spoil any one of them. */
import type { SimVirtualProcessor } from "@whvkit/sim-backend";
import { guest, type SegmentTuple, set, type TestGuest } from "./guest-image.ts";

/** Bits of an entry. */
export const P = 1n;
export const W = 2n;
export const U = 4n;
export const A = 0x20n;
export const D = 0x40n;
export const PS = 0x80n;
export const G = 0x100n;
export const NX = 1n << 63n;

export type PagingMode = "32-bit" | "PAE" | "4-level" | "5-level";

/** Shift of the index of each level, the last level first, and bits of an index. */
const SHAPES: Readonly<
  Record<PagingMode, { readonly shifts: readonly number[]; readonly bits: number; readonly size: number }>
> = {
  "32-bit": { shifts: [12, 22], bits: 10, size: 4 },
  PAE: { shifts: [12, 21, 30], bits: 9, size: 8 },
  "4-level": { shifts: [12, 21, 30, 39], bits: 9, size: 8 },
  "5-level": { shifts: [12, 21, 30, 39, 48], bits: 9, size: 8 },
};

export const LEVELS: Readonly<Record<PagingMode, number>> = { "32-bit": 2, PAE: 3, "4-level": 4, "5-level": 5 };

/** Tables start here; the first one is the root. */
export const ROOT = 0x1_0000;

/** Page tables in guest RAM. */
export class Tables {
  private next: number = ROOT + 0x1000;
  private readonly view: DataView;
  readonly mode: PagingMode;

  constructor(bytes: Uint8Array, mode: PagingMode) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.mode = mode;
  }

  /**
   * Maps the page of a linear address; `flags[0]` is for the last level, `flags[1]` for the one above, and so on; the
   * last given serves for the rest. With `level` above 1 the walk ends there (a large page).
   */
  map(linear: bigint, gpa: bigint, flags: readonly bigint[], level = 1): void {
    let table = ROOT;
    for (let at = LEVELS[this.mode]; at >= level; at--) {
      const address = this.address(table, linear, at);
      const bits = flags[Math.min(at, flags.length) - 1];
      if (at === level) {
        this.write(address, gpa | bits);
        return;
      }
      let entry = this.read(address);
      if ((entry & 0xf_ffff_ffff_f000n) === 0n) {
        entry = BigInt(this.next);
        this.next += 0x1000;
      }
      // Page-directory pointers of PAE have no rights.
      const isPointer = this.mode === "PAE" && at === 3;
      this.write(address, (entry & 0xf_ffff_ffff_f000n) | (isPointer ? P : bits));
      table = Number(entry & 0xf_ffff_ffff_f000n);
    }
  }

  /** The entry of a level for a linear address. */
  entry(linear: bigint, level: number): bigint {
    return this.read(this.find(linear, level));
  }

  /** Changes the entry of a level for a linear address. */
  change(linear: bigint, level: number, change: (entry: bigint) => bigint): void {
    const address = this.find(linear, level);
    this.write(address, change(this.read(address)));
  }

  private find(linear: bigint, level: number): number {
    let table = ROOT;
    for (let at = LEVELS[this.mode]; at > level; at--)
      table = Number(this.read(this.address(table, linear, at)) & 0xf_ffff_ffff_f000n);
    return this.address(table, linear, level);
  }

  private address(table: number, linear: bigint, level: number): number {
    const { shifts, bits, size } = SHAPES[this.mode];
    return table + Number((linear >> BigInt(shifts[level - 1])) & ((1n << BigInt(bits)) - 1n)) * size;
  }

  private read(address: number): bigint {
    return SHAPES[this.mode].size === 4
      ? BigInt(this.view.getUint32(address, true))
      : this.view.getBigUint64(address, true);
  }

  private write(address: number, value: bigint): void {
    if (SHAPES[this.mode].size === 4) this.view.setUint32(address, Number(value & 0xffff_ffffn), true);
    else this.view.setBigUint64(address, BigInt.asUintN(64, value), true);
  }
}

/** CR4.PSE, PAE, PGE, LA57, SMEP, SMAP; EFER.NXE; CR0.WP. */
export const CR4 = { PSE: 0x10, PAE: 0x20, PGE: 0x80, LA57: 0x1000, SMEP: 0x10_0000, SMAP: 0x20_0000 } as const;
export const EFER_NXE = 0x800;
export const CR0_WP = 0x1_0000;

export interface PagingSetup {
  readonly cpl?: 0 | 3;
  readonly cr0?: number;
  readonly cr4?: number;
  readonly efer?: number;
  readonly rflags?: number;
}

/** Where the code of {@link pagingGuest} runs, mapped at the same address. */
export const CODE = 0x1000;

/**
 * A processor with paging on: 64-bit code in the long modes, flat 32-bit code in the others, at the given CPL. The code
 * page is mapped, the stack is not.
 */
export function pagingGuest(
  mode: PagingMode,
  setup: PagingSetup = {},
  configure?: Parameters<typeof guest>[2],
): TestGuest & { readonly tables: Tables } {
  const made = guest(0x10_0000, {}, configure);
  const tables = new Tables(made.ram.bytes, mode);
  const { cpl = 0, cr0 = 0, cr4 = 0, efer = 0, rflags = 0 } = setup;
  tables.map(BigInt(CODE), BigInt(CODE), [P | W | (cpl === 3 ? U : 0n)]);
  enablePaging(made.processor, mode, { cpl, cr0, cr4, efer, rflags });
  return { ...made, tables };
}

/** Turns paging on over tables at `ROOT`, and sets flat segments for the code of {@link pagingGuest}. */
export function enablePaging(processor: SimVirtualProcessor, mode: PagingMode, setup: Required<PagingSetup>): void {
  const long = mode === "4-level" || mode === "5-level";
  const { cpl } = setup;
  const level = cpl << 5;
  const code: SegmentTuple = [0n, 0xffff_ffff, 8 | cpl, (long ? 0xa09b : 0xc09b) | level];
  const data: SegmentTuple = [0n, 0xffff_ffff, 16 | cpl, 0xc093 | level];
  const wide = mode === "32-bit" ? CR4.PSE : CR4.PAE;
  set(processor, {
    Cr0: 0x8000_0011 + setup.cr0,
    Cr3: ROOT,
    Cr4: wide | (mode === "5-level" ? CR4.LA57 : 0) | setup.cr4,
    Efer: (long ? 0x500 : 0) | setup.efer,
    Rflags: 2 | setup.rflags,
    Cs: code,
    Ss: data,
    Ds: data,
    Es: data,
    Rip: CODE,
  });
}
