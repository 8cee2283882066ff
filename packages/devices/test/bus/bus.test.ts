import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bus, type BusDevice, type UnclaimedAccess } from "../../src/index.ts";

/** Memory of `size` bytes that keeps a list of what it was asked. */
class Recorder implements BusDevice {
  readonly width: 1 | 2 | 4;
  readonly bytes: Uint8Array;
  readonly calls: string[] = [];
  constructor(width: 1 | 2 | 4, size: number) {
    this.width = width;
    this.bytes = Uint8Array.from({ length: size }, (_, i) => 0x10 + i);
  }
  read(offset: number, size: number): number {
    this.calls.push(`r${size}@${offset}`);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[offset + i];
    return value;
  }
  write(offset: number, size: number, value: number): void {
    this.calls.push(`w${size}@${offset}=${value.toString(16)}`);
    for (let i = 0; i < size; i++) this.bytes[offset + i] = value >>> (8 * i);
  }
}

describe("port space", () => {
  it("hands offsets from the start of the range to the device", () => {
    const bus = new Bus();
    const device = new Recorder(4, 8);
    bus.attachPorts(0x3f8, 8, device);
    expect(bus.readPort(0x3f9, 1)).toBe(0x11);
    bus.writePort(0x3fc, 4, 0xdeadbeef);
    expect(bus.readPort(0x3fc, 4)).toBe(0xdeadbeef);
    expect(device.calls).toEqual(["r1@1", "w4@4=deadbeef", "r4@4"]);
  });

  it("cuts wide accesses to a byte device into ascending byte cycles, each to its own port", () => {
    const bus = new Bus();
    const low = new Recorder(1, 1);
    const high = new Recorder(1, 1);
    bus.attachPorts(0x20, 1, low);
    bus.attachPorts(0x21, 1, high);
    bus.writePort(0x20, 2, 0x1234);
    expect([low.calls, high.calls]).toEqual([["w1@0=34"], ["w1@0=12"]]);
    expect(bus.readPort(0x20, 2)).toBe(0x1234);
  });

  it("answers all ones for ports that nobody claims, and says so", () => {
    const bus = new Bus();
    const seen: UnclaimedAccess[] = [];
    bus.onUnclaimed = (access) => seen.push(access);
    expect(bus.readPort(0x80, 1)).toBe(0xff);
    expect(bus.readPort(0x80, 2)).toBe(0xffff);
    expect(bus.readPort(0x80, 4)).toBe(0xffffffff);
    bus.writePort(0x81, 1, 1);
    expect(seen).toHaveLength(8);
    expect(seen.at(-1)).toEqual({ space: "port", address: 0x81, size: 1, write: true });
  });

  it("wraps at the end of port space", () => {
    const bus = new Bus();
    const device = new Recorder(1, 1);
    bus.attachPorts(0, 1, device);
    expect(bus.readPort(0xffff, 2)).toBe(0x10ff);
  });

  it("refuses overlapping and impossible ranges, and frees them on detach", () => {
    const bus = new Bus();
    const device = new Recorder(1, 8);
    const attachment = bus.attachPorts(0x60, 8, device);
    expect(() => bus.attachPorts(0x67, 1, device)).toThrow(RangeError);
    expect(() => bus.attachPorts(0xffff, 2, device)).toThrow(RangeError);
    expect(() => bus.attachPorts(-1, 1, device)).toThrow(RangeError);
    attachment.detach();
    attachment.detach();
    expect(bus.readPort(0x60, 1)).toBe(0xff);
    bus.attachPorts(0x67, 1, device);
    expect(bus.readPort(0x67, 1)).toBe(0x10);
  });
});

describe("memory space", () => {
  it.each([
    // size, offset, the cycles a four-byte device sees, value
    [1, 1, ["r1@1"], 0x11n],
    [2, 1, ["r2@1"], 0x1211n],
    [4, 2, ["r4@2"], 0x15141312n],
    [8, 0, ["r4@0", "r4@4"], 0x1716151413121110n],
    [3, 1, ["r1@1", "r2@2"], 0x131211n],
    [5, 3, ["r1@3", "r2@4", "r1@6", "r1@7"], 0x1716151413n],
    [6, 2, ["r2@2", "r2@4", "r2@6"], 0x171615141312n],
    [7, 0, ["r4@0", "r2@4", "r1@6"], 0x16151413121110n],
  ] as const)("reads %i bytes at %i in the right pieces", (size, offset, calls, value) => {
    const bus = new Bus();
    const device = new Recorder(4, 16);
    bus.attachMemory(0xd0000000, 16, device);
    const low = bus.readMemory(0xd0000000 + offset, size);
    expect((BigInt(bus.high) << 32n) | BigInt(low)).toBe(value);
    expect(device.calls).toEqual(calls);
  });

  it("joins what two devices and nobody answer", () => {
    const bus = new Bus();
    bus.attachMemory(0x1000, 2, new Recorder(4, 2));
    bus.attachMemory(0x1003, 1, new Recorder(4, 1));
    expect(bus.readMemory(0x1000, 4)).toBe(0x10ff1110);
    bus.writeMemory(0x1000, 4, 0x44332211, 0);
    expect(bus.readMemory(0x1000, 4)).toBe(0x44ff2211);
  });

  it("refuses overlaps and ranges beyond 2^52", () => {
    const bus = new Bus();
    const device = new Recorder(4, 16);
    bus.attachMemory(0x1000, 16, device);
    expect(() => bus.attachMemory(0x100f, 1, device)).toThrow(RangeError);
    expect(() => bus.attachMemory(2 ** 52 - 8, 16, device)).toThrow(RangeError);
    bus.attachMemory(2 ** 52 - 16, 16, device);
    expect(bus.readMemory(2 ** 52 - 16, 1)).toBe(0x10);
  });

  it("writes what it reads, whatever size, place and width", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1 as const, 2 as const, 4 as const),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 24 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (width, size, offset, raw) => {
          const bus = new Bus();
          bus.attachMemory(0x1000, 32, new Recorder(width, 32));
          const value = BigInt.asUintN(8 * size, raw);
          bus.writeMemory(0x1000 + offset, size, Number(value & 0xffffffffn), Number(value >> 32n));
          const low = bus.readMemory(0x1000 + offset, size);
          expect((BigInt(bus.high) << 32n) | BigInt(low)).toBe(value);
          // The byte before and the byte after are what they were.
          if (offset > 0) expect(bus.readMemory(0x1000 + offset - 1, 1)).toBe(0x10 + offset - 1);
          if (offset + size < 32) expect(bus.readMemory(0x1000 + offset + size, 1)).toBe(0x10 + offset + size);
        },
      ),
    );
  });
});
