/**
 * Answers what `WHvTranslateGva` answers for page tables that lie in a case's memory: 2-, 3-, 4- and 5-level paging with
 * large pages, privileges, and accessed and dirty bits (SDM volume 3, 5.3 to 5.7). It is written on its own, on `bigint`, so that
 * a mistake in a backend's walker is not repeated here.
 */
import { WHV_TRANSLATE_GVA_FLAGS, WHV_TRANSLATE_GVA_RESULT_CODE } from "@whvkit/whv-types";
import type { CaseMemory } from "./case-memory.ts";

/** The state of the processor that decides about a translation. @public */
export interface PagingState {
  /** CR0: PG and WP count. */
  readonly cr0: bigint;
  /** CR3: where the tables are. */
  readonly cr3: bigint;
  /** CR4: PSE, PAE, LA57, SMEP and SMAP count. */
  readonly cr4: bigint;
  /** EFER: LME, LMA and NXE count. */
  readonly efer: bigint;
  /** RFLAGS: AC counts. */
  readonly rflags: bigint;
  /** Current privilege level. */
  readonly cpl: number;
}

/** A translation's answer. @public */
export interface WalkResult {
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  readonly result: number;
  /** The guest-physical page; 0 unless the result is Success. */
  readonly gpaPage: number;
}

interface Paging {
  /** Shift of the linear-address field of each level, from the root down. */
  readonly shifts: readonly number[];
  readonly indexBits: bigint;
  readonly entrySize: number;
  readonly root: bigint;
  /** PAE's four root entries carry no rights and no accessed bit. */
  readonly bareRoot: boolean;
}

const bit = (position: number): bigint => 1n << BigInt(position);
const [present, writable, user, accessed, dirty, large, noExecute] = [0, 1, 2, 5, 6, 7, 63].map(bit) as Seven;
type Seven = [bigint, bigint, bigint, bigint, bigint, bigint, bigint];
const cr0 = { writeProtect: bit(16), paging: bit(31) };
const cr4 = { pageSizeExtension: bit(4), pae: bit(5), la57: bit(12), smep: bit(20), smap: bit(21) };
const efer = { longModeEnable: bit(8), longModeActive: bit(10), noExecuteEnable: bit(11) };
const alignmentCheck = bit(18);
const physicalMask = 0x000f_ffff_ffff_f000n;

/**
 * Walks the page tables for one linear page address.
 *
 * @param memory - holds the tables; entries outside of it make the page absent
 * @param state - the registers that decide: CR0, CR3, CR4, EFER, RFLAGS and CPL
 * @param gvaPage - linear address of the page, a multiple of 4096
 * @param flags - `WHV_TRANSLATE_GVA_FLAGS`
 * @returns a `WHV_TRANSLATE_GVA_RESULT_CODE` and the guest-physical address of the page
 *
 * @example
 * ```ts
 * import { CaseMemory, walkPageTables } from "@whvkit/conformance";
 * import { WHV_TRANSLATE_GVA_FLAGS } from "@whvkit/whv-types";
 * const memory = new CaseMemory([
 *   { gpa: 0x1000, bytes: Uint8Array.of(0x03, 0x20, 0, 0) }, // page directory: table at 0x2000, present, writable
 *   { gpa: 0x2000, bytes: Uint8Array.of(0x03, 0x50, 0, 0) }, // page table: page at 0x5000
 * ]);
 * const state = { cr0: 0x8000_0001n, cr3: 0x1000n, cr4: 0n, efer: 0n, rflags: 2n, cpl: 0 };
 * walkPageTables(memory, state, 0n, WHV_TRANSLATE_GVA_FLAGS.WHvTranslateGvaFlagValidateRead); // { result: 0, gpaPage: 0x5000 }
 * ```
 *
 * @public
 */
export function walkPageTables(memory: CaseMemory, state: PagingState, gvaPage: bigint, flags: number): WalkResult {
  const code = WHV_TRANSLATE_GVA_RESULT_CODE;
  const paging = pagingOf(state);
  if (paging === null) return success(BigInt.asUintN(32, gvaPage));
  const linear = paging.shifts.length >= 4 ? gvaPage : BigInt.asUintN(32, gvaPage);
  if (paging.shifts.length >= 4 && !isCanonical(linear, paging.shifts.length === 5 ? 57 : 48)) {
    return failure(code.WHvTranslateGvaResultPageNotPresent);
  }

  const visited: { at: number; entry: bigint }[] = [];
  let rights = writable | user;
  let table = paging.root;
  for (const [level, shift] of paging.shifts.entries()) {
    const index = (linear >> BigInt(shift)) & (bit(Number(paging.indexBits)) - 1n);
    const at = Number(table + index * BigInt(paging.entrySize));
    const entry = memory.readInteger(at, paging.entrySize);
    if ((entry & present) === 0n) return failure(code.WHvTranslateGvaResultPageNotPresent);
    const bare = paging.bareRoot && level === 0;
    const leaf = shift === 12 || (!bare && isLarge(entry, shift, paging, state));
    if ((entry & reservedBits(shift, leaf, bare, paging, state)) !== 0n) {
      return failure(code.WHvTranslateGvaResultInvalidPageTableFlags);
    }
    if (!bare) {
      rights = (rights & entry) | ((rights | entry) & noExecute);
      visited.push({ at, entry });
    }
    if (!leaf) {
      table = entry & physicalMask;
      continue;
    }
    if (violates(rights, flags, state)) return failure(code.WHvTranslateGvaResultPrivilegeViolation);
    if ((flags & WHV_TRANSLATE_GVA_FLAGS.WHvTranslateGvaFlagSetPageTableBits) !== 0) {
      markUsed(memory, visited, (flags & WHV_TRANSLATE_GVA_FLAGS.WHvTranslateGvaFlagValidateWrite) !== 0);
    }
    const inside = linear & (bit(shift) - 1n) & ~0xfffn;
    return success(frameOf(entry, shift, paging) | inside);
  }
  throw new Error("a page walk ends at the level whose shift is 12");
}

