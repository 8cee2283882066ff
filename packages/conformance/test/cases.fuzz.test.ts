/**
 * Bad input of every kind: a JSON value ends in a CaseError or in a result, never in anything else; and no instruction
 * bytes in no mode make the emulator fail by a defect of its own.
 */
import { createEmulator } from "@whvkit/emulator-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CaseError, explainEmulation, readEmulationCase, readStepCase, runEmulationCase } from "../src/index.ts";

const cs = { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" };
const flat = { attributes: "0x93" };
const cases = [
  {
    id: "mmio",
    kind: "mmio",
    vp: {
      executionState: { cpl: 0, cr0Pe: true, eferLma: true },
      instructionLength: 2,
      cr8: 0,
      cs,
      rip: "0x1000",
      rflags: "0x2",
    },
    exit: {
      instructionBytes: "8b07",
      accessType: "read",
      gpaUnmapped: true,
      gvaValid: true,
      gpa: "0xfee00020",
      gva: "0xfee00020",
    },
    registers: { Rdi: "0xfee00020", Ds: flat, Gdtr: { base: 0, limit: 7 }, XmmControlStatus: {} },
    memory: [{ gpa: "0x1000", bytes: "8b07" }],
    deviceReads: "efbeadde",
    portReads: ["0x42"],
    translate: [{ gvaPage: "0x1000", gpaPage: "0x1000", result: 0 }],
    fail: { callback: "memory", at: 3, hresult: "0x80004005" },
    options: { maxRepIterations: 4 },
  },
  {
    kind: "io",
    vp: { cs, rip: 0 },
    exit: {
      instructionBytes: "6e",
      isWrite: true,
      accessSize: 1,
      stringOp: true,
      repPrefix: false,
      port: 1,
      rax: 1,
      rcx: 1,
      rsi: 1,
      rdi: 1,
      ds: flat,
      es: flat,
    },
    translate: "walk",
  },
];
const stepCase = {
  id: 1,
  preset: "long",
  cpl: 3,
  registers: { Ymm0: 1 },
  memory: [{ gpa: 0, bytes: "90" }],
  ram: [{ gpa: 0, size: 1 }],
  instructions: 1,
  read: [{ gpa: 0, size: 1 }],
  engine: "cold",
};

/** A copy of a JSON value with the value at one random place, at any depth, replaced. */
function replaced(value: unknown, choose: (count: number) => number, by: unknown): unknown {
  if (typeof value !== "object" || value === null) return by;
  const keys = Object.keys(value);
  const chosen = keys[choose(keys.length + 1)];
  if (chosen === undefined) return by;
  const inner = replaced((value as Record<string, unknown>)[chosen], choose, by);
  if (Array.isArray(value)) return value.map((element, index) => (String(index) === chosen ? inner : element));
  return { ...value, [chosen]: inner };
}

const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    -1,
    1.5,
    2 ** 53,
    1e300,
    "0x",
    "0xg",
    "",
    "zz",
    "0xffffffffffffffffff",
    null,
    [],
    {},
    "__proto__",
    "constructor",
  ),
);

test("a case with anything at any place", () => {
  const damaged = fc.tuple(fc.nat(cases.length - 1), fc.infiniteStream(fc.nat()), anything);
  fc.assert(
    fc.property(damaged, ([index, places, by]) => {
      const json = replaced(cases[index], (count) => (places.next().value as number) % count, by);
      try {
        const emulationCase = readEmulationCase(json);
        const outcome = runEmulationCase(emulationCase, { createEmulator });
        JSON.stringify(outcome);
        return explainEmulation(emulationCase, outcome).length > 0 && outcome.diagnostic?.reason !== "internal-error";
      } catch (error) {
        // Options are the emulator's: it refuses them itself, by RangeError or TypeError.
        return error instanceof CaseError || /^option /.test((error as Error).message);
      }
    }),
    { numRuns: 1500, seed: 1 },
  );
});

test("a step case with anything at any place", () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), anything, (places, by) => {
      try {
        return (
          readStepCase(replaced(stepCase, (count) => (places.next().value as number) % count, by)).instructions > 0
        );
      } catch (error) {
        return error instanceof CaseError;
      }
    }),
    { numRuns: 1000, seed: 2 },
  );
});

test("any bytes, in any mode, with any registers, in both entry points", () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const integer = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => `0x${value.toString(16)}`);
  const world = fc.record({
    bytes: fc.uint8Array({ minLength: 0, maxLength: 16 }),
    attributes: fc.constantFrom("0xa09b", "0xc09b", "0x809b", "0x9b", "0xa0fb"),
    protectedMode: fc.boolean(),
    long: fc.boolean(),
    registers: fc.dictionary(fc.constantFrom("Rax", "Rcx", "Rdx", "Rsp", "Rsi", "Rdi", "Xmm0", "Rbp"), integer),
    isWrite: fc.boolean(),
    failing: fc.option(
      fc.record({
        callback: fc.constantFrom("memory", "ioPort", "getRegisters", "setRegisters", "translate"),
        at: fc.nat(4),
      }),
    ),
  });
  let ran = 0;
  fc.assert(
    fc.property(world, ({ bytes, attributes, protectedMode, long, registers, isWrite, failing }) => {
      const vp = {
        executionState: { cr0Pe: protectedMode || long, eferLma: long },
        cs: { ...cs, attributes },
        rip: "0x1000",
      };
      const common = {
        vp,
        registers,
        memory: [{ gpa: "0x1000", bytes: hex(bytes) }],
        options: { maxRepIterations: 64 },
        ...(failing === null ? {} : { fail: failing }),
      };
      const instructionBytes = hex(bytes.subarray(0, bytes.length >> 1));
      const mmio = {
        ...common,
        kind: "mmio",
        exit: { instructionBytes, accessType: isWrite ? "write" : "read", gpa: "0xfee00000" },
      };
      const io = { ...common, kind: "io", exit: { instructionBytes, isWrite, accessSize: 1, stringOp: true, port: 1 } };
      for (const json of [mmio, io]) {
        const emulationCase = readEmulationCase(json);
        const outcome = runEmulationCase(emulationCase, { createEmulator });
        ran++;
        if (outcome.diagnostic?.reason === "internal-error")
          throw new Error(`${outcome.diagnostic.text}: ${outcome.diagnostic.message}`);
        const succeeded = outcome.status.includes("EmulationSuccessful");
        const sets = outcome.calls.filter(({ callback }) => callback === "setRegisters").length;
        // The set callback is called once, right before success, and at no other time (unless it is what fails).
        const failedSet = outcome.status.includes("SetVirtualProcessorRegistersCallbackFailed");
        expect(sets).toBe(succeeded || failedSet ? 1 : 0);
        if (sets === 1) expect(outcome.calls.at(-1)?.callback).toBe("setRegisters");
      }
    }),
    { numRuns: 2000, seed: 3 },
  );
  expect(ran).toBe(4000);
});
