// Held to Motorola's MC146818A data sheet (ADI-856R2).
import { beforeEach, describe, expect, it } from "vitest";
import { Bus, CmosRtc, VirtualClock } from "../../src/index.ts";

const SECOND = 1e9;
let clock: VirtualClock;
let bus: Bus;
let rtc: CmosRtc;
let level: boolean;
let rises: number;

beforeEach(() => {
  clock = new VirtualClock();
  bus = new Bus();
  level = false;
  rises = 0;
  rtc = new CmosRtc({
    clock,
    line: {
      set: (to) => {
        if (to && !level) rises += 1;
        level = to;
      },
    },
    wallClock: Date.UTC(1999, 11, 31, 23, 59, 58),
  });
  rtc.attach(bus);
});

const get = (index: number): number => {
  bus.writePort(0x70, 1, index);
  return bus.readPort(0x71, 1);
};
const set = (index: number, value: number): void => {
  bus.writePort(0x70, 1, index);
  bus.writePort(0x71, 1, value);
};
/** Century, year, month, day, hours, minutes, seconds, day of the week. */
const time = (): string =>
  [0x32, 9, 8, 7, 4, 2, 0, 6].map((index) => get(index).toString(16).padStart(2, "0")).join(" ");

describe("time", () => {
  it("goes on with the guest clock, over the end of a century", () => {
    expect(time()).toBe("19 99 12 31 23 59 58 06");
    clock.advanceTo(2 * SECOND - 1000);
    expect(time()).toBe("19 99 12 31 23 59 59 06");
    clock.advanceTo(2 * SECOND);
    expect(time()).toBe("20 00 01 01 00 00 00 07");
  });

  it.each([
    // register B, hours register
    [0x02, 0x23],
    [0x06, 23],
    [0x00, 0x91],
    [0x04, 0x8b],
  ])("stands in the format that register B = 0x%s chooses", (b, hours) => {
    set(11, b);
    expect(get(4)).toBe(hours);
  });

  it("shows noon and midnight as 12 in the 12-hour format", () => {
    set(11, 0x00);
    clock.advanceTo(3 * SECOND);
    expect(get(4)).toBe(0x12);
    clock.advanceTo((3 + 12 * 3600) * SECOND);
    expect(get(4)).toBe(0x92);
  });

  it("is set while SET holds it, and goes on from there", () => {
    set(11, 0x82);
    for (const [index, value] of [
      [0x32, 0x20],
      [9, 0x24],
      [8, 0x02],
      [7, 0x29],
      [4, 0x12],
      [2, 0x34],
      [0, 0x56],
    ]) {
      set(index, value);
    }
    clock.advanceTo(10 * SECOND);
    expect(time().slice(0, -3)).toBe("20 24 02 29 12 34 56");
    set(11, 0x02);
    clock.advanceTo(14 * SECOND);
    expect(time()).toBe("20 24 02 29 12 35 00 05");
  });

  it("warns of the update 244 microseconds ahead", () => {
    clock.advanceTo(SECOND - 300_000);
    expect(get(10) & 0x80).toBe(0);
    clock.advanceTo(SECOND - 200_000);
    expect(get(10) & 0x80).toBe(0x80);
    clock.advanceTo(SECOND);
    expect(get(10) & 0x80).toBe(0);
  });
});

describe("interrupts", () => {
  it("come with every update when UIE is set, until register C is read", () => {
    set(11, 0x12);
    clock.advanceTo(SECOND);
    expect(level).toBe(true);
    clock.advanceTo(1.5 * SECOND);
    expect(get(12)).toBe(0xd0); // the periodic flag of rate 6 stands too, but is not enabled
    expect([level, get(12)]).toEqual([false, 0]);
    clock.advanceTo(2 * SECOND);
    expect([level, rises]).toEqual([true, 2]);
  });

  it("come at the alarm; 0xc0 and above match anything", () => {
    set(1, 0x00);
    set(3, 0x00);
    set(5, 0xff);
    set(11, 0x22);
    clock.advanceTo(1.9 * SECOND);
    expect(level).toBe(false);
    clock.advanceTo(2 * SECOND);
    expect(level).toBe(true);
    expect(get(12) & 0xb0).toBe(0xb0);
    clock.advanceTo(3601 * SECOND);
    expect(level).toBe(false);
    clock.advanceTo(3602 * SECOND);
    expect(level).toBe(true);
  });

  it.each([
    [6, 1024],
    [15, 2],
    [3, 8192],
    [1, 256],
    [2, 128],
  ])("come periodically: rate %i is %i Hz", (rate, hertz) => {
    set(10, 0x20 | rate);
    set(11, 0x42);
    for (let i = 1; i <= 10; i++) {
      const due = Math.ceil((i * SECOND) / hertz);
      clock.advanceTo(due - 1);
      expect(level).toBe(false);
      clock.advanceTo(due);
      expect(get(12) & 0xc0).toBe(0xc0);
    }
    expect([rises, level]).toEqual([10, false]);
  });

  it("leave their flags without being enabled", () => {
    clock.advanceTo(SECOND);
    expect(get(12) & 0x50).toBe(0x50);
    expect(rises).toBe(0);
  });

  it("stop while the divider is held", () => {
    set(10, 0x76);
    set(11, 0x52);
    clock.advanceTo(5 * SECOND);
    expect([level, get(12)]).toEqual([false, 0]);
  });
});

describe("memory", () => {
  it("keeps bytes 14 to 127", () => {
    set(0x40, 0xa5);
    rtc.setByte(0x41, 0x5a);
    expect([get(0x40), get(0x41), get(0x80 | 0x40)]).toEqual([0xa5, 0x5a, 0xa5]);
    expect(() => rtc.setByte(3, 0)).toThrow(RangeError);
  });

  it("says that the battery is good", () => expect(get(13)).toBe(0x80));
});
