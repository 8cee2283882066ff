// Guests made of random bytes: whatever they do, the run ends in a documented way, and the host is unharmed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boot } from "./boot.ts";

const reasons = [
  "shutdown",
  "debug-exit",
  "instruction-limit",
  "halted",
  "triple-fault",
  "emulation-failure",
  "unexpected-exit",
];

/** Bytes among which instructions that reach devices are common: prefixes, string and port instructions, and any. */
const code = fc.array(
  fc.oneof(
    fc.nat(255).map((byte) => [byte]),
    fc.constantFrom([0x66], [0x67], [0xf3], [0xf2], [0xf0], [0x26], [0x65]),
    fc.constantFrom(
      [0xa4],
      [0xa5],
      [0xaa],
      [0xab],
      [0xac],
      [0xae],
      [0xa6],
      [0x6c],
      [0x6d],
      [0x6e],
      [0x6f],
      [0xec],
      [0xee],
      [0xef],
    ),
    fc.constantFrom(
      [0xbf, 0x00, 0x80, 0x0b, 0x00],
      [0xbe, 0x00, 0x80, 0x0b, 0x00],
      [0xb8, 0x00, 0x00, 0x00, 0xd0],
      [0x8e, 0xc0],
    ),
  ),
  { minLength: 8, maxLength: 120 },
);

describe.each([16, 32, 64] as const)("random guests in mode %i", (mode) => {
  it("end in a documented way", () => {
    fc.assert(
      fc.property(code, (parts) => {
        const bytes = Uint8Array.from(parts.flat());
        const { result } = boot(
          { bytes, mode, load: 0x8000 },
          { memorySize: 2 ** 20, limits: { maxInstructions: 500 } },
        );
        expect(reasons).toContain(result.reason);
        if (result.reason === "emulation-failure") expect(result.diagnostic).not.toBeNull();
      }),
      { numRuns: 12, seed: 0x8086 + mode },
    );
  });
});
