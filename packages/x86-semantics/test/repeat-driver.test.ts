/**
 * The REP driver against an obviously right loop: an element at a time by the evaluator, with count and termination as the
 * manual's pseudo-code has them (Intel SDM volume 2, REP). Machines with and without page spans, every string
 * instruction, both directions, all address sizes, caps, faults in the middle.
 */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Abort,
  Evaluator,
  Flag,
  type Machine,
  type Program,
  programFor,
  RegisterOffset,
  RepeatDriver,
  Segment,
} from "../src/index.ts";
import { FlatBulkMachine, FlatMachine, FlatSpanMachine } from "./machine/flat-machine.ts";

const BASE = 0x1_0000;
const SIZE = 0x4000;
const [RAX, RCX, RDX, RSI, RDI] = [0, 8, 16, 48, 56] as const;
const STATUS = 0x8d5;

interface Situation {
  readonly mode: 16 | 32 | 64;
  readonly code: readonly number[];
  readonly rcx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly rax: bigint;
  readonly down: boolean;
  readonly flags: number;
  readonly segmentBase: number;
  /** Bytes of memory repeat with this period, so that comparisons go on. */
  readonly period: number;
}

function decode(mode: 16 | 32 | 64, code: readonly number[]): Program {
  const instruction = new Instruction();
  expect(new Decoder(mode).decode(Uint8Array.from(code), 0, instruction)).toBe(DecodeStatus.ok);
  return programFor(instruction);
}

function prepare(machine: FlatMachine, s: Situation): void {
  machine.setSegments(s.mode === 64 ? 0 : s.segmentBase, 0xffff_ffff);
  const { registers } = machine;
  registers.set64(RCX, s.rcx);
  registers.set64(RSI, s.rsi);
  registers.set64(RDI, s.rdi);
  registers.set64(RAX, s.rax);
  registers.set64(RDX, 0x3f8n);
  registers.set64(RegisterOffset.rflags, BigInt(2 | s.flags | (s.down ? Flag.DF : 0)));
  for (let i = 0; i < machine.memory.length; i++) machine.memory[i] = (i % s.period) * 37;
  machine.input = 0x1234_5678;
  machine.logging = true;
}

function countOf(machine: Machine, addressSize: number): bigint {
  return BigInt.asUintN(8 * addressSize, machine.registers.get64(RCX));
}

/** The manual's loop. */
function reference(
  machine: FlatMachine,
  program: Program,
  limit: number,
): { abort: number; completed: number; finished: boolean } {
  const evaluator = new Evaluator(machine);
  const string = program.string as NonNullable<Program["string"]>;
  const { addressSize } = string;
  const before = machine.registers.get64(RegisterOffset.rflags);
  const comparing = string.kind === "cmps" || string.kind === "scas";
  let completed = 0;
  while (countOf(machine, addressSize) !== 0n) {
    if (completed >= limit) return { abort: Abort.none, completed, finished: false };
    const abort = evaluator.evaluate(program);
    if (abort !== Abort.none) {
      if (comparing) machine.registers.set64(RegisterOffset.rflags, before);
      return { abort, completed, finished: false };
    }
    completed++;
    const count = BigInt.asUintN(8 * addressSize, machine.registers.get64(RCX) - 1n);
    const rcx = machine.registers.get64(RCX);
    if (addressSize === 2) machine.registers.set64(RCX, (rcx & ~0xffffn) | count);
    else machine.registers.set64(RCX, count);
    const zero = (Number(machine.registers.get64(RegisterOffset.rflags)) & Flag.ZF) !== 0;
    if (comparing && zero !== (string.repeat === 0xf3)) break;
  }
  return { abort: Abort.none, completed, finished: true };
}

const mode = fc.constantFrom(16 as const, 32 as const, 64 as const);
const opcode = fc.constantFrom(0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f);
const near = (mode: number, base: number): fc.Arbitrary<bigint> => {
  const start = mode === 64 ? BASE : BASE - base;
  // Around page boundaries, and around both ends of memory.
  return fc
    .tuple(fc.constantFrom(0, 0x1000, 0x2000, 0x3000, SIZE), fc.integer({ min: -40, max: 40 }))
    .map(([page, offset]) => BigInt(start + page + offset));
};

