/** The cases of `whv step`: reading, the presets, what is RAM, and what is reported. Run on the simulator. */
import { type SimVirtualProcessor, simHypervisor } from "@whvkit/sim-backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readEmulationCase, readStepCase, type StepOutcome, StepRunner, type StepSource } from "../src/index.ts";

const source: StepSource = {
  createPartition: () => simHypervisor.createPartition({ memoryCapacity: 64 * 1024 * 1024 }),
  step(processor, instructions) {
    const simulated = processor as SimVirtualProcessor;
    return { ...simulated.step(instructions), detail: simulated.exitDetail };
  },
  engines: ["cold"],
};

let runner: StepRunner;
beforeAll(() => {
  runner = new StepRunner(source);
});
afterAll(() => runner.dispose());

/** Runs code at 0x1000. */
function step(preset: string, bytes: string, more: Record<string, unknown> = {}): StepOutcome {
  const { registers = {}, memory = [], ...rest } = more as { registers?: object; memory?: object[] };
  return runner.run(
    readStepCase({
      preset,
      registers: { Rip: "0x1000", ...registers },
      memory: [{ gpa: "0x1000", bytes }, ...memory],
      ...rest,
    }),
  );
}

function refusal(json: unknown): string {
  try {
    runner.run(readStepCase(json));
  } catch (error) {
    return String(error);
  }
  throw new Error("the case was run");
}

describe("presets", () => {
  test.each([
    // 40 is INC AX or EAX, and a REX prefix in 64-bit code; 89 07 stores.
    ["real", "408907", 2, { Rax: "0x8000", Rip: "0x1003", Rflags: "0x896" }],
    ["protected16", "408907", 2, { Rax: "0x8000", Rip: "0x1003", Rflags: "0x896" }],
    ["protected32", "408907", 2, { Rax: "0x8000", Rip: "0x1003", Rflags: "0x16" }],
    ["long", "408907", 1, { Rip: "0x1003" }],
  ])("%s runs code of its mode", (preset, bytes, instructions, registers) => {
    const outcome = step(preset, bytes, { instructions, registers: { Rax: "0x7fff" } });
    expect(outcome).toMatchObject({ exit: null, exception: null, instructions, registers });
    expect(Object.keys(outcome.registers).sort()).toEqual(Object.keys(registers).sort());
  });

  test.each(["protected16", "protected32", "long"])("%s at CPL 3: HLT is privileged", (preset) => {
    expect(step(preset, "f4", { cpl: 3 }).exception).toEqual({ vector: 13, errorCode: "0x0", cr2: null });
    expect(step(preset, "f4").exit).toMatchObject({ reason: "X64Halt" });
  });

  test("long maps the first 512 GiB one to one, and no more", () => {
    const far = { gpa: "0x7f00000000", bytes: "2a" };
    const load = (Rdi: string): StepOutcome => step("long", "8a07", { registers: { Rdi }, memory: [far] });
    expect(load("0x7f00000000").registers).toMatchObject({ Rax: "0x2a" });
    expect(load("0x8000000000").exception).toEqual({ vector: 14, errorCode: "0x0", cr2: "0x8000000000" });
  });
});

describe("memory", () => {
  test("the first 2 MiB are RAM, the pages of listed memory too, the rest is not", () => {
    const at = (Rdi: string): StepOutcome =>
      step("protected32", "8a07", { registers: { Rdi }, memory: [{ gpa: "0xfee00020", bytes: "11" }] });
    expect(at("0x1fffff").exit).toBeNull();
    expect(at("0x200000").exit).toMatchObject({ reason: "MemoryAccess", gpa: "0x200000", accessType: "read" });
    expect(at("0xfee00fff").exit).toBeNull();
    expect(at("0xfee01000").exit).toMatchObject({ reason: "MemoryAccess", gpa: "0xfee01000" });
  });

  test("ram replaces the first 2 MiB", () => {
    const outcome = step("protected32", "8a07", { registers: { Rdi: "0x8000" }, ram: [{ gpa: "0x9000", size: 4096 }] });
    expect(outcome.exit).toMatchObject({ reason: "MemoryAccess", gpa: "0x8000" });
  });

  test("what is asked for is read back; what is no RAM reads as ones", () => {
    const read = [
      { gpa: "0x2ffe", size: 6 },
      { gpa: "0x1ffffe", size: 4 },
    ];
    const outcome = step("protected32", "8907", { registers: { Rdi: "0x3000", Rax: "0x11223344" }, read });
    expect(outcome.memory).toEqual([
      { gpa: "0x2ffe", bytes: "000044332211" },
      { gpa: "0x1ffffe", bytes: "0000ffff" },
    ]);
  });

  test("one case leaves nothing to the next", () => {
    step("protected32", "8907", { registers: { Rdi: "0x3000", Rax: "0x11223344" } });
    const outcome = step("protected32", "90", { read: [{ gpa: "0x3000", size: 4 }] });
    expect(outcome.memory).toEqual([{ gpa: "0x3000", bytes: "00000000" }]);
    expect(outcome.registers).toEqual({ Rip: "0x1001" });
  });
});

test("an exit is written as an emulation case writes it", () => {
  const { exit, instructions } = step("long", "90ee", { instructions: 5, registers: { Rax: "0x41", Rdx: "0x3f8" } });
  expect(instructions).toBe(1);
  const { reason, vp, ...fields } = exit!;
  expect(reason).toBe("X64IoPortAccess");
  const read = readEmulationCase({ kind: "io", vp, exit: fields });
  expect(read.vp).toMatchObject({ rip: 0x1001n, eferLma: true });
  expect(read.exit).toMatchObject({ kind: "io", port: 0x3f8, isWrite: true, accessSize: 1, rax: 0x41n });
});

test("an exception is reported, not delivered", () => {
  const outcome = step("long", "90cd80", { instructions: 9, registers: { Rsp: "0x8000" } });
  expect(outcome).toMatchObject({ instructions: 1, exception: { vector: 13, errorCode: "0x402" } });
  expect(outcome.registers).toEqual({ Rip: "0x1001" });
});

describe("refusals", () => {
  test.each([
    ["no preset", {}, "preset: is missing"],
    ["an unknown preset", { preset: "v86" }, 'preset: "v86" is none of'],
    ["rings 1 and 2", { preset: "long", cpl: 1 }, "cpl: 1 is neither 0 nor 3"],
    ["real mode at CPL 3", { preset: "real", cpl: 3 }, "cpl: real mode has no privilege levels"],
    ["an unknown register", { preset: "long", registers: { Eax: 1 } }, "registers.Eax"],
    ["an opmask that there is not", { preset: "long", registers: { K8: 1 } }, "registers.K8"],
    [
      "a YMM register that is too wide",
      { preset: "long", registers: { Ymm0: `0x1${"0".repeat(64)}` } },
      "registers.Ymm0: ",
    ],
    ["more RAM than a line may ask for", { preset: "long", ram: [{ gpa: 0, size: 2 ** 30 }] }, "ram[0].size"],
    ["no instructions", { preset: "long", instructions: 0 }, "instructions: 0 runs nothing"],
    [
      "an engine that is not there",
      { preset: "long", engine: "compiled" },
      'engine: "compiled" is not an engine of this backend',
    ],
    ["a later format", { format: 7, preset: "long" }, "format: 7"],
  ])("%s", (_, json, expected) => {
    expect(refusal(json)).toContain(expected);
  });
});
