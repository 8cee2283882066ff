/** Partitions and processors as objects: properties, memory, registers, and what each refuses with which HRESULT. */
import { simHypervisor } from "@whvkit/sim-backend";
import {
  WHV_CAPABILITY_CODE as Capability,
  E_INVALIDARG,
  E_NOTIMPL,
  E_OUTOFMEMORY,
  WHV_MAP_GPA_RANGE_FLAGS as Flags,
  WHV_REGISTER_NAME as Name,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
  RegisterValues,
  registerName,
  WHV_E_GPA_RANGE_NOT_FOUND,
  WHV_E_INVALID_PARTITION_CONFIG,
  WHV_E_INVALID_VP_REGISTER_NAME,
  WHV_E_UNKNOWN_CAPABILITY,
  WHV_E_UNKNOWN_PROPERTY,
  WHV_E_VP_ALREADY_EXISTS,
  WHV_E_VP_DOES_NOT_EXIST,
  WhvError,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { registerNames } from "../src/processor/register-table.ts";
import { get, getSegment, guest, hex, PROTECTED_MODE, READ_WRITE_EXECUTE, set } from "./guest-image.ts";

const SMALL = { memoryCapacity: 0x40_0000 } as const;

/** The HRESULT that a call fails with. */
function hresult(call: () => unknown): number {
  try {
    call();
  } catch (error) {
    if (error instanceof WhvError) return error.hresult;
    throw error;
  }
  throw new Error("did not fail");
}

describe("the hypervisor", () => {
  test("says what it is capable of", () => {
    expect(simHypervisor.name).toBe("sim");
    expect(simHypervisor.getCapability(Capability.WHvCapabilityCodeHypervisorPresent)).toBe(1n);
    expect(simHypervisor.getCapability(Capability.WHvCapabilityCodeExtendedVmExits)).toBe(0xfn);
    expect(hresult(() => simHypervisor.getCapability(0x7777))).toBe(WHV_E_UNKNOWN_CAPABILITY);
  });

  test.each([
    { memoryCapacity: 1 },
    { memoryCapacity: 0x8000_0000 },
    { instructionBudget: 0 },
    { instructionBudget: Number.NaN },
  ])("refuses %j", (options) => {
    expect(hresult(() => simHypervisor.createPartition(options))).toBe(E_INVALIDARG);
  });
});

describe("properties", () => {
  test("hold what was set, until setup fixes them", () => {
    const partition = simHypervisor.createPartition(SMALL);
    expect(partition.getProperty(Property.WHvPartitionPropertyCodeProcessorCount)).toBe(1n);
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 4n);
    expect(partition.getProperty(Property.WHvPartitionPropertyCodeProcessorCount)).toBe(4n);
    partition.setup();
    const late = (): void => partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 2n);
    expect(hresult(late)).toBe(WHV_E_INVALID_PARTITION_CONFIG);
    expect(hresult(() => partition.setup())).toBe(WHV_E_INVALID_PARTITION_CONFIG);
  });

  test.each([
    [0x7777, 1n, WHV_E_UNKNOWN_PROPERTY],
    [Property.WHvPartitionPropertyCodeProcessorCount, 0n, E_INVALIDARG],
    [Property.WHvPartitionPropertyCodeProcessorCount, 65n, E_INVALIDARG],
    [Property.WHvPartitionPropertyCodeExtendedVmExits, 1n << 20n, E_INVALIDARG],
    [Property.WHvPartitionPropertyCodeExceptionExitBitmap, 1n << 2n, E_INVALIDARG],
    [Property.WHvPartitionPropertyCodeLocalApicEmulationMode, 1n, E_NOTIMPL],
    [Property.WHvPartitionPropertyCodeUnimplementedMsrAction, 3n, E_INVALIDARG],
    [Property.WHvPartitionPropertyCodeProcessorClockFrequency, 1n, E_INVALIDARG],
  ])("property %i refuses %i", (code, value, expected) => {
    const partition = simHypervisor.createPartition(SMALL);
    expect(hresult(() => partition.setProperty(code, value))).toBe(expected);
  });

  test("exception exits need a bitmap", () => {
    const partition = simHypervisor.createPartition(SMALL);
    partition.setProperty(Property.WHvPartitionPropertyCodeExtendedVmExits, 4n);
    expect(hresult(() => partition.setup())).toBe(WHV_E_INVALID_PARTITION_CONFIG);
  });

  test("everything else comes after setup", () => {
    const partition = simHypervisor.createPartition(SMALL);
    const memory = partition.allocateMemory(0x1000);
    expect(hresult(() => partition.mapGpaRange(memory, 0, 0, 0x1000, 7))).toBe(WHV_E_INVALID_PARTITION_CONFIG);
    expect(hresult(() => partition.createVirtualProcessor(0))).toBe(WHV_E_INVALID_PARTITION_CONFIG);
  });
});

