/** A machine for tests: 64 KiB of memory and a port log, with accesses that can be made to stop. */
import { Abort, GuestFault, RegisterFile, type SpanMachine } from "@whvkit/x86-semantics";

export class TestMachine implements SpanMachine {
  readonly registers: RegisterFile = new RegisterFile();
  readonly fault: GuestFault = new GuestFault();
  readonly data: Int32Array = new Int32Array(4);
  readonly memory: Uint8Array = new Uint8Array(0x1_0000);
  readonly log: string[] = [];
  portReads: number[] = [];
  /** The how-many-th access, port or memory, answers `Abort.host`. */
  stopAt: number = Number.POSITIVE_INFINITY;
  spanAddress = 0;
  spanElements = 0;

  #enter(text: string): number {
    this.log.push(text);
    return this.log.length > this.stopAt ? Abort.host : Abort.none;
  }

  load(_segment: number, low: number, _high: number, size: number): number {
    return this.loadPhysical(low, size);
  }

  store(_segment: number, low: number, _high: number, size: number, valueLow: number, valueHigh: number): number {
    return this.storePhysical(low, size, valueLow, valueHigh);
  }

  store128(): number {
    return Abort.unsupported;
  }

  probe(): number {
    return Abort.none;
  }

  in(port: number, size: number): number {
    const abort = this.#enter(`in ${size}@${port.toString(16)}`);
    if (abort !== Abort.none) return abort;
    const value = this.portReads.shift() ?? 0xffff_ffff;
    this.data[0] = size === 4 ? value : value & (size === 1 ? 0xff : 0xffff);
    this.data[1] = 0;
    return Abort.none;
  }

  out(port: number, size: number, value: number): number {
    const cut = size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff);
    return this.#enter(`out ${size}@${port.toString(16)}=${cut.toString(16)}`);
  }

  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }

  helper(): number {
    return Abort.unsupported;
  }

  span(_segment: number, low: number, _high: number, size: number, _intent: number, down: boolean): number {
    this.spanAddress = low;
    const offset = low & 0xfff;
    this.spanElements =
      offset + size > 4096 ? 0 : down ? Math.floor(offset / size) + 1 : Math.floor((4096 - offset) / size);
    return Abort.none;
  }

  loadPhysical(gpa: number, size: number): number {
    const abort = this.#enter(`read ${size}@${gpa.toString(16)}`);
    if (abort !== Abort.none) return abort;
    this.data.fill(0);
    new Uint8Array(this.data.buffer).set(this.memory.subarray(gpa, gpa + size));
    return Abort.none;
  }

  storePhysical(gpa: number, size: number, valueLow: number, valueHigh: number): number {
    const abort = this.#enter(`write ${size}@${gpa.toString(16)}`);
    if (abort !== Abort.none) return abort;
    const bytes = new Uint8Array(Int32Array.of(valueLow, valueHigh).buffer);
    this.memory.set(bytes.subarray(0, size), gpa);
    return Abort.none;
  }
}
