/** IN and OUT: finished from the exit context alone. */
import { S_OK, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const RAX = 0x1122_3344_5566_7788n;

describe("IN merges what the port gives into RAX", () => {
  test.each([
    [1, 0x1122_3344_5566_77ddn],
    [2, 0x1122_3344_5566_ccddn],
    [4, 0xaabb_ccddn],
  ])("%i bytes", (size, after) => {
    const s = new TestBed();
    s.host.portReads = [0xaabb_ccdd];
    const result = s.io({ instructionLength: 1 }, { port: 0x3f8, size, rax: RAX });
    expect(result).toMatchObject({ hresult: S_OK, statusBits: 1, diagnostic: null });
    expect(s.set).toEqual({ Rax: after, Rip: 0x1001n });
    expect(s.host.texts()).toEqual([`in ${size}@3f8`, "set Rax Rip"]);
  });

  test("an unchanged RAX is not written", () => {
    const s = new TestBed();
    s.host.portReads = [0x88];
    s.io({ instructionLength: 2 }, { rax: RAX });
    expect(s.set).toEqual({ Rip: 0x1002n });
  });

  test("a 32-bit IN clears the upper half even where the lower is unchanged", () => {
    const s = new TestBed();
    s.host.portReads = [0x5566_7788];
    s.io({ instructionLength: 1 }, { size: 4, rax: RAX });
    expect(s.set).toEqual({ Rax: 0x5566_7788n, Rip: 0x1001n });
  });

  test.each([-1, 2 ** 32 + 5, 0.5, Number.NaN])("a callback that leaves %d gets it cut to the access size", (given) => {
    const s = new TestBed();
    s.host.portReads = [given];
    expect(s.io({ instructionLength: 1 }, { size: 1, rax: 0n }).emulationSuccessful).toBe(true);
    expect((s.set["Rax"] ?? 0n) <= 0xffn).toBe(true);
  });
});

describe("OUT gives the port the low bytes of RAX", () => {
  test.each([
    [1, "0x88"],
    [2, "0x7788"],
    [4, "0x55667788"],
  ])("%i bytes", (size, data) => {
    const s = new TestBed();
    const result = s.io({ instructionLength: 1 }, { port: 0xcf8, size, isWrite: true, rax: RAX });
    expect(result.statusBits).toBe(1);
    expect(s.host.texts()).toEqual([`out ${size}@cf8=${data}`, "set Rip"]);
  });

  test("the data is unsigned", () => {
    const s = new TestBed();
    s.io({ instructionLength: 1 }, { size: 4, isWrite: true, rax: 0xffff_fffen });
    expect(s.host.texts("ioPort")).toEqual(["out 4@60=0xfffffffe"]);
  });
});

test("no fetch, no translation, no get, whatever the instruction bytes hold", () => {
  const s = new TestBed();
  s.io({ instructionLength: 2 }, { bytes: [0x0f, 0xff, 0xff] });
  expect(s.host.calls.map(({ callback }) => callback)).toEqual(["ioPort", "setVirtualProcessorRegisters"]);
});

test("REP before IN counts for nothing", () => {
  const s = new TestBed();
  s.io({ instructionLength: 2 }, { repPrefix: true, rcx: 0n });
  expect(s.host.count("ioPort")).toBe(1);
});

describe("InstructionLength 0: the instruction is decoded for its length", () => {
  test("from the exit's bytes", () => {
    const s = new TestBed();
    s.io({}, { bytes: [...code["in al, dx"], 0x90, 0x90] });
    expect(s.set["Rip"]).toBe(0x1001n);
    expect(s.host.count("memory")).toBe(0);
  });

  test("from memory where the exit has none", () => {
    const s = new TestBed();
    s.host.putBytes(0x1000, 0xe4, 0x60, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90);
    s.io({}, {});
    expect(s.host.texts()).toEqual(["translate 0x1000 flags 14", "read 8@1000", "in 1@60", "set Rax Rip"]);
    expect(s.set["Rip"]).toBe(0x1002n);
  });

  test("bytes of another instruction are no port access", () => {
    const s = new TestBed();
    const result = s.io({}, { bytes: code["mov eax, [rdi]"] });
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({
      reason: "instruction-mismatch",
      phase: "decode",
      text: "mov eax, dword ptr [rdi]",
    });
    expect(s.host.count("ioPort")).toBe(0);
  });
});

describe("RIP", () => {
  test.each([
    ["64-bit code wraps at 2^64", { mode: 64, rip: 0xffff_ffff_ffff_ffffn }, 0n],
    ["64-bit code counts past 4 GiB", { mode: 64, rip: 0xffff_ffffn }, 0x1_0000_0000n],
    ["32-bit code wraps at 2^32", { mode: 32, rip: 0xffff_ffffn }, 0n],
    ["compatibility code too", { mode: 32, longMode: true, rip: 0xffff_ffffn }, 0n],
    ["16-bit code wraps at 2^16", { mode: 16, rip: 0xffffn }, 0n],
  ] as const)("%s", (_name, vp, after) => {
    const s = new TestBed();
    s.io({ ...vp, instructionLength: 1 }, { isWrite: true });
    expect(s.set["Rip"]).toBe(after);
  });
});

describe("IOPL is not checked again: the processor has done so before it stopped", () => {
  test("CPL 3 with IOPL 0", () => {
    const s = new TestBed();
    expect(s.io({ cpl: 3, rflags: 2n, instructionLength: 1 }, { isWrite: true }).emulationSuccessful).toBe(true);
  });
});

test("a failing port leaves everything as it was", () => {
  const s = new TestBed();
  s.host.put(NAME.WHvX64RegisterRax, RAX);
  s.host.failing = { callback: "ioPort", at: 0 };
  const result = s.io({ instructionLength: 1 }, { rax: RAX });
  expect(result.ioPortCallbackFailed).toBe(true);
  expect(s.host.set).toBe(null);
  expect(s.host.get(NAME.WHvX64RegisterRax)).toBe(RAX);
  expect(result.diagnostic).toMatchObject({ phase: "port", callback: "ioPort", rip: 0x1000n });
});
