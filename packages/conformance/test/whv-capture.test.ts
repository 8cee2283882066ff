/**
 * capture/whv-capture.h in a host in C, compiled with mingw and run under Wine: its lines are cases that read, say what
 * happened, and replay.
 */
import { fileURLToPath } from "node:url";
import { explainEmulation, readEmulationCase, runEmulationCase } from "@whvkit/conformance";
import { createEmulator } from "@whvkit/emulator-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runHost, windowsUnavailable } from "../../../tooling/windows-stand-ins/under-windows.js";

const unavailable = windowsUnavailable();

// biome-ignore lint/suspicious/noExplicitAny: lines are compared field by field
type Line = any;
let lines: Line[] = [];

beforeAll(async () => {
  if (unavailable !== null) return;
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const { status, output, written } = await runHost(here("capture/capture-host.c"), [here("../capture")]);
  expect({ status, output }).toEqual({ status: 0, output: "" });
  lines = written
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}, 120_000);

describe("a host in C that captures its emulations", () => {
  beforeEach(({ skip }) => skip(unavailable !== null, unavailable ?? ""));

  test("writes one readable case for each, in order", () => {
    expect(lines.map(({ format, id, kind }) => [format, id, kind])).toEqual([
      [1, 1, "mmio"],
      [1, 2, "mmio"],
      [1, 3, "io"],
      [1, 4, "io"],
      [1, 5, "io"],
    ]);
    for (const line of lines) expect(readEmulationCase(line).id).toBe(line.id);
  });

  test("writes both contexts as the platform gave them", () => {
    const [mmio, , , outs] = lines;
    expect(mmio.vp).toEqual({
      executionState: {
        cpl: 0,
        cr0Pe: true,
        cr0Am: false,
        eferLma: true,
        debugActive: false,
        interruptionPending: false,
        interruptShadow: false,
      },
      instructionLength: 7,
      cr8: 5,
      cs: { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" },
      rip: "0xffff800000001000",
      rflags: "0x2",
    });
    expect(mmio.exit).toEqual({
      instructionBytes: "8b042500200000",
      accessType: "read",
      gpaUnmapped: true,
      gvaValid: true,
      gpa: "0x2000",
      gva: "0x2000",
    });
    expect(outs.exit).toMatchObject({
      instructionBytes: "6e",
      isWrite: true,
      accessSize: 1,
      stringOp: true,
      repPrefix: false,
      port: 0x3f8,
      rax: "0x1122334455667788",
      rsi: "0xfffff80012345678",
    });
  });

  test("writes what the callbacks answered, and which failed first", () => {
    const [load, failed, input, outs, ins] = lines;
    expect(load.deviceReads).toBe("a0a1a2a3");
    expect(load.fail).toBeUndefined();
    expect(failed.fail).toEqual({ callback: "memory", at: 0, hresult: "0x8007000e" });
    expect(input.portReads).toEqual(["0x5a"]);
    expect(outs.fail).toEqual({ callback: "ioPort", at: 0, hresult: "0x80070005" });
    expect(outs.translate).toEqual([{ gvaPage: "0xfffff80012345000", gpaPage: "0xf80012345000", result: 0 }]);
    // A write that crosses a page: two translations, nothing read.
    expect(ins.translate.map(({ gvaPage }: Line) => gvaPage)).toEqual(["0x8000000000000000", "0x8000000000001000"]);
    expect([ins.deviceReads, ins.portReads]).toEqual(["", ["0xffffff5a"]]);
  });

  test("asks for the registers that a replay needs, as long as none was changed", () => {
    const [load, failed] = lines;
    expect(Object.keys(load.registers)).toEqual(["Rax", "Rip", "Rflags", "Xmm0"]);
    expect(failed.registers).toMatchObject({
      Rdi: "0x8000000000000007",
      R15: "0x800000000000000f",
      Ds: { base: "0x0", limit: "0xffffffff", selector: 16, attributes: "0xc093" },
      Gdtr: { base: "0xfffff80000001000", limit: 127 },
      Cr3: "0x800000000000001e",
      Xmm15: "0x8000000000000000000000000000100f",
      Efer: "0x8000000000002001",
    });
  });

  test("replays: the load by the TypeScript emulator sets what the device gave; the failure fails again", () => {
    const replay = (line: Line) => runEmulationCase(readEmulationCase(line), { createEmulator });
    const loaded = replay(lines[0]);
    expect(loaded.status).toEqual(["EmulationSuccessful"]);
    expect(loaded.set).toMatchObject({ Rax: "0xa3a2a1a0" });
    const failed = replay(lines[1]);
    expect(failed.status).toEqual(["MemoryCallbackFailed"]);
    const text = explainEmulation(readEmulationCase(lines[1]), failed);
    expect(JSON.stringify(text)).toContain("0x8007000e");
  });
});
