import { expect, it } from "vitest";
import { glyph } from "../../src/display/code-page-437.ts";
import { Bus, VgaTextScreen, VirtualClock } from "../../src/index.ts";

function screenOnBus(): { bus: Bus; screen: VgaTextScreen; clock: VirtualClock } {
  const bus = new Bus();
  const clock = new VirtualClock();
  const screen = new VgaTextScreen(clock);
  screen.attach(bus);
  return { bus, screen, clock };
}

it("starts blank and gives back what is written, in any size", () => {
  const { bus, screen } = screenOnBus();
  expect(screen.text()).toBe("\n".repeat(24));
  expect(bus.readMemory(0xb8000, 8)).toBe(0x07200720);
  bus.writeMemory(0xb8000, 8, 0x1f691f48, 0x07200721);
  bus.writeMemory(0xb8000 + 160 * 24 + 158, 2, 0x4edb, 0);
  expect(screen.text()).toBe(`Hi!${"\n".repeat(24)}${" ".repeat(79)}█`);
  expect(screen.cell(0, 1)).toEqual({ code: 0x69, attribute: 0x1f });
  expect(bus.readMemory(0xb8000, 8)).toBe(0x1f691f48);
  expect(bus.high).toBe(0x07200721);
});

it("shows the part that the start address names, and the cursor on it", () => {
  const { bus, screen } = screenOnBus();
  const crtc = (index: number, value: number): void => bus.writePort(0x3d4, 2, index | (value << 8));
  bus.writeMemory(0xb8000 + 160, 1, 0x41, 0);
  crtc(0x0d, 80);
  expect(screen.text().startsWith("A\n")).toBe(true);
  crtc(0x0e, 0);
  crtc(0x0f, 83);
  expect(screen.cursor).toEqual({ row: 0, column: 3 });
  expect(bus.readPort(0x3d5, 1)).toBe(83);
  crtc(0x0a, 0x20);
  expect(screen.cursor).toBeNull();
  crtc(0x0c, 0x3f);
  crtc(0x0d, 0xff);
  expect(screen.text().split("\n")).toHaveLength(25); // wraps at the end of text memory
});

it("shows vertical retrace for the last part of each frame", () => {
  const { bus, clock } = screenOnBus();
  expect(bus.readPort(0x3da, 1)).toBe(0);
  clock.advanceTo(14_000_000);
  expect(bus.readPort(0x3da, 1)).toBe(0x09);
});

it("has one glyph for each of the 256 codes", () => {
  const all = Array.from({ length: 256 }, (_, code) => glyph(code));
  expect(all.every((text) => text?.length === 1)).toBe(true);
  expect(new Set(all).size).toBe(255); // codes 0 and 0x20 are both blank
  expect([0x01, 0x41, 0x7f, 0x80, 0xb3, 0xdb, 0xe3, 0xfe].map((code) => glyph(code)).join("")).toBe("☺A⌂Ç│█π■");
});
