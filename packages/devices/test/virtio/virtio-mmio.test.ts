// Held to the Virtual I/O Device specification, version 1.2: section 4.2 (transport), 2.7 (split virtqueues), 5.3, 5.4.
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  Bus,
  type GuestRam,
  VirtioMmioRegister as R,
  VirtioStatus as S,
  VIRTIO_MMIO_SIZE,
  VirtioConsole,
  type VirtioDevice,
  VirtioEntropy,
  VirtioMmio,
} from "../../src/index.ts";

const BASE = 0xd0000000;
const RAM_SIZE = 0x10000;
const [DESCRIPTORS, AVAILABLE, USED, BUFFERS] = [0x1000, 0x2000, 0x3000, 0x4000];

let bytes: Uint8Array;
let ram: DataView;
let bus: Bus;
let level: boolean;

/** Puts a device on the bus over 64 KiB of RAM. */
function connect(device: VirtioDevice): void {
  bytes = new Uint8Array(RAM_SIZE);
  ram = new DataView(bytes.buffer);
  const memory: GuestRam = {
    view: (gpa, length) => (gpa + length <= RAM_SIZE ? bytes.subarray(gpa, gpa + length) : null),
  };
  bus = new Bus();
  level = false;
  bus.attachMemory(
    BASE,
    VIRTIO_MMIO_SIZE,
    new VirtioMmio({ device, ram: memory, line: { set: (to) => (level = to) } }),
  );
}

const get = (register: number, size = 4): number => bus.readMemory(BASE + register, size);
const set = (register: number, value: number, size = 4): void => bus.writeMemory(BASE + register, size, value, 0);

/** The driver's part of section 3.1.1, for queue 0 and the given queue size. */
function negotiate(low = 0, high = 1): number {
  set(R.Status, 0);
  set(R.Status, S.acknowledge);
  set(R.Status, S.acknowledge | S.driver);
  for (const [word, features] of [low, high].entries()) {
    set(R.DriverFeaturesSel, word);
    set(R.DriverFeatures, features);
  }
  set(R.Status, S.acknowledge | S.driver | S.featuresOk);
  return get(R.Status);
}
function setUpQueue(index: number, size = 8, at = 0): void {
  set(R.QueueSel, index);
  set(R.QueueNum, size);
  for (const [register, address] of [
    [R.QueueDescLow, DESCRIPTORS + at],
    [R.QueueDriverLow, AVAILABLE + at],
    [R.QueueDeviceLow, USED + at],
  ]) {
    set(register, address);
    set(register + 4, 0);
  }
  set(R.QueueReady, 1);
}
const start = (): void => set(R.Status, S.acknowledge | S.driver | S.featuresOk | S.driverOk);

type Buffer = { address: number; length: number; flags?: number; next?: number };
function describeBuffer(index: number, { address, length, flags = 0, next = 0 }: Buffer, table = DESCRIPTORS): void {
  const at = table + 16 * index;
  ram.setBigUint64(at, BigInt(address), true);
  ram.setUint32(at + 8, length, true);
  ram.setUint16(at + 12, flags, true);
  ram.setUint16(at + 14, next, true);
}
function offer(head: number, at = 0, size = 8): void {
  const index = ram.getUint16(AVAILABLE + at + 2, true);
  ram.setUint16(AVAILABLE + at + 4 + 2 * (index % size), head, true);
  ram.setUint16(AVAILABLE + at + 2, index + 1, true);
}
const used = (at = 0): { index: number; head: number; written: number } => {
  const index = ram.getUint16(USED + at + 2, true);
  const entry = USED + at + 4 + 8 * ((index - 1) & 7);
  return { index, head: ram.getUint32(entry, true), written: ram.getUint32(entry + 4, true) };
};
const [NEXT, WRITE, INDIRECT] = [1, 2, 4];

