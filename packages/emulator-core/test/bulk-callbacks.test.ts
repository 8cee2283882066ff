/** The bulk callbacks: the same as one by one in everything but the number of calls, and what becomes of their answers. */
import { type EmulationResult, WHV_REGISTER_NAME, WhvError } from "@whvkit/whv-types";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEmulator, type EmulatorCallbackSet, type EmulatorOptions } from "../src/index.ts";
import { code } from "./assembly.ts";
import { BulkHost, bulkMemory, bulkPorts, singles } from "./bulk-host.ts";
import { memoryExit, portExit, vpExit } from "./exits.ts";
import { DEVICE, RAM } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const [DF, TF] = [0x400n, 0x100n];

interface RepCase {
  readonly kind: "movs" | "stos" | "ins" | "outs";
  readonly mode: 16 | 32 | 64;
  readonly size: 1 | 2 | 4 | 8;
  /** With a 67 prefix: 32-bit addresses in 64-bit code, 16-bit ones in 32-bit code, 32-bit ones in 16-bit code. */
  readonly otherAddressSize: boolean;
  readonly count: number;
  readonly source: number;
  readonly target: number;
  readonly rflags: bigint;
  readonly limits: readonly number[];
  readonly failsAt: { readonly write: boolean; readonly at: number } | null;
  readonly options: EmulatorOptions<BulkHost>;
}

const OPCODES = { movs: 0xa4, stos: 0xaa, ins: 0x6c, outs: 0x6e } as const;

function bytesOf({ kind, mode, size, otherAddressSize }: RepCase): number[] {
  const bytes = [0xf3];
  if (otherAddressSize) bytes.push(0x67);
  if (size === 2 && mode !== 16) bytes.push(0x66);
  if (size === 4 && mode === 16) bytes.push(0x66);
  if (size === 8) bytes.push(0x48);
  bytes.push(OPCODES[kind] + (size === 1 ? 0 : 1));
  return bytes;
}

/** RAM on two pages, and device memory above. */
const RAM_SIZE = 0x2000;

function hostOf(c: RepCase): BulkHost {
  const host = new BulkHost();
  host.failsAt = c.failsAt;
  host.limits = c.limits;
  for (let i = 0; i < RAM_SIZE; i++) host.ram.set(RAM + i, (i * 7 + (i >> 8)) & 0xff);
  host.deviceReads = Array.from({ length: 3000 }, (_, i) => (i * 11) & 0xff);
  host.portReads = Array.from({ length: 3000 }, (_, i) => (i * 0x0101_0107) >>> 0);
  host.put(NAME.WHvX64RegisterRax, 0x8877_6655_4433_2211n);
  host.put(NAME.WHvX64RegisterRcx, BigInt(c.count));
  host.put(NAME.WHvX64RegisterRsi, BigInt(c.source));
  host.put(NAME.WHvX64RegisterRdi, BigInt(c.target));
  return host;
}

function run(c: RepCase, host: BulkHost, callbacks: EmulatorCallbackSet<BulkHost>): EmulationResult {
  const emulator = createEmulator<BulkHost>(callbacks, c.options);
  const bytes = bytesOf(c);
  const vp = vpExit({ mode: c.mode, rflags: 2n | c.rflags });
  if (c.kind === "movs" || c.kind === "stos")
    return emulator.tryMmioEmulation(host, vp, memoryExit({ bytes, gvaValid: false }));
  const [rcx, rsi, rdi] = [BigInt(c.count), BigInt(c.source), BigInt(c.target)];
  const isWrite = c.kind === "outs";
  const rest = { bytes, isWrite, size: c.size, stringOp: true, repPrefix: true, rcx, rsi, rdi };
  return emulator.tryIoEmulation(host, vp, portExit(rest));
}

/** What the guest and the devices see, each side in its order. */
function outcome(c: RepCase, host: BulkHost, result: EmulationResult): unknown {
  const { statusBits, diagnostic } = result;
  const reads = host.texts("memory", "ioPort").filter((text) => /^(read|in)/.test(text));
  // The run has been read before it is written: where a write fails, more may have been read.
  const readsCount = c.failsAt?.write === true ? null : reads;
  return {
    statusBits,
    failed: [diagnostic?.reason, diagnostic?.phase, diagnostic?.callback, diagnostic?.repCompleted],
    set: host.set,
    ram: Buffer.from([...host.ram.values()]).toString("latin1"),
    reads: readsCount,
    writes: host.texts("memory", "ioPort").filter((text) => /^(write|out)/.test(text)),
    translations: host.texts("translateGvaPage"),
  };
}

