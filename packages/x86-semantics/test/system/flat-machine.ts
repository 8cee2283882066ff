/**
 * The least machine that system operations can run on: memory without paging, of which a range may be missing, and the
 * limit of SS. With builders for descriptors, gates and processor states.
 */
import { Abort, GuestFault, Intent, type Machine, Vector } from "../../src/machine/machine.ts";
import { RegisterFile, RegisterOffset, Segment } from "../../src/machine/register-file.ts";
import { is64Bit, segmentBaseLow, segmentLimit, setInstructionPointer, setSegment } from "../../src/system/index.ts";

export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x3000;
export const LDT = 0x4000;
/** Tops of the stacks of level 0 and of the interrupted code. */
export const INNER_STACK = 0x8000;
export const OUTER_STACK = 0x9000;

export class FlatMachine implements Machine {
  readonly registers: RegisterFile = new RegisterFile();
  readonly fault: GuestFault = new GuestFault();
  readonly data: Int32Array = new Int32Array(4);
  readonly memory: DataView = new DataView(new ArrayBuffer(0x2_0000));
  /** Accesses to addresses in this range are page faults. */
  missing: readonly [from: number, to: number] = [0, 0];
  /** Stores made, for tests of "nothing was written". */
  stores = 0;

  load(segment: number, low: number, high: number, size: number, intent: number): number {
    const abort = this.probe(segment, low, high, size, intent);
    if (abort !== Abort.none) return abort;
    this.data[1] = 0;
    if (size === 8) {
      this.data[0] = this.memory.getInt32(low, true);
      this.data[1] = this.memory.getInt32(low + 4, true);
    } else if (size === 4) {
      this.data[0] = this.memory.getInt32(low, true);
    } else {
      this.data[0] = size === 2 ? this.memory.getUint16(low, true) : this.memory.getUint8(low);
    }
    return Abort.none;
  }

  store(
    segment: number,
    low: number,
    high: number,
    size: number,
    valueLow: number,
    valueHigh: number,
    intent: number,
  ): number {
    const abort = this.probe(segment, low, high, size, intent | Intent.write);
    if (abort !== Abort.none) return abort;
    this.stores++;
    if (size === 2) {
      this.memory.setUint16(low, valueLow, true);
    } else {
      this.memory.setInt32(low, valueLow, true);
      if (size === 8) this.memory.setInt32(low + 4, valueHigh, true);
    }
    return Abort.none;
  }

  store128(): number {
    throw new Error("no system operation stores 16 bytes");
  }

  probe(segment: number, low: number, high: number, size: number, intent: number): number {
    if ((intent & Intent.system) === 0 && segment === Segment.ss && !is64Bit(this.registers)) {
      const offset = (low - segmentBaseLow(this.registers, Segment.ss)) >>> 0;
      if (offset + size - 1 > segmentLimit(this.registers, Segment.ss)) return this.raise(Vector.SS, 0);
    }
    const address = high * 0x1_0000_0000 + (low >>> 0);
    if (address + size > this.missing[0] && address < this.missing[1]) {
      this.fault.cr2Low = low;
      this.fault.cr2High = high;
      return this.raise(Vector.PF, (intent & Intent.write) !== 0 ? 2 : 0);
    }
    if (address + size > this.memory.byteLength) throw new RangeError(`address ${address.toString(16)}`);
    return Abort.none;
  }

  in(): number {
    throw new Error("no system operation reads a port");
  }

  out(): number {
    throw new Error("no system operation writes a port");
  }

  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }

  helper(): number {
    throw new Error("no system operation calls a helper");
  }

  /** Eight-byte words of memory. */
  quad(address: number): bigint {
    return this.memory.getBigUint64(address, true);
  }

  setQuad(address: number, value: bigint): void {
    this.memory.setBigUint64(address, BigInt.asUintN(64, value), true);
  }
}

/** A code, data or system descriptor: type with the S bit (5 bits), DPL, and what is usual for the rest. */
export interface DescriptorFields {
  readonly base?: number;
  readonly limit?: number;
  /** S bit and type, for instance 0x1a for readable code. */
  readonly type: number;
  readonly dpl?: number;
  readonly present?: boolean;
  readonly long?: boolean;
  readonly big?: boolean;
  readonly pages?: boolean;
}

export function descriptor(fields: DescriptorFields): bigint {
  const { base = 0, limit = 0xf_ffff, type, dpl = 0, present = true, long = false, big = false, pages = true } = fields;
  const low = (BigInt(base & 0xffff) << 16n) | BigInt(limit & 0xffff);
  const access = BigInt(type | (dpl << 5) | (present ? 0x80 : 0));
  const flags = BigInt((long ? 2 : 0) | (big ? 4 : 0) | (pages ? 8 : 0));
  const high =
    BigInt((base >>> 16) & 0xff) |
    (access << 8n) |
    (BigInt(limit >>> 16) << 16n) |
    (flags << 20n) |
    (BigInt(base >>> 24) << 24n);
  return (high << 32n) | low;
}

/** Code: 0x1a readable; data: 0x12 writable. */
export const CODE = 0x1a;
export const CONFORMING = 0x1e;
export const EXECUTE_ONLY = 0x18;
export const DATA = 0x12;
export const READ_ONLY = 0x10;

export function gate(
  type: number,
  selector: number,
  offset: number,
  dpl = 0,
  present = true,
  interruptStack = 0,
): bigint {
  const high = (offset & 0xffff_0000) | (present ? 0x8000 : 0) | (dpl << 13) | (type << 8) | interruptStack;
  return (BigInt(high >>> 0) << 32n) | BigInt(((selector << 16) | (offset & 0xffff)) >>> 0);
}

