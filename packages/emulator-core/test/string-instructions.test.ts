/**
 * String instructions against a model that shares nothing with the emulator: every kind, size, prefix, direction and address
 * size, run to the end, capped, yielding, with a callback that fails and with a page that is not present; through memory exits and
 * port exits.
 */
import { type EmulationResult, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EmulatorOptions } from "../src/index.ts";
import { type Interruption, runStrings, type StringCase, type StringKind, type StringOutcome } from "./string-model.ts";
import { TestBed } from "./test-bed.ts";
import type { TestHost } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const RF = 0x1_0000n;
const TF = 0x100n;

type Mode = 16 | 32 | 64;

const OPCODE: Readonly<Record<StringKind, number>> = {
  ins: 0x6c,
  outs: 0x6e,
  movs: 0xa4,
  cmps: 0xa6,
  stos: 0xaa,
  lods: 0xac,
  scas: 0xae,
};

interface Run {
  readonly mode: Mode;
  readonly one: StringCase;
  readonly until: Interruption;
  readonly commitPartialRep: boolean;
  /** Few different bytes, so that comparisons often find what they look for. */
  readonly contents: readonly number[];
  readonly portReads: readonly number[];
  /** A port instruction whose element's memory is device memory stops as a memory exit. */
  readonly asPortExit: boolean;
}

const modeAndAddress = fc.constantFrom([64, 64], [64, 32], [32, 32], [32, 16], [16, 16], [16, 32]) as fc.Arbitrary<
  [Mode, 16 | 32 | 64]
>;

const never = Number.POSITIVE_INFINITY;

/** Around the end of a page, and of 64 KiB, where 16-bit addresses wrap; the upper halves must not count. */
function address(bits: number): fc.Arbitrary<bigint> {
  const low = fc.oneof(
    fc.integer({ min: 0x2fd0, max: 0x3030 }),
    fc.integer({ min: 0xffd0, max: bits === 16 ? 0xffff : 0x1_0030 }),
  );
  const high = bits === 64 ? fc.constant(0n) : fc.constantFrom(0n, 0x1234_5678n << 32n, bits === 16 ? 0x7_0000n : 0n);
  return fc.tuple(low, high).map(([offset, upper]) => upper | BigInt(offset));
}

const runs: fc.Arbitrary<Run> = fc
  .record({ kind: fc.constantFrom(...(Object.keys(OPCODE) as StringKind[])), widths: modeAndAddress })
  .chain(({ kind, widths: [mode, addressSize] }) => {
    const hasPort = kind === "ins" || kind === "outs";
    const sizes = hasPort || mode !== 64 ? ([1, 2, 4] as const) : ([1, 2, 4, 8] as const);
    const upper =
      addressSize === 64
        ? fc.constant(0n)
        : addressSize === 32
          ? fc.constantFrom(0n, 5n << 32n)
          : fc.constantFrom(0n, 9n << 16n);
    return fc.record({
      mode: fc.constant(mode),
      one: fc.record({
        kind: fc.constant(kind),
        size: fc.constantFrom(...sizes) as fc.Arbitrary<1 | 2 | 4 | 8>,
        repeat: fc.constantFrom("none" as const, "rep" as const, "rep" as const, "repne" as const),
        addressSize: fc.constant(addressSize),
        rax: fc.constantFrom(0x0101_0101_0101_0101n, 0xfedc_ba98_7654_3210n),
        rcx: fc.tuple(fc.integer({ min: 0, max: 9 }), upper).map(([count, high]) => high | BigInt(count)),
        rsi: address(addressSize),
        rdi: address(addressSize),
        port: fc.constant(0x60),
        rflags: fc
          .tuple(fc.constantFrom(2n, 0x8d7n), fc.constantFrom(0n, 0x400n), fc.constantFrom(0n, 0n, 0n, 0x100n))
          .map(([status, direction, trap]) => status | direction | trap),
      }),
      until: fc.oneof(
        fc.constant({ cap: never, yieldAfter: never, failsAt: -1, missingPage: null }),
        fc.integer({ min: 1, max: 6 }).map((cap) => ({ cap, yieldAfter: never, failsAt: -1, missingPage: null })),
        fc
          .integer({ min: 0, max: 12 })
          .map((yieldAfter) => ({ cap: never, yieldAfter, failsAt: -1, missingPage: null })),
        fc
          .integer({ min: 0, max: 24 })
          .map((failsAt) => ({ cap: never, yieldAfter: never, failsAt, missingPage: null })),
        fc
          .constantFrom(0x2000, 0x3000, 0xf000, 0x1_0000)
          .map((missingPage) => ({ cap: never, yieldAfter: never, failsAt: -1, missingPage })),
        fc.record({
          cap: fc.integer({ min: 1, max: 6 }),
          yieldAfter: fc.integer({ min: 0, max: 12 }),
          failsAt: fc.integer({ min: 0, max: 24 }),
          missingPage: fc.constantFrom(null, 0x3000, 0xf000),
        }),
      ),
      commitPartialRep: fc.boolean(),
      contents: fc.array(fc.constantFrom(1, 1, 1, 0x10, 0x32), { minLength: 16, maxLength: 16 }),
      portReads: fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 12 }),
      asPortExit: fc.boolean().map((yes) => yes && hasPort),
    });
  });

function memoryOf({ contents }: Run): Map<number, number> {
  const memory = new Map<number, number>();
  for (const start of [0, 0x2f00, 0xfe00])
    for (let i = 0; i < 0x400; i++) memory.set(start + i, contents[i % contents.length] as number);
  return memory;
}