describe("memory", () => {
  test("is zeroed, also when it was used before", () => {
    const partition = simHypervisor.createPartition(SMALL);
    const first = partition.allocateMemory(0x3000);
    first.bytes.fill(0xaa);
    first.dispose();
    expect(partition.allocateMemory(0x2000).bytes.every((byte) => byte === 0)).toBe(true);
  });

  test("that was given back in pieces can be had in one again", () => {
    const partition = simHypervisor.createPartition(SMALL);
    const size = 0x3f_0000;
    const whole = partition.allocateMemory(size);
    expect(hresult(() => partition.allocateMemory(0x1_0000))).toBe(E_OUTOFMEMORY);
    whole.dispose();
    const pieces = Array.from({ length: 9 }, (_, i) => partition.allocateMemory((i + 1) * 0x1000));
    for (const i of [4, 0, 8, 2, 6, 1, 3, 7, 5]) pieces[i].dispose();
    expect(partition.allocateMemory(size).size).toBe(size);
  });

  test.each([
    ["a size that is no multiple of a page", 0, 0, 0x800, 7],
    ["an address that is no multiple of a page", 0, 0x800, 0x1000, 7],
    ["an offset beyond the memory", 0x2000, 0, 0x1000, 7],
    ["no rights", 0, 0, 0x1000, 0],
    ["unknown flags", 0, 0, 0x1000, 0x17],
    ["nothing", 0, 0, 0, 7],
    ["an address above the physical width", 0, 2 ** 48, 0x1000, 7],
  ])("mapGpaRange refuses %s", (_what, offset, gpa, size, flags) => {
    const partition = simHypervisor.createPartition(SMALL);
    partition.setup();
    const memory = partition.allocateMemory(0x2000);
    expect(hresult(() => partition.mapGpaRange(memory, offset, gpa, size, flags))).toBe(E_INVALIDARG);
  });

  test("of another partition cannot be mapped", () => {
    const partition = simHypervisor.createPartition(SMALL);
    partition.setup();
    const foreign = simHypervisor.createPartition(SMALL).allocateMemory(0x1000);
    expect(hresult(() => partition.mapGpaRange(foreign, 0, 0, 0x1000, 7))).toBe(E_INVALIDARG);
  });

  test("stays while it is mapped, and can go when it is not", () => {
    const partition = simHypervisor.createPartition(SMALL);
    partition.setup();
    const memory = partition.allocateMemory(0x3000);
    partition.mapGpaRange(memory, 0, 0x10_0000, 0x3000, READ_WRITE_EXECUTE);
    expect(hresult(() => memory.dispose())).toBe(E_INVALIDARG);
    partition.unmapGpaRange(0x10_1000, 0x1000);
    expect(hresult(() => memory.dispose())).toBe(E_INVALIDARG);
    partition.unmapGpaRange(0x10_0000, 0x1000);
    expect(hresult(() => partition.unmapGpaRange(0x10_0000, 0x1000))).toBe(WHV_E_GPA_RANGE_NOT_FOUND);
    partition.unmapGpaRange(0x10_2000, 0x1000);
    memory.dispose();
  });

  test("unmapped while a processor had used it: the next access exits", () => {
    const { processor, partition, ram } = guest(0x1_0000);
    ram.bytes.set(hex("8b03 ebfc"), 0x1000);
    set(processor, { ...PROTECTED_MODE, Rip: 0x1000, Rbx: 0x5000 });
    processor.step(10);
    partition.unmapGpaRange(0x5000, 0x1000);
    expect(processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonMemoryAccess);
  });

  test("above 4 GiB", () => {
    const { processor, partition, ram } = guest(0x1_0000);
    const high = partition.allocateMemory(0x1000);
    partition.mapGpaRange(high, 0, 0x12_3456_7000, 0x1000, READ_WRITE_EXECUTE);
    high.bytes.set(hex("f4"), 0x10);
    // 4-level tables with one 1 GiB page over it.
    const view = new DataView(ram.bytes.buffer, ram.bytes.byteOffset);
    view.setBigUint64(0x2000, 0x3003n, true);
    view.setBigUint64(0x3000 + 8 * 3, 0x12_0000_0083n | ((1n << 30n) * 0n), true);
    set(processor, {
      Cr0: 0x8000_0011,
      Cr3: 0x2000,
      Cr4: 0x20,
      Efer: 0x500,
      Cs: [0n, 0xffff_ffff, 8, 0xa09b],
      Ss: [0n, 0xffff_ffff, 16, 0xc093],
      Rip: 3n * (1n << 30n) + 0x3456_7010n,
    });
    expect(processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonX64Halt);
  });
});

