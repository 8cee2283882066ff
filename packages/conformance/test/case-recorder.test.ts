/** Recording on a live host: what was recorded replays call for call, with the same answers and the same result. */
import { createEmulator } from "@whvkit/emulator-core";
import { describe, expect, test } from "vitest";
import { type RecordedCase, readEmulationCase, recordEmulations, runEmulationCase } from "../src/index.ts";

const cs = { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" };
const vp = {
  executionState: { cpl: 3, cr0Pe: true, eferLma: true, interruptShadow: true },
  cr8: 3,
  cs,
  rip: "0x1000",
  rflags: "0x246",
};
const mmio = { kind: "mmio", vp, exit: { accessType: "read", gpa: "0xfee00020", gva: "0xfee00020" } };
const registers = { Rdi: "0xfee00020", Rsi: "0x2004", Rax: "0x1122334455667788", Rcx: 3 };
const data = { gpa: "0x2000", bytes: "00112233445566778899aabbccddeeff" };
const code = (bytes: string): object[] => [{ gpa: "0x1000", bytes }, data];

/** Runs a case on a recording emulator, and what it recorded on another. */
function replay(json: object): { original: unknown; replayed: unknown; recorded: RecordedCase } {
  const cases: RecordedCase[] = [];
  const recording = recordEmulations(createEmulator, (recorded) => cases.push(recorded));
  const original = runEmulationCase(readEmulationCase(json), { createEmulator: recording });
  expect(cases).toHaveLength(1);
  const text = JSON.stringify(cases[0]);
  const replayed = runEmulationCase(readEmulationCase(JSON.parse(text)), { createEmulator });
  // RAM is device memory in a record, so only the record of its changes may differ.
  const common = ({ calls, set, status, hresult, diagnostic }: typeof original): object => ({
    calls,
    set,
    status,
    hresult,
    diagnostic,
  });
  return { original: common(original), replayed: common(replayed), recorded: cases[0]! };
}

describe("a recorded emulation replays", () => {
  test.each([
    ["a load", { ...mmio, registers, memory: code("8b07"), deviceReads: "efbeadde" }],
    ["a read-modify-write", { ...mmio, registers, memory: code("f00907"), deviceReads: "efbeadde" }],
    ["REP MOVSB from RAM", { ...mmio, registers, memory: code("f3a4") }],
    ["a page fault", { ...mmio, registers, memory: code("8b06"), translate: [{ gvaPage: 0x1000, gpaPage: 0x1000 }] }],
    ["no instruction", { ...mmio, registers, memory: code("06") }],
    ["a context that is refused", { ...mmio, exit: { ...mmio.exit, instructionBytes: "90".repeat(17) } }],
    ["options", { ...mmio, registers, memory: code("f3a4"), options: { maxRepIterations: 2 } }],
    [
      "REP INSB",
      {
        kind: "io",
        vp,
        registers,
        memory: code("f36c"),
        portReads: [1, 2, 3],
        exit: { isWrite: false, accessSize: 1, stringOp: true, repPrefix: true, port: 0x3f8, rcx: 3, rdi: "0x2000" },
      },
    ],
    [
      "OUT",
      {
        kind: "io",
        vp: { ...vp, instructionLength: 1 },
        exit: { instructionBytes: "ee", isWrite: true, accessSize: 1, port: 0x3f8, rax: 0x41 },
      },
    ],
  ])("%s", (_, json) => {
    const { original, replayed } = replay(json);
    expect(replayed).toEqual(original);
  });

  test.each(["memory", "getRegisters", "setRegisters", "translate"])("a failing %s callback", (callback) => {
    const { original, replayed, recorded } = replay({
      ...mmio,
      registers,
      memory: code("8b06"),
      fail: { callback, at: 0, hresult: "0x80070005" },
    });
    expect(recorded.fail).toEqual({ callback, at: 0, hresult: "0x80070005" });
    expect(replayed).toEqual(original);
  });
});

test("a callback that throws is recorded as E_FAIL, and still throws", () => {
  const cases: RecordedCase[] = [];
  const recording = recordEmulations(createEmulator, (recorded) => cases.push(recorded));
  const throwing = <Context>(callbacks: Parameters<typeof recording<Context>>[0]) =>
    recording<Context>({
      ...callbacks,
      memory: () => {
        throw new Error("no such device");
      },
    });
  const outcome = runEmulationCase(
    readEmulationCase({ ...mmio, registers, exit: { ...mmio.exit, instructionBytes: "8b07" } }),
    { createEmulator: throwing },
  );
  expect(outcome.diagnostic?.thrown).toBe("Error: no such device");
  expect(cases[0]?.fail).toEqual({ callback: "memory", at: 0, hresult: "0x80004005" });
});
