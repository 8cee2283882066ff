/** Instructions that do more than move data: segment loads, descriptor tables, far transfers, the stack. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { DEVICE, RAM, TestBed } from "./test-bed.ts";
import { flatSegment } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const REAL = { mode: 16, real: true } as const;
const GDT = 0x8000;

function segmentOf(s: TestBed, name: string): { base: bigint; limit: bigint; selector: bigint; attributes: bigint } {
  const bits = s.set[name] ?? 0n;
  return {
    base: bits & 0xffff_ffff_ffff_ffffn,
    limit: (bits >> 64n) & 0xffff_ffffn,
    selector: (bits >> 96n) & 0xffffn,
    attributes: bits >> 112n,
  };
}

/** A protected-mode processor with a flat code segment at 8, data at 0x10, and read-only data at 0x18. */
function protectedBed(): TestBed {
  const s = new TestBed();
  const descriptors = [0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_9100_0000_ffffn];
  for (const [i, descriptor] of descriptors.entries())
    for (let byte = 0; byte < 8; byte++)
      s.host.ram.set(GDT + i * 8 + byte, Number((descriptor >> BigInt(byte * 8)) & 0xffn));
  s.host.registers.set(NAME.WHvX64RegisterGdtr, [0, (descriptors.length * 8 - 1) << 16, GDT, 0]);
  s.host.put(NAME.WHvX64RegisterCr0, 0x8000_0011n);
  s.host.registers.set(NAME.WHvX64RegisterEs, [0, 0, 0, 0]);
  return s;
}

describe("loading a segment register from device memory", () => {
  test("real mode: base is 16 times the selector", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRbx, 0x10n);
    s.host.deviceReads = [0x34, 0x12];
    // mov es, [bx]
    expect(s.mmio(REAL, { bytes: [0x8e, 0x07] }).diagnostic).toBe(null);
    expect(segmentOf(s, "Es")).toMatchObject({ base: 0x12340n, selector: 0x1234n });
    expect(Object.keys(s.set).sort()).toEqual(["Es", "Rip"]);
    expect(s.host.count("getVirtualProcessorRegisters")).toBe(1);
  });

  test("protected mode: the descriptor is read with PrivilegeExempt", () => {
    const s = protectedBed();
    s.host.deviceReads = [0x10, 0];
    // mov es, [edi]
    expect(s.mmio({ mode: 32 }, { bytes: [0x8e, 0x07], gpa: DEVICE }).diagnostic).toBe(null);
    expect(segmentOf(s, "Es")).toEqual({ base: 0n, limit: 0xffff_ffffn, selector: 0x10n, attributes: 0xc093n });
    expect(s.host.texts("translateGvaPage")).toEqual(["translate 0x8000 flags 19"]);
  });

  test("a selector beyond the table: #GP(selector), and no register changes", () => {
    const s = protectedBed();
    s.host.deviceReads = [0x28, 0];
    const result = s.mmio({ mode: 32 }, { bytes: [0x8e, 0x07], gpa: DEVICE });
    expect(result.diagnostic?.exception).toEqual({ vector: 13, errorCode: 0x28, cr2: null });
    expect(Object.keys(s.set).sort()).toEqual(["PendingEvent", "Rflags"]);
  });

  test("MOV SS inhibits interrupts and the single-step trap", () => {
    const s = protectedBed();
    s.host.put(NAME.WHvRegisterInterruptState, 2n);
    s.host.deviceReads = [0x10, 0];
    s.mmio({ mode: 32, rflags: 0x102n }, { bytes: [0x8e, 0x17], gpa: DEVICE });
    expect(s.set["InterruptState"]).toBe(3n);
    expect(s.set["PendingDebugException"]).toBe(undefined);
    expect(s.host.count("getVirtualProcessorRegisters")).toBe(1);
  });

  test("LES loads both", () => {
    const s = protectedBed();
    s.host.deviceReads = [1, 2, 3, 4, 0x10, 0];
    // les eax, [edi]
    expect(s.mmio({ mode: 32 }, { bytes: [0xc4, 0x07], gpa: DEVICE }).diagnostic).toBe(null);
    expect(s.host.texts("memory").slice(0, 2)).toEqual(["read 4@fee00020", "read 2@fee00024"]);
    expect(s.set["Rax"]).toBe(0x0403_0201n);
    expect(segmentOf(s, "Es").selector).toBe(0x10n);
  });
});

describe("descriptor tables", () => {
  test("LGDT takes limit and base", () => {
    const s = new TestBed();
    s.host.deviceReads = [0xff, 0x0f, 1, 2, 3, 4, 0, 0, 0, 0];
    // lgdt [rdi]
    expect(s.mmio({}, { bytes: [0x0f, 0x01, 0x17], gpa: DEVICE }).diagnostic).toBe(null);
    expect(s.set["Gdtr"]).toBe((0x0403_0201n << 64n) | (0x0fffn << 48n));
    expect(s.set["Idtr"]).toBe(undefined);
  });

  test("LIDT with a base that is not canonical: #GP(0)", () => {
    const s = new TestBed();
    s.host.deviceReads = [0xff, 0x0f, 0, 0, 0, 0, 0, 0, 0, 1];
    const result = s.mmio({}, { bytes: [0x0f, 0x01, 0x1f], gpa: DEVICE });
    expect(result.diagnostic?.exception).toMatchObject({ vector: 13, errorCode: 0 });
    expect(s.set["Idtr"]).toBe(undefined);
  });

  test("SGDT stores them, in two pieces", () => {
    const s = new TestBed();
    s.host.registers.set(NAME.WHvX64RegisterGdtr, [0, 0x0fff_0000, 0x1234_5678, 0xffff_8000]);
    // sgdt [rdi]
    expect(s.mmio({}, { bytes: [0x0f, 0x01, 0x07], gpa: DEVICE, accessType: 1 }).diagnostic).toBe(null);
    expect(s.host.texts("memory")).toEqual(["write 2@fee00020=0xfff", "write 8@fee00022=0xffff800012345678"]);
  });
});

