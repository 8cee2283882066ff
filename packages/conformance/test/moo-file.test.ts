/** MOO files, made here byte by byte after the format's description, and broken in every place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MooError, portCaseOf, readMooFile } from "../src/index.ts";

const u16 = (value: number): number[] => [value & 0xff, value >> 8];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const text = (value: string): number[] => [...Buffer.from(value, "latin1")];
const chunk = (id: string, body: readonly number[]): number[] => [...text(id), ...u32(body.length), ...body];
const ram = (...bytes: [number, number][]): number[] =>
  chunk("RAM ", [...u32(bytes.length), ...bytes.flatMap(([address, byte]) => [...u32(address), byte])]);

/** OUT DX, AL at 0100:0010, as a capture would hold it. */
const outTest = chunk("TEST", [
  ...u32(7),
  ...chunk("NAME", [...u32(9), ...text("out dx,al")]),
  ...chunk("BYTS", [...u32(2), 0xee, 0xf4]),
  ...chunk("INIT", [
    ...chunk("REGS", [...u16(0x3019), ...u16(0x1234), ...u16(0x03f8), ...u16(0x0100), ...u16(0x0010), ...u16(0xf002)]),
    ...ram([0x1010, 0xee], [0x1011, 0xf4]),
  ]),
  ...chunk("FINA", [...chunk("REGS", [...u16(0x1000), ...u16(0x0012)]), ...ram()]),
  ...chunk("EXCP", [13, ...u32(0x4321)]),
  ...chunk("CYCL", [...u32(1), 1, ...u32(0x3f8), 0, 0, 0, 0, ...u16(0xbeef), 10, 1, 0, 0]),
  ...chunk("HASH", [1, 2, 3]),
]);
const file = Uint8Array.from([
  ...chunk("MOO ", [1, 0, 0, 0, ...u32(1), ...text("C286")]),
  ...chunk("META", [9, 9]),
  ...outTest,
]);

test("a file with one test", () => {
  const { cpu, tests } = readMooFile(file);
  expect(cpu).toBe("C286");
  expect(tests).toHaveLength(1);
  const [read] = tests;
  expect(read).toMatchObject({
    index: 7,
    name: "out dx,al",
    bytes: Uint8Array.of(0xee, 0xf4),
    exception: { vector: 13, flagsAddress: 0x4321 },
  });
  expect([...read.initial.registers]).toEqual([
    ["ax", 0x1234],
    ["dx", 0x03f8],
    ["cs", 0x0100],
    ["ip", 0x0010],
    ["flags", 0xf002],
  ]);
  expect(read.initial.memory).toEqual([
    { address: 0x1010, byte: 0xee },
    { address: 0x1011, byte: 0xf4 },
  ]);
  expect([...read.final.registers]).toEqual([["ip", 0x0012]]);
  expect(read.cycles).toEqual([
    { pins: 1, address: 0x3f8, byteHighEnable: true, data: 0xbeef, busStatus: 10, tState: 1 },
  ]);
});

test("the port instruction as the exit that a hypervisor reports", () => {
  const [read] = readMooFile(file).tests;
  const emulationCase = portCaseOf(read);
  expect(emulationCase?.exit).toMatchObject({
    kind: "io",
    isWrite: true,
    accessSize: 1,
    port: 0x3f8,
    stringOp: false,
    rax: 0x1234n,
  });
  expect(emulationCase?.vp).toMatchObject({
    rip: 0x10n,
    rflags: 2n,
    cs: [0x1000, 0, 0xffff, 0x0093_0100],
    instructionLength: 1,
  });
});

describe("broken files say where", () => {
  test.each([
    ["no MOO file", Uint8Array.from(text("RIFFxxxxxxxx")), "at byte 0: not a MOO file"],
    ["an empty file", new Uint8Array(), "at byte 0: not a MOO file"],
    ["a chunk longer than the file", file.slice(0, -1), "left in this chunk"],
  ])("%s", (_, bytes, expected) => {
    expect(() => readMooFile(bytes)).toThrow(expected);
  });

  test("whatever byte is changed and wherever it ends: a MooError or a file, never anything else", () => {
    const damage = fc.record({
      at: fc.nat(file.length - 1),
      byte: fc.integer({ min: 0, max: 255 }),
      length: fc.integer({ min: 0, max: file.length }),
    });
    fc.assert(
      fc.property(damage, ({ at, byte, length }) => {
        const bytes = file.slice(0, length);
        if (at < length) bytes[at] = byte;
        try {
          return readMooFile(bytes).tests.length <= 1;
        } catch (error) {
          return error instanceof MooError;
        }
      }),
      { numRuns: 2000, seed: 80286 },
    );
  });
});