describe("dirty pages", () => {
  const { WHvMapGpaRangeFlagTrackDirtyPages } = Flags;

  test("are those that the guest wrote since they were asked for", () => {
    const { processor, partition, ram } = guest(0x1_0000);
    partition.mapGpaRange(ram, 0, 0, 0x1_0000, READ_WRITE_EXECUTE | WHvMapGpaRangeFlagTrackDirtyPages);
    ram.bytes.set(hex("8903 8b01 8902 f4"), 0x1000);
    set(processor, { ...PROTECTED_MODE, Rip: 0x1000, Rbx: 0x5000, Rcx: 0x6000, Rdx: 0x7ffe });
    const bitmap = new Uint32Array(1);
    processor.run();
    partition.queryGpaRangeDirtyBitmap(0, 0x1_0000, bitmap);
    expect(bitmap[0]).toBe((1 << 5) | (1 << 7) | (1 << 8));
    partition.queryGpaRangeDirtyBitmap(0, 0x1_0000, bitmap);
    expect(bitmap[0]).toBe(0);
    set(processor, { Rip: 0x1000 });
    processor.step(1);
    partition.queryGpaRangeDirtyBitmap(0x4000, 0x2000, bitmap);
    expect(bitmap[0]).toBe(2);
  });

  test("need the flag", () => {
    const { partition } = guest(0x1000);
    expect(hresult(() => partition.queryGpaRangeDirtyBitmap(0, 0x1000, new Uint32Array(1)))).toBe(
      WHV_E_GPA_RANGE_NOT_FOUND,
    );
  });
});

describe("virtual processors", () => {
  test("exist once, within the count, until they are disposed of", () => {
    const partition = simHypervisor.createPartition(SMALL);
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 2n);
    partition.setup();
    const first = partition.createVirtualProcessor(0);
    expect(hresult(() => partition.createVirtualProcessor(0))).toBe(WHV_E_VP_ALREADY_EXISTS);
    expect(hresult(() => partition.createVirtualProcessor(2))).toBe(E_INVALIDARG);
    first.dispose();
    expect(hresult(() => first.run())).toBe(WHV_E_VP_DOES_NOT_EXIST);
    expect(partition.createVirtualProcessor(0).index).toBe(0);
  });

  test("share memory: what one writes as code, the other runs", () => {
    const partition = simHypervisor.createPartition(SMALL);
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 2n);
    partition.setup();
    const ram = partition.allocateMemory(0x1_0000);
    partition.mapGpaRange(ram, 0, 0, 0x1_0000, READ_WRITE_EXECUTE);
    ram.bytes.set(hex("40 f4"), 0x2000);
    const [first, second] = [0, 1].map((index) => partition.createVirtualProcessor(index));
    set(second, { ...PROTECTED_MODE, Rip: 0x2000 });
    second.run();
    ram.bytes.set(hex("c6050020000043 f4"), 0x1000);
    set(first, { ...PROTECTED_MODE, Rip: 0x1000 });
    first.run();
    set(second, { Rip: 0x2000 });
    second.run();
    expect([get(second, "Rax"), get(second, "Rbx")]).toEqual([1n, 1n]);
  });

  test("start as after power-up", () => {
    const { processor } = guest(0x1000);
    expect([get(processor, "Rip"), get(processor, "Rflags"), get(processor, "Cr0")]).toEqual([
      0xfff0n,
      2n,
      0x6000_0010n,
    ]);
    expect(getSegment(processor, "Cs")).toEqual([0xffff_0000n, 0xffff, 0xf000, 0x9b]);
    expect(getSegment(processor, "Ds")).toEqual([0n, 0xffff, 0, 0x93]);
    expect(get(processor, "Dr6")).toBe(0xffff_0ff0n);
  });
});

