/** Segment limits, rights, canonical addresses: which exception, before any callback but the get. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import type { VpInit } from "./exits.ts";
import { TestBed } from "./test-bed.ts";
import { flatSegment } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const GP = { vector: 13, errorCode: 0, cr2: null };
const SS = { vector: 12, errorCode: 0, cr2: null };

interface Probe {
  vp: VpInit;
  instruction: keyof typeof code;
  register?: number;
  address: bigint;
  segment?: number;
  attributes?: number;
  base?: bigint;
  limit?: number;
}

/** The exception, or null where the access was made. */
function exceptionOf(probe: Probe): unknown {
  const s = new TestBed();
  s.host.put(probe.register ?? NAME.WHvX64RegisterRdi, probe.address);
  s.host.registers.set(
    probe.segment ?? NAME.WHvX64RegisterDs,
    flatSegment(probe.attributes ?? 0xc093, probe.base ?? 0n, probe.limit ?? 0xffff_ffff),
  );
  const result = s.mmio(probe.vp, { bytes: code[probe.instruction] });
  expect(result.statusBits).toBe(1);
  const exception = result.diagnostic?.exception ?? null;
  expect(s.host.count("memory")).toBe(exception === null ? 1 : 0);
  if (exception !== null) expect(s.host.count("translateGvaPage")).toBe(0);
  return exception;
}

const load32 = { vp: { mode: 32 }, instruction: "mov eax, [edi]" } as const;
const store32 = { vp: { mode: 32 }, instruction: "mov [edi], eax" } as const;

describe("limits in protected mode", () => {
  test.each([
    ["last dword below the limit", 0xffcn, null],
    ["one byte beyond", 0xffdn, GP],
    ["far beyond", 0x8000_0000n, GP],
  ])("expand-up, limit 0xfff: %s", (_name, address, expected) => {
    expect(exceptionOf({ ...load32, address, limit: 0xfff })).toEqual(expected);
  });

  test.each([
    ["at the limit", 0xfffn, 0xc097, GP],
    ["first byte above", 0x1000n, 0xc097, null],
    ["up to 4 GiB with B", 0xffff_fffcn, 0xc097, null],
    ["only to 64 KiB without B", 0xfffdn, 0x8097, GP],
    ["last dword without B", 0xfffcn, 0x8097, null],
  ])("expand-down, limit 0xfff: %s", (_name, address, attributes, expected) => {
    expect(exceptionOf({ ...load32, address, limit: 0xfff, attributes })).toEqual(expected);
  });

  test("the offset counts, not the linear address", () => {
    expect(exceptionOf({ ...load32, address: 0x10n, base: 0xfee0_0000n, limit: 0xff })).toBe(null);
    expect(exceptionOf({ ...load32, address: 0x100n, base: 0xfee0_0000n, limit: 0xff })).toEqual(GP);
  });

  test("the stack segment: #SS(0)", () => {
    const probe = {
      ...load32,
      instruction: "mov eax, [ebp]",
      register: NAME.WHvX64RegisterRbp,
      segment: NAME.WHvX64RegisterSs,
    } as const;
    expect(exceptionOf({ ...probe, address: 0x1000n, limit: 0xfff })).toEqual(SS);
    expect(exceptionOf({ ...probe, address: 0x100n, limit: 0xfff })).toBe(null);
  });
});

describe("rights in protected mode", () => {
  test.each([
    ["store to read-only data", store32, 0xc091, GP],
    ["load from read-only data", load32, 0xc091, null],
    ["store to code", store32, 0xc09b, GP],
    ["load from readable code", load32, 0xc09b, null],
    ["load from execute-only code", load32, 0xc099, GP],
    ["load through a null selector", load32, 0x0000, GP],
  ])("%s", (_name, probe, attributes, expected) => {
    expect(exceptionOf({ ...probe, attributes, address: 0x100n })).toEqual(expected);
  });

  test("compatibility mode has them all", () => {
    expect(exceptionOf({ ...store32, vp: { mode: 32, longMode: true }, attributes: 0xc091, address: 0x100n })).toEqual(
      GP,
    );
  });

  test("real and virtual-8086 mode have limits only", () => {
    const bx = { instruction: "mov ax, [bx]", register: NAME.WHvX64RegisterRbx, limit: 0xffff } as const;
    const real = { mode: 16, real: true } as const;
    const virtual = { mode: 16, rflags: 0x2_0002n, cpl: 3 } as const;
    for (const vp of [real, virtual]) expect(exceptionOf({ ...bx, vp, attributes: 0, address: 0xfffen })).toBe(null);
    expect(exceptionOf({ ...bx, vp: virtual, attributes: 0xf3, address: 0xffffn })).toEqual(GP);
    // Real mode pushes no error code.
    expect(exceptionOf({ ...bx, vp: real, attributes: 0x93, address: 0xffffn })).toEqual({ ...GP, errorCode: null });
  });
});

