/** REP inside one call: to the end, capped, yielding, failing and faulting in the middle; what is committed when. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import type { EmulatorOptions } from "../src/index.ts";
import { code } from "./assembly.ts";
import { DEVICE, pendingEvent, RAM, TestBed } from "./test-bed.ts";
import type { TestHost } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const DEV = BigInt(DEVICE);

function copying(count: bigint, options: EmulatorOptions<TestHost> = {}): TestBed {
  const s = new TestBed(options);
  s.host.put(NAME.WHvX64RegisterRcx, count);
  s.host.putBytes(RAM, ...Array.from({ length: 64 }, (_, i) => i + 1));
  return s;
}

const movsb = { bytes: code["rep movsb"], gpa: DEVICE, accessType: 1 };

test("runs to its end in one call, with many callbacks", () => {
  const s = copying(5000n);
  for (let i = 0; i < 5000; i++) s.host.ram.set(RAM + i, i & 0xff);
  expect(s.mmio({}, movsb)).toMatchObject({ statusBits: 1, diagnostic: null });
  expect(s.set).toEqual({ Rcx: 0n, Rsi: BigInt(RAM + 5000), Rdi: DEV + 5000n, Rip: 0x1002n });
  expect(s.host.count("memory")).toBe(10000);
  expect(Array.from({ length: 5000 }, (_, i) => s.host.deviceWrites.get(DEVICE + i))).toEqual(
    Array.from({ length: 5000 }, (_, i) => i & 0xff),
  );
});

describe("count 0: the instruction is done, and nothing is touched", () => {
  test.each(["rep movsb", "rep stosd", "repe cmpsb", "repne scasb"] as const)("%s", (instruction) => {
    const s = copying(0n);
    s.mmio({}, { bytes: code[instruction] });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([]);
    expect(s.set).toEqual({ Rip: 0x1002n });
  });

  test("the count has the width of the address size", () => {
    const s = copying(0x5_0000_0000n);
    s.mmio({}, { bytes: code["addr32 rep movsb"], gpa: DEVICE });
    expect(s.host.count("memory")).toBe(0);
    expect(s.set["Rip"]).toBe(0x1003n);
  });
});

test("downwards with DF", () => {
  const s = copying(3n);
  s.host.put(NAME.WHvX64RegisterRsi, BigInt(RAM + 2)).put(NAME.WHvX64RegisterRdi, DEV + 2n);
  s.mmio({ rflags: 0x402n }, movsb);
  expect(s.host.texts("memory")[0]).toBe("read 1@2002");
  expect(s.set).toMatchObject({ Rsi: BigInt(RAM - 1), Rdi: DEV - 1n, Rcx: 0n });
});

describe("elements that straddle a page", () => {
  test("are split, in order", () => {
    const s = copying(2n);
    s.host.put(NAME.WHvX64RegisterRdi, 0x1_0ffcn);
    s.host.pages.set(0x1_0000n, { gpa: 0x7000_0000 }).set(0x1_1000n, { gpa: 0x6000_0000 });
    s.mmio({}, { bytes: code["rep movsq"] });
    expect(s.host.texts("memory")).toEqual([
      "read 8@2000",
      "write 4@70000ffc=0x4030201",
      "write 4@60000000=0x8070605",
      "read 8@2008",
      "write 8@60000004=0x100f0e0d0c0b0a09",
    ]);
  });
});

describe("option maxRepIterations", () => {
  test("stops after so many; the next call goes on", () => {
    const s = copying(5n, { maxRepIterations: 2 });
    expect(s.mmio({}, movsb).emulationSuccessful).toBe(true);
    expect(s.set).toEqual({ Rcx: 3n, Rsi: BigInt(RAM + 2), Rdi: DEV + 2n });
    s.mmio({}, movsb);
    expect(s.set).toEqual({ Rcx: 1n, Rsi: BigInt(RAM + 4), Rdi: DEV + 4n });
    s.mmio({}, movsb);
    expect(s.set).toEqual({ Rcx: 0n, Rsi: BigInt(RAM + 5), Rdi: DEV + 5n, Rip: 0x1002n });
  });

  test("compares leave the flags of the last one", () => {
    const s = new TestBed({ maxRepIterations: 1 });
    s.host.put(NAME.WHvX64RegisterRcx, 3n).put(NAME.WHvX64RegisterRax, 4n);
    s.host.deviceReads = [5];
    s.mmio({}, { bytes: code["repne scasb"], gpa: DEVICE });
    expect(s.set).toEqual({ Rcx: 2n, Rdi: DEV + 1n, Rflags: 0x97n });
  });
});

describe("option shouldYield", () => {
  test("is asked between iterations, and stops where it says so", () => {
    let asked = 0;
    const s = copying(10n, { shouldYield: () => ++asked === 3 });
    expect(s.mmio({}, movsb).emulationSuccessful).toBe(true);
    expect(s.set).toEqual({ Rcx: 7n, Rsi: BigInt(RAM + 3), Rdi: DEV + 3n });
    expect(asked).toBe(3);
  });

  test("holds for one call", () => {
    let asked = 0;
    const s = copying(4n, { shouldYield: () => ++asked === 1 });
    s.mmio({}, movsb);
    s.mmio({}, movsb);
    expect(s.set["Rip"]).toBe(0x1002n);
  });

  test("that throws ends the emulation, not the process", () => {
    const s = copying(4n, {
      shouldYield: () => {
        throw new Error("no");
      },
    });
    const result = s.mmio({}, movsb);
    expect(result.internalEmulationFailure).toBe(true);
    expect(result.diagnostic).toMatchObject({ reason: "internal-error" });
    expect(s.host.set).toBe(null);
  });
});

describe("a callback fails in the third iteration", () => {
  const failing = { callback: "memory", at: 5 } as const;

  test("no set; what was written stays; the progress is in the diagnostic", () => {
    const s = copying(5n);
    s.host.failing = failing;
    const result = s.mmio({}, movsb);
    expect(result.statusBits).toBe(1 << 3);
    expect(s.host.set).toBe(null);
    expect(s.host.get(NAME.WHvX64RegisterRcx)).toBe(5n);
    expect([...s.host.deviceWrites.values()]).toEqual([1, 2]);
    expect(result.diagnostic).toMatchObject({ repCompleted: 2, phase: "store", text: "rep movsb" });
  });

  test("option commitPartialRep: the finished iterations are committed, RIP is not, and it is still a failure", () => {
    const s = copying(5n, { commitPartialRep: true });
    s.host.failing = failing;
    const result = s.mmio({}, movsb);
    expect(result.statusBits).toBe(1 << 3);
    expect(s.set).toEqual({ Rcx: 3n, Rsi: BigInt(RAM + 2), Rdi: DEV + 2n });
    s.host.failing = null;
    s.mmio({}, movsb);
    expect([...s.host.deviceWrites.values()]).toEqual([1, 2, 3, 4, 5]);
    expect(s.set["Rip"]).toBe(0x1002n);
  });

  test("commitPartialRep in the first iteration commits nothing", () => {
    const s = copying(5n, { commitPartialRep: true });
    s.host.failing = { callback: "memory", at: 0 };
    s.mmio({}, movsb);
    expect(s.host.count("setVirtualProcessorRegisters")).toBe(0);
  });

  test("commitPartialRep whose set fails answers the first failure", () => {
    const s = copying(5n, { commitPartialRep: true });
    s.host.failing = failing;
    s.host.setRegisters = (): number => 0x8000_4005;
    const result = s.mmio({}, movsb);
    expect(result.statusBits).toBe(1 << 3);
    expect(result.diagnostic).toMatchObject({ callback: "memory" });
    expect(result.diagnostic?.message).toContain("could not be committed");
  });
});

describe("the guest faults in the middle", () => {
  test("finished iterations are committed with the exception, RIP is not: a success", () => {
    const s = copying(5n);
    s.host.put(NAME.WHvX64RegisterRsi, 0x2ffdn).putBytes(0x2ffd, 1, 2, 3);
    s.host.pages.set(0x3000n, { result: 1 });
    const result = s.mmio({}, movsb);
    expect(result.statusBits).toBe(1);
    expect(s.set).toEqual({
      Rcx: 2n,
      Rsi: 0x3000n,
      Rdi: DEV + 3n,
      Rflags: 0x1_0002n,
      PendingEvent: pendingEvent(14, 0, 0x3000n),
    });
    expect(result.diagnostic).toMatchObject({ reason: "guest-fault", repCompleted: 3 });
  });

  test("compares keep the flags from before the instruction", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRcx, 4n).put(NAME.WHvX64RegisterRdi, 0x2ffen).put(NAME.WHvX64RegisterRax, 9n);
    s.host.putBytes(0x2ffe, 1, 2);
    s.host.pages.set(0x3000n, { result: 1 });
    s.mmio({ rflags: 0x8d7n }, { bytes: code["repne scasb"] });
    expect(s.set).toMatchObject({ Rcx: 2n, Rdi: 0x3000n, Rflags: 0x1_08d7n });
  });
});

describe("compares end at their condition", () => {
  test("REPE CMPSB at the first difference", () => {
    const s = new TestBed();
    s.host.putBytes(RAM, 1, 2, 3, 4).put(NAME.WHvX64RegisterRcx, 4n);
    s.host.deviceReads = [1, 2, 9, 9];
    s.mmio({}, { bytes: code["repe cmpsb"], gpa: DEVICE });
    expect(s.set).toMatchObject({ Rcx: 1n, Rsi: BigInt(RAM + 3), Rdi: DEV + 3n, Rip: 0x1002n });
    expect(s.host.count("memory")).toBe(6);
  });

  test("REPNE SCASB at the first match", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRcx, 4n).put(NAME.WHvX64RegisterRax, 7n);
    s.host.deviceReads = [5, 7, 7];
    s.mmio({}, { bytes: code["repne scasb"], gpa: DEVICE });
    expect(s.set).toMatchObject({ Rcx: 2n, Rflags: 0x46n });
  });
});

test("REPNE before MOVS repeats as REP", () => {
  const s = copying(3n);
  s.mmio({}, { bytes: [0xf2, 0xa4], gpa: DEVICE, accessType: 1 });
  expect(s.set).toMatchObject({ Rcx: 0n, Rip: 0x1002n });
});

test("RFLAGS.RF is kept while the instruction is unfinished, and cleared at its end", () => {
  const s = copying(3n, { maxRepIterations: 2 });
  s.mmio({ rflags: 0x1_0002n }, movsb);
  expect(s.set["Rflags"]).toBe(undefined);
  s.mmio({ rflags: 0x1_0002n }, movsb);
  expect(s.set["Rflags"]).toBe(2n);
});

test("single-step traps after each iteration", () => {
  const s = copying(2n);
  s.mmio({ rflags: 0x102n }, movsb);
  expect(s.set).toEqual({ Rcx: 1n, Rsi: BigInt(RAM + 1), Rdi: DEV + 1n, PendingDebugException: 0x10n });
  s.mmio({ rflags: 0x102n }, movsb);
  expect(s.set).toMatchObject({ Rcx: 0n, Rip: 0x1002n, PendingDebugException: 0x10n });
});

test("registers wrap with the address size", () => {
  const s = new TestBed();
  s.host
    .put(NAME.WHvX64RegisterRcx, 0xffff_0002n)
    .put(NAME.WHvX64RegisterRdi, 0x1234_ffffn)
    .put(NAME.WHvX64RegisterRsi, 0n);
  s.host.putBytes(0, 0xaa, 0xbb);
  s.mmio({ mode: 16, real: true }, { bytes: code["rep movsb"] });
  expect(s.host.texts("memory")).toEqual(["read 1@0", "write 1@ffff=0xaa", "read 1@1", "write 1@0=0xbb"]);
  expect(s.set).toMatchObject({ Rcx: 0xffff_0000n, Rdi: 0x1234_0001n, Rsi: 2n });
});
