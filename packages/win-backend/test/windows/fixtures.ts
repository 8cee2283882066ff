/** What the checks under Windows share: the backend over the stand-ins, a partition that is set up, and scripted exits. */
import assert from "node:assert/strict";
import {
  WHV_MAP_GPA_RANGE_FLAGS as MapFlag,
  WHV_PARTITION_PROPERTY_CODE as Property,
  RegisterValues,
  RunVpExitContextView,
  type WHV_RUN_VP_EXIT_CONTEXT,
  WhvError,
  type WhvInit,
} from "@whvkit/whv-types";
import { createWinHypervisor, type WinPartition, type WinVirtualProcessor } from "@whvkit/win-backend";
import { EmulationControl, PlatformControl } from "../../../../tooling/windows-stand-ins/stand-in-control.ts";
import { libraryDirectory } from "../../../../tooling/windows-stand-ins/suite.ts";

export const options: { libraryDirectory: string } = { libraryDirectory };
export const hypervisor = createWinHypervisor(options);
export const platform = new PlatformControl(libraryDirectory);

let emulationControl: EmulationControl | undefined;
/** Loaded when first asked for: not every folder has that library. */
export function emulation(): EmulationControl {
  emulationControl ??= new EmulationControl(libraryDirectory);
  return emulationControl;
}

export const READ_WRITE_EXECUTE: number =
  MapFlag.WHvMapGpaRangeFlagRead | MapFlag.WHvMapGpaRangeFlagWrite | MapFlag.WHvMapGpaRangeFlagExecute;

/** Gives a partition that is set up, and takes it back whatever happens. */
export function withPartition(use: (partition: WinPartition) => void, processors = 1n): void {
  const partition = hypervisor.createPartition();
  try {
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, processors);
    partition.setup();
    use(partition);
  } finally {
    partition.dispose();
  }
}

export async function withPartitionAsync(
  use: (partition: WinPartition) => Promise<void>,
  processors = 1n,
): Promise<void> {
  const partition = hypervisor.createPartition();
  try {
    partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, processors);
    partition.setup();
    await use(partition);
  } finally {
    partition.dispose();
  }
}

/** Real-mode code at 0x1000 of 64 KiB of memory, and a processor that stands there. */
export function loadCode(partition: WinPartition, code: readonly number[], index = 0): WinVirtualProcessor {
  const memory = partition.allocateMemory(0x10000);
  memory.bytes.set(code, 0x1000);
  partition.mapGpaRange(memory, 0, 0, memory.size, READ_WRITE_EXECUTE);
  const processor = partition.createVirtualProcessor(index);
  const values = new RegisterValues(3);
  values.segment(0).assign({ base: 0n, limit: 0xffff, selector: 0, attributes: 0x9b });
  values.set64(1, 0x1000n);
  values.set64(2, 2n);
  // Cs, Rip, Rflags.
  processor.setRegisters(Uint32Array.of(0x13, 0x10, 0x11), 3, values);
  return processor;
}

/** The next run of the processor ends in this exit. */
export function queueExit(partition: WinPartition, index: number, exit: WhvInit<WHV_RUN_VP_EXIT_CONTEXT>): void {
  assert.equal(platform.queueExit(partition.handle, index, RunVpExitContextView.from(exit).bytes), 0);
}

/** The next run of the processor waits until it is cancelled. */
export function queueWait(partition: WinPartition, index: number): void {
  const bytes = new Uint8Array(224);
  bytes.fill(0xff, 0, 4);
  assert.equal(platform.queueExit(partition.handle, index, bytes), 0);
}

/** The action throws a WhvError of this operation and HRESULT. */
export function assertFails(action: () => unknown, operation: string, hresult: number, message?: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof WhvError, `a WhvError, not ${error}`);
    assert.equal(error.operation, operation);
    assert.equal(error.hresult.toString(16), hresult.toString(16));
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

export function register(processor: WinVirtualProcessor, name: number): bigint {
  const values = new RegisterValues(1);
  processor.getRegisters(Uint32Array.of(name), 1, values);
  return values.get128(0);
}
