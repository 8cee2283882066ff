/** Exceptions for the guest: how they are delivered, when they cannot be, and what is not an exception. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import type { GuestException } from "../src/index.ts";
import { code } from "./assembly.ts";
import { DEVICE, pendingEvent, TestBed } from "./test-bed.ts";
import { flatSegment, type TestHost } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const PAGE = 0xfee0_0000n;
const load = { bytes: code["mov eax, [rdi]"] };

function faulting(options: ConstructorParameters<typeof TestBed>[0] = {}): TestBed {
  const s = new TestBed(options);
  s.host.pages.set(PAGE, { result: 1 });
  return s;
}

describe("delivery", () => {
  test("WHvRegisterPendingEvent with the error code, CR2 as its parameter, and RF in the image, in the one set", () => {
    const s = faulting();
    const result = s.mmio({ cpl: 3 }, { bytes: code["mov [rdi], eax"], accessType: 1 });
    expect(result.statusBits).toBe(1);
    expect(s.host.texts()).toEqual([
      "get Rax Rdi",
      "translate 0xfee00000 flags 13",
      "get PendingInterruption PendingEvent",
      "set Rflags PendingEvent",
    ]);
    expect(s.set).toEqual({ Rflags: 0x1_0002n, PendingEvent: pendingEvent(14, 6, BigInt(DEVICE)) });
  });

  test("CR2 is no register of the set", () => {
    const s = faulting();
    s.mmio({}, load);
    expect(s.set["Cr2"]).toBe(undefined);
  });

  test("option eventForm pending-interruption: that register and CR2", () => {
    const s = faulting({ eventForm: "pending-interruption" });
    s.mmio({}, load);
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi", "get PendingInterruption"]);
    // InterruptionPending, type 3 (exception), DeliverErrorCode, vector 14, error code 0.
    expect(s.set).toEqual({ Rflags: 0x1_0002n, Cr2: BigInt(DEVICE), PendingInterruption: 0x000e_0017n });
  });

  test("pending-interruption without an error code", () => {
    const s = new TestBed({ eventForm: "pending-interruption" });
    s.mmio({}, { bytes: code["push es"] });
    expect(s.set).toEqual({ Rflags: 0x1_0002n, PendingInterruption: 0x0006_0007n });
  });

  test("real mode pushes no error code", () => {
    const s = new TestBed();
    s.host.registers.set(NAME.WHvX64RegisterDs, flatSegment(0x93, 0n, 0xf));
    s.host.put(NAME.WHvX64RegisterRbx, 0x10n);
    s.mmio({ mode: 16, real: true }, { bytes: code["mov ax, [bx]"] });
    expect(s.set["PendingEvent"]).toBe(pendingEvent(13, null));
  });

  test("the guest's registers and memory are as before", () => {
    const s = faulting();
    s.host.put(NAME.WHvX64RegisterRcx, 5n);
    s.mmio({}, { bytes: code["xchg [rdi], ecx"] });
    expect(Object.keys(s.set).sort()).toEqual(["PendingEvent", "Rflags"]);
    expect(s.host.count("memory")).toBe(0);
  });
});

describe("GuestCannotBeFaulted", () => {
  test.each([
    ["WHvRegisterPendingEvent", NAME.WHvRegisterPendingEvent],
    ["WHvRegisterPendingInterruption", NAME.WHvRegisterPendingInterruption],
  ])("an event is pending in %s", (_name, register) => {
    const s = faulting();
    s.host.put(register, 1n);
    const result = s.mmio({}, load);
    expect(result.statusBits).toBe(1 << 9);
    expect(s.host.set).toBe(null);
    expect(result.diagnostic).toMatchObject({
      reason: "guest-cannot-be-faulted",
      exception: { vector: 14, errorCode: 0, cr2: BigInt(DEVICE) },
    });
  });

  test("pending events are looked at only when an exception is due", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvRegisterPendingEvent, 1n);
    expect(s.mmio({}, { ...load, gpa: DEVICE }).emulationSuccessful).toBe(true);
    expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi"]);
  });

  test("option canFault says no", () => {
    const asked: [TestHost, GuestException][] = [];
    const s = faulting({
      canFault: (context, exception) => {
        asked.push([context, exception]);
        return false;
      },
    });
    const result = s.mmio({ cpl: 3 }, load);
    expect(result.guestCannotBeFaulted).toBe(true);
    expect(asked).toEqual([[s.host, { vector: 14, errorCode: 4, cr2: BigInt(DEVICE) }]]);
    expect(s.host.set).toBe(null);
  });

  test("option canFault says yes", () => {
    const s = faulting({ canFault: () => true });
    expect(s.mmio({}, load).emulationSuccessful).toBe(true);
  });

  test("the get of the pending events fails: that callback's status", () => {
    const s = faulting();
    s.host.failing = { callback: "getVirtualProcessorRegisters", at: 1 };
    const result = s.mmio({}, load);
    expect(result.statusBits).toBe(1 << 6);
    expect(s.host.set).toBe(null);
  });

  test("the set of the event fails: that callback's status", () => {
    const s = faulting();
    s.host.failing = { callback: "setVirtualProcessorRegisters", at: 0 };
    expect(s.mmio({}, load).statusBits).toBe(1 << 7);
  });
});

describe("bytes that are no instruction", () => {
  test("#UD for the guest", () => {
    const s = new TestBed();
    const result = s.mmio({}, { bytes: code["push es"] });
    expect(s.set["PendingEvent"]).toBe(pendingEvent(6, null));
    expect(result.diagnostic).toMatchObject({ phase: "decode", text: null, bytes: Uint8Array.of(0x06) });
  });

  test("#GP(0) above 15 bytes", () => {
    const s = new TestBed();
    s.mmio({}, { bytes: code["too long"] });
    expect(s.set["PendingEvent"]).toBe(pendingEvent(13, 0));
  });

  test.each(["push es", "too long"] as const)(
    "option invalidEncoding legacy: InternalEmulationFailure (%s)",
    (bytes) => {
      const s = new TestBed({ invalidEncoding: "legacy" });
      const result = s.mmio({}, { bytes: code[bytes] });
      expect(result.statusBits).toBe(2);
      expect(result.diagnostic).toMatchObject({ reason: "invalid-encoding", phase: "decode" });
      expect(s.host.calls).toEqual([]);
    },
  );
});

/** ENQCMD is valid and reported by name, as no callback can perform it. */
const unsupported = { bytes: [0xf2, 0x0f, 0x38, 0xf8, 0x07], gpa: DEVICE };

