/** The diagnostic of every way to fail: which instruction, where, which callback, how far. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { DEVICE, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const load = { bytes: [...code["mov eax, [rdi]"], 0x90, 0x90], gpa: DEVICE };

test("success has none", () => {
  const s = new TestBed();
  expect(s.mmio({}, load).diagnostic).toBe(null);
});

test("a failing callback: everything a person needs", () => {
  const s = new TestBed();
  s.host.failing = { callback: "memory", at: 0, hresult: 0x8007_0005 };
  expect(s.mmio({ rip: 0xffff_8000_0000_1234n }, load).diagnostic).toEqual({
    reason: "callback-failed",
    message: "The memory callback answered 0x80070005 to a read of 4 bytes at guest-physical 0xfee00020.",
    phase: "load",
    bytes: Uint8Array.of(0x8b, 0x07),
    text: "mov eax, dword ptr [rdi]",
    rip: 0xffff_8000_0000_1234n,
    mode: 64,
    repCompleted: 0,
    callback: "memory",
    callbackHresult: 0x8007_0005,
    thrown: undefined,
    exception: null,
  });
});

describe("phases", () => {
  const cases: [string, string, (s: TestBed) => unknown][] = [
    ["check", "check", (s) => s.mmio({}, { ...load, accessType: 3 })],
    [
      "fetch",
      "fetch",
      (s) => {
        s.host.failing = { callback: "memory", at: 0 };
        return s.mmio({}, { gpa: DEVICE });
      },
    ],
    ["decode", "decode", (s) => s.mmio({}, { bytes: code["push es"] })],
    [
      "registers",
      "registers",
      (s) => {
        s.host.failing = { callback: "getVirtualProcessorRegisters", at: 0 };
        return s.mmio({}, load);
      },
    ],
    [
      "translate",
      "translate",
      (s) => {
        s.host.failing = { callback: "translateGvaPage", at: 0 };
        return s.mmio({}, { bytes: load.bytes });
      },
    ],
    [
      "load",
      "load",
      (s) => {
        s.host.failing = { callback: "memory", at: 0 };
        return s.mmio({}, load);
      },
    ],
    [
      "store",
      "store",
      (s) => {
        s.host.failing = { callback: "memory", at: 1 };
        return s.mmio({}, { bytes: code["add [rdi], ecx"], gpa: DEVICE });
      },
    ],
    [
      "port",
      "port",
      (s) => {
        s.host.failing = { callback: "ioPort", at: 0 };
        return s.io({ instructionLength: 1 }, {});
      },
    ],
    [
      "execute",
      "execute",
      (s) => {
        s.host.put(NAME.WHvX64RegisterRdi, 1n << 60n);
        return s.mmio({}, load);
      },
    ],
    [
      "commit",
      "commit",
      (s) => {
        s.host.failing = { callback: "setVirtualProcessorRegisters", at: 0 };
        return s.mmio({}, load);
      },
    ],
  ];
  test.each(cases)("%s", (_name, phase, call) => {
    const result = call(new TestBed()) as { diagnostic: { phase: string } };
    expect(result.diagnostic.phase).toBe(phase);
  });
});

test("one failure leaves no trace in the next diagnostic", () => {
  const s = new TestBed();
  s.host.failing = { callback: "memory", at: 0, thrown: new Error("first") };
  s.mmio({}, load);
  s.host.failing = null;
  expect(s.mmio({}, { bytes: code["inc eax"] }).diagnostic).toMatchObject({
    callback: null,
    callbackHresult: 0,
    thrown: undefined,
    exception: null,
    repCompleted: 0,
  });
});

test("16-bit code is written as such", () => {
  const s = new TestBed();
  s.host.failing = { callback: "memory", at: 0 };
  expect(s.mmio({ mode: 16, real: true }, { bytes: code["mov ax, [bx]"] }).diagnostic).toMatchObject({
    mode: 16,
    text: "mov ax, word ptr [bx]",
  });
});

test("an exception names itself and its address", () => {
  const s = new TestBed();
  s.host.pages.set(0xfee0_0000n, { result: 2 });
  expect(s.mmio({ cpl: 3 }, { bytes: code["mov [rdi], eax"] }).diagnostic?.message).toBe(
    "The guest takes #PF(0x7) at 0xfee00020.",
  );
});

test("a plain port access tells its bytes where the exit has them", () => {
  const s = new TestBed();
  s.host.failing = { callback: "ioPort", at: 0 };
  expect(s.io({ instructionLength: 1 }, { bytes: [0xec, 0x90] }).diagnostic).toMatchObject({
    text: "in al, dx",
    bytes: Uint8Array.of(0xec),
    message: "The ioPort callback answered 0x80004005 to a read of 1 byte at port 0x60.",
  });
});
