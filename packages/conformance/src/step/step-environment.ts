/**
 * The flat environments that a case of `whv step` starts from: the registers of a processor in that mode, and the page
 * tables that long mode needs. Linear addresses are guest-physical ones in all of them.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { type RegisterWords, wordsOf } from "../registers/register-json.ts";
import type { StepCase, StepPreset } from "./step-case.ts";

/** Where the page tables of the preset `long` lie: the last two pages below 512 GiB, out of the way of cases. */
export const pageTableBase: number = 2 ** 39 - 0x2000;

/** Bytes of those tables: a root and one table of 1 GiB pages, which together map the first 512 GiB one to one. */
export const pageTableSize = 0x2000;

const cr0 = { pe: 1n, mp: 2n, et: 0x10n, ne: 0x20n, pg: 1n << 31n };
const cr4 = { pae: 0x20n, osfxsr: 0x200n, osxmmexcpt: 0x400n, osxsave: 1n << 18n };
const efer = { lme: 1n << 8n, lma: 1n << 10n };

/** Attributes of the code and data segments by preset, without the DPL. */
const attributes: Readonly<
  Record<StepPreset, { readonly code: number; readonly data: number; readonly limit: number }>
> = {
  real: { code: 0x9b, data: 0x93, limit: 0xffff },
  protected16: { code: 0x809b, data: 0x8093, limit: 0xffff_ffff },
  protected32: { code: 0xc09b, data: 0xc093, limit: 0xffff_ffff },
  long: { code: 0xa09b, data: 0xc093, limit: 0xffff_ffff },
};

/**
 * The registers of a preset. Those that it does not name are 0.
 *
 * @param xcr0 - the state components to enable: the ones that the processor model has
 */
export function presetRegisters({ preset, cpl }: StepCase, xcr0: bigint): Map<number, RegisterWords> {
  const name = WHV_REGISTER_NAME;
  const { code, data, limit } = attributes[preset];
  const isReal = preset === "real";
  const isLong = preset === "long";
  const selector = (index: number): number => (isReal ? 0 : index | cpl);
  const dataSegment = segment(0, limit, selector(0x10), data | (cpl << 5));
  const usesXsave = xcr0 > 1n;
  return new Map<number, RegisterWords>([
    [name.WHvX64RegisterRflags, wordsOf(2n)],
    [name.WHvX64RegisterCs, segment(0, limit, selector(8), code | (cpl << 5))],
    ...[
      name.WHvX64RegisterSs,
      name.WHvX64RegisterDs,
      name.WHvX64RegisterEs,
      name.WHvX64RegisterFs,
      name.WHvX64RegisterGs,
    ].map((code): [number, RegisterWords] => [code, dataSegment]),
    // A task without an I/O permission bitmap, and an empty local table.
    [name.WHvX64RegisterTr, segment(0, 0x67, 0, 0x8b)],
    [name.WHvX64RegisterLdtr, segment(0, 0, 0, 0x82)],
    [name.WHvX64RegisterIdtr, table(0n, isReal ? 0x3ff : 0)],
    [name.WHvX64RegisterGdtr, table(0n, 0)],
    [name.WHvX64RegisterCr0, wordsOf(cr0.mp | cr0.et | cr0.ne | (isReal ? 0n : cr0.pe) | (isLong ? cr0.pg : 0n))],
    [name.WHvX64RegisterCr3, wordsOf(isLong ? BigInt(pageTableBase) : 0n)],
    [
      name.WHvX64RegisterCr4,
      wordsOf(cr4.osfxsr | cr4.osxmmexcpt | (usesXsave ? cr4.osxsave : 0n) | (isLong ? cr4.pae : 0n)),
    ],
    [name.WHvX64RegisterEfer, wordsOf(isLong ? efer.lme | efer.lma : 0n)],
    [name.WHvX64RegisterXCr0, wordsOf(xcr0)],
    [name.WHvX64RegisterDr6, wordsOf(0xffff_0ff0n)],
    [name.WHvX64RegisterDr7, wordsOf(0x400n)],
    [name.WHvX64RegisterFpControlStatus, [0x37f, 0, 0, 0]],
    [name.WHvX64RegisterXmmControlStatus, [0, 0, 0x1f80, 0xffff]],
  ]);
}

/** The page tables: present, writable, user, 1 GiB each. */
export function writePageTables(bytes: Uint8Array): void {
  const entries = new DataView(bytes.buffer, bytes.byteOffset, pageTableSize);
  const [presentWritableUser, large] = [7n, 0x80n];
  entries.setBigUint64(0, BigInt(pageTableBase + 0x1000) | presentWritableUser, true);
  for (let page = 0; page < 512; page++) {
    entries.setBigUint64(0x1000 + 8 * page, (BigInt(page) << 30n) | large | presentWritableUser, true);
  }
}

function segment(base: number, limit: number, selector: number, attributeBits: number): RegisterWords {
  return [base, 0, limit, ((attributeBits << 16) | selector) >>> 0];
}

function table(base: bigint, limit: number): RegisterWords {
  return wordsOf((base << 64n) | (BigInt(limit) << 48n));
}
