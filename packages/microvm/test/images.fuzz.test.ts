/** Images with any header: a machine that holds them, or an error that names the field; memory is the guest's size. */
import { simHypervisor } from "@whvkit/sim-backend";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMachine, type GuestImage, type MachineOptions } from "../src/index.ts";

const MEBIBYTE = 2 ** 20;

/** Addresses near what a loader compares with, and ones that are none. */
const address = fc.oneof(
  { weight: 3, arbitrary: fc.nat(0x98000) },
  fc
    .tuple(
      fc.constantFrom(
        0,
        0x98fff,
        0x99000,
        0xa0000,
        0xc0000,
        0x10_0000,
        MEBIBYTE,
        2 ** 31,
        2 ** 32,
        3 * 2 ** 30,
        2 ** 52,
      ),
      fc.integer({ min: -0x1001, max: 0x1001 }),
    )
    .map(([near, distance]) => near + distance),
  fc.constantFrom<number>(Number.NaN, Number.POSITIVE_INFINITY, -1, -0, 0.5, 2 ** 53, 2 ** 64, 1e300),
);
const image = fc.record({
  /** So many zeros; or what is no array of bytes. */
  content: fc.constantFrom<unknown>(
    0,
    1,
    15,
    4095,
    4096,
    4097,
    70_000,
    MEBIBYTE,
    MEBIBYTE + 1,
    null,
    undefined,
    "x",
    [0xf4],
  ),
  mode: fc.constantFrom<unknown>(16, 32, 64, 16, 32, 64, 0, "64", null, Number.NaN),
  load: fc.oneof(address, fc.constantFrom<unknown>("0x7c00", null, {})),
  entry: fc.option(address, { nil: undefined }),
});

test("any image, at any address, of any mode", () => {
  let made = 0;
  let refused = 0;
  fc.assert(
    fc.property(image, fc.constantFrom(MEBIBYTE, 2 * MEBIBYTE), ({ content, entry, ...fields }, memorySize) => {
      const bytes = typeof content === "number" ? new Uint8Array(content) : content;
      const whole = { bytes, ...fields, ...(entry === undefined ? {} : { entry }) } as GuestImage;
      const options: MachineOptions = {
        hypervisor: simHypervisor,
        image: whole,
        memorySize,
        limits: { maxInstructions: 50 },
      };
      let machine: ReturnType<typeof createMachine>;
      try {
        machine = createMachine(options);
      } catch (error) {
        refused++;
        // Refused by a check, in words: nothing was made that would have to be given back.
        expect(error).toSatisfy((thrown) => thrown instanceof RangeError || thrown instanceof TypeError);
        expect((error as Error).message).toMatch(/^image(\.(bytes|mode|load|entry) | of \d+ bytes at 0x)/);
        return;
      }
      made++;
      const { reason } = machine.run();
      expect(["halted", "triple-fault", "instruction-limit", "emulation-failure", "unexpected-exit"]).toContain(reason);
      machine.dispose();
    }),
    { numRuns: 600, seed: 11 },
  );
  expect(made).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(200);
}, 120_000);

test("any size of memory", () => {
  const size = fc.oneof(address, fc.constantFrom<unknown>("16777216", [], {}));
  fc.assert(
    fc.property(size, (memorySize) => {
      fc.pre(memorySize !== MEBIBYTE && memorySize !== 2 * MEBIBYTE && !isLarge(memorySize));
      const create = () =>
        createMachine({
          hypervisor: simHypervisor,
          image: { bytes: Uint8Array.of(0xf4), mode: 16, load: 0x7c00 },
          memorySize: memorySize as number,
        });
      const isSize = Number.isInteger(memorySize) && (memorySize as number) % 4096 === 0;
      if (isSize && (memorySize as number) >= MEBIBYTE && (memorySize as number) <= 2 ** 36) create().dispose();
      else expect(create).toThrow(/^memorySize is /);
    }),
    { numRuns: 200, seed: 12 },
  );
});

/** Sizes that are good, but more than a test should take. */
function isLarge(size: unknown): boolean {
  return typeof size === "number" && size % 4096 === 0 && size > 4 * MEBIBYTE && size <= 2 ** 36;
}