const situation: fc.Arbitrary<Situation> = fc
  .record({
    mode,
    opcode,
    repeat: fc.constantFrom(0xf3, 0xf2),
    prefixes: fc.subarray([0x66, 0x67], { maxLength: 2 }),
    rex: fc.boolean(),
    segmentBase: fc.constantFrom(BASE, BASE + 0x123, BASE - 0xff0),
    count: fc.integer({ min: 0, max: 90 }),
    upper: fc.bigInt({ min: 0n, max: 0xffffn }),
    rax: fc.constantFrom(0n, 37n, 0x4a25n, 0x6f4a_2500n, -1n),
    down: fc.boolean(),
    flags: fc.constantFrom(0, STATUS, Flag.ZF, Flag.CF),
    period: fc.constantFrom(1, 1, 16, 64, 251),
  })
  .chain((s) => {
    const base = s.mode === 64 ? BASE : s.segmentBase;
    // 16-bit addresses in 64-bit mode do not exist; 67 there means 32 bits.
    const code = [...s.prefixes, s.repeat, ...(s.mode === 64 && s.rex ? [0x48] : []), s.opcode];
    const high = s.mode === 64 && s.prefixes.includes(0x67) ? s.upper << 48n : 0n;
    return fc.record({ rsi: near(s.mode, base), rdi: near(s.mode, base) }).map(({ rsi, rdi }) => ({
      mode: s.mode,
      code,
      rax: s.rax & 0xffff_ffff_ffff_ffffn,
      down: s.down,
      flags: s.flags,
      segmentBase: s.segmentBase,
      period: s.period,
      rcx: high | BigInt(s.count),
      rsi: high | (rsi & 0xffff_ffffn),
      rdi: high | (rdi & 0xffff_ffffn),
    }));
  });

function stateOf(machine: FlatMachine): unknown {
  return {
    registers: [RAX, RCX, RSI, RDI, RegisterOffset.rflags].map((at) => machine.registers.get64(at).toString(16)),
    memory: Buffer.from(machine.memory).toString("latin1"),
    input: machine.input,
    fault: [machine.fault.vector, machine.fault.cr2Low],
  };
}

/** Port and data accesses in order, without the checks and whatever names segments. */
function traffic(machine: FlatMachine): string[] {
  return machine.log
    .filter((line) => !line.startsWith("probe"))
    .map((line) => line.replace(/^(load|store) \d+ (\w+) (\d+) \d+$/, "$1 $2 $3"));
}

