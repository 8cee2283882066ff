/**
 * The sentences of the document "WHvEmulatorTryIoEmulation and WHvEmulatorTryMmioEmulation" on the return value and on each
 * bit of WHV_EMULATOR_STATUS, one test each.
 */
import {
  describeStatus,
  type EmulationResult,
  type EmulatorCallbacks,
  S_OK,
  WHV_REGISTER_NAME,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { DEVICE, RAM, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const EMULATION_SUCCESSFUL = 1 << 0;
const INTERNAL_EMULATION_FAILURE = 1 << 1;
const IO_PORT_CALLBACK_FAILED = 1 << 2;
const MEMORY_CALLBACK_FAILED = 1 << 3;
const TRANSLATE_CALLBACK_FAILED = 1 << 4;
const TRANSLATE_GPA_NOT_ALIGNED = 1 << 5;
const GET_CALLBACK_FAILED = 1 << 6;
const SET_CALLBACK_FAILED = 1 << 7;
const INTERRUPT_CAUSED_INTERCEPT = 1 << 8;
const GUEST_CANNOT_BE_FAULTED = 1 << 9;

const deviceMov = { bytes: code["mov eax, [rdi]"], gpa: DEVICE };
/** Needs a translation: the exit says nothing of the address. */
const untranslatedMov = { bytes: code["mov eax, [rdi]"] };

const bed = (): TestBed => new TestBed();

/** The only bit set, and the boolean of that name the only true one. */
function expectOnly(result: EmulationResult, bits: number, name: keyof EmulationResult): void {
  expect(result.hresult).toBe(S_OK);
  expect(describeStatus(result.statusBits)).toEqual(describeStatus(bits));
  expect(result.statusBits).toBe(bits);
  const booleans = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(result)))
    .filter(([, { get }]) => get !== undefined)
    .map(([key]) => key);
  expect(booleans.length).toBe(10);
  expect(booleans.filter((key) => result[key as keyof EmulationResult] === true)).toEqual([name]);
}

describe("WHV_EMULATOR_STATUS", () => {
  test("EmulationSuccessful: the set callback was called and the processor can go on", () => {
    const s = bed();
    expectOnly(s.mmio({}, deviceMov), EMULATION_SUCCESSFUL, "emulationSuccessful");
    expect(s.host.count("setVirtualProcessorRegisters")).toBe(1);
    expect(s.host.calls.at(-1)?.callback).toBe("setVirtualProcessorRegisters");
  });

  test("InternalEmulationFailure: the instruction has no memory operand", () => {
    const s = bed();
    expectOnly(s.mmio({}, { bytes: code["inc eax"] }), INTERNAL_EMULATION_FAILURE, "internalEmulationFailure");
  });

  test("IoPortCallbackFailed: the port callback did not return S_OK", () => {
    const s = bed();
    s.host.failing = { callback: "ioPort", at: 0 };
    expectOnly(s.io({ instructionLength: 1 }, {}), IO_PORT_CALLBACK_FAILED, "ioPortCallbackFailed");
  });

  test("MemoryCallbackFailed: the memory callback did not return S_OK", () => {
    const s = bed();
    s.host.failing = { callback: "memory", at: 0 };
    expectOnly(s.mmio({}, deviceMov), MEMORY_CALLBACK_FAILED, "memoryCallbackFailed");
  });

  test("TranslateGvaPageCallbackFailed: the translate callback did not return S_OK", () => {
    const s = bed();
    s.host.failing = { callback: "translateGvaPage", at: 0 };
    expectOnly(s.mmio({}, untranslatedMov), TRANSLATE_CALLBACK_FAILED, "translateGvaPageCallbackFailed");
  });

  test("TranslateGvaPageCallbackGpaIsNotAligned: the page address returned was not 4K aligned", () => {
    const s = bed();
    s.host.pages.set(0xfee0_0000n, { gpa: 0xfee0_0020 });
    expectOnly(s.mmio({}, untranslatedMov), TRANSLATE_GPA_NOT_ALIGNED, "translateGvaPageCallbackGpaIsNotAligned");
    expect(s.host.count("memory")).toBe(0);
  });

  test("GetVirtualProcessorRegistersCallbackFailed: the get callback did not return S_OK", () => {
    const s = bed();
    s.host.failing = { callback: "getVirtualProcessorRegisters", at: 0 };
    expectOnly(s.mmio({}, deviceMov), GET_CALLBACK_FAILED, "getVirtualProcessorRegistersCallbackFailed");
    expect(s.host.count("memory")).toBe(0);
  });

  test("SetVirtualProcessorRegistersCallbackFailed: the set callback did not return S_OK", () => {
    const s = bed();
    s.host.failing = { callback: "setVirtualProcessorRegisters", at: 0 };
    expectOnly(s.mmio({}, deviceMov), SET_CALLBACK_FAILED, "setVirtualProcessorRegistersCallbackFailed");
  });

  test("InterruptCausedIntercept: a pending interrupt or fault caused this intercept", () => {
    const s = bed();
    expectOnly(
      s.mmio({ interruptionPending: true }, deviceMov),
      INTERRUPT_CAUSED_INTERCEPT,
      "interruptCausedIntercept",
    );
  });

  test("GuestCannotBeFaulted: an exception is due while an event is pending", () => {
    const s = bed();
    s.host.pages.set(0xfee0_0000n, { result: 1 });
    s.host.put(NAME.WHvRegisterPendingEvent, 1n);
    expectOnly(s.mmio({}, untranslatedMov), GUEST_CANNOT_BE_FAULTED, "guestCannotBeFaulted");
    expect(s.host.set).toBe(null);
  });
});