function bytesOf({ mode, one }: Run): number[] {
  const { kind, size, repeat, addressSize } = one;
  const operand = size === 2 ? mode !== 16 : size === 4 ? mode === 16 : false;
  return [
    ...(addressSize === mode ? [] : [0x67]),
    ...(operand ? [0x66] : []),
    ...(repeat === "none" ? [] : [repeat === "rep" ? 0xf3 : 0xf2]),
    ...(size === 8 ? [0x48] : []),
    OPCODE[kind] | (size === 1 ? 0 : 1),
  ];
}

const isAccess = (callback: string): boolean => callback === "memory" || callback === "ioPort";

function emulate(run: Run, memory: ReadonlyMap<number, number>): { bed: TestBed; result: EmulationResult } {
  const { mode, one, until } = run;
  let calls = 0;
  const options: EmulatorOptions<TestHost> = {
    ...(until.cap === never ? {} : { maxRepIterations: until.cap }),
    ...(until.yieldAfter === never ? {} : { shouldYield: () => calls >= until.yieldAfter }),
    commitPartialRep: run.commitPartialRep,
  };
  const bed = new TestBed(options);
  const { host } = bed;
  for (const [at, byte] of memory) host.ram.set(at, byte);
  host.portReads = [...run.portReads];
  host.put(NAME.WHvX64RegisterRax, one.rax).put(NAME.WHvX64RegisterRcx, one.rcx);
  host.put(NAME.WHvX64RegisterRsi, one.rsi).put(NAME.WHvX64RegisterRdi, one.rdi);
  host.put(NAME.WHvX64RegisterRdx, BigInt(one.port));
  if (until.missingPage !== null) host.pages.set(BigInt(until.missingPage), { result: 1 });
  host.inside = (callback): void => {
    if (isAccess(callback) && calls++ === until.failsAt) throw new Error("staged");
  };
  const bytes = bytesOf(run);
  const vp = { mode, rflags: one.rflags };
  const result = run.asPortExit
    ? bed.io(vp, {
        bytes,
        port: one.port,
        size: one.size,
        isWrite: one.kind === "outs",
        stringOp: true,
        repPrefix: one.repeat !== "none",
        rax: one.rax,
        rcx: one.rcx,
        rsi: one.rsi,
        rdi: one.rdi,
      })
    : bed.mmio(vp, { bytes });
  return { bed, result };
}

function expectRegisters(bed: TestBed, expected: StringOutcome, rip: bigint): void {
  const { host } = bed;
  const names = {
    rax: NAME.WHvX64RegisterRax,
    rcx: NAME.WHvX64RegisterRcx,
    rsi: NAME.WHvX64RegisterRsi,
    rdi: NAME.WHvX64RegisterRdi,
  };
  for (const [name, number] of Object.entries(names))
    expect([name, host.get(number)]).toEqual([name, expected[name as keyof typeof names]]);
  expect(bed.set["Rip"] ?? 0x1000n).toBe(rip);
}

/** Emulates the run and holds it to the model; answers what the model says. */
function check(run: Run): StringOutcome {
  const { one, until } = run;
  const memory = memoryOf(run);
  const { bed, result } = emulate(run, memory);
  const expected = runStrings(one, until, { memory, portReads: run.portReads.map(BigInt) });
  const { host } = bed;
  expect(host.texts("memory", "ioPort")).toEqual(expected.accesses);
  expect(host.ram).toEqual(memory);
  const rflags = bed.set["Rflags"] ?? one.rflags;
  switch (expected.end) {
    case "finished":
    case "continues":
      expect(result).toMatchObject({ statusBits: 1, diagnostic: null });
      expect(host.count("setVirtualProcessorRegisters")).toBe(1);
      expectRegisters(bed, expected, expected.end === "finished" ? 0x1000n + BigInt(bytesOf(run).length) : 0x1000n);
      expect(rflags).toBe(expected.rflags);
      expect("PendingDebugException" in bed.set).toBe((one.rflags & TF) !== 0n);
      break;
    case "faulted":
      expect(result.statusBits).toBe(1);
      expect(result.diagnostic).toMatchObject({
        repCompleted: one.repeat === "none" ? 0 : expected.completed,
        exception: { vector: 14, cr2: expected.fault?.address, errorCode: expected.fault?.write === true ? 2 : 0 },
      });
      expectRegisters(bed, expected, 0x1000n);
      expect(rflags).toBe(one.rflags | RF);
      break;
    case "failed":
      expect(result.statusBits).toBe(expected.failed === "memory" ? 1 << 3 : 1 << 2);
      expect(result.diagnostic).toMatchObject({ callback: expected.failed, repCompleted: expected.completed });
      if (run.commitPartialRep && expected.completed > 0) {
        expectRegisters(bed, expected, 0x1000n);
        expect(bed.set["Rflags"]).toBe(undefined);
      } else {
        expect(host.set).toBe(null);
      }
  }
  return expected;
}

test("do what the model does, wherever they end", () => {
  fc.assert(
    fc.property(runs, (run) => {
      check(run);
    }),
    { numRuns: 4000, seed: 20260111 },
  );
});

test("do what the model does with each memory and port access failing in turn", () => {
  fc.assert(
    fc.property(runs, (run) => {
      const until = { ...run.until, failsAt: -1 };
      const { length } = check({ ...run, until }).accesses;
      for (let failsAt = 0; failsAt < length; failsAt++)
        expect(check({ ...run, until: { ...until, failsAt } })).toMatchObject({ end: "failed" });
    }),
    { numRuns: 300, seed: 20260112 },
  );
});