describe("register block", () => {
  beforeEach(() => connect(new VirtioEntropy((into) => into.fill(0xa5))));

  it("identifies itself (4.2.2)", () => {
    expect(get(R.MagicValue).toString(16)).toBe("74726976");
    expect([get(R.Version), get(R.DeviceID), get(R.Status), get(R.InterruptStatus)]).toEqual([2, 4, 0, 0]);
    expect([get(R.SHMLenLow), get(R.SHMLenHigh)]).toEqual([0xffffffff, 0xffffffff]);
  });

  it("answers only aligned accesses of 32 bits below the configuration", () => {
    expect([get(R.MagicValue, 1), get(R.MagicValue, 2), get(R.MagicValue + 2, 4), get(0xfff & 0x0fd, 1)]).toEqual([
      0, 0, 0, 0,
    ]);
    set(R.Status, 1, 1);
    expect(get(R.Status)).toBe(0);
  });

  it("offers VIRTIO_F_VERSION_1 and keeps FEATURES_OK only for what it offered", () => {
    set(R.DeviceFeaturesSel, 1);
    expect(get(R.DeviceFeatures)).toBe(1);
    set(R.DeviceFeaturesSel, 2);
    expect(get(R.DeviceFeatures)).toBe(0);
    expect(negotiate(0, 0) & S.featuresOk).toBe(0);
    expect(negotiate(0, 3) & S.featuresOk).toBe(0);
    expect(negotiate(1, 1) & S.featuresOk).toBe(0);
    expect(negotiate(0x10000000, 1) & S.featuresOk).toBe(S.featuresOk);
  });

  it("has no queue where the type has none", () => {
    set(R.QueueSel, 0);
    expect(get(R.QueueNumMax)).toBe(64);
    set(R.QueueSel, 1);
    expect([get(R.QueueNumMax), get(R.QueueReady)]).toEqual([0, 0]);
    set(R.QueueReady, 1);
    set(R.QueueNotify, 1);
    expect(get(R.Status)).toBe(0);
  });

  it("forgets everything on reset", () => {
    negotiate();
    setUpQueue(0);
    start();
    expect(get(R.QueueReady)).toBe(1);
    set(R.Status, 0);
    expect([get(R.Status), get(R.QueueReady)]).toEqual([0, 0]);
  });

  it("never throws and never answers more than 32 bits, whatever is written to it", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: VIRTIO_MMIO_SIZE - 1 }).map((offset) => (offset < 0x100 ? offset & ~3 : offset)),
            fc.constantFrom(1, 2, 4),
            fc.oneof(fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff })),
          ),
          { maxLength: 60 },
        ),
        (writes) => {
          connect(new VirtioConsole());
          fc.pre(writes.every(([offset, size]) => offset + size <= VIRTIO_MMIO_SIZE));
          for (const [offset, size, value] of writes) {
            set(offset, value, size);
            const read = get(offset, size);
            expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * size)).toBe(true);
          }
        },
      ),
    );
  });
});

describe("split virtqueue", () => {
  beforeEach(() => {
    connect(new VirtioEntropy((into) => into.fill(0xa5)));
    negotiate(0x10000000);
  });

  it("fills a chain of buffers, gives it back and interrupts", () => {
    setUpQueue(0);
    start();
    describeBuffer(3, { address: BUFFERS, length: 5, flags: WRITE | NEXT, next: 6 });
    describeBuffer(6, { address: BUFFERS + 0x10, length: 3, flags: WRITE });
    offer(3);
    set(R.QueueNotify, 0);
    expect(used()).toEqual({ index: 1, head: 3, written: 8 });
    expect([...bytes.subarray(BUFFERS, BUFFERS + 6)]).toEqual([0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0]);
    expect([get(R.InterruptStatus), level]).toEqual([1, true]);
    set(R.InterruptACK, 1);
    expect([get(R.InterruptStatus), level]).toEqual([0, false]);
  });

  it("works through indices that wrap, without interrupts when the driver wants none", () => {
    setUpQueue(0);
    start();
    ram.setUint16(AVAILABLE, 1, true);
    describeBuffer(0, { address: BUFFERS, length: 1, flags: WRITE });
    for (let i = 0; i < 20; i++) {
      offer(0);
      set(R.QueueNotify, 0);
    }
    expect([used().index, level]).toEqual([20, false]);
  });

  it("serves what was made available before DRIVER_OK, and nothing before it", () => {
    setUpQueue(0);
    describeBuffer(0, { address: BUFFERS, length: 4, flags: WRITE });
    offer(0);
    set(R.QueueNotify, 0);
    expect(used().index).toBe(0);
    start();
    expect(used().index).toBe(1);
  });

  it("follows an indirect table (2.7.5.3)", () => {
    setUpQueue(0);
    start();
    describeBuffer(0, { address: 0x5000, length: 32, flags: INDIRECT });
    describeBuffer(0, { address: BUFFERS, length: 2, flags: WRITE | NEXT, next: 1 }, 0x5000);
    describeBuffer(1, { address: BUFFERS + 8, length: 2, flags: WRITE }, 0x5000);
    offer(0);
    set(R.QueueNotify, 0);
    expect(used()).toEqual({ index: 1, head: 0, written: 4 });
  });

  it.each<[string, () => void]>([
    ["a loop", () => describeBuffer(0, { address: BUFFERS, length: 1, flags: WRITE | NEXT, next: 0 })],
    [
      "a descriptor outside the table",
      () => describeBuffer(0, { address: BUFFERS, length: 1, flags: WRITE | NEXT, next: 8 }),
    ],
    ["a buffer outside RAM", () => describeBuffer(0, { address: RAM_SIZE - 1, length: 2, flags: WRITE })],
    [
      "a buffer far outside",
      () => describeBuffer(0, { address: Number.MAX_SAFE_INTEGER, length: 2 ** 32 - 1, flags: WRITE }),
    ],
    ["a table of half a descriptor", () => describeBuffer(0, { address: 0x5000, length: 24, flags: INDIRECT })],
    [
      "a table in a table",
      () => {
        describeBuffer(0, { address: 0x5000, length: 16, flags: INDIRECT });
        describeBuffer(0, { address: 0x5000, length: 16, flags: INDIRECT }, 0x5000);
      },
    ],
    ["an available index that ran away", () => ram.setUint16(AVAILABLE + 2, 100, true)],
    [
      "a readable buffer after a writable one",
      () => {
        describeBuffer(0, { address: BUFFERS, length: 1, flags: WRITE | NEXT, next: 1 });
        describeBuffer(1, { address: BUFFERS, length: 1 });
      },
    ],
  ])("asks for a reset when the driver makes %s", (_name, spoil) => {
    setUpQueue(0);
    start();
    spoil();
    offer(0);
    set(R.QueueNotify, 0);
    expect(get(R.Status) & S.deviceNeedsReset).toBe(S.deviceNeedsReset);
    expect([get(R.InterruptStatus), level, used().index]).toEqual([2, true, 0]);
    set(R.Status, 0);
    expect([get(R.Status), level]).toEqual([0, false]);
  });

  it.each<[string, () => void]>([
    ["not a power of two", () => set(R.QueueNum, 7)],
    ["larger than offered", () => set(R.QueueNum, 128)],
    ["of size 0", () => set(R.QueueNum, 0)],
    ["with a misaligned part", () => set(R.QueueDescLow, DESCRIPTORS + 8)],
    ["outside RAM", () => set(R.QueueDeviceHigh, 1)],
  ])("refuses a queue that is %s", (_name, spoil) => {
    setUpQueue(0);
    set(R.QueueReady, 0);
    spoil();
    set(R.QueueReady, 1);
    expect([get(R.QueueReady), get(R.Status) & S.deviceNeedsReset]).toEqual([0, S.deviceNeedsReset]);
  });
});

