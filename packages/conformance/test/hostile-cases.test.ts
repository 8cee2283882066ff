/** Cases from somebody else's machine that ask for too much, or for what is no field's business. */
import { createEmulator } from "@whvkit/emulator-core";
import { describe, expect, test } from "vitest";
import { CaseError, readEmulationCase, readStepCase, runEmulationCase } from "../src/index.ts";

const vp = {
  executionState: { cr0Pe: true, eferLma: true },
  instructionLength: 2,
  cs: { attributes: "0xa09b" },
  rip: "0x1000",
};
const gpa = "0xfee00020";
const stos = {
  kind: "mmio",
  vp,
  exit: { instructionBytes: "f3aa", accessType: "write", gpa, gva: gpa },
  registers: { Rdi: gpa },
};

describe("a repetition without end", () => {
  test("is refused, with what bounds it", () => {
    const endless = readEmulationCase({ ...stos, registers: { Rdi: gpa, Rcx: "0xffffffffffffffff" } });
    expect(() => runEmulationCase(endless, { createEmulator })).toThrow(
      new CaseError("", "leads to more than 1000000 callbacks; options.maxRepIterations bounds a repetition"),
    );
  });

  test("of a port too", () => {
    const exit = { instructionBytes: "f36e", isWrite: true, accessSize: 1, stringOp: true, repPrefix: true, port: 1 };
    const endless = readEmulationCase({ kind: "io", vp, exit: { ...exit, rcx: "0xffffffffffffffff", rsi: 0 } });
    expect(() => runEmulationCase(endless, { createEmulator })).toThrow(CaseError);
  });

  test("bounded by its own option, it is a case like any other", () => {
    const bounded = { ...stos, registers: { Rdi: gpa, Rcx: "0xffffffffffffffff" }, options: { maxRepIterations: 5 } };
    const { status, calls } = runEmulationCase(readEmulationCase(bounded), { createEmulator });
    expect(status).toEqual(["EmulationSuccessful"]);
    expect(calls.filter(({ callback }) => callback === "memory").length).toBe(5);
  });

  test("a long one that ends is carried out", () => {
    const long = readEmulationCase({ ...stos, registers: { Rdi: gpa, Rcx: 3000 } });
    expect(runEmulationCase(long, { createEmulator }).status).toEqual(["EmulationSuccessful"]);
  });
});

describe("names that objects have by nature", () => {
  const nature = ["__proto__", "constructor", "toString", "hasOwnProperty"];

  test.each(nature)("%s is no register, mode, callback or option", (name) => {
    const own = (value: unknown): object => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`);
    for (const hostile of [
      { ...stos, registers: own("0x1") },
      { ...stos, fail: { callback: name, at: 0, hresult: 1 } },
      { ...stos, translate: name },
      { ...stos, exit: { ...stos.exit, accessType: name } },
    ])
      expect(() => runEmulationCase(readEmulationCase(hostile), { createEmulator })).toThrow(CaseError);
    expect(() => readStepCase({ preset: name })).toThrow(CaseError);
    expect(() => readStepCase({ preset: "long", registers: own(1) })).toThrow(CaseError);
    expect(() => readStepCase({ preset: "long", engine: name })).toThrow(CaseError);
    expect(({} as Record<string, unknown>)["kind"]).toBe(undefined);
  });

  test("a prototype in a line changes no object", () => {
    const hostile = JSON.parse(`{"__proto__":{"polluted":1},"kind":"mmio","vp":${JSON.stringify(vp)}}`);
    expect(() => readEmulationCase(hostile)).toThrow(CaseError);
    expect(({} as Record<string, unknown>)["polluted"]).toBe(undefined);
  });
});

test.each([
  [{ ram: [{ gpa: 0, size: 2 ** 40 }] }, "ram[0].size"],
  [{ read: [{ gpa: 0, size: 2 ** 40 }] }, "read[0].size"],
  [{ memory: [{ gpa: "0xfffffffffffff000", bytes: "90" }] }, "memory[0].gpa"],
  [{ instructions: 1e12 }, "instructions"],
])("a step case that asks for too much: %j", (fields, where) => {
  expect(() => readStepCase({ preset: "long", ...fields })).toThrow(where);
});
