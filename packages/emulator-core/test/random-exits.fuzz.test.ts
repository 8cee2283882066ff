/** Random bytes, contexts and answers: whatever they are, one documented status comes back, and nothing is thrown. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryExit, portExit, vpExit } from "./exits.ts";
import { TestBed } from "./test-bed.ts";
import { flatSegment } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const bits64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Addresses that are often near something: page ends, the ends of the canonical halves, small ones. */
const address = fc.oneof(
  bits64,
  fc.constantFrom(0xfffn, 0x7fff_ffff_fffdn, 0xffff_7fff_ffff_fffen, 0xffff_ffff_ffff_fffen, 0xffff_fffdn),
  fc.bigInt({ min: 0n, max: 0x3_0000n }),
);

const vp = fc.record({
  mode: fc.constantFrom(16 as const, 32 as const, 64 as const),
  real: fc.boolean(),
  cpl: fc.integer({ min: 0, max: 3 }),
  rip: address,
  rflags: bits64,
  instructionLength: fc.integer({ min: 0, max: 15 }),
  interruptShadow: fc.boolean(),
  debugActive: fc.boolean(),
  cr0Am: fc.boolean(),
  longMode: fc.boolean(),
  csBase: fc.oneof(fc.constant(0n), bits64),
  csLimit: fc.constantFrom(0, 0xffff, 0xffff_ffff),
});

const world = fc.record({
  registers: fc.array(address, { minLength: 16, maxLength: 16 }),
  attributes: fc.constantFrom(0, 0xc093, 0xc091, 0xc097, 0xc09b, 0x93),
  device: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 64 }),
  translation: fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 5, 8, 77),
  options: fc.record({
    maxRepIterations: fc.constantFrom(1, 3, 20),
    dataBreakpoints: fc.boolean(),
    recheckEnables: fc.boolean(),
    commitPartialRep: fc.boolean(),
    noMemoryOperand: fc.constantFrom("fail" as const, "hyperv" as const, "execute" as const),
  }),
  /** Which call of which callback fails, if any. */
  fails: fc.option(fc.nat({ max: 12 })),
});

const memory = fc.record({
  bytes: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 16 }),
  byteCount: fc.integer({ min: 0, max: 16 }),
  accessType: fc.integer({ min: 0, max: 2 }),
  gvaValid: fc.boolean(),
  gva: address,
  gpa: fc.nat(),
});

const port = fc.record({
  bytes: fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 16 }),
    fc.constantFrom([0xf3, 0x6c], [0xf3, 0x6f], [0x6e], [0x67, 0x6d], [0x64, 0xf3, 0x6e], [0xec]),
  ),
  size: fc.constantFrom(1, 2, 4),
  isWrite: fc.boolean(),
  stringOp: fc.boolean(),
  repPrefix: fc.boolean(),
  rcx: bits64,
  rsi: address,
  rdi: address,
});

function check(
  vpInit: Parameters<typeof vpExit>[0],
  one: typeof world extends fc.Arbitrary<infer T> ? T : never,
  run: (s: TestBed) => ReturnType<TestBed["mmio"]>,
): void {
  const s = new TestBed(one.options);
  for (const [i, value] of one.registers.entries()) s.host.put(NAME.WHvX64RegisterRax + i, value);
  for (const name of [NAME.WHvX64RegisterEs, NAME.WHvX64RegisterDs, NAME.WHvX64RegisterSs, NAME.WHvX64RegisterFs])
    s.host.registers.set(name, flatSegment(one.attributes));
  s.host.deviceReads = one.device;
  const { translate } = s.host;
  s.host.translate = (translation): number => {
    const hresult = translate.call(s.host, translation);
    translation.resultCode = one.translation;
    return hresult;
  };
  let calls = 0;
  s.host.inside = (): void => {
    if (calls++ === one.fails) throw new Error("staged");
  };
  const result = run(s);
  expect(vpInit).toBeDefined();
  expect(result.hresult).toBe(0);
  expect(result.diagnostic?.reason).not.toBe("internal-error");
  // Exactly one bit, of the ten.
  expect(result.statusBits & (result.statusBits - 1)).toBe(0);
  expect(result.statusBits).toBeGreaterThan(0);
  expect(result.statusBits).toBeLessThan(1 << 10);
  const sets = s.host.count("setVirtualProcessorRegisters");
  expect(sets).toBeLessThanOrEqual(1);
  if (result.emulationSuccessful) {
    expect(sets).toBe(1);
    expect(s.host.calls.at(-1)?.callback).toBe("setVirtualProcessorRegisters");
  } else {
    expect(result.diagnostic).not.toBe(null);
  }
}

test("memory exits", () => {
  fc.assert(
    fc.property(vp, memory, world, (vpInit, access, one) => {
      check(vpInit, one, (s) => s.emulator.tryMmioEmulation(s.host, vpExit(vpInit), memoryExit(access)));
    }),
    { numRuns: 1500, seed: 20260109, verbose: true },
  );
});

test("port exits", () => {
  fc.assert(
    fc.property(vp, port, world, (vpInit, access, one) => {
      check(vpInit, one, (s) => s.emulator.tryIoEmulation(s.host, vpExit(vpInit), portExit(access)));
    }),
    { numRuns: 800, seed: 20260110, verbose: true },
  );
});

test("instructions with a memory operand of every one-byte opcode and group", () => {
  fc.assert(
    fc.property(
      vp,
      memory,
      world,
      fc.integer({ min: 0, max: 0x1ff }),
      fc.integer({ min: 0, max: 0x3f }),
      (vpInit, access, one, opcode, modrm) => {
        const bytes = [...(opcode > 0xff ? [0x0f] : []), opcode & 0xff, modrm, 0x10, 0x20, 0x30, 0x40, 0x50];
        check(vpInit, one, (s) =>
          s.emulator.tryMmioEmulation(
            s.host,
            vpExit(vpInit),
            memoryExit({ ...access, bytes, byteCount: bytes.length }),
          ),
        );
      },
    ),
    { numRuns: 2500, seed: 20260111, verbose: true },
  );
});
