// Held to the ACPI specification 6.5, section 4.8.3.
import { beforeEach, expect, it } from "vitest";
import { AcpiPowerManagement, Bus, VirtualClock } from "../../src/index.ts";

let clock: VirtualClock;
let bus: Bus;
let pm: AcpiPowerManagement;
let level: boolean;
let off: number;

beforeEach(() => {
  clock = new VirtualClock();
  bus = new Bus();
  level = false;
  off = 0;
  pm = new AcpiPowerManagement({ clock, line: { set: (to) => (level = to) }, powerOff: () => (off += 1) });
  pm.attach(bus);
});

it.each([
  ["word", () => bus.writePort(0x604, 2, 0x2000), 1],
  ["dword", () => bus.writePort(0x604, 4, 0x2000), 1],
  ["high byte", () => bus.writePort(0x605, 1, 0x20), 1],
  ["another sleep type", () => bus.writePort(0x604, 2, 0x2400), 0],
  ["no SLP_EN", () => bus.writePort(0x604, 2, 0x0000), 0],
])("switches off with SLP_EN and the type of S5: %s", (_name, write, times) => {
  write();
  expect(off).toBe(times);
});

it("keeps SCI_EN set and SLP_EN unreadable", () => {
  bus.writePort(0x604, 2, 0x3c02);
  expect(bus.readPort(0x604, 2)).toBe(0x1c03);
});

it("tells of the power button when enabled, until the status is cleared by writing 1", () => {
  pm.pressPowerButton();
  expect([level, bus.readPort(0x600, 2)]).toEqual([false, 0x0100]);
  bus.writePort(0x602, 2, 0x0100);
  expect(level).toBe(true);
  bus.writePort(0x600, 2, 0x0001);
  expect(level).toBe(true);
  bus.writePort(0x600, 2, 0x0100);
  expect([level, bus.readPort(0x600, 2)]).toEqual([false, 0]);
});

it("counts 3.579545 MHz in 24 bits and interrupts when the highest bit changes", () => {
  clock.advanceTo(1e9);
  expect(bus.readPort(0x608, 4)).toBe(3_579_545);
  bus.writePort(0x602, 2, 0x0001);
  clock.advanceTo(2_343_484_000); // 0x800000 ticks take 2.3434846 s
  expect(level).toBe(false);
  clock.advanceTo(2_343_485_000);
  expect([level, bus.readPort(0x600, 2)]).toEqual([true, 1]);
  clock.advanceTo(10e9);
  expect(bus.readPort(0x608, 4)).toBe(35_795_450 % 2 ** 24);
});
