/** `explainEmulation`: what a person reads, on the emulator of this repository. */
import { readFileSync } from "node:fs";
import { createEmulator } from "@whvkit/emulator-core";
import { describe, expect, test } from "vitest";
import { explainEmulation, readEmulationCase, runEmulationCase } from "../src/index.ts";

const cs = { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" };
const vp = { executionState: { cr0Pe: true, eferLma: true }, instructionLength: 0, cs, rip: "0x1000" };
const store = {
  id: "store",
  kind: "mmio",
  vp,
  exit: { instructionBytes: "", accessType: "write", gpa: "0xfee00020" },
  registers: { Rdi: "0xfee00020", Rax: 7 },
  memory: [{ gpa: "0x1000", bytes: "8907" }],
};

function explain(json: Record<string, unknown>): string {
  const emulationCase = readEmulationCase(json);
  return explainEmulation(emulationCase, runEmulationCase(emulationCase, { createEmulator }), {
    describe: ({ length }) => [`an instruction of ${length} bytes`],
  });
}

test("the whole text of a store whose bytes had to be fetched", () => {
  const text = explain(store);
  expect(text.split("\n").slice(0, 9)).toEqual([
    "Case store",
    "",
    "Exit",
    "  memory access: write at guest-physical 0xfee00020 (no RAM is mapped there)",
    "  64-bit code, CPL 0, RIP 0x1000, RFLAGS 0x2",
    "",
    "Instruction",
    "  89 07   mov dword ptr [rdi], eax",
    "    an instruction of 2 bytes",
  ]);
  expect(text).toMatch(/1\. translate page 0x1000 \(Execute, SetPageTableBits\) -> 0x1000/);
  expect(text).toMatch(/\d\. read (?:Rax = 0x7, Rdi = 0xfee00020|Rdi = 0xfee00020, Rax = 0x7)/);
  expect(text).toMatch(/\d\. memory write, 4 bytes at 0xfee00020 = 07 00 00 00/);
  expect(text.trimEnd().split("\n").at(-1)).toBe("  Nothing: the registers are set, run the processor on.");
});

describe("advice fits the failure", () => {
  test.each([
    [
      "a failing callback",
      { ...store, fail: { callback: "setRegisters" } },
      "SetVirtualProcessorRegistersCallbackFailed",
      "WHvSetVirtualProcessorRegisters as they are",
    ],
    [
      "a page that is not aligned",
      { ...store, translate: [{ gvaPage: 0x1000, gpaPage: 0x1001 }] },
      "TranslateGvaPageCallbackGpaIsNotAligned",
      "mask the low 12 bits",
    ],
    [
      "a context that is refused",
      { ...store, exit: { ...store.exit, accessType: 3 } },
      "E_INVALIDARG",
      "at most 16 instruction bytes",
    ],
    [
      "an event under way",
      { ...store, vp: { ...vp, executionState: { ...vp.executionState, interruptionPending: true } } },
      "InterruptCausedIntercept",
      "IDT, GDT and stack",
    ],
    [
      "a page fault",
      { ...store, translate: [{ gvaPage: 0x1000, gpaPage: 0x1000 }] },
      "EmulationSuccessful",
      "the guest handles the exception",
    ],
    [
      "no memory operand",
      { ...store, memory: [{ gpa: 0x1000, bytes: "ffc0" }] },
      "InternalEmulationFailure",
      "cannot cause this exit",
    ],
  ])("%s", (_, json, status, advice) => {
    const text = explain(json);
    expect(text).toContain(status);
    expect(text.slice(text.indexOf("What to do"))).toContain(advice);
  });
});

describe("there is advice for every reason that the emulator gives", () => {
  const report = readFileSync(new URL("../../emulator-core/etc/emulator-core.api.md", import.meta.url), "utf8");
  const union = /export type EmulationReason =([\s\S]+?);\n/.exec(report)?.[1] ?? "";
  const reasons = [...union.matchAll(/"([a-z-]+)"/g)].map(([, reason]) => reason as string);

  test.each(reasons)("%s", (reason) => {
    const emulationCase = readEmulationCase(store);
    const run = runEmulationCase(
      { ...emulationCase, fail: { callback: "memory", at: 0, hresult: 0x80004005 } },
      { createEmulator },
    );
    if (run.diagnostic === null) throw new Error("the case has no diagnostic");
    const text = explainEmulation(
      emulationCase,
      { ...run, diagnostic: { ...run.diagnostic, reason } },
      { describe: () => [] },
    );
    expect(text).not.toContain("The emulator gave no reason");
  });

  test("they are all here", () => expect(reasons.length).toBeGreaterThanOrEqual(18));
});

test("bytes that nobody knows", () => {
  expect(explain({ ...store, memory: [] })).toContain(
    "unknown: neither the exit nor the memory of the case holds its bytes",
  );
});
