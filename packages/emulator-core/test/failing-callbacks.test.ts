/**
 * Every call position fails in turn, for random instructions, addresses and counts: what the contract says is left behind is
 * left behind, and nothing else.
 */
import type { EmulationResult, EmulatorCallbacks } from "@whvkit/whv-types";
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { TestBed } from "./test-bed.ts";
import type { Words } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;

const STATUS: Readonly<Record<keyof EmulatorCallbacks, number>> = {
  ioPort: 1 << 2,
  memory: 1 << 3,
  translateGvaPage: 1 << 4,
  getVirtualProcessorRegisters: 1 << 6,
  setVirtualProcessorRegisters: 1 << 7,
};

const MMIO = [
  "mov eax, [rdi]",
  "mov al, [rdi]",
  "mov rax, [rdi]",
  "mov [rdi], eax",
  "mov [rdi], rax",
  "add [rdi], ecx",
  "lock add [rdi], ecx",
  "xchg [rdi], ecx",
  "cmpxchg [rdi], ecx",
  "push [rdi]",
  "movsd",
  "rep movsb",
  "rep movsq",
  "rep stosd",
  "repe cmpsb",
  "repne scasb",
] as const;
const IO = ["in al, dx", "out dx, al", "insb", "rep insb", "rep insd", "outsb", "rep outsb", "fs rep outsb"] as const;

interface Scenario {
  instruction: keyof typeof code;
  rsi: number;
  rdi: number;
  count: number;
  down: boolean;
  /** How many of the instruction's bytes the exit holds. */
  delivered: number;
  shadow: boolean;
  device: number[];
}

/** Addresses in the last bytes of a page, so that accesses cross it often. */
const address = fc.integer({ min: 0x1_0fe0, max: 0x1_1020 });

const scenario = (instructions: readonly (keyof typeof code)[]): fc.Arbitrary<Scenario> =>
  fc.record({
    instruction: fc.constantFrom(...instructions),
    rsi: address,
    rdi: address.map((value) => value + 0x10_0000),
    count: fc.integer({ min: 0, max: 12 }),
    down: fc.boolean(),
    delivered: fc.integer({ min: 0, max: 16 }),
    shadow: fc.boolean(),
    device: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }),
  });

function prepare(one: Scenario): TestBed {
  const s = new TestBed();
  const { host } = s;
  for (let i = 0; i < 0x60; i++) host.ram.set(0x1_0fd0 + i, (i * 7) & 0xff);
  host.putBytes(0x1000, ...code[one.instruction], ...Array.from({ length: 15 }, () => 0x90));
  for (let i = 0; i < 16; i++) host.ram.set(0x8000 + i, 0);
  host.put(NAME.WHvX64RegisterRsi, BigInt(one.rsi)).put(NAME.WHvX64RegisterRdi, BigInt(one.rdi));
  host.put(NAME.WHvX64RegisterRcx, BigInt(one.count)).put(NAME.WHvX64RegisterRsp, 0x8010n);
  host.deviceReads = [...one.device];
  return s;
}

function run(s: TestBed, one: Scenario): EmulationResult {
  const bytes = [...code[one.instruction]].slice(0, one.delivered);
  const vp = { rflags: one.down ? 0x402n : 2n, interruptShadow: one.shadow };
  if (!(IO as readonly string[]).includes(one.instruction)) return s.mmio(vp, { bytes, gpa: one.rdi, accessType: 0 });
  const name = one.instruction;
  return s.io(vp, {
    bytes,
    size: name.endsWith("insd") ? 4 : 1,
    isWrite: name.includes("out"),
    stringOp: name.includes("ins") || name.includes("outs"),
    repPrefix: name.includes("rep"),
    rcx: BigInt(one.count),
    rsi: BigInt(one.rsi),
    rdi: BigInt(one.rdi),
  });
}

interface World {
  registers: [number, Words][];
  ram: [number, number][];
  device: [number, number][];
}

function world(s: TestBed): World {
  const sorted = <T>(map: Map<number, T>): [number, T][] => [...map].sort(([a], [b]) => a - b);
  return { registers: sorted(s.host.registers), ram: sorted(s.host.ram), device: sorted(s.host.deviceWrites) };
}

/** Memory as it is after the first so many calls of a run. */
function memoryAfter(one: Scenario, calls: number): World {
  const s = prepare(one);
  const stop = new Error("stop");
  s.host.inside = (): void => {
    if (s.host.calls.length > calls) throw stop;
  };
  run(s, one);
  return world(s);
}

