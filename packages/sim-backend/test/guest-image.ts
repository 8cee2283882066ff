/** Guests for tests: an image from `guests/`, memory around it, and register access by name. */
import { readFileSync } from "node:fs";
import {
  type SimPartition,
  type SimPartitionOptions,
  type SimVirtualProcessor,
  simHypervisor,
} from "@whvkit/sim-backend";
import { type GuestMemory, RegisterValues, registerByShortName, WHV_MAP_GPA_RANGE_FLAGS } from "@whvkit/whv-types";

const { WHvMapGpaRangeFlagRead, WHvMapGpaRangeFlagWrite, WHvMapGpaRangeFlagExecute } = WHV_MAP_GPA_RANGE_FLAGS;
export const READ_WRITE_EXECUTE: number = WHvMapGpaRangeFlagRead | WHvMapGpaRangeFlagWrite | WHvMapGpaRangeFlagExecute;

export interface TestGuest {
  readonly partition: SimPartition;
  readonly processor: SimVirtualProcessor;
  readonly ram: GuestMemory;
}

/** A segment register's fields in the order base, limit, selector, attributes. */
export type SegmentTuple = readonly [base: bigint, limit: number, selector: number, attributes: number];

export function image(name: string): Uint8Array {
  const text = readFileSync(new URL(`./guests/${name}.hex`, import.meta.url), "utf8").replace(/\s/g, "");
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16));
}

export function hex(text: string): Uint8Array {
  const digits = text.replace(/[^0-9a-f]/gi, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16));
}

/** One processor with `size` bytes of RAM from address 0. `configure` runs before setup. */
export function guest(
  size: number,
  options: SimPartitionOptions = {},
  configure?: (partition: SimPartition) => void,
): TestGuest {
  const partition = simHypervisor.createPartition({ memoryCapacity: 0x200_0000, ...options });
  configure?.(partition);
  partition.setup();
  const ram = partition.allocateMemory(size);
  partition.mapGpaRange(ram, 0, 0, size, READ_WRITE_EXECUTE);
  return { partition, ram, processor: partition.createVirtualProcessor(0) };
}

function nameOf(short: string): number {
  const name = registerByShortName(short);
  if (name === undefined) throw new Error(`no register is called ${short}`);
  return name;
}

/** Sets registers by short name: integers, or segments as tuples. */
export function set(
  processor: SimVirtualProcessor,
  registers: Readonly<Record<string, bigint | number | SegmentTuple>>,
): void {
  const entries = Object.entries(registers);
  const names = Uint32Array.from(entries, ([short]) => nameOf(short));
  const values = new RegisterValues(entries.length);
  entries.forEach(([short, value], i) => {
    if (typeof value === "bigint" || typeof value === "number") {
      values.set128(i, BigInt(value));
    } else if (short === "Gdtr" || short === "Idtr") {
      values.table(i).assign({ base: value[0], limit: value[1] });
    } else {
      const [base, limit, selector, attributes] = value;
      values.segment(i).assign({ base, limit, selector, attributes });
    }
  });
  processor.setRegisters(names, entries.length, values);
}

export function get(processor: SimVirtualProcessor, short: string): bigint {
  const values = new RegisterValues(1);
  processor.getRegisters(Uint32Array.of(nameOf(short)), 1, values);
  return values.get64(0);
}

export function getSegment(processor: SimVirtualProcessor, short: string): SegmentTuple {
  const values = new RegisterValues(1);
  processor.getRegisters(Uint32Array.of(nameOf(short)), 1, values);
  const { base, limit, selector, attributes } = values.segment(0);
  return [base, limit, selector, attributes];
}

/** Flat segments of real mode at paragraph 0. */
export const REAL_MODE = {
  Cs: [0n, 0xffff, 0, 0x9b],
  Ds: [0n, 0xffff, 0, 0x93],
  Es: [0n, 0xffff, 0, 0x93],
  Ss: [0n, 0xffff, 0, 0x93],
} as const satisfies Record<string, SegmentTuple>;

/** Flat 32-bit protected mode at CPL 0, without tables. */
export const PROTECTED_MODE = {
  Cr0: 0x11,
  Cs: [0n, 0xffff_ffff, 8, 0xc09b],
  Ds: [0n, 0xffff_ffff, 16, 0xc093],
  Es: [0n, 0xffff_ffff, 16, 0xc093],
  Ss: [0n, 0xffff_ffff, 16, 0xc093],
} as const satisfies Record<string, SegmentTuple | number>;