describe("the REP driver", () => {
  for (const [kind, make] of [
    ["without spans", FlatMachine],
    ["with spans", FlatSpanMachine],
    ["with bulk transfers", FlatBulkMachine],
  ] as const) {
    it(`does what the manual's loop does, on a machine ${kind}`, () => {
      fc.assert(
        fc.property(situation, fc.constantFrom(1, 3, 17, 1000), (s, limit) => {
          const program = decode(s.mode, s.code);
          const [expected, machine] = [new FlatMachine(SIZE, BASE), new make(SIZE, BASE)];
          prepare(expected, s);
          prepare(machine, s);
          const want = reference(expected, program, limit);
          const driver = new RepeatDriver(new Evaluator(machine), machine, { maxIterations: limit });
          const abort = driver.run(program);
          expect({ abort, completed: driver.completed, finished: driver.finished }).toEqual(want);
          expect(stateOf(machine)).toEqual(stateOf(expected));
          // A MOVS or INS whose target faults has read nothing: the same for both.
          expect(traffic(machine)).toEqual(traffic(expected));
        }),
        { numRuns: 1500, seed: 20_260 },
      );
    });
  }

  it("reaches the same end in capped runs as in one", () => {
    fc.assert(
      fc.property(situation, fc.integer({ min: 1, max: 9 }), (s, limit) => {
        const program = decode(s.mode, s.code);
        const [whole, parts] = [new FlatSpanMachine(SIZE, BASE), new FlatSpanMachine(SIZE, BASE)];
        prepare(whole, s);
        prepare(parts, s);
        const once = new RepeatDriver(new Evaluator(whole), whole);
        const capped = new RepeatDriver(new Evaluator(parts), parts, { maxIterations: limit });
        const abort = once.run(program);
        let total = 0;
        let last: number;
        do {
          last = capped.run(program);
          total += capped.completed;
        } while (last === Abort.none && !capped.finished);
        expect(last).toBe(abort);
        expect(total).toBe(once.completed);
        // After a fault the flags are those of the last committed run, which may be a part.
        const except = abort === Abort.none ? [] : ["rflags"];
        const [a, b] = [stateOf(whole), stateOf(parts)] as { registers: string[] }[];
        if (except.length > 0) for (const state of [a, b]) state?.registers.pop();
        expect(b).toEqual(a);
      }),
      { numRuns: 400, seed: 7 },
    );
  });

  const stosb = decode(64, [0xf3, 0xaa]);
  const simple: Situation = {
    mode: 64,
    code: [],
    rcx: 100n,
    rsi: BigInt(BASE),
    rdi: BigInt(BASE + 0x200),
    rax: 0n,
    down: false,
    flags: 0,
    segmentBase: 0,
    period: 251,
  };

  it("does nothing at all for a count of zero, not even a translation", () => {
    const machine = new FlatSpanMachine(SIZE, BASE);
    prepare(machine, { ...simple, rcx: 0n, rdi: 0n });
    const driver = new RepeatDriver(new Evaluator(machine), machine);
    expect(driver.run(stosb)).toBe(Abort.none);
    expect([driver.completed, driver.finished, machine.log]).toEqual([0, true, []]);
  });

  it("uses bulk transfers where the machine has them, and does without where it refuses", () => {
    for (const refuses of [false, true]) {
      const machine = new FlatBulkMachine(SIZE, BASE);
      machine.refuses = refuses;
      prepare(machine, simple);
      const driver = new RepeatDriver(new Evaluator(machine), machine);
      expect(driver.run(stosb)).toBe(Abort.none);
      expect([driver.completed, machine.bulkTransfers > 0]).toEqual([100, !refuses]);
      expect(machine.memory.subarray(0x200, 0x264).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("repeats what it has just copied where the target lies just above the source, bulk transfers or not", () => {
    for (const make of [FlatMachine, FlatSpanMachine, FlatBulkMachine]) {
      const machine = new make(SIZE, BASE);
      prepare(machine, { ...simple, rcx: 60n, rsi: BigInt(BASE + 0x100), rdi: BigInt(BASE + 0x103) });
      const pattern = [...machine.memory.subarray(0x100, 0x103)];
      expect(new RepeatDriver(new Evaluator(machine), machine).run(decode(64, [0xf3, 0xa4]))).toBe(Abort.none);
      const copied = [...machine.memory.subarray(0x103, 0x103 + 60)];
      expect(copied).toEqual(copied.map((_, i) => pattern[i % 3]));
    }
  });

  it("stops after one element while TF is set", () => {
    const machine = new FlatSpanMachine(SIZE, BASE);
    prepare(machine, { ...simple, flags: Flag.TF });
    const driver = new RepeatDriver(new Evaluator(machine), machine);
    expect(driver.run(stosb)).toBe(Abort.none);
    expect([driver.completed, driver.finished, machine.registers.get64(RCX)]).toEqual([1, false, 99n]);
  });

  it("asks between elements whether to yield, and goes on from there", () => {
    const machine = new FlatSpanMachine(SIZE, BASE);
    prepare(machine, simple);
    let asked = 0;
    const driver = new RepeatDriver(new Evaluator(machine), machine, { shouldYield: () => ++asked % 7 === 0 });
    let total = 0;
    let runs = 0;
    do {
      expect(driver.run(stosb)).toBe(Abort.none);
      total += driver.completed;
      runs++;
    } while (!driver.finished && runs < 200);
    expect(total).toBe(100);
    expect(runs).toBeGreaterThan(5);
    expect([...machine.memory.subarray(0x200, 0x264)].every((byte) => byte === 0)).toBe(true);
  });

  it("keeps the flags of CMPS from before the run when a later element faults", () => {
    const machine = new FlatSpanMachine(SIZE, BASE);
    prepare(machine, { ...simple, period: 1, rsi: BigInt(BASE), rdi: BigInt(BASE + SIZE - 4), flags: Flag.CF });
    const driver = new RepeatDriver(new Evaluator(machine), machine);
    expect(driver.run(decode(64, [0xf3, 0xa6]))).toBe(Abort.fault);
    expect(driver.completed).toBe(4);
    expect(machine.registers.get64(RCX)).toBe(96n);
    expect(Number(machine.registers.get64(RegisterOffset.rflags)) & STATUS).toBe(Flag.CF);
  });

  it("counts RCX down in 64 bits", () => {
    const machine = new FlatSpanMachine(SIZE, BASE);
    prepare(machine, { ...simple, rcx: 0x1_0000_0002n });
    const driver = new RepeatDriver(new Evaluator(machine), machine, { maxIterations: 5 });
    expect(driver.run(stosb)).toBe(Abort.none);
    expect(machine.registers.get64(RCX)).toBe(0xffff_fffdn);
  });

  it("uses the segment override for the source only", () => {
    const machine = new FlatMachine(SIZE, BASE);
    prepare(machine, { ...simple, rcx: 1n });
    new RepeatDriver(new Evaluator(machine), machine).run(decode(32, [0xf3, 0x64, 0xa4]));
    expect(machine.log.filter((line) => !line.startsWith("probe"))).toEqual([
      `load ${Segment.fs} ${BASE.toString(16)} 1 1`,
      `store ${Segment.es} ${(BASE + 0x200).toString(16)} 1 2`,
    ]);
  });

  it("refuses a cap below one and a program that is no string instruction", () => {
    const machine = new FlatMachine(SIZE, BASE);
    const evaluator = new Evaluator(machine);
    expect(() => new RepeatDriver(evaluator, machine, { maxIterations: 0 })).toThrow(RangeError);
    expect(() => new RepeatDriver(evaluator, machine).run(decode(64, [0x90]))).toThrow(TypeError);
  });
});