/** The structure of the tables that the control registers choose, or `null` with paging off. */
function pagingOf(state: PagingState): Paging | null {
  if ((state.cr0 & cr0.paging) === 0n) return null;
  if ((state.cr4 & cr4.pae) === 0n) {
    return { shifts: [22, 12], indexBits: 10n, entrySize: 4, root: state.cr3 & 0xffff_f000n, bareRoot: false };
  }
  if ((state.efer & (efer.longModeActive | efer.longModeEnable)) === 0n) {
    return { shifts: [30, 21, 12], indexBits: 9n, entrySize: 8, root: state.cr3 & 0xffff_ffe0n, bareRoot: true };
  }
  const shifts = (state.cr4 & cr4.la57) === 0n ? [39, 30, 21, 12] : [48, 39, 30, 21, 12];
  return { shifts, indexBits: 9n, entrySize: 8, root: state.cr3 & physicalMask, bareRoot: false };
}

function isCanonical(linear: bigint, bits: number): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(bits, linear)) === linear;
}

function isLarge(entry: bigint, shift: number, paging: Paging, state: PagingState): boolean {
  if ((entry & large) === 0n) return false;
  if (paging.entrySize === 4) return (state.cr4 & cr4.pageSizeExtension) !== 0n;
  return shift === 21 || shift === 30;
}

/** Bits that must be 0 (SDM volume 3, 5.3 to 5.5, with MAXPHYADDR 52). */
function reservedBits(shift: number, leaf: boolean, bare: boolean, paging: Paging, state: PagingState): bigint {
  if (paging.entrySize === 4) return leaf && shift === 22 ? bit(21) : 0n;
  const longMode = paging.shifts.length >= 4;
  let reserved = (state.efer & efer.noExecuteEnable) === 0n ? noExecute : 0n;
  if (!longMode) reserved |= 0x7ff0_0000_0000_0000n;
  if (bare) reserved |= noExecute | 0x1e6n;
  if (longMode && shift >= 39) reserved |= large;
  if (leaf && shift > 12) reserved |= (bit(shift) - 1n) & ~(bit(13) - 1n);
  return reserved;
}

/** Whether the access that the flags describe is against the rights of the page (SDM volume 3, 5.6). */
function violates(rights: bigint, flags: number, state: PagingState): boolean {
  const asked = WHV_TRANSLATE_GVA_FLAGS;
  const exempt = (flags & asked.WHvTranslateGvaFlagPrivilegeExempt) !== 0;
  const userPage = (rights & user) !== 0n;
  const data = (flags & (asked.WHvTranslateGvaFlagValidateRead | asked.WHvTranslateGvaFlagValidateWrite)) !== 0;
  const execute = (flags & asked.WHvTranslateGvaFlagValidateExecute) !== 0;
  if (execute && (rights & noExecute) !== 0n) return true;
  if ((flags & asked.WHvTranslateGvaFlagValidateWrite) !== 0 && (rights & writable) === 0n) {
    if (state.cpl === 3 || (state.cr0 & cr0.writeProtect) !== 0n) return true;
  }
  if (exempt) return false;
  if (state.cpl === 3) return !userPage;
  if (!userPage) return false;
  if (execute && (state.cr4 & cr4.smep) !== 0n) return true;
  if (!data || (state.cr4 & cr4.smap) === 0n || (flags & asked.WHvTranslateGvaFlagOverrideSmap) !== 0) return false;
  return (state.rflags & alignmentCheck) === 0n || (flags & asked.WHvTranslateGvaFlagEnforceSmap) !== 0;
}

function markUsed(memory: CaseMemory, visited: readonly { at: number; entry: bigint }[], written: boolean): void {
  for (const [index, { at, entry }] of visited.entries()) {
    const leaf = index === visited.length - 1;
    const marked = entry | accessed | (leaf && written ? dirty : 0n);
    memory.write(at, Number(marked & 0xffn));
  }
}

/** The guest-physical address in a leaf entry; PSE-36 keeps address bits 39..32 in bits 20..13. */
function frameOf(entry: bigint, shift: number, paging: Paging): bigint {
  if (paging.entrySize === 4 && shift === 22) return (entry & 0xffc0_0000n) | (((entry >> 13n) & 0xffn) << 32n);
  return entry & physicalMask & ~(bit(shift) - 1n);
}

function success(gpaPage: bigint): WalkResult {
  return { result: WHV_TRANSLATE_GVA_RESULT_CODE.WHvTranslateGvaResultSuccess, gpaPage: Number(gpaPage) };
}

function failure(result: number): WalkResult {
  return { result, gpaPage: 0 };
}
