/** Partitions over the real ABI: capabilities, properties, memory, interrupts, counters, migration, and their end. */
import assert from "node:assert/strict";
import {
  WHV_ADVISE_GPA_RANGE_CODE as Advice,
  WHV_CAPABILITY_CODE as Capability,
  E_INVALIDARG,
  E_OUTOFMEMORY,
  InterruptControlView,
  WHV_MAP_GPA_RANGE_FLAGS as MapFlag,
  PartitionMemoryCountersView,
  ProcessorFeaturesBanksView,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_E_GPA_RANGE_NOT_FOUND,
  WHV_E_INSUFFICIENT_BUFFER,
  WHV_E_INVALID_PARTITION_CONFIG,
  WHV_E_UNKNOWN_CAPABILITY,
  WHV_E_UNKNOWN_PROPERTY,
} from "@whvkit/whv-types";
import { check } from "../../../../tooling/windows-stand-ins/suite.ts";
import { assertFails, hypervisor, platform, READ_WRITE_EXECUTE, withPartition } from "./fixtures.ts";

export function addPartitionChecks(): void {
  check("capabilities that are integers of 1, 4 and 8 bytes, and one above 2^63", () => {
    assert.equal(hypervisor.name, "win");
    assert.equal(hypervisor.getCapability(Capability.WHvCapabilityCodeHypervisorPresent), 1n);
    assert.equal(hypervisor.getCapability(Capability.WHvCapabilityCodeProcessorClFlushSize), 6n);
    assert.equal(hypervisor.getCapability(Capability.WHvCapabilityCodeProcessorClockFrequency), 0x8000000000000001n);
    assert.equal(hypervisor.getCapability(Capability.WHvCapabilityCodeExceptionExitBitmap), 2n ** 64n - 1n);
    assertFails(() => hypervisor.getCapability(0x7777), "WHvGetCapability", WHV_E_UNKNOWN_CAPABILITY);
    assertFails(() => hypervisor.getCapability(1.5), "WHvGetCapability", E_INVALIDARG, /code must be an integer/);
  });

  check("capabilities that are more than an integer are read in place", () => {
    const banks = new ProcessorFeaturesBanksView(new DataView(new ArrayBuffer(ProcessorFeaturesBanksView.size)));
    const code = Capability.WHvCapabilityCodeProcessorFeaturesBanks;
    assert.equal(hypervisor.readCapability(code, banks.bytes), ProcessorFeaturesBanksView.size);
    assert.equal(banks.banksCount, 2);
    assert.equal(new DataView(banks.bytes.buffer).getBigUint64(16, true), 0x123456789abcdef0n);
    assertFails(() => hypervisor.getCapability(code), "WHvGetCapability", WHV_E_INSUFFICIENT_BUFFER);
    assertFails(
      () => hypervisor.readCapability(code, new Uint8Array(4)),
      "WHvGetCapability",
      WHV_E_INSUFFICIENT_BUFFER,
    );
  });

  check("properties have the size of their member, and reserved capacity is refused after setup", () => {
    const partition = hypervisor.createPartition();
    try {
      assertFails(() => partition.setup(), "WHvSetupPartition", WHV_E_INVALID_PARTITION_CONFIG);
      const values: [number, bigint][] = [
        [Property.WHvPartitionPropertyCodeProcessorCount, 3n],
        [Property.WHvPartitionPropertyCodeProcessorClFlushSize, 255n],
        [Property.WHvPartitionPropertyCodePrimaryNumaNode, 0xffffn],
        [Property.WHvPartitionPropertyCodeExtendedVmExits, 0xffff_ffff_ffff_ffffn],
        [Property.WHvPartitionPropertyCodeExceptionExitBitmap, 0x8000_0000_0000_0000n],
        [Property.WHvPartitionPropertyCodeCpuGroupId, 2n ** 63n + 7n],
        [Property.WHvPartitionPropertyCodeLocalApicEmulationMode, 1n],
        [Property.WHvPartitionPropertyCodeNestedVirtualization, 1n],
        [Property.WHvPartitionPropertyCodeProcessorFeatures, 0x8123_4567_89ab_cdefn],
      ];
      for (const [code, value] of values) {
        partition.setProperty(code, value);
        assert.equal(partition.getProperty(code), value, `property 0x${code.toString(16)}`);
      }
      const list = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0x80);
      partition.writeProperty(Property.WHvPartitionPropertyCodeCpuidExitList, list);
      const back = new Uint8Array(64);
      assert.equal(partition.readProperty(Property.WHvPartitionPropertyCodeCpuidExitList, back), 8);
      assert.deepEqual(back.subarray(0, 8), list);
      assertFails(() => partition.setProperty(0x4242, 1n), "WHvSetPartitionProperty", WHV_E_UNKNOWN_PROPERTY);
      assertFails(() => partition.getProperty(0x4242), "WHvGetPartitionProperty", WHV_E_UNKNOWN_PROPERTY);
      const tooWide = () => partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 2n ** 32n);
      assertFails(tooWide, "WHvSetPartitionProperty", E_INVALIDARG, /does not fit/);
      assertFails(() => partition.setProperty(0x1fff, -1n), "WHvSetPartitionProperty", E_INVALIDARG);
      partition.setup();
      const late = () => partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 2n);
      assertFails(late, "WHvSetPartitionProperty", WHV_E_INVALID_PARTITION_CONFIG);
      partition.setProperty(Property.WHvPartitionPropertyCodeCpuWeight, 7n);
      partition.reset();
      partition.suspendTime();
      partition.resumeTime();
      assertFails(() => partition.resumeTime(), "WHvResumePartitionTime", WHV_E_INVALID_PARTITION_CONFIG);
    } finally {
      partition.dispose();
    }
  });

  check("guest memory is page aligned, zeroed, one memory with the host's view, and gone after disposal", () =>
    withPartition((partition) => {
      const memory = partition.allocateMemory(0x4000);
      const { bytes } = memory;
      const part = bytes.subarray(0x1000, 0x2000);
      assert.equal(bytes.length, 0x4000);
      assert.ok(bytes.every((byte) => byte === 0));
      partition.mapGpaRange(memory, 0x1000, 0x8000, 0x2000, READ_WRITE_EXECUTE);
      const processor = partition.createVirtualProcessor(0);
      part[3] = 0x5a;
      const seen = new Uint8Array(4);
      processor.readGpaRange(0x8000, seen);
      assert.deepEqual([...seen], [0, 0, 0, 0x5a]);
      processor.writeGpaRange(0x8ffe, Uint8Array.of(1, 2, 3, 4));
      assert.deepEqual([...bytes.subarray(0x1ffe, 0x2002)], [1, 2, 3, 4]);
      assertFails(() => memory.dispose(), "GuestMemory.dispose", E_INVALIDARG, /still mapped/);
      // A hole in the middle leaves the memory mapped at both sides.
      partition.mapGpaRange(memory, 0, 0x10000, 0x3000, READ_WRITE_EXECUTE);
      partition.unmapGpaRange(0x11000, 0x1000);
      partition.unmapGpaRange(0x8000, 0x2000);
      assertFails(() => memory.dispose(), "GuestMemory.dispose", E_INVALIDARG);
      partition.unmapGpaRange(0x10000, 0x1000);
      assertFails(() => memory.dispose(), "GuestMemory.dispose", E_INVALIDARG, /still mapped/);
      partition.unmapGpaRange(0x12000, 0x1000);
      memory.dispose();
      memory.dispose();
      assert.equal(part.length, 0, "no view reaches freed memory");
      assert.equal(memory.bytes.length, 0);
      const gone = () => partition.mapGpaRange(memory, 0, 0, 0x1000, READ_WRITE_EXECUTE);
      assertFails(gone, "WHvMapGpaRange", E_INVALIDARG, /not allocated by this partition/);
    }),
  );

  check("mapping refuses what the platform or the ABI cannot take", () =>
    withPartition((partition) => {
      const memory = partition.allocateMemory(0x2000);
      const map = (offset: number, gpa: number, size: number, flags: number) => () =>
        partition.mapGpaRange(memory, offset, gpa, size, flags);
      const operation = "WHvMapGpaRange";
      for (const [offset, gpa, size, flags] of [
        [0, 0x10, 0x1000, 7],
        [0, 0, 0x1001, 7],
        [0, 0, 0, 7],
        [0, 0, 0x3000, 7],
        [0x1000, 0, 0x2000, 7],
        [-4096, 0, 0x1000, 7],
        [0, -4096, 0x1000, 7],
        [0, 0.5, 0x1000, 7],
        [0, 2 ** 60, 0x1000, 7],
        [0, 0, 0x1000, 0x10],
        [0, 0, 0x1000, 0],
        [0, 0, 0x1000, Number.NaN],
      ] as const)
        assertFails(map(offset, gpa, size, flags), operation, E_INVALIDARG);
      map(0, 2 ** 52 - 0x1000, 0x1000, 7)();
      assertFails(() => partition.unmapGpaRange(0x5000, 0x1000), "WHvUnmapGpaRange", WHV_E_GPA_RANGE_NOT_FOUND);
      for (const size of [0, -4096, 1, 4097, 1.5, Number.NaN])
        assertFails(() => partition.allocateMemory(size), "VirtualAlloc", E_INVALIDARG);
      assertFails(() => partition.allocateMemory(2 ** 48), "VirtualAlloc", E_OUTOFMEMORY);
    }),
  );

  check("mapping comes after setup", () => {
    const partition = hypervisor.createPartition();
    try {
      const memory = partition.allocateMemory(0x1000);
      const map = () => partition.mapGpaRange(memory, 0, 0, 0x1000, 7);
      assertFails(map, "WHvMapGpaRange", WHV_E_INVALID_PARTITION_CONFIG);
      memory.dispose();
    } finally {
      partition.dispose();
    }
  });

  check("memory of a process is mapped by handle and address", () =>
    withPartition((partition) => {
      const memory = partition.allocateMemory(0x1000);
      const { address } = memory as unknown as { address: bigint };
      // (HANDLE)-1 is the process itself: a handle above 2^63.
      partition.mapGpaRangeOfProcess(2n ** 64n - 1n, address, 0x4000, 0x1000, READ_WRITE_EXECUTE);
      memory.bytes[5] = 99;
      const seen = new Uint8Array(1);
      partition.createVirtualProcessor(0).readGpaRange(0x4005, seen);
      assert.equal(seen[0], 99);
    }),
  );

  check("written pages show as bits, and reading clears them", () =>
    withPartition((partition) => {
      const memory = partition.allocateMemory(70 * 0x1000);
      const flags = READ_WRITE_EXECUTE | MapFlag.WHvMapGpaRangeFlagTrackDirtyPages;
      partition.mapGpaRange(memory, 0, 0x100000, memory.size, flags);
      for (const page of [0, 33, 69]) assert.equal(platform.guestWrites(partition.handle, 0x100000 + page * 0x1000), 0);
      // 70 pages: three words of ours, two words of 64 bits of the platform's.
      const bitmap = new Uint32Array(3);
      partition.queryGpaRangeDirtyBitmap(0x100000, memory.size, bitmap);
      assert.deepEqual([...bitmap], [1, 2, 32]);
      partition.queryGpaRangeDirtyBitmap(0x100000, memory.size, bitmap);
      assert.deepEqual([...bitmap], [0, 0, 0]);
      const operation = "WHvQueryGpaRangeDirtyBitmap";
      const small = () => partition.queryGpaRangeDirtyBitmap(0x100000, memory.size, new Uint32Array(2));
      assertFails(small, operation, E_INVALIDARG);
      const elsewhere = () => partition.queryGpaRangeDirtyBitmap(0, 0x1000, bitmap);
      assertFails(elsewhere, operation, WHV_E_GPA_RANGE_NOT_FOUND);
    }),
  );

  check("advice about memory carries its ranges and its buffer", () =>
    withPartition((partition) => {
      const memory = partition.allocateMemory(0x4000);
      partition.mapGpaRange(memory, 0, 0, 0x4000, READ_WRITE_EXECUTE);
      const ranges = [
        { guestAddress: 0, sizeInBytes: 0x1000n },
        { guestAddress: 0x2000, sizeInBytes: 0x2000n },
      ];
      partition.adviseGpaRange(ranges, Advice.WHvAdviseGpaRangeCodePin);
      partition.adviseGpaRange(ranges, Advice.WHvAdviseGpaRangeCodePopulate, {
        flags: { prefetch: true },
        accessType: 1,
      });
      const far = [{ guestAddress: 0x10000, sizeInBytes: 0x1000n }];
      const advise = () => partition.adviseGpaRange(far, Advice.WHvAdviseGpaRangeCodePin);
      assertFails(advise, "WHvAdviseGpaRange", WHV_E_GPA_RANGE_NOT_FOUND);
      const counters = new PartitionMemoryCountersView(new DataView(new ArrayBuffer(PartitionMemoryCountersView.size)));
      assert.equal(partition.readCounters(0, counters.bytes), PartitionMemoryCountersView.size);
      assert.equal(counters.mapped4KPageCount, 4n);
    }),
  );

  check("interrupts are requested as the header lays them out, and their targets come back", () => {
    const partition = hypervisor.createPartition();
    try {
      partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 4n);
      partition.setProperty(Property.WHvPartitionPropertyCodeLocalApicEmulationMode, 1n);
      partition.setup();
      for (const index of [0, 1, 3]) partition.createVirtualProcessor(index);
      const request = { type: 1, destinationMode: 1, triggerMode: 1, destination: 0xffff_fff0, vector: 0x31 };
      partition.requestInterrupt(request);
      const seen = InterruptControlView.from({});
      assert.equal(platform.lastInterrupt(partition.handle, seen.bytes), 0);
      assert.deepEqual(seen.toObject(), { ...request, reserved: 0n });
      const bad = () => partition.requestInterrupt({ ...request, vector: 256 });
      assertFails(bad, "WHvRequestInterrupt", E_INVALIDARG);
      assert.deepEqual(partition.getInterruptTargetVpSet(0b1011n | (1n << 63n), 1), [0, 1, 3]);
      assert.deepEqual(partition.getInterruptTargetVpSet(3n, 0), [3]);
    } finally {
      partition.dispose();
    }
  });

  check("a partition goes to another process and is accepted there", () => {
    const partition = hypervisor.createPartition();
    try {
      const migration = partition.startMigration();
      assert.ok(migration > 2n ** 63n);
      partition.cancelMigration();
      const accepted = hypervisor.acceptMigration(partition.startMigration());
      partition.completeMigration();
      accepted.dispose();
      assertFails(() => partition.cancelMigration(), "WHvCancelPartitionMigration", E_INVALIDARG);
    } finally {
      partition.dispose();
    }
  });

  check("handles are opaque, above 2^63, and dead after disposal", () => {
    const partition = hypervisor.createPartition();
    assert.ok(partition.handle > 2n ** 63n);
    partition[Symbol.dispose]();
    partition.dispose();
    for (const use of [() => partition.handle, () => partition.setup(), () => partition.getProperty(0x1fff)])
      assert.throws(use, /the partition is deleted/);
  });

  check("sixty partitions live side by side, and all are given back", () => {
    const partitions = Array.from({ length: 60 }, () => hypervisor.createPartition());
    for (const [at, partition] of partitions.entries()) {
      partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, BigInt(at + 1));
      partition.setup();
      for (let index = 0; index <= at; index += 7) partition.createVirtualProcessor(index);
      partition.mapGpaRange(partition.allocateMemory(0x1000), 0, 0, 0x1000, READ_WRITE_EXECUTE);
    }
    const alive = platform.live();
    assert.equal(alive.partitions, 60);
    assert.equal(alive.ranges, 60);
    assert.equal(partitions[41]?.getProperty(Property.WHvPartitionPropertyCodeProcessorCount), 42n);
    for (const partition of partitions) partition.dispose();
  });

  check("what fails half way leaves nothing behind", () => {
    platform.fail("WHvCreatePartition", 1, E_OUTOFMEMORY);
    assertFails(() => hypervisor.createPartition(), "WHvCreatePartition", E_OUTOFMEMORY);
    withPartition((partition) => {
      platform.fail("WHvCreateVirtualProcessor", 1, 0x80370304);
      assertFails(() => partition.createVirtualProcessor(0), "WHvCreateVirtualProcessor", 0x80370304);
      platform.fail("WHvMapGpaRange", 1, E_OUTOFMEMORY);
      const memory = partition.allocateMemory(0x1000);
      const map = () => partition.mapGpaRange(memory, 0, 0, 0x1000, 7);
      assertFails(map, "WHvMapGpaRange", E_OUTOFMEMORY);
      memory.dispose();
    });
    // The partition is deleted although its processor could not be.
    const partition = hypervisor.createPartition();
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 1n);
    partition.setup();
    partition.createVirtualProcessor(0);
    platform.fail("WHvDeleteVirtualProcessor", 1, 0x80370308);
    assertFails(() => partition.dispose(), "WHvDeleteVirtualProcessor", 0x80370308);
  });
}
