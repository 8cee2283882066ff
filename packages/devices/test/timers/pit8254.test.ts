// Held to Intel's 8254 data sheet (231164-005): the waveforms of "Mode definitions" and the command formats.
import { beforeEach, describe, expect, it } from "vitest";
import { Bus, PIT_HZ, Pit8254, VirtualClock } from "../../src/index.ts";

let clock: VirtualClock;
let bus: Bus;
let pit: Pit8254;
let edges: [number, boolean][];

beforeEach(() => {
  clock = new VirtualClock();
  bus = new Bus();
  edges = [];
  let level = false;
  pit = new Pit8254({
    clock,
    line: {
      set: (to) => {
        if (to !== level) edges.push([tick(), to]);
        level = to;
      },
    },
  });
  pit.attach(bus);
});

/** The tick of the input clock that guest time stands at, and back. */
const tick = (): number => Math.floor((clock.now * PIT_HZ) / 1e9);
const goTo = (ticks: number): void => clock.advanceTo(Math.ceil((ticks * 1e9) / PIT_HZ));
const out = (port: number, value: number): void => bus.writePort(port, 1, value);
const inb = (port: number): number => bus.readPort(port, 1);

/** Counter 2, whose GATE is bit 0 of port 0x61 and whose OUT is bit 5. */
const gate = (level: boolean): void => out(0x61, level ? 1 : 0);
const output = (): number => (inb(0x61) >> 5) & 1;
function program(mode: number, count: number, access = 3, bcd = 0): void {
  out(0x43, 0x80 | (access << 4) | (mode << 1) | bcd);
  if (access !== 2) out(0x42, count & 0xff);
  if (access !== 1) out(0x42, count >> 8);
}
function count(): number {
  out(0x43, 0x80);
  return inb(0x42) | (inb(0x42) << 8);
}
/** OUT of counter 2 at each tick from `from` on, as a row of 0 and 1. */
function waveform(from: number, length: number): string {
  let row = "";
  for (let i = 0; i < length; i++) {
    goTo(from + i);
    row += output();
  }
  return row;
}

describe("waveforms of OUT from the write of the count on", () => {
  it.each([
    // mode, count, OUT at ticks 0, 1, 2 … after the write (the count is loaded at tick 1)
    [0, 4, "000001111111"],
    [2, 4, "111101110111011"],
    [2, 3, "111011011011"],
    [3, 4, "11100110011001100"],
    [3, 5, "1111001110011100"],
    [4, 3, "111101111111"],
  ])("mode %i, count %i", (mode, n, expected) => {
    gate(true);
    program(mode, n);
    expect(waveform(0, expected.length)).toBe(expected);
  });

  it.each([
    // From the rising edge of GATE on.
    [1, 3, "100011111"],
    [5, 3, "111101111"],
  ])("mode %i, count %i, triggered by GATE", (mode, n, expected) => {
    gate(false);
    program(mode, n);
    expect(waveform(0, 5)).toBe("11111");
    goTo(10);
    gate(true);
    expect(waveform(10, expected.length)).toBe(expected);
  });

  it("mode 1 starts again with every trigger", () => {
    program(1, 4);
    gate(true);
    goTo(3);
    gate(false);
    gate(true);
    expect(waveform(3, 7)).toBe("0000011");
  });

  it("mode 2 and 3 go high at once when GATE falls and start a full period when it rises", () => {
    for (const mode of [2, 3]) {
      const start = tick();
      gate(true);
      program(mode, 6);
      goTo(start + 6);
      expect(output()).toBe(0);
      gate(false);
      expect(output()).toBe(1);
      goTo(start + 20);
      gate(true);
      expect(waveform(start + 20, 8)).toBe(mode === 2 ? "11111101" : "11110001");
    }
  });

  it("mode 0 stands still while GATE is low", () => {
    gate(true);
    program(0, 5);
    goTo(3);
    expect(count()).toBe(3);
    gate(false);
    goTo(50);
    expect([count(), output()]).toEqual([3, 0]);
    gate(true);
    expect(waveform(50, 5)).toBe("00011");
  });
});