const needs: readonly [keyof EmulatorCallbacks, number, (s: TestBed) => EmulationResult][] = [
  ["ioPort", IO_PORT_CALLBACK_FAILED, (s) => s.io({ instructionLength: 1 }, {})],
  ["memory", MEMORY_CALLBACK_FAILED, (s) => s.mmio({}, deviceMov)],
  ["translateGvaPage", TRANSLATE_CALLBACK_FAILED, (s) => s.mmio({}, untranslatedMov)],
  ["getVirtualProcessorRegisters", GET_CALLBACK_FAILED, (s) => s.mmio({}, deviceMov)],
  ["setVirtualProcessorRegisters", SET_CALLBACK_FAILED, (s) => s.mmio({}, deviceMov)],
];

describe.each(needs)("the %s callback", (callback, bit, call) => {
  test.each([0x8000_4005, 0x8007_0057, 1, 0xffff_ffff, -2147467259])("answering %i fails the emulation", (hresult) => {
    const s = bed();
    s.host.failing = { callback, at: 0, hresult };
    const result = call(s);
    expect(result.statusBits).toBe(bit);
    expect(result.diagnostic).toMatchObject({ reason: "callback-failed", callback, callbackHresult: hresult >>> 0 });
    expect(s.host.calls.at(-1)?.callback).toBe(callback);
  });

  test("throwing fails the emulation, and what it threw is kept", () => {
    const s = bed();
    const thrown = new Error("the device is on fire");
    s.host.failing = { callback, at: 0, thrown };
    const result = call(s);
    expect(result.statusBits).toBe(bit);
    expect(result.diagnostic).toMatchObject({ reason: "callback-failed", callback, callbackHresult: 0x8000_4005 });
    expect(result.diagnostic?.thrown).toBe(thrown);
    expect(result.diagnostic?.message).toContain("the device is on fire");
  });

  test.each([
    ["nothing", undefined],
    ["a promise", Promise.resolve(0)],
    ["true", true],
    ["0n", 0n],
  ])("answering %s instead of an HRESULT fails the emulation", (_name, answer) => {
    const s = bed();
    s.host.failing = { callback, at: 0, hresult: answer };
    const result = call(s);
    expect(result.statusBits).toBe(bit);
    expect(result.diagnostic?.message).toContain("instead of an HRESULT");
  });
});

test("return value: S_OK in most methods of operation", () => {
  const s = bed();
  expect(s.mmio({}, deviceMov).hresult).toBe(S_OK);
  expect(s.mmio({}, { bytes: code["inc eax"] }).hresult).toBe(S_OK);
});

test("the context is handed to every callback", () => {
  const s = bed();
  s.host.putBytes(RAM, 1, 2, 3, 4);
  // Every callback of the test host works on its context; a wrong one would not have been written down.
  s.mmio({}, { bytes: code.movsd, gpa: DEVICE, accessType: 1 });
  expect(new Set(s.host.calls.map(({ callback }) => callback)).size).toBe(4);
});
