/** Vector instructions as drivers use them on device memory, and what five callbacks do not reach of their registers. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { DEVICE, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const MOVUPS_LOAD = [0x0f, 0x10, 0x07]; // movups xmm0, [rdi]
const MOVUPS_STORE = [0x0f, 0x11, 0x07];
const MOVDQA_LOAD = [0x66, 0x0f, 0x6f, 0x07];
const VMOVUPS_STORE = [0xc5, 0xf8, 0x11, 0x07];
const VMOVUPS_LOAD = [0xc5, 0xf8, 0x10, 0x07];
const VMOVUPS_STORE_YMM = [0xc5, 0xfc, 0x11, 0x07];

test("MOVUPS from a device: 8 and 8, and XMM0 is set", () => {
  const s = new TestBed();
  s.host.deviceReads = Array.from({ length: 16 }, (_, i) => i + 1);
  expect(s.mmio({}, { bytes: MOVUPS_LOAD, gpa: DEVICE }).diagnostic).toBe(null);
  expect(s.host.texts()).toEqual(["get Rdi", "read 8@fee00020", "read 8@fee00028", "set Xmm0 Rip"]);
  expect(s.set["Xmm0"]).toBe(0x100f_0e0d_0c0b_0a09_0807_0605_0403_0201n);
});

test("nothing of a 128-bit register is left in the 64-bit ones that the next emulation sets", () => {
  const s = new TestBed();
  s.host.deviceReads = Array.from({ length: 20 }, (_, i) => i + 1);
  s.mmio({}, { bytes: MOVUPS_LOAD, gpa: DEVICE });
  s.mmio({}, { bytes: [0x8b, 0x07], gpa: DEVICE });
  expect(s.set).toEqual({ Rax: 0x1413_1211n, Rip: 0x1002n });
});

test("MOVUPS to a device", () => {
  const s = new TestBed();
  s.host.registers.set(NAME.WHvX64RegisterXmm0, [1, 2, 3, 4]);
  expect(s.mmio({}, { bytes: MOVUPS_STORE, gpa: DEVICE, accessType: 1 }).diagnostic).toBe(null);
  expect(s.host.texts()).toEqual([
    "get Rdi Xmm0",
    "write 8@fee00020=0x200000001",
    "write 8@fee00028=0x400000003",
    "set Rip",
  ]);
});

test("MOVDQA that is misaligned: #GP(0), and the device is not touched", () => {
  const s = new TestBed();
  s.host.put(NAME.WHvX64RegisterRdi, BigInt(DEVICE + 8));
  const result = s.mmio({}, { bytes: MOVDQA_LOAD, gpa: DEVICE + 8 });
  expect(result.diagnostic?.exception).toMatchObject({ vector: 13, errorCode: 0 });
  expect(s.host.count("memory")).toBe(0);
});

describe("registers without a WHv name", () => {
  test.each([
    ["a VEX load clears the upper half", VMOVUPS_LOAD],
    ["a YMM store reads it", VMOVUPS_STORE_YMM],
    ["a masked store reads its opmask", [0x62, 0xf1, 0x7f, 0x49, 0x7f, 0x07]], // vmovdqu8 [rdi]{k1}, zmm0
  ])("%s: named as the reason, before anything is touched", (_name, bytes) => {
    const s = new TestBed();
    const result = s.mmio({}, { bytes, gpa: DEVICE });
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "unreachable-registers", phase: "registers" });
    expect(s.host.calls).toEqual([]);
  });

  test("storing an XMM register with VEX needs none of them", () => {
    const s = new TestBed();
    s.host.registers.set(NAME.WHvX64RegisterXmm0, [1, 2, 3, 4]);
    expect(s.mmio({}, { bytes: VMOVUPS_STORE, gpa: DEVICE, accessType: 1 }).diagnostic).toBe(null);
    expect(s.host.texts("memory")).toEqual(["write 8@fee00020=0x200000001", "write 8@fee00028=0x400000003"]);
  });
});

describe("enables (CR0, CR4, XCR0)", () => {
  test("are not checked by default: the processor has", () => {
    const s = new TestBed();
    expect(s.mmio({}, { bytes: MOVUPS_LOAD, gpa: DEVICE }).emulationSuccessful).toBe(true);
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi"]);
  });

  test.each([
    ["SSE without OSFXSR", MOVUPS_STORE, 0n, 0n, 7n, 6],
    ["SSE with EM", MOVUPS_STORE, 4n, 0x200n, 7n, 6],
    ["SSE with TS", MOVUPS_STORE, 8n, 0x200n, 7n, 7],
    ["SSE, enabled", MOVUPS_STORE, 0n, 0x200n, 1n, null],
    ["AVX without OSXSAVE", VMOVUPS_STORE, 0n, 0x200n, 7n, 6],
    ["AVX without YMM state in XCR0", VMOVUPS_STORE, 0n, 0x4_0200n, 3n, 6],
    ["AVX with TS", VMOVUPS_STORE, 8n, 0x4_0200n, 7n, 7],
    ["AVX, enabled", VMOVUPS_STORE, 0n, 0x4_0200n, 7n, null],
  ])("option recheckEnables: %s", (_name, bytes, cr0, cr4, xcr0, vector) => {
    const s = new TestBed({ recheckEnables: true });
    s.host.put(NAME.WHvX64RegisterCr0, cr0).put(NAME.WHvX64RegisterCr4, cr4).put(NAME.WHvX64RegisterXCr0, xcr0);
    const result = s.mmio({}, { bytes, gpa: DEVICE, accessType: 1 });
    expect(result.statusBits).toBe(1);
    expect(result.diagnostic?.exception?.vector ?? null).toBe(vector);
  });

  test("option recheckEnables costs general instructions nothing", () => {
    const s = new TestBed({ recheckEnables: true });
    s.mmio({}, { bytes: [0x8b, 0x07], gpa: DEVICE });
    expect(s.host.count("getVirtualProcessorRegisters")).toBe(1);
  });
});
