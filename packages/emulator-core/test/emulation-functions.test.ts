/** The functions of WinHvEmulation.h: handles, HRESULTs, the status they fill. */
import {
  E_FAIL,
  E_INVALIDARG,
  EmulatorStatusView,
  EmulatorTranslation,
  S_OK,
  WHV_REGISTER_NAME,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import {
  type Out,
  type WHvEmulatorCallbackTable,
  WHvEmulatorCreateEmulator,
  WHvEmulatorDestroyEmulator,
  type WHvEmulatorHandle,
  WHvEmulatorTryIoEmulation,
  WHvEmulatorTryMmioEmulation,
} from "../src/index.ts";
import { code } from "./assembly.ts";
import { memoryExit, portExit, vpExit } from "./exits.ts";
import { DEVICE } from "./test-bed.ts";
import { TestHost } from "./test-host.ts";

function table(): WHvEmulatorCallbackTable<TestHost> {
  return {
    Size: 48,
    Reserved: 0,
    WHvEmulatorIoPortCallback: (host, access) => host.ioPort(access),
    WHvEmulatorMemoryCallback: (host, access) => host.memory(access),
    WHvEmulatorGetVirtualProcessorRegisters: (host, names, count, values) => host.getRegisters(names, count, values),
    WHvEmulatorSetVirtualProcessorRegisters: (host, names, count, values) => host.setRegisters(names, count, values),
    WHvEmulatorTranslateGvaPage: (host, gva, flags, result, gpa) => {
      const translation = new EmulatorTranslation();
      translation.gvaPageLow = Number(gva & 0xffff_ffffn);
      translation.gvaPageHigh = Number(gva >> 32n);
      translation.flags = flags;
      const hresult = host.translate(translation);
      result.value = translation.resultCode;
      gpa.value = translation.gpaPage;
      return hresult;
    },
  };
}

function create(): WHvEmulatorHandle<TestHost> {
  const out: Out<WHvEmulatorHandle<TestHost> | null> = { value: null };
  expect(WHvEmulatorCreateEmulator(table(), out)).toBe(S_OK);
  expect(out.value).not.toBe(null);
  return out.value as WHvEmulatorHandle<TestHost>;
}

function device(): TestHost {
  return new TestHost().put(WHV_REGISTER_NAME.WHvX64RegisterRdi, BigInt(DEVICE));
}

const load = memoryExit({ bytes: code["mov eax, [rdi]"] });

describe("the four functions", () => {
  test("create, try, destroy", () => {
    const emulator = create();
    const host = device();
    host.deviceReads = [1, 2, 3, 4];
    const status = { asUINT32: 0xffff };
    expect(WHvEmulatorTryMmioEmulation(emulator, host, vpExit(), load, status)).toBe(S_OK);
    expect(status.asUINT32).toBe(1);
    expect(host.set?.get("Rax")).toBe(0x0403_0201n);
    expect(WHvEmulatorTryIoEmulation(emulator, host, vpExit({ instructionLength: 1 }), portExit(), status)).toBe(S_OK);
    expect(host.texts().slice(-2)).toEqual(["in 1@60", "set Rax Rip"]);
    expect(WHvEmulatorDestroyEmulator(emulator)).toBe(S_OK);
  });

  test("the status may be a native view", () => {
    const status = new EmulatorStatusView(new DataView(new ArrayBuffer(4)));
    const host = device();
    host.failing = { callback: "memory", at: 0 };
    expect(WHvEmulatorTryMmioEmulation(create(), host, vpExit(), load, status)).toBe(S_OK);
    expect(status.memoryCallbackFailed).toBe(true);
    expect(status.asUINT32).toBe(8);
  });

  test("a larger table is a newer one", () => {
    expect(WHvEmulatorCreateEmulator({ ...table(), Size: 56 }, { value: null })).toBe(S_OK);
  });
});

describe("E_INVALIDARG", () => {
  test.each([0, 40, 47, Number.NaN])("a table of %d bytes", (Size) => {
    const out: Out<WHvEmulatorHandle<TestHost> | null> = { value: {} };
    expect(WHvEmulatorCreateEmulator({ ...table(), Size }, out)).toBe(E_INVALIDARG);
    expect(out.value).toBe(null);
  });

  test.each(Object.keys(table()).filter((key) => key.startsWith("WHv")))("a table without %s", (name) => {
    expect(WHvEmulatorCreateEmulator({ ...table(), [name]: null } as never, { value: null })).toBe(E_INVALIDARG);
  });

  test("no table, no place for the handle, wrong options", () => {
    expect(WHvEmulatorCreateEmulator(null as never, { value: null })).toBe(E_INVALIDARG);
    expect(WHvEmulatorCreateEmulator(table(), null as never)).toBe(E_INVALIDARG);
    expect(WHvEmulatorCreateEmulator(table(), { value: null }, { maxRepIterations: 0 })).toBe(E_INVALIDARG);
  });

  test.each([
    ["null", null],
    ["a foreign object", {}],
    ["a number", 1],
  ])("%s for a handle", (_name, handle) => {
    const host = device();
    const status = { asUINT32: 7 };
    expect(WHvEmulatorTryMmioEmulation(handle as never, host, vpExit(), load, status)).toBe(E_INVALIDARG);
    expect(WHvEmulatorTryIoEmulation(handle as never, host, vpExit(), portExit(), status)).toBe(E_INVALIDARG);
    expect(WHvEmulatorDestroyEmulator(handle as never)).toBe(E_INVALIDARG);
    expect(status.asUINT32).toBe(7);
    expect(host.calls).toEqual([]);
  });

  test("a destroyed handle", () => {
    const emulator = create();
    WHvEmulatorDestroyEmulator(emulator);
    expect(WHvEmulatorDestroyEmulator(emulator)).toBe(E_INVALIDARG);
    expect(WHvEmulatorTryMmioEmulation(emulator, device(), vpExit(), load, { asUINT32: 0 })).toBe(E_INVALIDARG);
  });

  test("no status to fill, and malformed contexts", () => {
    const emulator = create();
    const status = { asUINT32: 0 };
    expect(WHvEmulatorTryMmioEmulation(emulator, device(), vpExit(), load, null as never)).toBe(E_INVALIDARG);
    const broken = memoryExit({ bytes: code["mov eax, [rdi]"], byteCount: 17 });
    expect(WHvEmulatorTryMmioEmulation(emulator, device(), vpExit(), broken, status)).toBe(E_INVALIDARG);
    expect(WHvEmulatorTryMmioEmulation(emulator, device(), null as never, load, status)).toBe(E_INVALIDARG);
  });
});

test("re-entry is E_FAIL", () => {
  const emulator = create();
  const host = device();
  const answers: number[] = [];
  host.inside = () => answers.push(WHvEmulatorTryMmioEmulation(emulator, host, vpExit(), load, { asUINT32: 0 }));
  expect(WHvEmulatorTryMmioEmulation(emulator, host, vpExit(), load, { asUINT32: 0 })).toBe(S_OK);
  expect(answers).toEqual([E_FAIL, E_FAIL, E_FAIL, E_FAIL]);
});