describe("64-bit mode", () => {
  const load = { vp: {}, instruction: "mov eax, [rdi]" } as const;

  test("has no limits and no types", () => {
    expect(exceptionOf({ ...load, address: 0x1_0000_0000n, limit: 0, attributes: 0 })).toBe(null);
  });

  test.each([
    ["highest of the lower half", 0x7fff_ffff_fff0n, null],
    ["across its end", 0x7fff_ffff_fffen, GP],
    ["just above", 0x8000_0000_0000n, GP],
    ["just below the upper half", 0xffff_7fff_ffff_ffffn, GP],
    ["lowest of the upper half", 0xffff_8000_0000_0000n, null],
    ["highest of all", 0xffff_ffff_ffff_fff0n, null],
  ])("canonical, 48 bits: %s", (_name, address, expected) => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRdi, address);
    const result = s.mmio({}, { bytes: code["mov eax, [rdi]"] });
    expect(result.diagnostic?.exception ?? null).toEqual(expected);
  });

  test("through rBP: #SS(0)", () => {
    expect(
      exceptionOf({ vp: {}, instruction: "mov eax, [rbp]", register: NAME.WHvX64RegisterRbp, address: 1n << 47n }),
    ).toEqual(SS);
  });

  test("57 bits with CR4.LA57, which is asked for only then", () => {
    for (const [cr4, address, expected] of [
      [0x1000n, 1n << 47n, null],
      [0x1000n, 0xff00_0000_0000_0000n, null],
      [0x1000n, 1n << 56n, GP],
      [0n, 1n << 47n, GP],
    ] as const) {
      const s = new TestBed();
      s.host.put(NAME.WHvX64RegisterRdi, address).put(NAME.WHvX64RegisterCr4, cr4);
      expect(s.mmio({}, { bytes: code["mov eax, [rdi]"] }).diagnostic?.exception ?? null).toEqual(expected);
    }
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRdi, 1n << 47n).put(NAME.WHvX64RegisterCr4, 0x1000n);
    s.mmio({}, { bytes: code["mov eax, [rdi]"] });
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi", "get Cr4"]);
  });

  test("an access from the very top wraps to 0", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRdi, 0xffff_ffff_ffff_fffen);
    s.host.pages.set(0xffff_ffff_ffff_f000n, { gpa: 0x3000 }).set(0n, { gpa: 0x4000 });
    expect(s.mmio({}, { bytes: code["mov eax, [rdi]"] }).diagnostic).toBe(null);
    expect(s.host.texts("memory")).toEqual(["read 2@3ffe", "read 2@4000"]);
  });
});

describe("alignment check", () => {
  const checked = { cpl: 3, cr0Am: true, rflags: 0x4_0002n };
  test.each([
    ["misaligned at CPL 3 with AM and AC", checked, 0x2001n, { vector: 17, errorCode: 0, cr2: null }],
    ["aligned", checked, 0x2004n, null],
    ["CPL 0", { ...checked, cpl: 0 }, 0x2001n, null],
    ["CR0.AM clear", { ...checked, cr0Am: false }, 0x2001n, null],
    ["RFLAGS.AC clear", { ...checked, rflags: 2n }, 0x2001n, null],
  ])("%s", (_name, vp, address, expected) => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRdi, address);
    const result = s.mmio(vp, { bytes: code["mov eax, [rdi]"] });
    expect(result.diagnostic?.exception ?? null).toEqual(expected);
    expect(s.host.count("memory")).toBe(expected === null ? 1 : 0);
  });

  test("not of a descriptor table, which the processor reads for itself", () => {
    const s = new TestBed();
    // mov es, [edi] with a table at an odd address: a flat data segment at selector 8, usable at CPL 3.
    const descriptor = [0xff, 0xff, 0, 0, 0, 0xf3, 0xcf, 0];
    s.host.put(NAME.WHvX64RegisterRdi, 0x2000n).put(NAME.WHvX64RegisterCr0, 0x8000_0011n);
    s.host.putBytes(0x2000, 0x0b, 0).putBytes(0x3001, 0, 0, 0, 0, 0, 0, 0, 0, ...descriptor);
    s.host.registers.set(NAME.WHvX64RegisterGdtr, [0, 0xf << 16, 0x3001, 0]);
    s.host.registers.set(NAME.WHvX64RegisterSs, [0, 0, 0xffff_ffff, 0xc0f3_0013]);
    expect(s.mmio({ ...checked, mode: 32 }, { bytes: [0x8e, 0x07] }).diagnostic).toBe(null);
  });

  test.each([
    ["LES of a 16:16 pointer at a multiple of 2", [0x66, 0xc4, 0x07], 0x2002n, null],
    ["LES of a 16:32 pointer at a multiple of 4", [0xc4, 0x07], 0x2004n, null],
    ["LES of a 16:32 pointer at a multiple of 2", [0xc4, 0x07], 0x2002n, 17],
    ["BOUND of 32-bit bounds at a multiple of 4", [0x62, 0x07], 0x2004n, null],
  ])("counts for each part of %s", (_name, bytes, address, vector) => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRdi, address).put(NAME.WHvX64RegisterCr0, 0x8000_0011n);
    s.host.putBytes(0x2000, ...Array.from({ length: 32 }, () => 0));
    s.host.registers.set(NAME.WHvX64RegisterSs, [0, 0, 0xffff_ffff, 0xc0f3_0013]);
    const { diagnostic } = s.mmio({ ...checked, mode: 32 }, { bytes });
    expect(diagnostic?.exception?.vector ?? null).toBe(vector);
  });
});