const place = fc.oneof(
  fc.integer({ min: 0, max: RAM_SIZE - 1 }).map((offset) => RAM + offset),
  fc.integer({ min: -40, max: 8 }).map((offset) => RAM + 0x1000 + offset),
  fc.integer({ min: 0, max: 0x100 }).map((offset) => DEVICE - 0x20 + offset),
);
const nearby = fc.tuple(place, fc.integer({ min: -24, max: 24 })).map(([at, by]) => [at, at + by] as const);
const addresses = fc.oneof(fc.tuple(place, place), nearby);

const repCase: fc.Arbitrary<RepCase> = fc
  .record({
    kind: fc.constantFrom("movs", "stos", "ins", "outs"),
    mode: fc.constantFrom(16, 32, 64, 64, 64),
    size: fc.constantFrom(1, 2, 4, 8),
    otherAddressSize: fc.boolean(),
    count: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 300 })),
    addresses,
    rflags: fc.constantFrom(0n, 0n, 0n, DF, TF),
    limits: fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(5000)), { minLength: 1, maxLength: 4 }),
    failsAt: fc.option(fc.record({ write: fc.boolean(), at: fc.integer({ min: 0, max: 40 }) }), { freq: 2 }),
    maxRepIterations: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
    commitPartialRep: fc.boolean(),
  })
  .map(({ addresses: [source, target], maxRepIterations, commitPartialRep, ...c }) => {
    const narrow = (address: number): number =>
      c.mode === 16 || (c.mode === 32 && c.otherAddressSize) ? address & 0x3fff : address;
    const largest = c.kind === "ins" || c.kind === "outs" || c.mode !== 64 ? 4 : 8;
    return {
      ...c,
      size: Math.min(c.size, largest) as RepCase["size"],
      source: narrow(source),
      target: narrow(target),
      options: { commitPartialRep, ...(maxRepIterations === undefined ? undefined : { maxRepIterations }) },
    } as RepCase;
  });

describe("at once and one by one", () => {
  test.each([
    ["memory and ports", { ...bulkMemory, ...bulkPorts }],
    ["memory", bulkMemory],
    ["ports", bulkPorts],
  ])("%s: the same registers, memory, device accesses and answer", (_name, extra) => {
    let atOnce = 0;
    fc.assert(
      fc.property(repCase, (c) => {
        const [one, bulk] = [hostOf(c), hostOf(c)];
        const expected = outcome(c, one, run(c, one, singles));
        expect(outcome(c, bulk, run(c, bulk, { ...singles, ...extra }))).toEqual(expected);
        expect(one.bulkCalls).toBe(0);
        atOnce += bulk.bulkCalls;
      }),
      { numRuns: 250, seed: 20_261 },
    );
    expect(atOnce).toBeGreaterThan(40);
  });
});

const plain: RepCase = {
  kind: "movs",
  mode: 64,
  size: 1,
  otherAddressSize: false,
  count: 100,
  source: RAM,
  target: DEVICE,
  rflags: 0n,
  limits: [Number.POSITIVE_INFINITY],
  failsAt: null,
  options: {},
};

describe("taken one by one", () => {
  test.each<[string, Partial<RepCase>]>([
    ["downwards", { rflags: DF, source: RAM + 0x800, target: DEVICE + 0x800 }],
    ["single-stepped", { rflags: TF }],
    ["under a yield hook", { options: { shouldYield: () => false } }],
    ["onto itself", { source: RAM, target: RAM + 3 }],
    ["three elements", { count: 3 }],
  ])("%s", (_name, part) => {
    const c = { ...plain, ...part };
    const host = hostOf(c);
    expect(run(c, host, { ...singles, ...bulkMemory }).emulationSuccessful).toBe(true);
    expect(host.bulkCalls).toBe(0);
  });

  test("what the host does not do at once: asked once for the run, then element by element", () => {
    const c = { ...plain, limits: [0] };
    const host = hostOf(c);
    expect(run(c, host, { ...singles, ...bulkMemory }).diagnostic).toBe(null);
    expect([host.bulkCalls, host.count("memory")]).toEqual([1, 200]);
  });

  test("what has been read already is not read again where the write is not done at once", () => {
    const c = { ...plain, source: DEVICE, target: RAM, limits: [100, 7] };
    const host = hostOf(c);
    expect(run(c, host, { ...singles, ...bulkMemory }).diagnostic).toBe(null);
    expect(host.texts("memory").filter((text) => text.startsWith("read"))).toHaveLength(100);
    expect(host.bytesAt(RAM, 100)).toEqual(Array.from({ length: 100 }, (_, i) => (i * 11) & 0xff));
  });
});

