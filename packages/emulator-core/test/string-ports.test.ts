/** INS and OUTS: decoded, because the exit says neither address size nor segment, but fed from the exit's registers. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { RAM, TestBed } from "./test-bed.ts";
import { flatSegment } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;

test("REP INSB: registers from the exit, one translation, one port access and one write an element", () => {
  const s = new TestBed();
  s.host.putBytes(RAM, 0, 0, 0);
  s.host.portReads = [1, 2, 3];
  const result = s.io(
    {},
    { bytes: code["rep insb"], stringOp: true, repPrefix: true, port: 0x1f0, rcx: 3n, rdi: BigInt(RAM) },
  );
  expect(result).toMatchObject({ statusBits: 1, diagnostic: null });
  expect(s.host.texts()).toEqual([
    "translate 0x2000 flags 13",
    "in 1@1f0",
    "write 1@2000=0x1",
    "in 1@1f0",
    "write 1@2001=0x2",
    "in 1@1f0",
    "write 1@2002=0x3",
    "set Rcx Rdi Rip",
  ]);
  expect(s.set).toEqual({ Rcx: 0n, Rdi: 0x2003n, Rip: 0x1002n });
  expect(s.host.bytesAt(RAM, 3)).toEqual([1, 2, 3]);
});

test("REP OUTSB downwards", () => {
  const s = new TestBed();
  s.host.putBytes(RAM, 1, 2, 3);
  s.io(
    { rflags: 0x402n },
    {
      bytes: code["rep outsb"],
      stringOp: true,
      repPrefix: true,
      isWrite: true,
      port: 0xe9,
      rcx: 2n,
      rsi: BigInt(RAM + 2),
    },
  );
  expect(s.host.texts("ioPort")).toEqual(["out 1@e9=0x3", "out 1@e9=0x2"]);
  expect(s.set).toEqual({ Rcx: 0n, Rsi: 0x2000n, Rip: 0x1002n });
});

test("a single OUTSB keeps RCX", () => {
  const s = new TestBed();
  s.host.putBytes(RAM, 0x41);
  s.io({}, { bytes: code.outsb, stringOp: true, isWrite: true, rcx: 5n, rsi: BigInt(RAM) });
  expect(s.host.texts("ioPort")).toEqual(["out 1@60=0x41"]);
  expect(s.set).toEqual({ Rsi: 0x2001n, Rip: 0x1001n });
});

test("OUTS through FS gets FS, and nothing else", () => {
  const s = new TestBed();
  s.host.registers.set(NAME.WHvX64RegisterFs, flatSegment(0xc093, 0x1000n));
  s.host.putBytes(0x3000, 7);
  s.io({}, { bytes: code["fs rep outsb"], stringOp: true, repPrefix: true, isWrite: true, rcx: 1n, rsi: BigInt(RAM) });
  expect(s.host.texts()).toEqual([
    "get Fs",
    "translate 0x3000 flags 11",
    "read 1@3000",
    "out 1@60=0x7",
    "set Rcx Rsi Rip",
  ]);
});

describe("the segments of the exit count in 16- and 32-bit code", () => {
  test("INSB writes through ES, at 16-bit addresses", () => {
    const s = new TestBed();
    s.host.putBytes(0x10_0005, 0);
    s.host.portReads = [0x5a];
    const result = s.io(
      { mode: 16, real: true, csLimit: 0xffff },
      { bytes: code.insb, stringOp: true, rdi: 0xdead_0005n, es: { base: 0x10_0000n, limit: 0xffff } },
    );
    expect(result.diagnostic).toBe(null);
    expect(s.host.bytesAt(0x10_0005, 1)).toEqual([0x5a]);
    expect(s.set).toEqual({ Rdi: 0xdead_0006n, Rip: 0x1001n });
  });

  test("beyond the limit of ES: #GP, and the port is not touched", () => {
    const s = new TestBed();
    const result = s.io({ mode: 32 }, { bytes: code.insb, stringOp: true, rdi: 0x1_0000n, es: { limit: 0xffff } });
    expect(result).toMatchObject({ emulationSuccessful: true });
    expect(result.diagnostic?.exception).toMatchObject({ vector: 13, errorCode: 0 });
    expect(s.host.count("ioPort")).toBe(0);
  });
});

test("RCX 0: done at once", () => {
  const s = new TestBed();
  s.io({}, { bytes: code["rep insb"], stringOp: true, repPrefix: true, rcx: 0n });
  expect(s.host.texts()).toEqual(["set Rip"]);
});

describe("an exit that does not fit the instruction", () => {
  test.each([
    ["other direction", { bytes: code["rep insb"], isWrite: true }],
    ["other size", { bytes: code["rep insb"], size: 4 }],
    ["no port instruction", { bytes: code["rep movsb"] }],
    ["no string instruction", { bytes: code["in al, dx"] }],
  ])("%s: InternalEmulationFailure, nothing called", (_name, access) => {
    const s = new TestBed();
    const result = s.io({ instructionLength: 2 }, { stringOp: true, rcx: 1n, ...access });
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic?.reason).toBe("instruction-mismatch");
    expect(s.host.calls).toEqual([]);
  });
});
