/** What is refused before anything is called: malformed handles and contexts, re-entry, exits that are none of ours. */
import { E_FAIL, E_INVALIDARG, type EmulationResult, S_OK, WhvError } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { createEmulator } from "../src/index.ts";
import { code } from "./assembly.ts";
import { memoryExit, portExit, vpExit } from "./exits.ts";
import { DEVICE, TestBed } from "./test-bed.ts";
import { hostCallbacks, TestHost } from "./test-host.ts";

const mov = { bytes: code["mov eax, [rdi]"], gpa: DEVICE };

function expectRefused(bed: TestBed, result: EmulationResult): void {
  expect(result.hresult).toBe(E_INVALIDARG);
  expect(result.statusBits).toBe(0);
  expect(result.diagnostic).toMatchObject({ reason: "invalid-argument", phase: "check" });
  expect(bed.host.calls).toEqual([]);
}

describe("E_INVALIDARG, and no callback", () => {
  test("InstructionByteCount above 16, memory exit", () => {
    const bed = new TestBed();
    expectRefused(bed, bed.mmio({}, { ...mov, byteCount: 17 }));
  });

  test("InstructionByteCount above 16, port exit", () => {
    const bed = new TestBed();
    expectRefused(bed, bed.io({ instructionLength: 1 }, { byteCount: 255 }));
  });

  test("AccessType 3", () => {
    const bed = new TestBed();
    expectRefused(bed, bed.mmio({}, { ...mov, accessType: 3 }));
  });

  test.each([0, 3, 5, 6, 7])("port access of %i bytes", (size) => {
    const bed = new TestBed();
    expectRefused(bed, bed.io({ instructionLength: 1 }, { size }));
  });

  test("a destroyed emulator", () => {
    const bed = new TestBed();
    bed.emulator.destroy();
    expectRefused(bed, bed.mmio({}, mov));
    expectRefused(bed, bed.io({ instructionLength: 1 }, {}));
    bed.emulator.destroy();
  });

  test.each([
    ["null", null],
    ["undefined", undefined],
    ["a number", 5],
    ["an empty object", {}],
  ])("%s for a context", (_name, nothing) => {
    const bed = new TestBed();
    const host = bed.host;
    expectRefused(bed, bed.emulator.tryMmioEmulation(host, nothing as never, memoryExit(mov)));
    expectRefused(bed, bed.emulator.tryMmioEmulation(host, vpExit(), nothing as never));
    expectRefused(bed, bed.emulator.tryIoEmulation(host, nothing as never, portExit()));
    expectRefused(bed, bed.emulator.tryIoEmulation(host, vpExit(), nothing as never));
  });
});

describe("creation", () => {
  test.each(Object.keys(hostCallbacks))("without the callback %s is E_INVALIDARG, and says so", (name) => {
    const create = (): unknown => createEmulator({ ...hostCallbacks, [name]: undefined } as never);
    expect(create).toThrow(WhvError);
    expect(create).toThrow(name);
    expect(create).toThrow("0x80070057");
  });

  test("without callbacks at all", () => {
    expect(() => createEmulator(null as never)).toThrow(WhvError);
  });

  test.each([
    ["maxRepIterations", 0],
    ["maxRepIterations", 1.5],
    ["maxRepIterations", Number.NaN],
    ["shouldYield", 1],
    ["commitPartialRep", "yes"],
    ["invalidEncoding", "host"],
    ["unsupported", "skip"],
    ["noMemoryOperand", ""],
    ["eventForm", "exception"],
    ["canFault", true],
    ["gpaUnmapped", "ram"],
    ["debugTraps", "none"],
    ["programCacheSize", 3],
    ["programCacheSize", 1],
    ["maxRepIteration", 1024],
  ])("option %s = %j is refused by name", (name, value) => {
    expect(() => createEmulator(hostCallbacks, { [name]: value })).toThrow(name);
  });
});

describe("a pending interruption is looked at first", () => {
  test.each([
    ["memory exit", (bed: TestBed) => bed.mmio({ interruptionPending: true }, { bytes: code["push es"] })],
    ["port exit", (bed: TestBed) => bed.io({ interruptionPending: true, instructionLength: 1 }, {})],
  ])("%s: InterruptCausedIntercept and no callback", (_name, call) => {
    const bed = new TestBed();
    const result = call(bed);
    expect(result.hresult).toBe(S_OK);
    expect(result.statusBits).toBe(1 << 8);
    expect(result.interruptCausedIntercept).toBe(true);
    expect(bed.host.calls).toEqual([]);
    expect(result.diagnostic?.reason).toBe("interrupt-caused-intercept");
  });
});

describe("re-entry from a callback", () => {
  test("answers E_FAIL, and the outer call is unharmed", () => {
    const bed = new TestBed();
    bed.host.deviceReads = [1, 2, 3, 4];
    const inner: EmulationResult[] = [];
    bed.host.inside = (): void => {
      inner.push(bed.emulator.tryMmioEmulation(bed.host, vpExit(), memoryExit(mov)));
      inner.push(bed.emulator.tryIoEmulation(bed.host, vpExit(), portExit()));
    };
    const outer = bed.mmio({}, mov);
    expect(inner.length).toBe(6);
    for (const result of inner) {
      expect(result.hresult).toBe(E_FAIL);
      expect(result.diagnostic?.reason).toBe("re-entered");
      expect(result).not.toBe(outer);
    }
    expect(outer).toMatchObject({ hresult: S_OK, statusBits: 1, diagnostic: null });
    expect(bed.set).toEqual({ Rax: 0x0403_0201n, Rip: 0x1002n });
  });

  test("the emulator is free again afterwards, also after a failure", () => {
    const bed = new TestBed();
    bed.host.failing = { callback: "memory", at: 0, thrown: new Error("bus error") };
    expect(bed.mmio({}, mov).memoryCallbackFailed).toBe(true);
    bed.host.failing = null;
    expect(bed.mmio({}, mov).emulationSuccessful).toBe(true);
  });

  test("destroying in a callback lets the call end, and refuses the next", () => {
    const bed = new TestBed();
    bed.host.inside = (): void => bed.emulator.destroy();
    expect(bed.mmio({}, mov).emulationSuccessful).toBe(true);
    bed.host.inside = null;
    expect(bed.mmio({}, mov).hresult).toBe(E_INVALIDARG);
  });

  test("another emulator may be called from a callback", () => {
    const bed = new TestBed();
    const other = createEmulator(hostCallbacks);
    const otherHost = new TestHost();
    otherHost.deviceReads = [9, 0, 0, 0];
    bed.host.inside = (): void => {
      bed.host.inside = null;
      expect(other.tryMmioEmulation(otherHost, vpExit(), memoryExit(mov)).emulationSuccessful).toBe(true);
    };
    bed.host.deviceReads = [7, 0, 0, 0];
    expect(bed.mmio({}, mov).emulationSuccessful).toBe(true);
    expect(bed.set["Rax"]).toBe(7n);
    expect(otherHost.set?.get("Rax")).toBe(9n);
  });
});
