/**
 * The simulator behind the stand-in for `WinHvPlatform.dll`: a run of a processor there is a run of a processor here, with
 * its registers, memory and rights. So guests cross the ABI where there is no /dev/kvm. Each run has a partition of its own,
 * which is slow and leaves nothing behind.
 */
import { simHypervisor } from "@whvkit/sim-backend";
import {
  WHV_CAPABILITY_CODE as Capability,
  WHV_REGISTER_NAME as Name,
  type Partition,
  WHV_PARTITION_PROPERTY_CODE as Property,
  RegisterValues,
  type RunVpExitContextView,
  type VirtualProcessor,
  WHV_MAP_GPA_RANGE_FLAGS,
  WhvError,
} from "@whvkit/whv-types";
import type { PlatformControl } from "./stand-in-control.ts";

const { WHvMapGpaRangeFlagWrite, WHvMapGpaRangeFlagTrackDirtyPages } = WHV_MAP_GPA_RANGE_FLAGS;
const PAGE = 4096;
/** Bytes: for the ranges, and for what the simulator needs beside them. */
const capacity = 0x40_0000;

/** A partition of the simulator with one processor, until `use` has ended. */
function withProcessor<T>(
  configure: (partition: Partition) => void,
  use: (partition: Partition, processor: VirtualProcessor) => T,
): T {
  const partition = simHypervisor.createPartition({ memoryCapacity: capacity });
  try {
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 1n);
    configure(partition);
    partition.setup();
    return use(partition, partition.createVirtualProcessor(0));
  } finally {
    partition.dispose();
  }
}

/** The registers that the simulator has and lets be written. */
function sharedRegisters(): Uint32Array {
  return withProcessor(
    () => {},
    (_, processor) =>
      Uint32Array.from(
        [...new Set<number>(Object.values(Name))].filter((name) => {
          try {
            const value = new RegisterValues(1);
            processor.getRegisters(Uint32Array.of(name), 1, value);
            processor.setRegisters(Uint32Array.of(name), 1, value);
            return true;
          } catch (error) {
            if (error instanceof WhvError) return false;
            throw error;
          }
        }),
      ),
  );
}

/** Runs go to the simulator from now on. Answers what ends that. */
export function serveRuns(control: PlatformControl): () => void {
  const names = sharedRegisters();
  const exits = simHypervisor.getCapability(Capability.WHvCapabilityCodeExtendedVmExits);
  return control.serveRuns(exits, (handle, index, exitContext) => {
    const configure = (partition: Partition): void => {
      for (const code of [
        Property.WHvPartitionPropertyCodeExtendedVmExits,
        Property.WHvPartitionPropertyCodeExceptionExitBitmap,
      ])
        partition.setProperty(code, control.property(handle, code));
    };
    return withProcessor(configure, (partition, processor) => {
      const ranges = control.ranges(handle).map(({ gpa, flags, bytes }) => {
        const memory = partition.allocateMemory(bytes.length);
        memory.bytes.set(bytes);
        partition.mapGpaRange(memory, 0, gpa, bytes.length, flags);
        return { gpa, flags, bytes, memory };
      });
      const values = new RegisterValues(names.length);
      control.registers(handle, index, names, values.bytes, false);
      processor.setRegisters(names, names.length, values);
      // A view satisfies the union by construction.
      const exit = processor.run() as unknown as RunVpExitContextView;
      exitContext.set(exit.bytes);
      processor.getRegisters(names, names.length, values);
      control.registers(handle, index, names, values.bytes, true);
      for (const { gpa, flags, bytes, memory } of ranges) {
        if ((flags & WHvMapGpaRangeFlagWrite) !== 0) bytes.set(memory.bytes);
        if ((flags & WHvMapGpaRangeFlagTrackDirtyPages) === 0) continue;
        const pages = bytes.length / PAGE;
        const bitmap = new Uint32Array(2 * Math.ceil(pages / 64));
        partition.queryGpaRangeDirtyBitmap(gpa, bytes.length, bitmap);
        for (let page = 0; page < pages; page++)
          if (((bitmap[page >> 5] ?? 0) >>> (page & 31)) & 1) control.guestWrites(handle, gpa + page * PAGE);
      }
    });
  });
}
