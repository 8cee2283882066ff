/** XSAVE, XSAVEC and XRSTOR against the layout and the header rules of Intel SDM volume 1, 13.4 and 13.7 to 13.10. */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { beforeEach, describe, expect, it } from "vitest";
import { Abort, Evaluator, Helper, programFor, RegisterOffset, Vector } from "../src/index.ts";
import { randomWords } from "./instruction-stream.ts";
import { FlatMachine } from "./machine/flat-machine.ts";

const AREA = 0x1000;
const SIZE = 2688;
const XSAVE64 = "480fae27";
const XSAVEC64 = "480fc727";
const XRSTOR64 = "480fae2f";
const FXSAVE64 = "480fae07";
const X87 = 1n;
const SSE = 2n;
const AVX = 4n;
/** With opmasks, the rest of ZMM and PKRU. */
const ALL = 0x2e7n;
const COMPACTED = 1n << 63n;

let machine: FlatMachine;
let view: DataView;
let area: DataView;
const instruction = new Instruction();

function run(text: string, components = 0xffff_ffff_ffff_ffffn, mode: 32 | 64 = 64): number {
  machine.registers.set64(RegisterOffset.general, components & 0xffff_ffffn);
  machine.registers.set64(RegisterOffset.general + 8 * 2, components >> 32n);
  expect(new Decoder(mode).decode(Uint8Array.from(Buffer.from(text, "hex")), 0, instruction)).toBe(DecodeStatus.ok);
  const program = programFor(instruction);
  expect(program.unsupported).toBeNull();
  return new Evaluator(machine).evaluate(program);
}

function fillState(seed: number): void {
  const random = randomWords(seed);
  const { bytes } = machine.registers;
  for (let i = RegisterOffset.mask; i < RegisterOffset.pkru + 4; i++) bytes[i] = random();
  for (let i = RegisterOffset.vector; i < bytes.length; i++) bytes[i] = random();
  for (let r = 0; r < 8; r++) for (let i = 0; i < 10; i++) bytes[RegisterOffset.fpu + 16 * r + i] = random();
  view.setUint16(RegisterOffset.fpuControl, 0x27f, true);
  view.setUint16(RegisterOffset.fpuStatus, 5 << 11, true);
  view.setUint8(RegisterOffset.fpuTag, 0x3c);
  view.setUint16(RegisterOffset.fpuOpcode, 0x123, true);
  view.setUint32(RegisterOffset.mxcsr, 0x1fa0, true);
  view.setUint32(RegisterOffset.mxcsrMask, 0x2_ffff, true);
}

beforeEach(() => {
  machine = new FlatMachine();
  view = new DataView(machine.registers.bytes.buffer);
  area = new DataView(machine.memory.buffer, AREA, SIZE);
  fillState(7);
  machine.registers.set64(RegisterOffset.general + 8 * 7, BigInt(AREA));
  machine.registers.set64(RegisterOffset.cr4, 1n << 18n);
  machine.registers.set64(RegisterOffset.xcr0, ALL);
});

const registerBytes = (offset: number, size: number): number[] => [
  ...machine.registers.bytes.subarray(offset, offset + size),
];
const areaBytes = (at: number, size: number): number[] => [...machine.memory.subarray(AREA + at, AREA + at + size)];
const vectorBytes = (register: number, from: number, to: number): number[] =>
  registerBytes(RegisterOffset.vector + 64 * register + from, to - from);

