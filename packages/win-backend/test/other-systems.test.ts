/** Where there is no Windows: the package imports, nothing is loaded, and every operation says the same clear thing. */

import Module from "node:module";
import {
  E_INVALIDARG,
  E_NOTIMPL,
  type EmulatorCallbacks,
  WhvError,
  WIN_HV_PLATFORM_FUNCTIONS,
} from "@whvkit/whv-types";
import {
  bindWinHvEmulation,
  bindWinHvPlatform,
  createNativeEmulator,
  createWinHypervisor,
  describeHost,
  winHypervisor,
} from "@whvkit/win-backend";
import { describe, expect, test, vi } from "vitest";

const callbacks: EmulatorCallbacks = {
  ioPort: () => 0,
  memory: () => 0,
  getVirtualProcessorRegisters: () => 0,
  setVirtualProcessorRegisters: () => 0,
  translateGvaPage: () => 0,
};

function failureOf(action: () => unknown): WhvError {
  try {
    action();
  } catch (error) {
    if (error instanceof WhvError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe.skipIf(process.platform === "win32")("on another system", () => {
  test.for<[string, () => unknown]>([
    ["WHvGetCapability", () => winHypervisor.getCapability(0)],
    ["WHvGetCapability", () => winHypervisor.readCapability(0, new Uint8Array(8))],
    ["WHvCreatePartition", () => winHypervisor.createPartition()],
    ["WHvAcceptPartitionMigration", () => winHypervisor.acceptMigration(1n)],
    ["WHvCreatePartition", () => createWinHypervisor({ libraryDirectory: "C:\\x" }).createPartition()],
    ["WHvEmulatorCreateEmulator", () => createNativeEmulator(callbacks)],
    ["WHvEmulatorDestroyEmulator", () => bindWinHvEmulation().WHvEmulatorDestroyEmulator],
  ])("%s says that it needs Windows", ([operation, action]) => {
    const error = failureOf(action);
    expect(error.operation).toBe(operation);
    expect(error.hresult).toBe(E_NOTIMPL);
    expect(error.message).toContain("the Windows Hypervisor Platform needs 64-bit Windows on x64; this is");
    expect(error.message).toContain(process.platform);
  });

  test("every bound function answers under its own name", () => {
    const functions = bindWinHvPlatform();
    const names = Object.keys(WIN_HV_PLATFORM_FUNCTIONS) as (keyof typeof functions)[];
    expect(names.map((name) => failureOf(() => functions[name]).operation)).toEqual(names);
  });

  test("the host is described all the same", () => {
    const host = describeHost();
    expect(host).toMatchObject({ canRunGuests: false, hypervisorPresent: null, features: null, processorVendor: null });
    expect(host.platformLibrary).toMatchObject({ path: "", present: false, missingFunctions: [] });
    expect(host.advice).toHaveLength(1);
    expect(host.advice[0]).toMatch(/^the Windows Hypervisor Platform needs .*\. Guests run on the simulator here\.$/);
  });
});

test("a missing callback is refused before anything native is asked", () => {
  const { memory: _left, ...four } = callbacks;
  const error = failureOf(() => createNativeEmulator(four as EmulatorCallbacks));
  expect(error.hresult).toBe(E_INVALIDARG);
  expect(error.message).toContain("there is no callback memory");
});

test.skipIf(process.arch !== "x64")(
  "Windows without the package koffi: the package is named, and not the Windows feature",
  async () => {
    // A fresh copy of the backend, on a process that looks like Windows and has no koffi.
    const platform = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
    const loader = Module as unknown as { _resolveFilename(name: string, ...more: unknown[]): string };
    const resolve = loader._resolveFilename;
    vi.resetModules();
    try {
      Object.defineProperty(process, "platform", { ...platform, value: "win32" });
      loader._resolveFilename = (name, ...more) => {
        if (name === "koffi") throw new Error("Cannot find module 'koffi'");
        return resolve(name, ...more);
      };
      const backend: typeof import("@whvkit/win-backend") = await import("@whvkit/win-backend");
      const host = backend.describeHost();
      expect(host.canRunGuests).toBe(false);
      expect(host.platformLibrary.problem).toMatch(
        /^the package koffi could not be loaded \(Cannot find module 'koffi'\)/,
      );
      expect(host.advice).toHaveLength(1);
      expect(host.advice[0]).toMatch(/npm install koffi@3/);
      expect(host.advice[0]).not.toMatch(/feature|firmware/i);
      expect(() => backend.winHypervisor.createPartition()).toThrow(/WHvCreatePartition .*koffi/);
    } finally {
      loader._resolveFilename = resolve;
      Object.defineProperty(process, "platform", platform);
      vi.resetModules();
    }
  },
);
