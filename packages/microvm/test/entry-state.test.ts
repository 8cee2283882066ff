// What an image finds when it is entered: RAM, tables, registers.
import { WHV_REGISTER_NAME as R, RegisterValues } from "@whvkit/whv-types";
import { describe, expect, it } from "vitest";
import { MachineRam } from "../src/guest-memory-layout.ts";
import { createMachine, type GuestImage } from "../src/index.ts";
import { ScriptedEmulator } from "./support/scripted-emulator.ts";
import { ScriptedHypervisor } from "./support/scripted-hypervisor.ts";

function enter(image: GuestImage, memorySize = 2 ** 20) {
  const hypervisor = new ScriptedHypervisor();
  createMachine({ hypervisor, image, memorySize, createEmulator: (callbacks) => new ScriptedEmulator(callbacks, []) });
  const { partition } = hypervisor;
  const values = new RegisterValues(1);
  const register = (name: number): bigint => partition.processor.registers.get(name) ?? 0n;
  const segment = (name: number) => {
    values.set128(0, register(name));
    return values.segment(0).toObject();
  };
  return { partition, register, segment, ram: new DataView(partition.memory.buffer) };
}
const bytes = Uint8Array.of(1, 2, 3);

describe("memory", () => {
  it("is mapped around the VGA window", () => {
    const { partition } = enter({ bytes, mode: 16, load: 0x7c00 }, 4 * 2 ** 20);
    expect(partition.mappings).toEqual([
      { gpa: 0, offset: 0, size: 0xa0000, flags: 7 },
      { gpa: 0xc0000, offset: 0xc0000, size: 0x340000, flags: 7 },
    ]);
    expect([...partition.memory.subarray(0x7bff, 0x7c04)]).toEqual([0, 1, 2, 3, 0]);
  });

  it("leaves the last GiB below 4 GiB to devices and goes on above", () => {
    const { partition } = new ScriptedHypervisor();
    const memory = { size: 2 ** 32, bytes: new Uint8Array(0), dispose: () => undefined };
    const ram = new MachineRam(Object.assign(partition, { allocateMemory: () => memory }), 2 ** 32);
    expect(partition.mappings).toEqual([
      { gpa: 0, offset: 0, size: 0xa0000, flags: 7 },
      { gpa: 0xc0000, offset: 0xc0000, size: 0xbff40000, flags: 7 },
      { gpa: 2 ** 32, offset: 0xc0000000, size: 0x40000000, flags: 7 },
    ]);
    const places = [0xbfffffff, 0xc0000000, 2 ** 32 - 1, 2 ** 32, 5 * 2 ** 30 - 1, 5 * 2 ** 30];
    expect(places.map((gpa) => ram.offsetOf(gpa))).toEqual([0xbfffffff, -1, -1, 0xc0000000, 0xffffffff, -1]);
  });
});

describe("RAM as devices see it", () => {
  const ram = new MachineRam(new ScriptedHypervisor().createPartition(), 2 ** 20);

  it.each([
    // address, bytes, whether all of them are RAM
    [0, 0xa0000, true],
    [0, 0xa0001, false],
    [0x9ffff, 2, false],
    [0xa0000, 1, false],
    [0xbffff, 2, false],
    [0xc0000, 0x40000, true],
    [0xfffff, 1, true],
    [0xfffff, 2, false],
    [2 ** 51, 2 ** 51, false],
  ])("at 0x%s, %i bytes: %s", (address, length, inside) => {
    expect(ram.view(address, length)?.length).toBe(inside ? length : undefined);
    if (inside && length === 1) expect(ram.offsetOf(address)).toBe(address);
  });
});

describe("mode 16", () => {
  it("starts at CS:IP with flat real-mode segments", () => {
    const { register, segment, ram } = enter({ bytes, mode: 16, load: 0x7c00, entry: 0x17c02 });
    expect(segment(R.WHvX64RegisterCs)).toEqual({ base: 0x10000n, limit: 0xffff, selector: 0x1000, attributes: 0x9b });
    expect(segment(R.WHvX64RegisterSs)).toEqual({ base: 0n, limit: 0xffff, selector: 0, attributes: 0x93 });
    expect([register(R.WHvX64RegisterRip), register(R.WHvX64RegisterRsp), register(R.WHvX64RegisterRflags)]).toEqual([
      0x7c02n,
      0x7c00n,
      2n,
    ]);
    expect(register(R.WHvX64RegisterCr0) & 0x80000001n).toBe(0n);
    expect(ram.getBigUint64(0x99008, true)).toBe(0n);
  });
});

describe("modes 32 and 64", () => {
  it.each([
    [32 as const, 0x08, 0xc09b],
    [64 as const, 0x18, 0xa09b],
  ])("mode %i: segments agree with the descriptors in memory", (mode, selector, attributes) => {
    const { segment, register, ram } = enter({ bytes, mode, load: 0x8000 });
    expect(segment(R.WHvX64RegisterCs)).toEqual({ base: 0n, limit: 0xffffffff, selector, attributes });
    expect(segment(R.WHvX64RegisterDs)).toEqual({ base: 0n, limit: 0xffffffff, selector: 0x10, attributes: 0xc093 });
    for (const name of [R.WHvX64RegisterCs, R.WHvX64RegisterDs]) {
      const { selector: at, attributes: held } = segment(name);
      const descriptor = ram.getBigUint64(0x99000 + at, true);
      // Access byte in bits 47..40, flags in bits 55..52 (Intel SDM volume 3, figure 3-8).
      expect(Number((descriptor >> 40n) & 0xffn) | (Number((descriptor >> 52n) & 15n) << 12)).toBe(held);
    }
    expect(register(R.WHvX64RegisterRip)).toBe(0x8000n);
    expect(register(R.WHvX64RegisterCr0)).toBe(mode === 64 ? 0x80000011n : 0x11n);
  });

  it("mode 64 maps the first 4 GiB one to one", () => {
    const { register, ram } = enter({ bytes, mode: 64, load: 0x8000 });
    const entry = (table: bigint, index: bigint): bigint =>
      ram.getBigUint64(Number((table & ~0xfffn) + 8n * index), true);
    for (const address of [0n, 0x8000n, 0x1fffffn, 0x40000000n, 0xd0000123n, 0xffffffffn]) {
      const pdpt = entry(register(R.WHvX64RegisterCr3), address >> 39n);
      const directory = entry(pdpt, (address >> 30n) & 511n);
      const page = entry(directory, (address >> 21n) & 511n);
      expect([pdpt & 0xfffn, directory & 0xfffn, page & 0xfffn]).toEqual([3n, 3n, 0x83n]);
      expect((page & ~0x1fffffn) | (address & 0x1fffffn)).toBe(address);
    }
    expect([register(R.WHvX64RegisterEfer), register(R.WHvX64RegisterCr4)]).toEqual([0x500n, 0x20n]);
  });
});
