/**
 * A partition: its properties, its memory and its virtual processors, with the platform's rules about the order in
 * which they come (properties, setup, then everything else).
 */

import {
  E_INVALIDARG,
  E_NOTIMPL,
  type GuestMemory,
  type InterruptRequest,
  WHV_MAP_GPA_RANGE_FLAGS as MapFlag,
  WHV_E_GPA_RANGE_NOT_FOUND,
  WHV_E_INVALID_PARTITION_CONFIG,
  WHV_E_VP_ALREADY_EXISTS,
  WHV_PARTITION_PROPERTY_CODE,
  WhvError,
} from "@whvkit/whv-types";
import type { EngineFactory } from "../engine/engine.ts";
import { chooseEngine } from "../engine/engine-choice.ts";
import { ArenaMemory, MemoryArena, PAGE_SIZE } from "../memory/memory-arena.ts";
import { MapEntry, MemoryMap } from "../memory/memory-map.ts";
import { PHYSICAL_ADDRESS_BITS } from "../memory/page-walk.ts";
import { CpuModel } from "../processor/cpu-model.ts";
import { SimulatedProcessor } from "../processor/simulated-processor.ts";
import type { SimPartition } from "../sim-platform.ts";
import type { SimPartitionOptions } from "./partition-options.ts";
import { PartitionProperties } from "./partition-properties.ts";

const DEFAULT_CAPACITY = 0x4000_0000;
const MAX_CAPACITY = 0x7fff_0000;
const DEFAULT_BUDGET = 100_000;

const GPA_END: number = 2 ** PHYSICAL_ADDRESS_BITS;

/** A run of mapped memory, remembered so that memory knows whether it is mapped. */
interface Mapping {
  readonly gpa: number;
  readonly size: number;
  readonly memory: ArenaMemory;
}

/** A partition of the simulator. */
export class SimulatedPartition implements SimPartition {
  private readonly options: SimPartitionOptions;
  private readonly properties: PartitionProperties;
  private readonly engine: EngineFactory;
  private readonly arena: MemoryArena;
  private readonly map = new MemoryMap();
  private readonly model: CpuModel;
  private readonly processors = new Map<number, SimulatedProcessor>();
  private mappings: Mapping[] = [];
  private isSetUp = false;
  private live = true;

  constructor(options: SimPartitionOptions = {}) {
    const operation = "WHvCreatePartition";
    const { memoryCapacity = DEFAULT_CAPACITY, instructionBudget = DEFAULT_BUDGET } = options;
    if (memoryCapacity % 0x1_0000 !== 0 || !(memoryCapacity > 0 && memoryCapacity <= MAX_CAPACITY))
      throw new WhvError(operation, E_INVALIDARG, `memoryCapacity ${memoryCapacity}`);
    if (!(instructionBudget >= 1))
      throw new WhvError(operation, E_INVALIDARG, `instructionBudget ${instructionBudget}`);
    this.options = options;
    this.properties = new PartitionProperties(options.cpuidExitList);
    const { factory, tables } = chooseEngine(options.engine ?? "auto", memoryCapacity);
    this.engine = factory;
    this.arena = new MemoryArena(memoryCapacity, tables);
    this.model = new CpuModel(options.cpuidResults ?? []);
  }

  getProperty(code: number): bigint {
    this.requireLive("WHvGetPartitionProperty");
    return this.properties.get(code);
  }

  setProperty(code: number, value: bigint): void {
    const operation = "WHvSetPartitionProperty";
    this.requireLive(operation);
    if (this.isSetUp) throw new WhvError(operation, WHV_E_INVALID_PARTITION_CONFIG, "the partition is set up already");
    this.properties.set(code, value);
  }

  setup(): void {
    this.requireLive("WHvSetupPartition");
    if (this.isSetUp)
      throw new WhvError("WHvSetupPartition", WHV_E_INVALID_PARTITION_CONFIG, "the partition is set up already");
    this.properties.apply();
    this.isSetUp = true;
  }

  allocateMemory(size: number): GuestMemory {
    this.requireLive("allocateMemory");
    requirePages("allocateMemory", "size", size);
    if (size === 0) throw new WhvError("allocateMemory", E_INVALIDARG, "size is 0");
    return new ArenaMemory(this.arena, this.arena.allocate(size, "allocateMemory"), size);
  }

  mapGpaRange(memory: GuestMemory, memoryOffset: number, gpa: number, size: number, flags: number): void {
    const operation = "WHvMapGpaRange";
    this.requireSetUp(operation);
    requirePages(operation, "memoryOffset", memoryOffset);
    requireRange(operation, gpa, size);
    if (!(memory instanceof ArenaMemory) || memory.arena !== this.arena || memory.disposed)
      throw new WhvError(operation, E_INVALIDARG, "the memory was not allocated by this partition");
    if (memoryOffset + size > memory.size)
      throw new WhvError(operation, E_INVALIDARG, `${size} bytes from ${memoryOffset} of a memory of ${memory.size}`);
    const known =
      MapFlag.WHvMapGpaRangeFlagRead |
      MapFlag.WHvMapGpaRangeFlagWrite |
      MapFlag.WHvMapGpaRangeFlagExecute |
      MapFlag.WHvMapGpaRangeFlagTrackDirtyPages;
    if ((flags & ~known) !== 0 || (flags & 7) === 0)
      throw new WhvError(operation, E_INVALIDARG, `flags 0x${flags.toString(16)}`);
    this.forgetMappings(gpa, size);
    this.mappings.push({ gpa, size, memory });
    memory.mappings++;
    this.map.map(gpa, memory.offset + memoryOffset, size, flags);
  }