describe("answers", () => {
  test("a failure counts as that of the documented callback, at the element after the completed ones", () => {
    const c = { ...plain, failsAt: { write: true, at: 40 }, options: { commitPartialRep: true } };
    const host = hostOf(c);
    const result = run(c, host, { ...singles, ...bulkMemory });
    expect(result).toMatchObject({ emulationSuccessful: false, memoryCallbackFailed: true });
    expect(result.diagnostic).toMatchObject({ callback: "memory", callbackHresult: 0x8000_4005, repCompleted: 40 });
    expect(result.diagnostic?.message).toContain("100 times 1 bytes at guest-physical 0xfee00020 (memoryBulk)");
    expect(host.set?.get("Rcx")).toBe(60n);
  });

  test("one that throws has failed", () => {
    const thrown = new Error("no such memory");
    const host = hostOf(plain);
    const result = run(plain, host, {
      ...singles,
      memoryBulk: () => {
        throw thrown;
      },
    });
    expect(result).toMatchObject({ memoryCallbackFailed: true, diagnostic: { thrown, repCompleted: 0 } });
    expect(host.set).toBe(null);
  });

  test("a port's failure is the port callback's", () => {
    const c: RepCase = { ...plain, kind: "outs", failsAt: { write: true, at: 3 } };
    const result = run(c, hostOf(c), { ...singles, ...bulkPorts });
    expect(result).toMatchObject({ ioPortCallbackFailed: true, diagnostic: { phase: "port", repCompleted: 3 } });
  });

  test.each([
    [Number.NaN, 0],
    [-3, 0],
    [101, 100],
    [7.9, 7],
    [Number.POSITIVE_INFINITY, 100],
  ])("completed %d of 100 counts as %d", (completed, counts) => {
    const c: RepCase = { ...plain, kind: "stos", options: { maxRepIterations: 100, commitPartialRep: true } };
    const host = hostOf(c);
    const result = run(c, host, {
      ...singles,
      memoryBulk: (_host, access) => {
        access.completed = completed;
        return 0x8000_4005;
      },
    });
    expect(result.diagnostic?.repCompleted).toBe(counts);
  });

  test("no function: refused when the emulator is made", () => {
    const memoryBulk = 7 as unknown as () => number;
    expect(() => createEmulator<BulkHost>({ ...singles, memoryBulk })).toThrow(WhvError);
  });
});

describe("callbacks per emulation", () => {
  test("REP MOVSB, 100 bytes within a page on each side: one read and one write", () => {
    const host = hostOf(plain);
    let single = 0;
    const emulator = createEmulator<BulkHost>({
      ...singles,
      ...bulkMemory,
      memory: (context, access) => {
        single++;
        return context.memory(access);
      },
    });
    const exit = memoryExit({ bytes: code["rep movsb"], gpa: DEVICE, accessType: 1 });
    expect(emulator.tryMmioEmulation(host, vpExit(), exit).diagnostic).toBe(null);
    expect([
      host.count("getVirtualProcessorRegisters"),
      host.count("translateGvaPage"),
      host.bulkCalls,
      single,
      host.count("setVirtualProcessorRegisters"),
    ]).toEqual([1, 1, 2, 0, 1]);
  });

  test.each<["ins" | "outs" | "stos", number]>([
    ["ins", 2],
    ["outs", 2],
    ["stos", 1],
  ])("REP %s of 100 double words within a page: %d", (kind, calls) => {
    const c: RepCase = { ...plain, kind, size: 4, source: RAM, target: RAM };
    const host = hostOf(c);
    expect(run(c, host, { ...singles, ...bulkMemory, ...bulkPorts }).diagnostic).toBe(null);
    expect(host.bulkCalls).toBe(calls);
  });
});