describe("LMSW and SMSW", () => {
  test("LMSW sets PE, and cannot clear it", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRbx, 0x10n).put(NAME.WHvX64RegisterCr0, 0x10n);
    s.host.deviceReads = [0x0b, 0xff];
    // lmsw [bx]
    expect(s.mmio(REAL, { bytes: [0x0f, 0x01, 0x37] }).diagnostic).toBe(null);
    expect(s.set["Cr0"]).toBe(0x1bn);
    s.host.deviceReads = [0, 0];
    s.mmio({ mode: 16 }, { bytes: [0x0f, 0x01, 0x37] });
    expect(s.set["Cr0"]).toBe(0x11n);
  });

  test("SMSW stores the low half of CR0", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterCr0, 0x8005_0033n);
    // smsw [rdi]
    s.mmio({}, { bytes: [0x0f, 0x01, 0x27], gpa: DEVICE, accessType: 1 });
    expect(s.host.texts("memory")).toEqual(["write 2@fee00020=0x33"]);
  });
});

describe("control transfers through device memory", () => {
  test("JMP [rdi] takes RIP from the device", () => {
    const s = new TestBed();
    s.host.deviceReads = [0, 0x10, 0, 0, 0, 0x80, 0xff, 0xff];
    expect(s.mmio({ rflags: 0x1_0002n }, { bytes: [0xff, 0x27], gpa: DEVICE }).diagnostic).toBe(null);
    expect(s.set).toEqual({ Rip: 0xffff_8000_0000_1000n, Rflags: 2n });
  });

  test("CALL [rdi] reads the device and pushes the return address to RAM", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRsp, BigInt(RAM + 16));
    s.host.putBytes(RAM + 8, 0, 0, 0, 0, 0, 0, 0, 0);
    s.host.deviceReads = [0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0];
    expect(s.mmio({}, { bytes: [0xff, 0x17], gpa: DEVICE }).diagnostic).toBe(null);
    expect(s.host.texts("memory")).toEqual(["read 8@fee00020", "write 8@2008=0x1002"]);
    expect(s.set).toEqual({ Rsp: BigInt(RAM + 8), Rip: 0x1234_5678n });
  });

  test("a far jump in real mode", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRbx, 0x10n);
    s.host.deviceReads = [0x56, 0x34, 0x00, 0xf0];
    // jmp far [bx]
    expect(s.mmio(REAL, { bytes: [0xff, 0x2f] }).diagnostic).toBe(null);
    expect(s.set["Rip"]).toBe(0x3456n);
    expect(segmentOf(s, "Cs")).toMatchObject({ base: 0xf_0000n, selector: 0xf000n });
  });

  test("PUSH [rdi] and POP [rdi]", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRsp, BigInt(RAM + 16));
    s.host.putBytes(RAM + 8, 0, 0, 0, 0, 0, 0, 0, 0);
    s.host.deviceReads = [1, 0, 0, 0, 0, 0, 0, 0];
    s.mmio({}, { bytes: [0xff, 0x37], gpa: DEVICE });
    expect(s.host.texts("memory")).toEqual(["read 8@fee00020", "write 8@2008=0x1"]);
    expect(s.set["Rsp"]).toBe(BigInt(RAM + 8));
    s.host.calls.length = 0;
    s.mmio({}, { bytes: [0x8f, 0x07], gpa: DEVICE, accessType: 1 });
    expect(s.host.texts("memory")).toEqual(["read 8@2008", "write 8@fee00020=0x1"]);
    expect(s.set["Rsp"]).toBe(BigInt(RAM + 16));
  });

  test("a far call through a task gate is named as what it is", () => {
    const s = protectedBed();
    // A task gate at 0x18 in place of the read-only data.
    s.host.putBytes(GDT + 0x18, 0, 0, 0x20, 0, 0, 0x85, 0, 0);
    s.host.putBytes(GDT + 0x20, ...Array.from({ length: 8 }, () => 0));
    s.host.registers.set(NAME.WHvX64RegisterSs, flatSegment());
    s.host.deviceReads = [0, 0, 0, 0, 0x18, 0];
    const result = s.mmio({ mode: 32 }, { bytes: [0xff, 0x1f], gpa: DEVICE });
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "unreachable-operation", phase: "execute" });
    expect(s.host.set).toBe(null);
  });
});

test("what is the hypervisor's own is refused by name", () => {
  const s = new TestBed({ noMemoryOperand: "execute" });
  // cpuid
  const result = s.mmio({}, { bytes: [0x0f, 0xa2], accessType: 2 });
  expect(result.statusBits).toBe(2);
  expect(result.diagnostic).toMatchObject({ reason: "unreachable-operation", text: "cpuid" });
  expect(result.diagnostic?.message).toContain("cpuid");
  const lenient = new TestBed({ noMemoryOperand: "execute", unsupported: "hyperv" });
  expect(lenient.mmio({}, { bytes: [0x0f, 0xa2], accessType: 2 }).diagnostic?.exception).toMatchObject({ vector: 6 });
});
