/**
 * The processor's registers, and the tables in memory, with which an image is entered in each mode. See
 * {@link GuestImage} for what a guest may rely on.
 */
import { RegisterValues, type VirtualProcessor, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import type { GuestImage } from "./machine-options.ts";

/** Descriptor and page tables for modes 32 and 64: seven pages below the VGA window. */
const GDT = 0x99000;
const PML4 = 0x9a000;
const PDPT = 0x9b000;
/** Four page directories, one for each GiB. */
const DIRECTORIES = 0x9c000;
/** Start of what {@link writeEntryTables} takes in modes 32 and 64; it ends at 0xa0000. */
export const ENTRY_TABLES_START: number = GDT;
export const ENTRY_TABLES_END = 0xa0000;

const STACK_TOP = 0x7c00;
const PAGE_PRESENT_WRITABLE = 0x03;
/** PS: the entry maps a 2 MiB page. */
const LARGE_PAGE = 0x80;

/** RFLAGS: only bit 1, which is always set. */
const RFLAGS = 0x02n;
const CR0 = { pe: 0x00000001n, et: 0x00000010n, pg: 0x80000000n } as const;
const CR4_PAE = 0x20n;
const EFER = { lme: 0x100n, lma: 0x400n } as const;

/** Selectors in the descriptor table that {@link writeEntryTables} makes. */
const Selector = { code32: 0x08, data: 0x10, code64: 0x18 } as const;
/** The same descriptors in memory: base 0, limit 4 GiB, accessed, CPL 0. */
const DESCRIPTORS: readonly bigint[] = [0n, 0x00cf9b000000ffffn, 0x00cf93000000ffffn, 0x00af9b000000ffffn];

/** `WHV_X64_SEGMENT_REGISTER.Attributes`: type, S, DPL, P in bits 7 to 0; AVL, L, D, G in bits 15 to 12. */
const Attributes = {
  realCode: 0x009b,
  realData: 0x0093,
  code32: 0xc09b,
  code64: 0xa09b,
  data: 0xc093,
  /** Busy 32-bit TSS and LDT of length 0: what a processor holds after reset. */
  taskState: 0x008b,
  localTable: 0x0082,
} as const;

const R = WHV_REGISTER_NAME;
const DATA_SEGMENTS = [
  R.WHvX64RegisterDs,
  R.WHvX64RegisterEs,
  R.WHvX64RegisterSs,
  R.WHvX64RegisterFs,
  R.WHvX64RegisterGs,
] as const;

/** Writes descriptor and page tables into RAM, whose first byte is guest-physical 0, where the mode needs them. */
export function writeEntryTables(ram: Uint8Array, mode: GuestImage["mode"]): void {
  if (mode === 16) return;
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  for (const [index, descriptor] of DESCRIPTORS.entries()) view.setBigUint64(GDT + 8 * index, descriptor, true);
  if (mode === 32) return;
  view.setBigUint64(PML4, BigInt(PDPT | PAGE_PRESENT_WRITABLE), true);
  for (let gib = 0; gib < 4; gib++) {
    view.setBigUint64(PDPT + 8 * gib, BigInt((DIRECTORIES + 0x1000 * gib) | PAGE_PRESENT_WRITABLE), true);
  }
  for (let page = 0; page < 2048; page++) {
    view.setBigUint64(
      DIRECTORIES + 8 * page,
      BigInt(page) * 0x200000n + BigInt(LARGE_PAGE | PAGE_PRESENT_WRITABLE),
      true,
    );
  }
}

/** Sets the registers of a fresh processor for the first instruction of the image. */
export function enterImage(processor: VirtualProcessor, image: GuestImage): void {
  const entry = image.entry ?? image.load;
  const state = new RegisterList();
  state.integer(R.WHvX64RegisterRflags, RFLAGS);
  state.integer(R.WHvX64RegisterRsp, BigInt(STACK_TOP));
  state.segment(R.WHvX64RegisterTr, 0, 0, 0xffff, Attributes.taskState);
  state.segment(R.WHvX64RegisterLdtr, 0, 0, 0xffff, Attributes.localTable);
  if (image.mode === 16) {
    const base = entry & 0xf0000;
    state.integer(R.WHvX64RegisterRip, BigInt(entry & 0xffff));
    state.segment(R.WHvX64RegisterCs, base >> 4, base, 0xffff, Attributes.realCode);
    for (const name of DATA_SEGMENTS) state.segment(name, 0, 0, 0xffff, Attributes.realData);
    state.table(R.WHvX64RegisterGdtr, 0, 0xffff);
    state.table(R.WHvX64RegisterIdtr, 0, 0x3ff);
    state.integer(R.WHvX64RegisterCr0, CR0.et);
  } else {
    const long = image.mode === 64;
    state.integer(R.WHvX64RegisterRip, BigInt(entry));
    state.segment(
      R.WHvX64RegisterCs,
      long ? Selector.code64 : Selector.code32,
      0,
      0xffffffff,
      long ? Attributes.code64 : Attributes.code32,
    );
    for (const name of DATA_SEGMENTS) state.segment(name, Selector.data, 0, 0xffffffff, Attributes.data);
    state.table(R.WHvX64RegisterGdtr, GDT, 8 * DESCRIPTORS.length - 1);
    state.table(R.WHvX64RegisterIdtr, 0, 0);
    state.integer(R.WHvX64RegisterCr0, CR0.pe | CR0.et | (long ? CR0.pg : 0n));
    if (long) {
      state.integer(R.WHvX64RegisterCr3, BigInt(PML4));
      state.integer(R.WHvX64RegisterCr4, CR4_PAE);
      state.integer(R.WHvX64RegisterEfer, EFER.lme | EFER.lma);
    }
  }
  state.write(processor);
}

/** Names and values for one `setRegisters`. */
class RegisterList {
  readonly #names: number[] = [];
  readonly #values = new RegisterValues(24);

  integer(name: number, value: bigint): void {
    this.#values.set64(this.#names.push(name) - 1, value);
  }

  segment(name: number, selector: number, base: number, limit: number, attributes: number): void {
    this.#values.segment(this.#names.push(name) - 1).assign({ base: BigInt(base), limit, selector, attributes });
  }

  table(name: number, base: number, limit: number): void {
    this.#values.table(this.#names.push(name) - 1).assign({ base: BigInt(base), limit });
  }

  write(processor: VirtualProcessor): void {
    processor.setRegisters(Uint32Array.from(this.#names), this.#names.length, this.#values);
  }
}