/** Selectors of the descriptors that every test state has. */
export const Selector = {
  code0: 0x08,
  data0: 0x10,
  code3: 0x1b,
  data3: 0x23,
  conforming0: 0x28,
  code64: 0x30,
  code64Level3: 0x3b,
  code16: 0x40,
  data16: 0x48,
  /** Free for a test. */
  test: 0x60,
} as const;

export type Mode = "real" | "protected" | "long";

export interface StateOptions {
  readonly mode: Mode;
  readonly cpl?: 0 | 3;
  /** In long mode: is the code that runs 64-bit? */
  readonly wide?: boolean;
}

/** A machine in a mode, with tables that hold {@link Selector}, a TSS with a level-0 stack, and an empty IDT of 256 gates. */
export function machineIn({ mode, cpl = 0, wide = true }: StateOptions): FlatMachine {
  const machine = new FlatMachine();
  const { registers } = machine;
  const { words, halfwords } = registers;
  const entries: Readonly<Record<number, bigint>> = {
    [Selector.code0]: descriptor({ type: CODE, big: true }),
    [Selector.data0]: descriptor({ type: DATA, big: true }),
    [Selector.code3]: descriptor({ type: CODE, dpl: 3, big: true }),
    [Selector.data3]: descriptor({ type: DATA, dpl: 3, big: true }),
    [Selector.conforming0]: descriptor({ type: CONFORMING, big: true }),
    [Selector.code64]: descriptor({ type: CODE, long: true }),
    [Selector.code64Level3]: descriptor({ type: CODE, dpl: 3, long: true }),
    [Selector.code16]: descriptor({ type: CODE, limit: 0xffff, pages: false }),
    [Selector.data16]: descriptor({ type: DATA, limit: 0xffff, pages: false }),
  };
  for (const [selector, entry] of Object.entries(entries)) machine.setQuad(GDT + (Number(selector) & ~7), entry);
  words[(RegisterOffset.gdtr + 8) >> 2] = GDT;
  halfwords[(RegisterOffset.gdtr + 6) >> 1] = 0xff;
  words[(RegisterOffset.idtr + 8) >> 2] = mode === "real" ? 0 : IDT;
  halfwords[(RegisterOffset.idtr + 6) >> 1] = mode === "real" ? 0x3ff : mode === "long" ? 0xfff : 0x7ff;
  words[RegisterOffset.rflags >> 2] = 0x202;
  words[RegisterOffset.cr0 >> 2] = mode === "real" ? 0x10 : 0x11;
  if (mode === "long") words[RegisterOffset.efer >> 2] = 0x500;
  setSegment(registers, Segment.tr, 0x58, TSS, 0, 0x67, 0x8b);
  setSegment(registers, Segment.ldtr, 0x50, LDT, 0, 0x3f, 0x82);
  if (mode === "long") {
    machine.setQuad(TSS + 4, BigInt(INNER_STACK));
  } else {
    machine.memory.setUint32(TSS + 4, INNER_STACK, true);
    machine.memory.setUint16(TSS + 8, Selector.data0, true);
  }
  const level = cpl << 5;
  if (mode === "real") {
    for (let segment: number = Segment.es; segment <= Segment.gs; segment++)
      setSegment(registers, segment, 0, 0, 0, 0xffff, segment === Segment.cs ? 0x9b : 0x93);
  } else {
    const long = mode === "long" && wide;
    const code = long
      ? cpl === 3
        ? Selector.code64Level3
        : Selector.code64
      : cpl === 3
        ? Selector.code3
        : Selector.code0;
    const data = cpl === 3 ? Selector.data3 : Selector.data0;
    setSegment(registers, Segment.cs, code, 0, 0, 0xffff_ffff, (long ? 0xa09b : 0xc09b) | level);
    for (const segment of [Segment.es, Segment.ss, Segment.ds, Segment.fs, Segment.gs])
      setSegment(registers, segment, data, 0, 0, 0xffff_ffff, 0xc093 | level);
  }
  words[(RegisterOffset.general + 32) >> 2] = OUTER_STACK;
  setInstructionPointer(registers, 0x5000, 0);
  return machine;
}

/** All registers as bytes, for tests that nothing changed or everything came back. */
export function snapshot(machine: FlatMachine): Uint8Array {
  return machine.registers.bytes.slice(0, RegisterOffset.tsc);
}

export function general(machine: FlatMachine, index: number): bigint {
  return machine.registers.get64(RegisterOffset.general + index * 8);
}

export const RSP = 4;

export function rip(machine: FlatMachine): bigint {
  return machine.registers.get64(RegisterOffset.rip);
}

export function flags(machine: FlatMachine): number {
  return machine.registers.words[RegisterOffset.rflags >> 2] as number;
}

export function selectorOf(machine: FlatMachine, segment: number): number {
  return machine.registers.halfwords[(RegisterOffset.segments + segment * 16 + 12) >> 1] as number;
}

/** The fault that an operation raised as `#GP(0x58)`, or what it answered otherwise. */
export function faultOf(machine: FlatMachine, abort: number): string {
  if (abort === Abort.none) return "none";
  if (abort === Abort.unsupported) return "unsupported";
  if (abort !== Abort.fault) return `abort ${abort}`;
  const { vector, errorCode } = machine.fault;
  const name = Object.entries(Vector).find(([, number]) => number === vector)?.[0] ?? String(vector);
  return errorCode === -1 ? `#${name}` : `#${name}(0x${errorCode.toString(16)})`;
}