describe("XSAVE", () => {
  it("of x87 and SSE state is FXSAVE with a header", () => {
    expect(run(FXSAVE64)).toBe(Abort.none);
    const legacy = areaBytes(0, 416);
    machine.memory.fill(0xee, AREA, AREA + SIZE);
    area.setBigUint64(512, 0x24n, true);
    expect(run(XSAVE64, X87 | SSE)).toBe(Abort.none);
    expect(areaBytes(0, 416)).toEqual(legacy);
    expect(area.getBigUint64(512, true)).toBe(0x24n | X87 | SSE);
    for (const [at, size] of [
      [416, 96],
      [520, SIZE - 520],
    ] as const)
      expect(areaBytes(at, size).every((byte) => byte === 0xee)).toBe(true);
  });

  it("of AVX state alone writes MXCSR and the upper halves", () => {
    machine.memory.fill(0xee, AREA, AREA + SIZE);
    expect(run(XSAVE64, AVX)).toBe(Abort.none);
    expect(areaBytes(0, 24).every((byte) => byte === 0xee)).toBe(true);
    expect(area.getUint32(24, true)).toBe(0x1fa0);
    expect(areaBytes(32, 480).every((byte) => byte === 0xee)).toBe(true);
    for (let i = 0; i < 16; i++) expect(areaBytes(576 + 16 * i, 16)).toEqual(vectorBytes(i, 16, 32));
    expect(areaBytes(832, SIZE - 832).every((byte) => byte === 0xee)).toBe(true);
  });

  it("outside 64-bit mode leaves the places of registers 8 to 15 alone", () => {
    machine.memory.fill(0xee, AREA, AREA + SIZE);
    expect(run("0fae27", SSE | AVX, 32)).toBe(Abort.none);
    expect(areaBytes(160 + 7 * 16, 16)).toEqual(vectorBytes(7, 0, 16));
    expect(areaBytes(160 + 8 * 16, 128).every((byte) => byte === 0xee)).toBe(true);
    expect(areaBytes(576 + 8 * 16, 128).every((byte) => byte === 0xee)).toBe(true);
  });

  it("asks the machine about components whose place is the processor's own", () => {
    run(XSAVE64);
    expect(machine.helperCalls.map(({ id, a }) => ({ id, a }))).toEqual([
      { id: Helper.otherExtendedState, a: Number(ALL & ~7n) },
    ]);
  });

  it("saves only what XCR0 enables", () => {
    machine.registers.set64(RegisterOffset.xcr0, X87);
    machine.memory.fill(0, AREA, AREA + SIZE);
    expect(run(XSAVE64)).toBe(Abort.none);
    expect(area.getBigUint64(512, true)).toBe(X87);
    expect(areaBytes(160, 256).every((byte) => byte === 0)).toBe(true);
  });
});

/** Bits of the components behind the header, with their sizes, in order. */
const PACKED = [
  [2, 256],
  [5, 64],
  [6, 512],
  [7, 1024],
  [9, 8],
] as const;

describe("XSAVEC", () => {
  it.each([ALL, ALL & ~AVX, 0x201n, 0xe0n, X87 | SSE])(
    "packs components %x, and XRSTOR restores them",
    (components) => {
      expect(run(XSAVEC64, components)).toBe(Abort.none);
      expect(area.getBigUint64(512, true)).toBe(components);
      expect(area.getBigUint64(520, true)).toBe(components | COMPACTED);
      let at = 576;
      for (const [bit, size] of PACKED) {
        if (((components >> BigInt(bit)) & 1n) === 0n) continue;
        if (bit === 5) expect(areaBytes(at, 64)).toEqual(registerBytes(RegisterOffset.mask, 64));
        if (bit === 6) expect(areaBytes(at + 32, 32)).toEqual(vectorBytes(1, 32, 64));
        if (bit === 7) expect(areaBytes(at + 64, 64)).toEqual(vectorBytes(17, 0, 64));
        if (bit === 9) expect(areaBytes(at, 8)).toEqual([...registerBytes(RegisterOffset.pkru, 4), 0, 0, 0, 0]);
        at += size;
      }
      const saved = registerBytes(RegisterOffset.mxcsr, machine.registers.bytes.length - RegisterOffset.mxcsr);
      fillState(8);
      const other = registerBytes(RegisterOffset.mxcsr, saved.length);
      expect(run(XRSTOR64, components)).toBe(Abort.none);
      const now = registerBytes(RegisterOffset.mxcsr, saved.length);
      const vector = (register: number, byte: number): number =>
        RegisterOffset.vector - RegisterOffset.mxcsr + 64 * register + byte;
      const probes: [bit: number, at: number][] = [
        [0, RegisterOffset.fpu - RegisterOffset.mxcsr + 3],
        [1, vector(15, 3)],
        [2, vector(9, 17)],
        [5, RegisterOffset.mask - RegisterOffset.mxcsr + 9],
        [6, vector(2, 40)],
        [7, vector(31, 5)],
        [9, RegisterOffset.pkru - RegisterOffset.mxcsr],
      ];
      for (const [bit, i] of probes) {
        const restored = ((components >> BigInt(bit)) & 1n) === 1n;
        expect(now[i], `component ${bit}`).toBe((restored ? saved : other)[i]);
      }
      if (components === ALL) expect(now).toEqual(saved);
    },
  );
});

