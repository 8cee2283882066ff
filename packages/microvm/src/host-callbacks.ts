/**
 * The emulator's callbacks over this machine: ports and device memory go to the bus, RAM is accessed in place,
 * registers and translations are the virtual processor's own. The memory callback serves every guest-physical access:
 * the operand that caused the exit, the other operand of a string move, and the fetch of the instruction.
 */
import type { Bus } from "@whvkit/devices";
import {
  type EmulatorBulkMemoryAccess,
  type EmulatorCallbackSet,
  type ProcessorCallbacks,
  processorCallbacks,
} from "@whvkit/emulator-core";
import {
  type EmulatorIoAccess,
  type EmulatorMemoryAccess,
  type EmulatorTranslation,
  type RegisterValues,
  S_OK,
  type VirtualProcessor,
} from "@whvkit/whv-types";
import type { MachineRam } from "./guest-memory-layout.ts";

export class HostCallbacks implements EmulatorCallbackSet {
  /** How often each callback was called; `memory` counts the runs that RAM moves at once too. */
  readonly counts = {
    ioPort: 0,
    memory: 0,
    getVirtualProcessorRegisters: 0,
    setVirtualProcessorRegisters: 0,
    translateGvaPage: 0,
  };

  readonly #bus: Bus;
  readonly #ram: MachineRam;
  readonly #processor: ProcessorCallbacks;

  constructor(bus: Bus, ram: MachineRam, processor: VirtualProcessor) {
    this.#bus = bus;
    this.#ram = ram;
    this.#processor = processorCallbacks(processor);
  }

  ioPort(_context: unknown, access: EmulatorIoAccess): number {
    this.counts.ioPort += 1;
    if (access.direction === 0) access.data = this.#bus.readPort(access.port, access.accessSize);
    else this.#bus.writePort(access.port, access.accessSize, access.data);
    return S_OK;
  }

  memory(_context: unknown, access: EmulatorMemoryAccess): number {
    this.counts.memory += 1;
    const offset = this.#ram.offsetOf(access.gpaAddress);
    if (offset < 0) this.#accessDevice(access);
    else this.#accessRam(access, offset);
    return S_OK;
  }

  /** RAM moves the runs of string instructions at once; a device gets its accesses one by one, because each may change it. */
  memoryBulk(_context: unknown, access: EmulatorBulkMemoryAccess): number {
    const bytes = access.elementSize * access.elementCount;
    const ram = this.#ram.view(access.gpaAddress, bytes);
    if (ram === null) return S_OK;
    this.counts.memory += 1;
    if (access.direction === 0) access.data.set(ram);
    else ram.set(access.data.subarray(0, bytes));
    access.completed = access.elementCount;
    return S_OK;
  }

  getVirtualProcessorRegisters(context: unknown, names: Uint32Array, count: number, values: RegisterValues): number {
    this.counts.getVirtualProcessorRegisters += 1;
    return this.#processor.getVirtualProcessorRegisters(context, names, count, values);
  }

  setVirtualProcessorRegisters(context: unknown, names: Uint32Array, count: number, values: RegisterValues): number {
    this.counts.setVirtualProcessorRegisters += 1;
    return this.#processor.setVirtualProcessorRegisters(context, names, count, values);
  }

  translateGvaPage(context: unknown, translation: EmulatorTranslation): number {
    this.counts.translateGvaPage += 1;
    return this.#processor.translateGvaPage(context, translation);
  }

  #accessDevice(access: EmulatorMemoryAccess): void {
    const { words } = access;
    if (access.direction === 0) {
      words[0] = this.#bus.readMemory(access.gpaAddress, access.accessSize);
      words[1] = this.#bus.high;
    } else {
      this.#bus.writeMemory(access.gpaAddress, access.accessSize, words[0] as number, words[1] as number);
    }
  }

  /** An access never crosses a page, and RAM is made of pages: what starts in RAM ends there. */
  #accessRam(access: EmulatorMemoryAccess, offset: number): void {
    const { data, accessSize } = access;
    const ram = this.#ram.bytes;
    if (access.direction === 0) for (let i = 0; i < accessSize; i++) data[i] = ram[offset + i] as number;
    else for (let i = 0; i < accessSize; i++) ram[offset + i] = data[i] as number;
  }
}