describe("valid instructions that are not carried out", () => {
  test("InternalEmulationFailure that names the instruction, and no callback", () => {
    const s = new TestBed();
    const result = s.mmio({}, unsupported);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "unsupported-instruction", phase: "decode" });
    expect(result.diagnostic?.message).toContain("ENQCMD");
    expect(result.diagnostic?.text).toContain("enqcmd");
    expect(s.host.calls).toEqual([]);
  });

  test("option hyperv: #UD", () => {
    const s = new TestBed({ unsupported: "hyperv" });
    expect(s.mmio({}, unsupported).emulationSuccessful).toBe(true);
    expect(s.set["PendingEvent"]).toBe(pendingEvent(6, null));
  });
});

describe("instructions without memory operand behind a memory exit", () => {
  const inc = { bytes: code["inc eax"], gpa: DEVICE };

  test("InternalEmulationFailure", () => {
    const s = new TestBed();
    const result = s.mmio({}, inc);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "no-memory-operand", text: "inc eax" });
  });

  test("option hyperv: #GP(0)", () => {
    const s = new TestBed({ noMemoryOperand: "hyperv" });
    s.mmio({}, inc);
    expect(s.set["PendingEvent"]).toBe(pendingEvent(13, 0));
  });

  test("option execute: carried out, for code in device memory", () => {
    const s = new TestBed({ noMemoryOperand: "execute" });
    s.host.put(NAME.WHvX64RegisterRax, 7n);
    s.mmio({}, { ...inc, accessType: 2 });
    expect(s.set).toEqual({ Rax: 8n, Rip: 0x1002n });
  });
});
