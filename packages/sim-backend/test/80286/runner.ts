/**
 * Runs a captured instruction on the simulator: registers and memory in, run to HLT, compare everything, stray writes
 * included (every page that the guest wrote is compared as a whole).
 */

import type { MooRegister, MooTest } from "@whvkit/conformance";
import { type SimPartition, type SimVirtualProcessor, simHypervisor } from "@whvkit/sim-backend";
import {
  type GuestMemory,
  WHV_REGISTER_NAME as Name,
  WHV_RUN_VP_EXIT_REASON as Reason,
  RegisterValues,
  WHV_MAP_GPA_RANGE_FLAGS,
} from "@whvkit/whv-types";
import { READ_WRITE_EXECUTE } from "../guest-image.ts";

/** 1 MiB and what FFFF:FFFF reaches above it, in whole pages. */
const MEMORY_SIZE = 0x11_1000;
const PAGE = 0x1000;

const general: Readonly<Partial<Record<MooRegister, number>>> = {
  ax: Name.WHvX64RegisterRax,
  bx: Name.WHvX64RegisterRbx,
  cx: Name.WHvX64RegisterRcx,
  dx: Name.WHvX64RegisterRdx,
  sp: Name.WHvX64RegisterRsp,
  bp: Name.WHvX64RegisterRbp,
  si: Name.WHvX64RegisterRsi,
  di: Name.WHvX64RegisterRdi,
  ip: Name.WHvX64RegisterRip,
  flags: Name.WHvX64RegisterRflags,
};
const segments: Readonly<Partial<Record<MooRegister, number>>> = {
  cs: Name.WHvX64RegisterCs,
  ss: Name.WHvX64RegisterSs,
  ds: Name.WHvX64RegisterDs,
  es: Name.WHvX64RegisterEs,
};

const REGISTERS = [...Object.keys(general), ...Object.keys(segments)] as MooRegister[];
const names = Uint32Array.from(REGISTERS, (register) => (general[register] ?? segments[register]) as number);

/** The flags that an 80286 in real mode and a current processor both have. */
const FLAGS = 0x0fd5;

export class VectorRunner {
  private readonly partition: SimPartition;
  private readonly processor: SimVirtualProcessor;
  private readonly ram: GuestMemory;
  private readonly values = new RegisterValues(REGISTERS.length);
  private readonly events = new RegisterValues(1);
  private readonly dirty = new Uint32Array(Math.ceil(MEMORY_SIZE / PAGE / 32));
  private readonly expected = new Uint8Array(MEMORY_SIZE);

  constructor() {
    this.partition = simHypervisor.createPartition({ memoryCapacity: 0x40_0000, instructionBudget: 1000 });
    this.partition.setup();
    this.ram = this.partition.allocateMemory(MEMORY_SIZE);
    const flags = READ_WRITE_EXECUTE | WHV_MAP_GPA_RANGE_FLAGS.WHvMapGpaRangeFlagTrackDirtyPages;
    this.partition.mapGpaRange(this.ram, 0, 0, MEMORY_SIZE, flags);
    this.processor = this.partition.createVirtualProcessor(0);
  }

  /** What differs, in words; null when nothing does. `undefinedFlags` are not compared. */
  run(test: MooTest, undefinedFlags: number): string | null {
    const { ram, expected } = this;
    for (const { address, byte } of test.initial.memory) {
      ram.bytes[address] = byte;
      expected[address] = byte;
    }
    for (const { address, byte } of test.final.memory) expected[address] = byte;
    this.loadRegisters(test);
    const exit = this.processor.run();
    const differences: string[] = [];
    if (exit.exitReason !== Reason.WHvRunVpExitReasonX64Halt)
      differences.push(`exit ${exit.exitReason} ${this.processor.exitDetail}`);
    else this.compareRegisters(test, undefinedFlags, differences);
    this.compareMemory(test, undefinedFlags, differences);
    return differences.length === 0 ? null : differences.join(", ");
  }

  private loadRegisters(test: MooTest): void {
    const { values } = this;
    REGISTERS.forEach((register, i) => {
      const value = test.initial.registers.get(register) ?? 0;
      if (segments[register] === undefined) {
        values.setHalves(i, register === "flags" ? (value & FLAGS) | 2 : value, 0);
        return;
      }
      const segment = values.segment(i);
      segment.assign({
        base: BigInt(value * 16),
        limit: 0xffff,
        selector: value,
        attributes: register === "cs" ? 0x9b : 0x93,
      });
    });
    this.processor.setRegisters(names, names.length, values);
    this.events.setHalves(0, 0, 0);
    this.processor.setRegisters(Uint32Array.of(Name.WHvRegisterInterruptState), 1, this.events);
  }

  private compareRegisters(test: MooTest, undefinedFlags: number, differences: string[]): void {
    const { values } = this;
    this.processor.getRegisters(names, names.length, values);
    REGISTERS.forEach((register, i) => {
      const wanted = test.final.registers.get(register) ?? test.initial.registers.get(register) ?? 0;
      const found = segments[register] === undefined ? values.low(i) : values.segment(i).selector;
      const mask = register === "flags" ? FLAGS & ~undefinedFlags : 0xffff_ffff;
      if (((found ^ wanted) & mask) !== 0)
        differences.push(`${register} ${(found & mask).toString(16)} for ${(wanted & mask).toString(16)}`);
    });
  }

  /** Compares every page that either the guest or the test touched, and empties it again. */
  private compareMemory(test: MooTest, undefinedFlags: number, differences: string[]): void {
    const { ram, expected, dirty } = this;
    this.partition.queryGpaRangeDirtyBitmap(0, MEMORY_SIZE, dirty);
    const pages = new Set<number>();
    for (let page = 0; page < MEMORY_SIZE / PAGE; page++)
      if (((dirty[page >> 5] >>> (page & 31)) & 1) !== 0) pages.add(page);
    for (const { address } of test.initial.memory) pages.add(Math.floor(address / PAGE));
    for (const { address } of test.final.memory) pages.add(Math.floor(address / PAGE));
    for (const page of pages) {
      const found = Buffer.from(ram.bytes.buffer, ram.bytes.byteOffset + page * PAGE, PAGE);
      const equal = found.equals(expected.subarray(page * PAGE, (page + 1) * PAGE));
      for (let at = page * PAGE; !equal && at < (page + 1) * PAGE; at++) {
        const difference = (ram.bytes[at] ^ expected[at]) & this.mask(test, at, undefinedFlags);
        if (difference !== 0)
          differences.push(`[${at.toString(16)}] ${ram.bytes[at].toString(16)} for ${expected[at].toString(16)}`);
      }
      ram.bytes.fill(0, page * PAGE, (page + 1) * PAGE);
      expected.fill(0, page * PAGE, (page + 1) * PAGE);
    }
  }

  /** Bits of a byte that count: a flags image on the stack of an exception has no more to say than the flags. */
  private mask(test: MooTest, address: number, undefinedFlags: number): number {
    if (test.exception === null) return 0xff;
    // The file names the bus address, which is even; the frame says where the flags really are.
    const { initial, final } = test;
    const pointer = final.registers.get("sp") ?? 0;
    const stack = final.registers.get("ss") ?? initial.registers.get("ss") ?? 0;
    const offset = address - (stack * 16 + ((pointer + 4) & 0xffff));
    return offset === 0 || offset === 1 ? ((FLAGS & ~undefinedFlags) >> (offset * 8)) & 0xff : 0xff;
  }
}