describe("registers", () => {
  /** A value that every register of that kind accepts, different for each. */
  function sample(name: number): bigint | null {
    if (name >= Name.WHvX64RegisterEs && name <= Name.WHvX64RegisterTr)
      return 0xc093_0010_0000_ffff_0000_0000_0012_0000n + BigInt(name);
    if (name === Name.WHvX64RegisterIdtr || name === Name.WHvX64RegisterGdtr)
      return (0x1234_5000n << 64n) | (0x3fn << 48n);
    if (name >= Name.WHvX64RegisterXmm0 && name <= Name.WHvX64RegisterXmm0 + 15)
      return (BigInt(name) << 96n) | BigInt(name);
    if (name >= Name.WHvX64RegisterFpMmx0 && name <= Name.WHvX64RegisterFpMmx0 + 7)
      return (0x3fffn << 64n) | (BigInt(name) << 32n);
    switch (name) {
      case Name.WHvX64RegisterCr0:
        return 0x8005_0033n;
      case Name.WHvX64RegisterCr4:
        return 0x20n;
      case Name.WHvX64RegisterCr8:
        return 5n;
      case Name.WHvX64RegisterEfer:
        return 0xd01n;
      case Name.WHvX64RegisterRflags:
        return 0x246n;
      case Name.WHvX64RegisterPat:
        return 0x0007_0406_0007_0406n;
      case Name.WHvX64RegisterXCr0:
        return 7n;
      case Name.WHvX64RegisterMsrMtrrCap:
      case Name.WHvX64RegisterInitialApicId:
        return null;
      case Name.WHvRegisterInterruptState:
        return 3n;
      case Name.WHvX64RegisterFpControlStatus:
        return (0x1234n << 64n) | (0x7fen << 48n) | (0x80n << 32n) | (0x3800n << 16n) | 0x37fn;
      case Name.WHvX64RegisterXmmControlStatus:
        return (0xffffn << 96n) | (0x1f80n << 64n) | 0x5678n;
      default:
        return BigInt(name) + 0x100n;
    }
  }

  test("every name reads back what was written, all in one call", () => {
    const { processor } = guest(0x1000);
    const names = registerNames().filter((name) => sample(name) !== null);
    expect(names.length).toBeGreaterThan(110);
    const values = new RegisterValues(names.length);
    for (const [i, name] of names.entries()) values.set128(i, sample(name) as bigint);
    processor.setRegisters(Uint32Array.from(names), names.length, values);
    const found = new RegisterValues(names.length);
    processor.getRegisters(Uint32Array.from(names), names.length, found);
    for (const [i, name] of names.entries()) expect(found.get128(i), registerName(name)).toBe(sample(name));
  });

  test.each([
    ["Cr0", 1n << 32n],
    ["Cr3", 1n << 50n],
    ["Cr4", 1n << 40n],
    ["Cr8", 16n],
    ["Efer", 0x8000n],
    ["Pat", 2n],
    ["Lstar", 1n << 60n],
    ["Rflags", 0x8n],
    ["Dr7", 1n << 32n],
    ["XCr0", 0n],
    ["XCr0", 5n],
  ])("%s cannot hold 0x%s", (name, value) => {
    const { processor } = guest(0x1000);
    expect(hresult(() => set(processor, { [name]: value }))).toBe(E_INVALIDARG);
  });

  test("one refused value changes none", () => {
    const { processor } = guest(0x1000);
    expect(hresult(() => set(processor, { Rax: 5, Cr8: 99, Rbx: 6 }))).toBe(E_INVALIDARG);
    expect([get(processor, "Rax"), get(processor, "Rbx")]).toEqual([0n, 0n]);
  });

  test("unknown names and counts are refused", () => {
    const { processor } = guest(0x1000);
    const values = new RegisterValues(1);
    expect(hresult(() => processor.getRegisters(Uint32Array.of(0x1234_5678), 1, values))).toBe(
      WHV_E_INVALID_VP_REGISTER_NAME,
    );
    expect(() => processor.getRegisters(Uint32Array.of(0), 2, values)).toThrow(WhvError);
    expect(() => processor.getRegisters(Uint32Array.of(0), -1, values)).toThrow(WhvError);
  });

  test("FpMmx registers are ST(0) to ST(7), and stay so when TOP is written", () => {
    const { processor } = guest(0x1000);
    set(processor, { FpControlStatus: 0x3000n << 16n, FpMmx0: 0x1111n, FpMmx2: 0x2222n });
    const physical = (index: number): number => processor.registerFile.words[(544 + 16 * index) >> 2];
    expect([physical(6), physical(0)]).toEqual([0x1111, 0x2222]);
    set(processor, { FpControlStatus: 0x3800n << 16n });
    expect([get(processor, "FpMmx0"), get(processor, "FpMmx2")]).toEqual([0x1111n, 0x2222n]);
    expect([physical(7), physical(1)]).toEqual([0x1111, 0x2222]);
  });
});

describe("budgets", () => {
  test("may change from run to run", () => {
    const { processor, ram } = guest(0x1_0000);
    ram.bytes.set(hex("40 ebfd"), 0x1000);
    set(processor, { ...PROTECTED_MODE, Rip: 0x1000 });
    processor.instructionBudget = 7;
    expect(processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonCanceled);
    processor.instructionBudget = 5;
    processor.run();
    expect(processor.instructionCount).toBe(12);
    expect(() => {
      processor.instructionBudget = 0;
    }).toThrow(RangeError);
  });
});
