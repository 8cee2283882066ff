/** The end of an instruction: RIP, RF, single-step, data breakpoints, interrupt shadow, and the one set. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { DEVICE, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const load = { bytes: code["mov eax, [rdi]"], gpa: DEVICE };
const TF = 0x102n;
const RF = 0x1_0002n;

describe("RIP", () => {
  test.each([
    ["64-bit", { rip: 0xffff_ffff_ffff_fffen }, 0n],
    ["32-bit", { mode: 32, rip: 0xffff_fffen }, 0n],
    ["16-bit", { mode: 16, rip: 0xfffen }, 0n],
  ] as const)("wraps with the code size: %s", (_name, vp, after) => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRbx, 0x20n);
    const result = s.mmio(vp, { bytes: code["mov eax, [rdi]"] });
    expect(result.diagnostic).toBe(null);
    expect(s.set["Rip"]).toBe(after);
  });
});

describe("RFLAGS.RF", () => {
  test("is cleared when the instruction is done", () => {
    const s = new TestBed();
    s.mmio({ rflags: RF }, load);
    expect(s.set["Rflags"]).toBe(2n);
    s.io({ rflags: RF, instructionLength: 1 }, { isWrite: true });
    expect(s.set).toEqual({ Rip: 0x1001n, Rflags: 2n });
  });

  test("RFLAGS that did not change are not set", () => {
    const s = new TestBed();
    s.mmio({ rflags: 0x246n }, load);
    expect(s.set["Rflags"]).toBe(undefined);
  });
});

describe("single-step", () => {
  test("a pending debug exception after the instruction; TF stays", () => {
    const s = new TestBed();
    s.mmio({ rflags: TF }, load);
    expect(s.set["PendingDebugException"]).toBe(0x10n);
    expect(s.set["Rflags"]).toBe(undefined);
  });

  test("after a port access too", () => {
    const s = new TestBed();
    s.io({ rflags: TF, instructionLength: 1 }, { isWrite: true });
    expect(s.set).toEqual({ Rip: 0x1001n, PendingDebugException: 0x10n });
    expect(s.host.count("getVirtualProcessorRegisters")).toBe(0);
  });

  test("not after a fault", () => {
    const s = new TestBed();
    s.host.pages.set(0xfee0_0000n, { result: 1 });
    s.mmio({ rflags: TF }, { bytes: load.bytes });
    expect(s.set["PendingDebugException"]).toBe(undefined);
    expect(s.set["PendingEvent"]).not.toBe(undefined);
  });

  test("option debugTraps event: #DB as an event, with DR6.BS", () => {
    const s = new TestBed({ debugTraps: "event" });
    s.host.put(NAME.WHvX64RegisterDr6, 0xffff_0ff0n);
    s.mmio({ rflags: TF }, load);
    expect(s.set).toMatchObject({ Dr6: 0xffff_4ff0n, PendingEvent: 1n | (1n << 16n) });
    expect(s.host.count("getVirtualProcessorRegisters")).toBe(1);
    s.io({ rflags: TF, instructionLength: 1 }, { isWrite: true });
    expect(s.set).toMatchObject({ Dr6: 0xffff_4ff0n });
  });
});

describe("interrupt shadow", () => {
  test("bit 0 of the interrupt state is cleared in the same get and set, NmiMasked survives", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvRegisterInterruptState, 3n);
    s.mmio({ interruptShadow: true }, load);
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi InterruptState"]);
    expect(s.set["InterruptState"]).toBe(2n);
    expect(s.host.count("setVirtualProcessorRegisters")).toBe(1);
  });

  test("costs a port access one get", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvRegisterInterruptState, 1n);
    s.io({ interruptShadow: true, instructionLength: 1 }, { isWrite: true });
    expect(s.host.texts()).toEqual(["get InterruptState", "out 1@60=0x0", "set Rip InterruptState"]);
    expect(s.set["InterruptState"]).toBe(0n);
  });

  test("stays while a REP is unfinished", () => {
    const s = new TestBed({ maxRepIterations: 1 });
    s.host.put(NAME.WHvX64RegisterRcx, 2n).put(NAME.WHvRegisterInterruptState, 1n);
    s.mmio({ interruptShadow: true }, { bytes: code["rep stosd"], gpa: DEVICE, accessType: 1 });
    expect(s.set["InterruptState"]).toBe(undefined);
    s.mmio({ interruptShadow: true }, { bytes: code["rep stosd"], gpa: DEVICE, accessType: 1 });
    expect(s.set["InterruptState"]).toBe(0n);
  });

  test("option interruptShadow false leaves it alone", () => {
    const s = new TestBed({ interruptShadow: false });
    s.mmio({ interruptShadow: true }, load);
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi"]);
    expect(s.set["InterruptState"]).toBe(undefined);
  });
});

describe("data breakpoints", () => {
  const DR7_WRITE_4 = 0x000d_0002n; // G0, R/W0 = 1 (write), LEN0 = 3 (four bytes)
  const DR7_ACCESS_4 = 0x000f_0002n;

  function armed(dr0: bigint, dr7: bigint, enabled = true): TestBed {
    const s = new TestBed(enabled ? { dataBreakpoints: true } : {});
    s.host.put(NAME.WHvX64RegisterDr0, dr0).put(NAME.WHvX64RegisterDr7, dr7);
    return s;
  }

  const store = { bytes: code["mov [rdi], eax"], gpa: DEVICE, accessType: 1 };

  test.each([
    ["a write to a watched address", DR7_WRITE_4, BigInt(DEVICE), store, 1n],
    ["a read, when writes are watched", DR7_WRITE_4, BigInt(DEVICE), load, undefined],
    ["a read, when accesses are watched", DR7_ACCESS_4, BigInt(DEVICE), load, 1n],
    ["an overlap", DR7_ACCESS_4, BigInt(DEVICE) - 1n, load, undefined],
    ["another address", DR7_ACCESS_4, BigInt(DEVICE) + 4n, load, undefined],
  ])("%s", (_name, dr7, dr0, access, hit) => {
    const s = armed(dr0, dr7);
    s.mmio({ debugActive: true }, access);
    expect(s.set["PendingDebugException"]).toBe(hit);
    expect(s.host.count("getVirtualProcessorRegisters")).toBe(1);
  });

  test("with a single-step trap they are one exception", () => {
    const s = armed(BigInt(DEVICE), DR7_ACCESS_4);
    s.mmio({ debugActive: true, rflags: TF }, load);
    expect(s.set["PendingDebugException"]).toBe(0x11n);
  });

  test("are not looked at by default, nor while debug registers are inactive", () => {
    for (const [enabled, debugActive] of [
      [false, true],
      [true, false],
    ] as const) {
      const s = armed(BigInt(DEVICE), DR7_ACCESS_4, enabled);
      s.mmio({ debugActive }, load);
      expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi"]);
      expect(s.set["PendingDebugException"]).toBe(undefined);
    }
  });

  test("watch the elements of REP", () => {
    const s = armed(BigInt(DEVICE) + 8n, DR7_WRITE_4);
    s.host.put(NAME.WHvX64RegisterRcx, 4n);
    s.mmio({ debugActive: true }, { bytes: code["rep stosd"], gpa: DEVICE, accessType: 1 });
    expect(s.set["PendingDebugException"]).toBe(1n);
  });
});

describe("the set", () => {
  test("comes once, last, and carries only what changed", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRax, 0x1ffn);
    s.host.deviceReads = [0xff];
    s.mmio({}, { bytes: code["mov al, [rdi]"], gpa: DEVICE });
    expect(s.host.texts()).toEqual(["get Rax Rdi", "read 1@fee00020", "set Rip"]);
  });

  test("is never empty", () => {
    const s = new TestBed({ shouldYield: () => true });
    s.host.put(NAME.WHvX64RegisterRcx, 2n);
    s.mmio({}, { bytes: [0xf3, 0xae], gpa: DEVICE });
    expect(s.host.set?.size).toBeGreaterThan(0);
  });
});

describe("option verifyExitContext", () => {
  test("agreeing registers cost no second get", () => {
    const s = new TestBed({ verifyExitContext: true });
    s.host.put(NAME.WHvX64RegisterRip, 0x1000n).put(NAME.WHvX64RegisterRflags, 2n);
    expect(s.mmio({}, load).emulationSuccessful).toBe(true);
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi Rip Rflags"]);
  });

  test("different ones end the emulation", () => {
    const s = new TestBed({ verifyExitContext: true });
    s.host.put(NAME.WHvX64RegisterRip, 0x2000n).put(NAME.WHvX64RegisterRflags, 2n);
    const result = s.mmio({}, load);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "exit-context-mismatch", phase: "registers" });
    expect(s.host.count("memory")).toBe(0);
  });
});
