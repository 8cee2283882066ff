/**
 * A small host for tests: RAM, a device register block, a port space and registers behind the five callbacks, with every
 * call written down and any one of them made to fail. Nothing of the emulator is used here.
 */
import {
  type EmulatorCallbacks,
  type EmulatorIoAccess,
  type EmulatorMemoryAccess,
  type EmulatorTranslation,
  type RegisterValues,
  S_OK,
  shortRegisterName,
  WHV_REGISTER_NAME,
} from "@whvkit/whv-types";

export type Words = readonly [number, number, number, number];

/** One call, as the test compares it. */
export interface Call {
  readonly callback: keyof EmulatorCallbacks;
  readonly text: string;
}

export interface Failing {
  readonly callback: keyof EmulatorCallbacks;
  /** The how-many-th call of that callback fails, from 0. */
  readonly at: number;
  /** What it answers; E_FAIL when left out. */
  readonly hresult?: unknown;
  readonly thrown?: unknown;
}

export interface PageAnswer {
  readonly result?: number;
  readonly gpa?: number;
}

const NAME = WHV_REGISTER_NAME;

/** Data of every present flat segment: base 0, limit 4 GiB - 1, writable data, or code where asked for. */
export function flatSegment(attributes = 0xc093, base = 0n, limit = 0xffff_ffff, selector = 0x10): Words {
  return [Number(base & 0xffff_ffffn), Number(base >> 32n), limit, ((attributes << 16) | selector) >>> 0];
}

export class TestHost {
  readonly registers: Map<number, Words> = new Map();
  /** RAM by guest-physical address; what is not in it is device memory. */
  readonly ram: Map<number, number> = new Map();
  /** Answers of device reads, byte by byte; then 0xff. */
  deviceReads: number[] = [];
  /** Bytes that device writes left, by address. */
  readonly deviceWrites: Map<number, number> = new Map();
  /** Answers of port reads; then all ones. */
  portReads: number[] = [];
  /** Translations by guest-virtual page; what is not in it is identity (cut to 52 bits). */
  readonly pages: Map<bigint, PageAnswer> = new Map();
  readonly calls: Call[] = [];
  failing: Failing | null = null;
  /** Called inside every callback. */
  inside: ((callback: keyof EmulatorCallbacks) => void) | null = null;
  /** What the set callback carried; null until it is called. */
  set: Map<string, bigint> | null = null;

  constructor() {
    for (const name of [
      NAME.WHvX64RegisterEs,
      NAME.WHvX64RegisterSs,
      NAME.WHvX64RegisterDs,
      NAME.WHvX64RegisterFs,
      NAME.WHvX64RegisterGs,
    ])
      this.registers.set(name, flatSegment());
  }

  /** Sets a 64-bit register. */
  put(name: number, value: bigint): this {
    const bits = BigInt.asUintN(64, value);
    this.registers.set(name, [Number(bits & 0xffff_ffffn), Number(bits >> 32n), 0, 0]);
    return this;
  }

  /** The 64-bit register as it is now. */
  get(name: number): bigint {
    const [low, high] = this.registers.get(name) ?? [0, 0];
    return (BigInt(high) << 32n) | BigInt(low);
  }

  putBytes(gpa: number, ...bytes: number[]): this {
    for (const [i, byte] of bytes.entries()) this.ram.set(gpa + i, byte);
    return this;
  }

  bytesAt(gpa: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.ram.get(gpa + i) ?? -1);
  }

  count(callback: keyof EmulatorCallbacks): number {
    return this.calls.filter((call) => call.callback === callback).length;
  }

  /** The texts of the calls of some callbacks, in order. */
  texts(...callbacks: (keyof EmulatorCallbacks)[]): string[] {
    return this.calls
      .filter(({ callback }) => callbacks.length === 0 || callbacks.includes(callback))
      .map(({ text }) => text);
  }

  #enter(callback: keyof EmulatorCallbacks, text: string): number {
    const index = this.count(callback);
    this.calls.push({ callback, text });
    this.inside?.(callback);
    if (this.failing?.callback !== callback || this.failing.at !== index) return S_OK;
    if ("thrown" in this.failing) throw this.failing.thrown;
    return "hresult" in this.failing ? (this.failing.hresult as number) : 0x8000_4005;
  }

  memory(access: EmulatorMemoryAccess): number {
    const { gpaAddress, accessSize, direction, data } = access;
    const written = direction === 1 ? `=${hex(access.value)}` : "";
    const hresult = this.#enter(
      "memory",
      `${direction === 0 ? "read" : "write"} ${accessSize}@${gpaAddress.toString(16)}${written}`,
    );
    if (hresult !== S_OK) return hresult;
    if ((gpaAddress % 4096) + accessSize > 4096) throw new Error("an access crosses a page");
    for (let i = 0; i < accessSize; i++) {
      const at = gpaAddress + i;
      const ram = this.ram.get(at);
      if (direction === 0) data[i] = ram ?? this.deviceReads.shift() ?? 0xff;
      else (ram === undefined ? this.deviceWrites : this.ram).set(at, data[i] as number);
    }
    return S_OK;
  }

  ioPort(access: EmulatorIoAccess): number {
    const { port, accessSize, direction, data } = access;
    const written = direction === 1 ? `=${hex(data)}` : "";
    const hresult = this.#enter(
      "ioPort",
      `${direction === 0 ? "in" : "out"} ${accessSize}@${port.toString(16)}${written}`,
    );
    if (hresult !== S_OK) return hresult;
    if (direction === 0) access.data = this.portReads.shift() ?? 0xffff_ffff;
    return S_OK;
  }

  getRegisters(names: Uint32Array, count: number, values: RegisterValues): number {
    const list = Array.from(names.subarray(0, count));
    const hresult = this.#enter("getVirtualProcessorRegisters", `get ${list.map(shortRegisterName).join(" ")}`);
    if (hresult !== S_OK) return hresult;
    for (const [i, name] of list.entries()) values.words.set(this.registers.get(name) ?? [0, 0, 0, 0], i * 4);
    return S_OK;
  }

  setRegisters(names: Uint32Array, count: number, values: RegisterValues): number {
    const list = Array.from(names.subarray(0, count));
    const hresult = this.#enter("setVirtualProcessorRegisters", `set ${list.map(shortRegisterName).join(" ")}`);
    if (hresult !== S_OK) return hresult;
    this.set = new Map();
    for (const [i, name] of list.entries()) {
      this.set.set(shortRegisterName(name), values.get128(i));
      this.registers.set(name, Array.from(values.words.subarray(i * 4, i * 4 + 4)) as unknown as Words);
    }
    return S_OK;
  }

  translate(translation: EmulatorTranslation): number {
    const { gvaPage, flags } = translation;
    const hresult = this.#enter("translateGvaPage", `translate ${hex(gvaPage)} flags ${flags.toString(16)}`);
    if (hresult !== S_OK) return hresult;
    const answer = this.pages.get(gvaPage);
    translation.resultCode = answer?.result ?? 0;
    translation.gpaPage = answer?.gpa ?? Number(gvaPage & 0xf_ffff_ffff_ffffn);
    return S_OK;
  }
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** The callbacks for an emulator whose context is a {@link TestHost}. */
export const hostCallbacks: EmulatorCallbacks<TestHost> = {
  ioPort: (host, access) => host.ioPort(access),
  memory: (host, access) => host.memory(access),
  getVirtualProcessorRegisters: (host, names, count, values) => host.getRegisters(names, count, values),
  setVirtualProcessorRegisters: (host, names, count, values) => host.setRegisters(names, count, values),
  translateGvaPage: (host, translation) => host.translate(translation),
};
