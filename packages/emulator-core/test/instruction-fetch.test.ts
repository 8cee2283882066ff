/** Instruction bytes: delivered, absent, partial, across a page, and never more than needed. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { DEVICE, pendingEvent, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const EXECUTE = "14";
const NOP = 0x90;

test("bytes beyond the instruction are ignored", () => {
  const s = new TestBed();
  s.mmio({}, { bytes: [...code["mov eax, [rdi]"], 0x0f, 0xff, 0xff], gpa: DEVICE });
  expect(s.set["Rip"]).toBe(0x1002n);
  expect(s.host.count("memory")).toBe(1);
});

describe("absent bytes come through the memory callback", () => {
  test("eight at once, after one Execute translation", () => {
    const s = new TestBed();
    s.host.putBytes(0x1000, ...code["mov eax, [rdi]"], NOP, NOP, NOP, NOP, NOP, NOP);
    const result = s.mmio({}, { gpa: DEVICE });
    expect(result.diagnostic).toBe(null);
    expect(s.host.texts()).toEqual([
      `translate 0x1000 flags ${EXECUTE}`,
      "read 8@1000",
      "get Rdi",
      "read 4@fee00020",
      "set Rax Rip",
    ]);
  });

  test("exactly InstructionLength bytes where the exit knows it", () => {
    const s = new TestBed();
    s.host.putBytes(0x1000, ...code["mov eax, [rdi]"]);
    s.mmio({ instructionLength: 2 }, { gpa: DEVICE });
    expect(s.host.texts("memory")).toEqual(["read 2@1000", "read 4@fee00020"]);
  });

  test("a ten-byte instruction takes two callbacks and one translation", () => {
    const s = new TestBed();
    s.host.putBytes(0x1000, ...code["mov rax, moffs64"]);
    s.mmio({ instructionLength: 10 }, { gpa: DEVICE });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      `translate 0x1000 flags ${EXECUTE}`,
      "read 8@1000",
      "read 2@1008",
      "read 8@fee00020",
    ]);
    expect(s.set["Rip"]).toBe(0x100an);
  });

  test("an InstructionLength that is too short does not stop the fetch", () => {
    const s = new TestBed();
    s.host.putBytes(0x1000, ...code["mov dword ptr [rdi], 12345678h"]);
    s.mmio({ instructionLength: 3 }, { gpa: DEVICE, accessType: 1 });
    expect(s.set["Rip"]).toBe(0x1006n);
    expect(s.host.texts("memory")[0]).toBe("read 3@1000");
  });

  test("nothing beyond the page while the instruction ends in it", () => {
    const s = new TestBed();
    s.host.putBytes(0x1ffe, ...code["mov eax, [rdi]"]);
    s.mmio({ rip: 0x1ffen }, { gpa: DEVICE });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      `translate 0x1000 flags ${EXECUTE}`,
      "read 2@1ffe",
      "read 4@fee00020",
    ]);
  });

  test("across a page: the second page when, and only when, it is needed", () => {
    const s = new TestBed();
    s.host.pages.set(0x2000n, { gpa: 0x9000 });
    s.host.putBytes(0x1fff, 0x8b);
    s.host.putBytes(0x9000, 0x07, NOP, NOP, NOP, NOP, NOP, NOP, NOP);
    s.mmio({ rip: 0x1fffn }, { gpa: DEVICE });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      `translate 0x1000 flags ${EXECUTE}`,
      "read 1@1fff",
      `translate 0x2000 flags ${EXECUTE}`,
      "read 8@9000",
      "read 4@fee00020",
    ]);
    expect(s.set["Rip"]).toBe(0x2001n);
  });
});

describe("partial bytes are completed", () => {
  test("from where they end", () => {
    const s = new TestBed();
    s.host.putBytes(0x1001, 0x07, NOP, NOP, NOP, NOP, NOP, NOP, NOP);
    s.mmio({}, { bytes: [0x8b], gpa: DEVICE });
    expect(s.host.texts("memory")).toEqual(["read 8@1001", "read 4@fee00020"]);
    expect(s.set["Rip"]).toBe(0x1002n);
  });

  test("in the next page", () => {
    const s = new TestBed();
    s.host.putBytes(0x2000, 0x07, NOP, NOP, NOP, NOP, NOP, NOP, NOP);
    s.mmio({ rip: 0x1fffn }, { bytes: [0x8b], gpa: DEVICE });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      `translate 0x2000 flags ${EXECUTE}`,
      "read 8@2000",
      "read 4@fee00020",
    ]);
  });
});

describe("where the bytes are", () => {
  test("32-bit code: CS.base + EIP, wrapping at 4 GiB", () => {
    const s = new TestBed();
    s.host.putBytes(0x0ff0, ...code["mov eax, [edi]"], NOP, NOP, NOP, NOP, NOP, NOP);
    s.mmio({ mode: 32, csBase: 0xffff_fff0n, rip: 0x1000n }, { gpa: DEVICE });
    expect(s.host.texts("memory")[0]).toBe("read 8@ff0");
  });

  test("beyond the limit of CS: #GP(0)", () => {
    const s = new TestBed();
    const result = s.mmio({ mode: 32, csLimit: 0xfff, rip: 0x1000n }, { gpa: DEVICE });
    expect(result.diagnostic?.exception).toMatchObject({ vector: 13, errorCode: 0 });
    expect(s.host.count("memory")).toBe(0);
  });

  test("64-bit code that runs into addresses that are none: #GP(0), and nothing is read there", () => {
    const s = new TestBed();
    const [first, ...rest] = code["mov eax, [rdi]"];
    s.host.putBytes(0x7fff_ffff_ffff, first).putBytes(0x8000_0000_0000, ...rest);
    const result = s.mmio({ rip: 0x7fff_ffff_ffffn }, {});
    expect(result.diagnostic).toMatchObject({ phase: "fetch", exception: { vector: 13, errorCode: 0 } });
    expect(s.host.texts("memory")).toEqual(["read 1@7fffffffffff"]);
  });

  test("not more than the limit of CS allows", () => {
    const s = new TestBed();
    s.host.putBytes(0x1000, ...code["mov eax, [edi]"]);
    s.mmio({ mode: 32, csLimit: 0x1001, rip: 0x1000n }, { gpa: DEVICE });
    expect(s.host.texts("memory")[0]).toBe("read 2@1000");
  });
});

describe("AccessType Execute", () => {
  test("the exit's translation serves the fetch, and the memory operand is emulated", () => {
    const s = new TestBed();
    s.host.deviceReads = [...code["mov eax, [rdi]"], NOP, NOP, NOP, NOP, NOP, NOP];
    s.host.put(NAME.WHvX64RegisterRdi, 0x3000n).putBytes(0x3000, 1, 2, 3, 4);
    const result = s.mmio({ rip: 0xfff0_0010n }, { gpa: 0xfff0_0010, accessType: 2 });
    expect(result.diagnostic).toBe(null);
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      "read 8@fff00010",
      "translate 0x3000 flags 11",
      "read 4@3000",
    ]);
    expect(s.set).toEqual({ Rax: 0x0403_0201n, Rip: 0xfff0_0012n });
  });
});

describe("a fetch that fails", () => {
  test("not-present page: #PF with the address of the missing byte", () => {
    const s = new TestBed();
    s.host.pages.set(0x2000n, { result: 1 });
    const result = s.mmio({ rip: 0x1fffn, cpl: 3 }, { bytes: [0x8b], gpa: DEVICE });
    expect(result.emulationSuccessful).toBe(true);
    expect(s.set["PendingEvent"]).toBe(pendingEvent(14, 4, 0x2000n));
  });

  test("the fetch bit of the error code only where NX or SMEP can forbid fetches", () => {
    for (const [cr4, efer, code] of [
      [0n, 0n, 0],
      [0x20n, 0x800n, 16],
      [0x10_0000n, 0n, 16],
      [0n, 0x800n, 0],
    ] as const) {
      const s = new TestBed();
      s.host.pages.set(0x1000n, { result: 1 });
      s.host.put(NAME.WHvX64RegisterCr4, cr4).put(NAME.WHvX64RegisterEfer, efer);
      s.mmio({}, { gpa: DEVICE });
      expect(s.set["PendingEvent"]).toBe(pendingEvent(14, code, 0x1000n));
    }
  });

  test("the memory callback fails: phase fetch", () => {
    const s = new TestBed();
    s.host.failing = { callback: "memory", at: 0 };
    const result = s.mmio({}, { gpa: DEVICE });
    expect(result.memoryCallbackFailed).toBe(true);
    expect(result.diagnostic).toMatchObject({ phase: "fetch", text: null });
  });
});

test("the same bytes in another mode are another instruction", () => {
  const s = new TestBed();
  s.host.deviceReads = [1, 2, 3, 4, 5, 6];
  s.mmio({}, { bytes: code["mov eax, [rdi]"], gpa: DEVICE });
  expect(s.set["Rip"]).toBe(0x1002n);
  expect(s.host.texts("memory")).toEqual(["read 4@fee00020"]);
  s.host.calls.length = 0;
  s.host.put(NAME.WHvX64RegisterRbx, 0x20n);
  s.mmio({ mode: 16, real: true }, { bytes: code["mov ax, [bx]"], gpa: 0x20 });
  expect(s.host.texts("memory")).toEqual(["read 2@20"]);
});

test("more instructions than the cache holds, each still right", () => {
  const s = new TestBed({ programCacheSize: 2 });
  for (let round = 0; round < 3; round++)
    for (let register = 0; register < 8; register++) {
      if (register === 4 || register === 5) continue;
      s.host.put(NAME.WHvX64RegisterRax + register, BigInt(DEVICE));
      s.host.deviceReads = [register];
      expect(s.mmio({}, { bytes: [0x8a, 0x40 | register, 0], gpa: DEVICE }).emulationSuccessful).toBe(true);
      expect((s.set["Rax"] ?? 0n) & 0xffn).toBe(BigInt(register));
    }
});

describe("an instruction that came before is found again by its own bytes", () => {
  const mov = code["mov eax, [rdi]"];

  test("another one at the same RIP is another one", () => {
    const s = new TestBed();
    for (const [bytes, transcript] of [
      [mov, "read 4@fee00020"],
      [code["mov rax, [rdi]"], "read 8@fee00020"],
      [[...mov.slice(0, 1), 0x47, 0x04], "read 4@fee00024"],
      [[...mov.slice(0, 1), 0x47, 0x08], "read 4@fee00028"],
      [mov, "read 4@fee00020"],
    ] as const) {
      s.host.calls.length = 0;
      expect(s.mmio({}, { bytes, gpa: DEVICE }).emulationSuccessful).toBe(true);
      expect(s.host.texts("memory")).toEqual([transcript]);
    }
  });

  test("whatever follows it", () => {
    const s = new TestBed();
    for (const after of [[], [0x0f], [0xff, 0xff, 0xff], new Array<number>(14).fill(0x66)]) {
      s.host.calls.length = 0;
      expect(s.mmio({}, { bytes: [...mov, ...after], gpa: DEVICE }).emulationSuccessful).toBe(true);
      expect(s.host.texts("memory")).toEqual(["read 4@fee00020"]);
    }
  });

  test("not by a part of them: the rest is fetched, and may say otherwise", () => {
    const s = new TestBed();
    s.mmio({}, { bytes: mov, gpa: DEVICE });
    s.host.calls.length = 0;
    s.host.putBytes(0x1001, 0x0f, NOP, NOP, NOP, NOP, NOP, NOP, NOP);
    s.mmio({}, { bytes: mov.slice(0, 1), gpa: DEVICE });
    expect(s.host.texts("memory")).toEqual(["read 8@1001", "read 4@fee00020"]);
    expect(s.set["Rcx"]).toBe(0xffff_ffffn);
  });
});
