// The examples of the README, compiled and run.
import { expect, it } from "vitest";
import { Bus, type BusDevice, PicPair, Pit8254, Uart16550, VirtualClock } from "../src/index.ts";

it("a bus, a clock, an interrupt controller, a timer and a serial port", () => {
  const clock = new VirtualClock();
  const bus = new Bus();
  const pic = new PicPair();
  pic.attach(bus);
  new Pit8254({ clock, line: pic.line(0) }).attach(bus);
  let sent = "";
  const uart = new Uart16550({
    clock,
    line: pic.line(4),
    output: (byte) => {
      sent += String.fromCharCode(byte);
    },
  });
  bus.attachPorts(0x3f8, 8, uart);
  bus.writePort(0x3fb, 1, 0x03);
  bus.writePort(0x3f8, 1, 0x41);
  expect(sent).toBe("A");

  for (const [port, value] of [
    [0x20, 0x13],
    [0x21, 0x30],
    [0x21, 0x01],
    [0x43, 0x30],
    [0x40, 100],
    [0x40, 0],
  ]) {
    bus.writePort(port, 1, value);
  }
  clock.advanceTo(clock.now + 1_000_000);
  expect([pic.requesting, pic.acknowledge()]).toEqual([true, 0x30]);
});

it("a device of one's own", () => {
  class ReadCounter implements BusDevice {
    readonly width = 1;
    #reads = 0;
    read(): number {
      this.#reads += 1;
      return this.#reads & 0xff;
    }
    write(): void {
      this.#reads = 0;
    }
  }
  const bus = new Bus();
  const attachment = bus.attachPorts(0x2e0, 1, new ReadCounter());
  expect([bus.readPort(0x2e0, 1), bus.readPort(0x2e0, 1)]).toEqual([1, 2]);
  attachment.detach();
  expect(bus.readPort(0x2e0, 1)).toBe(0xff);
});