describe.each([
  ["memory exits", MMIO],
  ["port exits", IO],
])("%s", (_name, instructions) => {
  test("each callback fails in turn", () => {
    fc.assert(
      fc.property(scenario(instructions), fc.boolean(), (one, throws) => {
        const good = prepare(one);
        expect(run(good, one)).toMatchObject({ statusBits: 1, diagnostic: null });
        const transcript = good.host.calls;
        const seen = new Map<keyof EmulatorCallbacks, number>();
        for (const [position, { callback }] of transcript.entries()) {
          const at = seen.get(callback) ?? 0;
          seen.set(callback, at + 1);
          const s = prepare(one);
          const before = world(s);
          s.host.failing = throws ? { callback, at, thrown: "fire" } : { callback, at };
          const result = run(s, one);

          // The status bit of that callback and no other, and the failing call is the last.
          expect(result.hresult).toBe(0);
          expect(result.statusBits).toBe(STATUS[callback]);
          expect(result.diagnostic).toMatchObject({ reason: "callback-failed", callback });
          expect(s.host.calls).toEqual(transcript.slice(0, position + 1));
          // No register has changed; memory is what the calls before made of it.
          const after = world(s);
          expect(after.registers).toEqual(before.registers);
          expect(s.host.set).toBe(null);
          const expected = memoryAfter(one, position);
          expect(after.ram).toEqual(expected.ram);
          expect(after.device).toEqual(expected.device);
        }
      }),
      { numRuns: 60, seed: 20260105, verbose: true },
    );
  });

  test("the set is the last call, and the only one, of every success", () => {
    fc.assert(
      fc.property(scenario(instructions), (one) => {
        const s = prepare(one);
        expect(run(s, one).emulationSuccessful).toBe(true);
        expect(s.host.count("setVirtualProcessorRegisters")).toBe(1);
        expect(s.host.calls.at(-1)?.callback).toBe("setVirtualProcessorRegisters");
        expect(s.host.count("getVirtualProcessorRegisters")).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300, seed: 20260106, verbose: true },
    );
  });
});

test("pages that are not present, each in turn: no side effect but those of finished iterations", () => {
  fc.assert(
    fc.property(scenario(MMIO), (one) => {
      const good = prepare(one);
      run(good, one);
      const pages = good.host
        .texts("translateGvaPage")
        .map((text) => BigInt((/0x\w+/.exec(text) as RegExpExecArray)[0]));
      for (const page of new Set(pages)) {
        const s = prepare(one);
        s.host.pages.set(page, { result: 1 });
        const result = run(s, one);
        expect(result.statusBits).toBe(1);
        expect(result.diagnostic?.exception).toMatchObject({ vector: 14 });
        expect((result.diagnostic?.exception?.cr2 ?? 0n) & ~0xfffn).toBe(page);
        expect(s.set["Rip"]).toBe(undefined);
        const element = one.instruction.startsWith("rep") ? (result.diagnostic?.repCompleted as number) : 0;
        const left = BigInt(one.count - element);
        if (element > 0) expect(s.set["Rcx"]).toBe(left);
        else expect(Object.keys(s.set).sort()).toEqual(["PendingEvent", "Rflags"]);
        if (element === 0) {
          expect(world(s).ram).toEqual(world(prepare(one)).ram);
          expect(s.host.deviceWrites.size).toBe(0);
        }
      }
    }),
    { numRuns: 150, seed: 20260107, verbose: true },
  );
});

/** What MOVS and STOS do, written without the emulator. */
describe("REP MOVS and REP STOS against a model", () => {
  interface Run {
    movs: boolean;
    size: 1 | 2 | 4 | 8;
    rsi: number;
    rdi: number;
    count: number;
    down: boolean;
    cap: number;
  }
  const runs: fc.Arbitrary<Run> = fc.record({
    movs: fc.boolean(),
    size: fc.constantFrom(1, 2, 4, 8),
    rsi: fc.integer({ min: 0x1_0f00, max: 0x1_10ff }),
    rdi: fc.integer({ min: 0x1_0f00, max: 0x1_10ff }),
    count: fc.integer({ min: 0, max: 40 }),
    down: fc.boolean(),
    cap: fc.integer({ min: 1, max: 50 }),
  });
  const OPCODE = { 1: [], 2: [0x66], 4: [], 8: [0x48] } as const;

  test("memory, registers and order, also overlapping, capped and resumed", () => {
    fc.assert(
      fc.property(runs, ({ movs, size, rsi, rdi, count, down, cap }) => {
        const s = new TestBed({ maxRepIterations: cap });
        const model = new Map<number, number>();
        for (let at = 0x1_0c00; at < 0x1_1400; at++) model.set(at, (at * 31) & 0xff);
        for (const [at, byte] of model) s.host.ram.set(at, byte);
        const rax = 0x8877_6655_4433_2211n;
        s.host.put(NAME.WHvX64RegisterRsi, BigInt(rsi)).put(NAME.WHvX64RegisterRdi, BigInt(rdi));
        s.host.put(NAME.WHvX64RegisterRcx, BigInt(count)).put(NAME.WHvX64RegisterRax, rax);
        const opcode = (movs ? 0xa4 : 0xaa) | (size === 1 ? 0 : 1);
        const bytes = [
          ...OPCODE[size].filter((byte) => byte === 0x66),
          0xf3,
          ...OPCODE[size].filter((byte) => byte === 0x48),
          opcode,
        ];
        const step = down ? -size : size;

        for (let i = 0; i < count; i++) {
          const from = rsi + i * step;
          const to = rdi + i * step;
          const element = Array.from({ length: size }, (_, j) =>
            movs ? (model.get(from + j) as number) : Number((rax >> BigInt(j * 8)) & 0xffn),
          );
          for (const [j, byte] of element.entries()) model.set(to + j, byte);
        }

        let calls = 0;
        for (;;) {
          const result = s.mmio({ rflags: down ? 0x402n : 2n }, { bytes });
          expect(result.statusBits).toBe(1);
          calls++;
          if ("Rip" in s.set) break;
          expect(s.host.get(NAME.WHvX64RegisterRcx)).toBe(BigInt(count - calls * cap));
        }
        expect(calls).toBe(Math.max(1, Math.ceil(count / cap)));
        expect(s.host.get(NAME.WHvX64RegisterRcx)).toBe(0n);
        expect(s.host.get(NAME.WHvX64RegisterRdi)).toBe(BigInt(rdi + count * step));
        expect(s.host.get(NAME.WHvX64RegisterRsi)).toBe(BigInt(movs ? rsi + count * step : rsi));
        expect(s.set["Rip"]).toBe(0x1000n + BigInt(bytes.length));
        expect(s.host.ram).toEqual(model);
      }),
      { numRuns: 300, seed: 20260108, verbose: true },
    );
  });
});