describe("counts", () => {
  it("run down by ones, in mode 3 by twos, and wrap after the end in mode 0", () => {
    gate(true);
    program(0, 3);
    goTo(1);
    expect(count()).toBe(3);
    goTo(4);
    expect(count()).toBe(0);
    goTo(5);
    expect(count()).toBe(0xffff);
    program(3, 6);
    goTo(6);
    expect(count()).toBe(6);
    goTo(7);
    expect(count()).toBe(4);
  });

  it("of 0 stand for 65,536, in BCD for 10,000", () => {
    gate(true);
    program(2, 0);
    goTo(1 + 65_535);
    expect(output()).toBe(0);
    expect(count()).toBe(1);
    const start = tick();
    program(2, 0, 3, 1);
    goTo(start + 1 + 9_999);
    expect(output()).toBe(0);
    goTo(start + 1 + 10_000 + 1);
    expect(count()).toBe(0x9999);
  });

  it("written while counting take effect at the end of the period (mode 2) or half (mode 3)", () => {
    gate(true);
    program(2, 6);
    goTo(3);
    out(0x42, 3);
    out(0x42, 0);
    expect(waveform(3, 10)).toBe("1110110110");
  });

  it("can be written and read as one byte", () => {
    gate(true);
    program(0, 0x80, 1);
    goTo(1);
    expect(inb(0x42)).toBe(0x80);
    program(0, 0x0200, 2);
    goTo(tick() + 1);
    expect(inb(0x42)).toBe(0x02);
  });

  it("survive an absence of an hour", () => {
    gate(true);
    program(2, 1000);
    goTo(1 + 1000 * 4_295_455);
    expect(count()).toBe(1000);
    goTo(1 + 1000 * 4_295_455 + 999);
    expect(output()).toBe(0);
  });
});

describe("latches and read-back", () => {
  it("hold the count until both bytes were read", () => {
    gate(true);
    program(0, 0x1234);
    goTo(1);
    out(0x43, 0x80);
    goTo(100);
    out(0x43, 0x80); // ignored: still latched
    expect([inb(0x42), inb(0x42)]).toEqual([0x34, 0x12]);
    expect(count()).toBe(0x1234 - 99);
  });

  it("give the status first, then the count", () => {
    gate(true);
    program(4, 0x1234);
    out(0x43, 0xc8); // counter 2, both
    expect(inb(0x42)).toBe(0x80 | 0x40 | 0x30 | 0x08); // OUT, null count, two bytes, mode 4
    inb(0x42);
    inb(0x42);
    goTo(5);
    out(0x43, 0xe8); // status alone
    expect(inb(0x42)).toBe(0x80 | 0x30 | 0x08);
  });

  it("latch several counters with one command", () => {
    out(0x43, 0x30);
    out(0x40, 100);
    out(0x40, 0);
    gate(true);
    program(0, 200);
    goTo(11);
    out(0x43, 0xda); // counts of counters 0 and 2
    goTo(50);
    expect([inb(0x40), inb(0x40), inb(0x42), inb(0x42)]).toEqual([90, 0, 190, 0]);
  });

  it("read nothing from the control port", () => expect(inb(0x43)).toBe(0xff));
});

describe("interrupts of counter 0", () => {
  it("come as rising edges, 11932 ticks apart at 100 Hz", () => {
    out(0x43, 0x34);
    out(0x40, 11932 & 0xff);
    out(0x40, 11932 >> 8);
    clock.advanceTo(50e6);
    const rising = edges.filter(([, level]) => level).map(([at]) => at);
    expect(rising).toEqual([0, 1, 2, 3, 4, 5].slice(0, rising.length).map((i) => (i === 0 ? 0 : 1 + 11932 * i)));
    expect(rising).toHaveLength(6 - 1);
  });

  it("come once in mode 0", () => {
    out(0x43, 0x30);
    out(0x40, 10);
    out(0x40, 0);
    clock.advanceTo(1e9);
    expect(edges.slice(1)).toEqual([
      [0, false],
      [11, true],
    ]);
    expect(clock.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });
});

it("port 0x61 keeps its low bits, shows OUT of counter 2 and toggles the refresh bit", () => {
  out(0x61, 0xff);
  expect(inb(0x61) & 0x0f).toBe(0x0f);
  const seen = new Set<number>();
  for (let i = 0; i < 4; i++) {
    clock.advanceTo(i * 15_100);
    seen.add(inb(0x61) & 0x10);
  }
  expect(seen.size).toBe(2);
});