  unmapGpaRange(gpa: number, size: number): void {
    const operation = "WHvUnmapGpaRange";
    this.requireSetUp(operation);
    requireRange(operation, gpa, size);
    this.requireMapped(operation, gpa, size);
    this.forgetMappings(gpa, size);
    this.map.unmap(gpa, size);
  }

  queryGpaRangeDirtyBitmap(gpa: number, size: number, bitmap: Uint32Array): void {
    const operation = "WHvQueryGpaRangeDirtyBitmap";
    this.requireSetUp(operation);
    requireRange(operation, gpa, size);
    const pages = size / PAGE_SIZE;
    if (bitmap.length < Math.ceil(pages / 32))
      throw new WhvError(operation, E_INVALIDARG, `${bitmap.length} words for ${pages} pages`);
    for (let i = 0; i < pages; i++) {
      if ((this.map.entry(gpa + i * PAGE_SIZE) & MapEntry.trackDirty) === 0)
        throw new WhvError(operation, WHV_E_GPA_RANGE_NOT_FOUND, "dirty pages are not tracked there");
    }
    bitmap.fill(0, 0, Math.ceil(pages / 32));
    for (let i = 0; i < pages; i++) if (this.map.takeDirty(gpa + i * PAGE_SIZE)) bitmap[i >> 5] |= 1 << (i & 31);
    this.map.changed();
  }

  createVirtualProcessor(index: number): SimulatedProcessor {
    const operation = "WHvCreateVirtualProcessor";
    this.requireSetUp(operation);
    const count = Number(this.properties.get(WHV_PARTITION_PROPERTY_CODE.WHvPartitionPropertyCodeProcessorCount));
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw new WhvError(operation, E_INVALIDARG, `index ${index} of ${count} processors`);
    if (this.processors.has(index)) throw new WhvError(operation, WHV_E_VP_ALREADY_EXISTS, `index ${index}`);
    const processor = new SimulatedProcessor(
      index,
      {
        arena: this.arena,
        map: this.map,
        model: this.model,
        settings: this.properties.settings,
        engine: this.engine,
        instructionBudget: this.options.instructionBudget ?? DEFAULT_BUDGET,
        omitsInstructionBytes: this.options.omitInstructionBytes ?? false,
      },
      () => this.processors.delete(index),
    );
    this.processors.set(index, processor);
    return processor;
  }

  requestInterrupt(_request: InterruptRequest): void {
    this.requireSetUp("WHvRequestInterrupt");
    throw new WhvError("WHvRequestInterrupt", E_NOTIMPL, "the simulator has no local APIC");
  }

  dispose(): void {
    if (!this.live) return;
    for (const processor of [...this.processors.values()]) processor.dispose();
    this.live = false;
  }

  /** Takes a range out of the list of mappings; what only overlaps it is cut. */
  private forgetMappings(gpa: number, size: number): void {
    const end = gpa + size;
    const kept: Mapping[] = [];
    for (const mapping of this.mappings) {
      const mappingEnd = mapping.gpa + mapping.size;
      if (mappingEnd <= gpa || mapping.gpa >= end) {
        kept.push(mapping);
        continue;
      }
      mapping.memory.mappings--;
      if (mapping.gpa < gpa) this.keep(kept, mapping.gpa, gpa, mapping.memory);
      if (mappingEnd > end) this.keep(kept, end, mappingEnd, mapping.memory);
    }
    this.mappings = kept;
  }

  private keep(kept: Mapping[], start: number, end: number, memory: ArenaMemory): void {
    kept.push({ gpa: start, size: end - start, memory });
    memory.mappings++;
  }

  private requireMapped(operation: string, gpa: number, size: number): void {
    for (let at = gpa; at < gpa + size; at += PAGE_SIZE) {
      if (this.map.entry(at) === 0)
        throw new WhvError(operation, WHV_E_GPA_RANGE_NOT_FOUND, `0x${at.toString(16)} is not mapped`);
    }
  }

  private requireLive(operation: string): void {
    if (!this.live) throw new WhvError(operation, E_INVALIDARG, "the partition is deleted");
  }

  private requireSetUp(operation: string): void {
    this.requireLive(operation);
    if (!this.isSetUp) throw new WhvError(operation, WHV_E_INVALID_PARTITION_CONFIG, "the partition is not set up");
  }
}

function requirePages(operation: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value % PAGE_SIZE !== 0)
    throw new WhvError(operation, E_INVALIDARG, `${name} ${value} is not a multiple of ${PAGE_SIZE}`);
}

function requireRange(operation: string, gpa: number, size: number): void {
  requirePages(operation, "gpa", gpa);
  requirePages(operation, "size", size);
  if (size === 0 || gpa + size > GPA_END)
    throw new WhvError(operation, E_INVALIDARG, `range 0x${gpa.toString(16)} + 0x${size.toString(16)}`);
}
