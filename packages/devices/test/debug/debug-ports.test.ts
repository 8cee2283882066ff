import { expect, it } from "vitest";
import { Bus, DebugConsolePort, DebugExitPort } from "../../src/index.ts";

it("the debug-exit port hands on values of every size", () => {
  const bus = new Bus();
  const values: number[] = [];
  bus.attachPorts(0xf4, 4, new DebugExitPort((value) => values.push(value)));
  bus.writePort(0xf4, 1, 0x10);
  bus.writePort(0xf4, 2, 0x1234);
  bus.writePort(0xf4, 4, 0xffffffff);
  expect(values).toEqual([0x10, 0x1234, 0xffffffff]);
  expect(bus.readPort(0xf4, 4)).toBe(0);
});

it("the debug console takes bytes and shows its signature", () => {
  const bus = new Bus();
  let text = "";
  bus.attachPorts(0xe9, 1, new DebugConsolePort((byte) => (text += String.fromCharCode(byte))));
  for (const byte of [0x68, 0x69]) bus.writePort(0xe9, 1, byte);
  expect([text, bus.readPort(0xe9, 1)]).toEqual(["hi", 0xe9]);
  bus.attachPorts(0x80, 1, new DebugConsolePort(() => undefined, 0x42));
  expect(bus.readPort(0x80, 1)).toBe(0x42);
});