describe("console", () => {
  let sent: string;
  let device: VirtioConsole;
  beforeEach(() => {
    sent = "";
    device = new VirtioConsole({ output: (byte) => (sent += String.fromCharCode(byte)), columns: 132, rows: 43 });
    connect(device);
  });

  it("shows its size in configuration space, in any access size (5.3.4)", () => {
    expect([get(R.Config, 2), get(R.Config + 2, 2), get(R.Config, 4), get(R.Config + 2, 1)]).toEqual([
      132,
      43,
      (43 << 16) | 132,
      43,
    ]);
    expect(get(R.ConfigGeneration)).toBe(0);
    device.resize(80, 25);
    expect([get(R.Config, 2), get(R.ConfigGeneration), level]).toEqual([80, 1, false]);
    negotiate(1);
    start();
    device.resize(81, 25);
    expect([get(R.InterruptStatus), level]).toEqual([2, true]);
  });

  it("takes emergency writes at any time", () => {
    set(R.Config + 8, 0x41);
    set(R.Config + 8, 0x42, 1);
    set(R.Config + 4, 0x43);
    expect(sent).toBe("AB");
  });

  it("sends what the driver queues and receives into the driver's buffers", () => {
    negotiate(5);
    setUpQueue(0);
    setUpQueue(1, 8, 0x400);
    start();
    bytes.set(new TextEncoder().encode("hello"), BUFFERS);
    describeBuffer(0, { address: BUFFERS, length: 2, flags: NEXT, next: 1 }, DESCRIPTORS + 0x400);
    describeBuffer(1, { address: BUFFERS + 2, length: 3 }, DESCRIPTORS + 0x400);
    offer(0, 0x400);
    set(R.QueueNotify, 1);
    expect([sent, used(0x400)]).toEqual(["hello", { index: 1, head: 0, written: 0 }]);

    device.receive(new TextEncoder().encode("abcdef"));
    describeBuffer(0, { address: BUFFERS, length: 4, flags: WRITE });
    offer(0);
    set(R.QueueNotify, 0);
    expect([String.fromCharCode(...bytes.subarray(BUFFERS, BUFFERS + 4)), used()]).toEqual([
      "abcd",
      { index: 1, head: 0, written: 4 },
    ]);
    offer(0);
    set(R.QueueNotify, 0);
    expect([String.fromCharCode(...bytes.subarray(BUFFERS, BUFFERS + 2)), used()]).toEqual([
      "ef",
      { index: 2, head: 0, written: 2 },
    ]);
  });
});
