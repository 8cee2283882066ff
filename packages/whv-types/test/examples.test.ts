// The examples of the docstrings: each line of theirs stands here, compiled and run. (Those of the README run from the packed
// packages, in tooling/consumers.)
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import {
  describeStatus,
  EmulatorMemoryAccess,
  hresultMessage,
  RegisterValues,
  type RunVpExit,
  RunVpExitContextView,
  registerByShortName,
  registerName,
  SegmentRegisterView,
  shortRegisterName,
  statusNames,
  type VirtualProcessor,
  VpExitContextView,
  WHV_E_GPA_RANGE_NOT_FOUND,
  WHV_REGISTER_NAME,
  WHV_RUN_VP_EXIT_REASON,
  WhvError,
} from "../src/index.ts";

test("a view in place", () => {
  const memory = new ArrayBuffer(224);
  new DataView(memory).setUint32(32, 0x7c00, true);
  const view = new VpExitContextView(new DataView(memory), 8);
  expect([view.rip, view.executionState.cr0Pe, view.cs.selector, view.ripLow, view.ripHigh]).toEqual([
    0x7c00n,
    false,
    0,
    0x7c00,
    0,
  ]);
  view.executionState.interruptShadow = true;
  expect(new Uint8Array(memory)[9]).toBe(0x10);
});

test("object forms", () => {
  const segment = SegmentRegisterView.from({ base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xa09b });
  expect(segment.long).toBe(true);
  expect(segment.toObject()).toEqual({ base: 0n, limit: 0xffffffff, selector: 8, attributes: 0xa09b });
  expect(segment.bytes).toHaveLength(16);
  expect(() => {
    segment.limit = 2 ** 32;
  }).toThrow("WHV_X64_SEGMENT_REGISTER.Limit must be an integer from 0 to 4294967295; it is 4294967296");
});

function describe(exit: RunVpExit): string {
  switch (exit.exitReason) {
    case WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonMemoryAccess:
      return `memory at 0x${exit.memoryAccess.gpa.toString(16)}`;
    case WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess:
      return `port 0x${exit.ioPortAccess.portNumber.toString(16)}`;
    default:
      return `exit reason ${exit.exitReason}`;
  }
}

test("exits by reason", () => {
  const exit = new RunVpExitContextView(new DataView(new ArrayBuffer(224)));
  exit.assign({ exitReason: 1, memoryAccess: { gpa: 0xfee0_0020 } });
  expect(describe(exit)).toBe("memory at 0xfee00020");
  exit.assign({ exitReason: 2, ioPortAccess: { portNumber: 0x3f8 } });
  expect(describe(exit)).toBe("port 0x3f8");
  expect(describe(exit.assign({ exitReason: 8 }))).toBe("exit reason 8");
});

test("registers of a processor", () => {
  const processor: Pick<VirtualProcessor, "getRegisters"> = {
    getRegisters(_names, _count, filled) {
      filled.set64(0, 0xfff0n);
      filled.segment(1).selector = 0xf000;
    },
  };
  const names = Uint32Array.of(WHV_REGISTER_NAME.WHvX64RegisterRip, WHV_REGISTER_NAME.WHvX64RegisterCs);
  const values = new RegisterValues(2);
  processor.getRegisters(names, 2, values);
  expect([values.get64(0), values.low(0), values.segment(1).selector]).toEqual([0xfff0n, 0xfff0, 0xf000]);
});

test("register values", () => {
  const values = new RegisterValues(2);
  values.set64(0, 0xfee0_0020n);
  expect(values.low(0)).toBe(0xfee00020);
  values.segment(1).assign({ base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xa09b });
  expect(values.toValue(WHV_REGISTER_NAME.WHvX64RegisterCs, 1)).toEqual({
    base: 0n,
    limit: 0xffffffff,
    selector: 8,
    attributes: 0xa09b,
  });
});

test("names", () => {
  expect(registerName(0x20)).toBe("WHvX64RegisterCr8");
  expect(registerName(0x80000002)).toBe("WHvRegisterPendingEvent");
  expect(shortRegisterName(0x20)).toBe("Cr8");
  expect(shortRegisterName(0x80000002)).toBe("PendingEvent");
  expect(registerByShortName("Cr8")).toBe(0x20);
  expect(registerByShortName("WHvX64RegisterCr8")).toBe(0x20);
  expect(registerByShortName("cr8")).toBe(undefined);
  expect(statusNames(0x22)).toEqual(["InternalEmulationFailure", "TranslateGvaPageCallbackGpaIsNotAligned"]);
  expect(describeStatus(2)).toBe("InternalEmulationFailure: the emulator could not handle the instruction");
  expect(describeStatus(0)).toBe("no bit is set: nothing was emulated");
  expect(hresultMessage(0x80070057)).toBe("E_INVALIDARG (0x80070057): an argument is not valid");
  expect(hresultMessage(-2147024809)).toBe(hresultMessage(0x80070057));
  expect(hresultMessage(0x8007001f)).toBe("HRESULT 0x8007001f (Win32 error 31)");
  expect(hresultMessage(0x80370306)).toBe("WHV_E_VP_ALREADY_EXISTS (0x80370306): the virtual processor exists already");
});

test("errors", () => {
  const error = new WhvError("WHvUnmapGpaRange", WHV_E_GPA_RANGE_NOT_FOUND);
  expect(error.message).toBe("WHvUnmapGpaRange failed with 0x80370305");
  expect(error.hresult).toBe(0x80370305);
});

test("an emulator's access", () => {
  const access = new EmulatorMemoryAccess();
  access.accessSize = 2;
  access.data[0] = 0x34;
  access.data[1] = 0x12;
  expect(access.value).toBe(0x1234n);
  access.value = 0xffff_5678n;
  expect([...access.data]).toEqual([0x78, 0x56, 0xff, 0xff, 0, 0, 0, 0]);
  expect(access.value).toBe(0x5678n);
});

test("every line of every example stands above", () => {
  const root = path.join(import.meta.dirname, "..");
  const sources = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(path.join(root, "src", file), "utf8").replace(/^ *\* ?/gm, ""));
  const tests = squeeze(readFileSync(import.meta.filename, "utf8"));
  const missing: string[] = [];
  let examples = 0;
  for (const [, example] of sources.flatMap((text) => [...text.matchAll(/```ts\n([\s\S]*?)```/g)])) {
    examples += 1;
    for (const line of example.split("\n")) {
      const code = squeeze(line.replace(/\/\/.*/, "")).replace(/;$/, "");
      if (code && !tests.includes(code)) missing.push(line);
    }
  }
  expect(missing).toEqual([]);
  expect(examples).toBeGreaterThan(8);
});

function squeeze(text: string): string {
  return text.replace(/\s+/g, "");
}
