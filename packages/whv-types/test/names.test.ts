// Names and meanings for people: registers, emulator status, HRESULTs.
import { describe, expect, test } from "vitest";
import * as whvTypes from "../src/index.ts";
import {
  describeStatus,
  EmulatorStatusView,
  hresultMessage,
  hresultName,
  registerByShortName,
  registerName,
  shortRegisterName,
  statusNames,
  succeeded,
  WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_IS_NOT_ALIGNED,
  WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_PAGE_IS_NOT_ALIGNED,
  WHV_REGISTER_NAME,
} from "../src/index.ts";
import { layouts, propertyOf } from "./support/facts.ts";

describe("registers", () => {
  test("short names are unique, and lead back to the register", () => {
    const codes = [...new Set(Object.values(WHV_REGISTER_NAME))];
    expect(new Set(codes.map(shortRegisterName)).size).toBe(codes.length);
    for (const code of codes) {
      expect(registerByShortName(shortRegisterName(code))).toBe(code);
      expect(registerByShortName(registerName(code))).toBe(code);
    }
  });

  test("the compiled header's name of a register comes before a newer one", () => {
    expect(registerName(0x80000004)).toBe("WHvX64RegisterDeliverabilityNotifications");
  });

  test("what is unknown is named by its code, or not found", () => {
    expect(registerName(0x1234)).toBe("0x00001234");
    expect(shortRegisterName(-1)).toBe("0xffffffff");
    expect(registerByShortName("Nothing")).toBeUndefined();
    expect(registerByShortName("toString")).toBeUndefined();
  });
});

describe("emulator status", () => {
  const bits = layouts.WHV_EMULATOR_STATUS.fields.filter((field) => field.bitSize === 1);

  test.each(bits)("bit $bitOffset is $name", ({ name, bitOffset = 0 }) => {
    expect(statusNames(2 ** bitOffset)).toEqual([name]);
    expect(describeStatus(2 ** bitOffset)).toMatch(new RegExp(`^${name}: `));
    const constant = `WHV_EMULATOR_STATUS_${name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}`;
    expect((whvTypes as unknown as Record<string, unknown>)[constant]).toBe(2 ** bitOffset);
    expect(EmulatorStatusView.from({ [propertyOf(name)]: true }).asUINT32).toBe(2 ** bitOffset);
  });

  test("both names of bit 5 are the same bit", () => {
    expect(WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_PAGE_IS_NOT_ALIGNED).toBe(
      WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_IS_NOT_ALIGNED,
    );
  });

  test("several bits come lowest first, reserved ones by number", () => {
    expect(statusNames(0x8000_0022)).toEqual([
      "InternalEmulationFailure",
      "TranslateGvaPageCallbackGpaIsNotAligned",
      "Reserved(bit 31)",
    ]);
    expect(describeStatus(0)).toBe("no bit is set: nothing was emulated");
  });
});

describe("HRESULTs", () => {
  const codes = Object.entries(whvTypes).filter(([name]) => /^(S|E|WHV_E)_[A-Z_]+$/.test(name)) as [string, number][];

  test.each(codes)("%s has a name and a message", (name, code) => {
    expect(hresultName(code)).toBe(name);
    expect(hresultMessage(code)).toMatch(new RegExp(`^${name} \\(0x[0-9a-f]{8}\\): `));
    expect(hresultMessage(code | 0)).toBe(hresultMessage(code));
    expect(succeeded(code)).toBe(name.startsWith("S_"));
  });

  test("there are as many as winerror.h has for the platform, and the general ones", () => {
    expect(codes.filter(([name]) => name.startsWith("WHV_E_"))).toHaveLength(11);
    expect(codes).toHaveLength(23);
  });

  test("an unknown one is shown in hex, with its Win32 error where it is one", () => {
    expect(hresultMessage(0x8007001f)).toBe("HRESULT 0x8007001f (Win32 error 31)");
    expect(hresultMessage(0xc0350005)).toBe("HRESULT 0xc0350005");
    expect(hresultName(0xc0350005)).toBeUndefined();
  });
});