describe("XRSTOR", () => {
  const header = (held: bigint, layout: bigint, rest: readonly [at: number, value: bigint] | null): void => {
    machine.memory.fill(0, AREA, AREA + SIZE);
    area.setUint32(24, 0x1f80, true);
    area.setBigUint64(512, held, true);
    area.setBigUint64(520, layout, true);
    if (rest !== null) area.setBigUint64(512 + rest[0], rest[1], true);
  };

  it.each([
    ["a component that XCR0 lacks", 0x8n, 0n, null],
    ["a layout without bit 63", 1n, 1n, null],
    ["a standard header whose bytes 16 to 23 are not zero", 1n, 0n, [16, 1n]],
    ["a compacted component that XCR0 lacks", 1n, COMPACTED | 9n, null],
    ["a component without a place", 3n, COMPACTED | 1n, null],
    ["a compacted header with something behind it", 1n, COMPACTED | 1n, [56, 1n << 40n]],
  ] as const)("is #GP(0) for %s", (_, held, layout, rest) => {
    header(held, layout, rest);
    const before = machine.registers.bytes.slice(8 * 3);
    expect(run(XRSTOR64, X87 | SSE)).toBe(Abort.fault);
    expect(machine.fault).toMatchObject({ vector: Vector.GP, errorCode: 0 });
    expect(machine.registers.bytes.slice(8 * 3)).toEqual(before);
  });

  it("accepts anything in bytes 24 to 63 of a standard header", () => {
    header(3n, 0n, [24, 0xffffn]);
    expect(run(XRSTOR64, X87 | SSE)).toBe(Abort.none);
  });

  it("initializes what the area does not hold", () => {
    header(0n, 0n, null);
    area.setUint32(24, 0x1f00, true);
    expect(run(XRSTOR64, X87 | SSE | AVX)).toBe(Abort.none);
    expect(view.getUint16(RegisterOffset.fpuControl, true)).toBe(0x37f);
    expect(view.getUint16(RegisterOffset.fpuStatus, true)).toBe(0);
    expect(view.getUint8(RegisterOffset.fpuTag)).toBe(0);
    expect(registerBytes(RegisterOffset.fpu, 128).every((byte) => byte === 0)).toBe(true);
    expect(vectorBytes(4, 0, 32).every((byte) => byte === 0)).toBe(true);
    // The standard format's MXCSR is loaded all the same.
    expect(view.getUint32(RegisterOffset.mxcsr, true)).toBe(0x1f00);
    header(0n, COMPACTED, null);
    expect(run(XRSTOR64, SSE)).toBe(Abort.none);
    expect(view.getUint32(RegisterOffset.mxcsr, true)).toBe(0x1f80);
  });

  it("is #GP(0) for reserved bits of MXCSR", () => {
    header(2n, 0n, null);
    area.setUint32(24, 0x8000_0000, true);
    expect(run(XRSTOR64, SSE)).toBe(Abort.fault);
    expect(machine.fault).toMatchObject({ vector: Vector.GP, errorCode: 0 });
  });
});

it.each([XSAVE64, XSAVEC64, XRSTOR64])("%s checks CR4.OSXSAVE, CR0.TS and the alignment, in this order", (text) => {
  machine.registers.set64(RegisterOffset.general + 8 * 7, BigInt(AREA + 32));
  machine.registers.set64(RegisterOffset.cr4, 0n);
  machine.registers.set64(RegisterOffset.cr0, 8n);
  expect(run(text, X87)).toBe(Abort.fault);
  expect(machine.fault.vector).toBe(Vector.UD);
  machine.registers.set64(RegisterOffset.cr4, 1n << 18n);
  expect(run(text, X87)).toBe(Abort.fault);
  expect(machine.fault.vector).toBe(Vector.NM);
  machine.registers.set64(RegisterOffset.cr0, 0n);
  expect(run(text, X87)).toBe(Abort.fault);
  expect(machine.fault).toMatchObject({ vector: Vector.GP, errorCode: 0 });
});
