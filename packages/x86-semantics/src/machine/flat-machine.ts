/**
 * The smallest world that an instruction can run in: linear addresses are indices of one array, ports are two functions,
 * and nothing is protected. For tools and tests, and as the model for a machine of one's own.
 */
import { Abort, GuestFault, Intent, type SpanMachine, Vector } from "./machine.ts";
import { RegisterFile, RegisterOffset, Segment } from "./register-file.ts";

const PAGE = 4096;
/** Data, read and write, accessed, DPL 0, present, 32-bit; granularity as a limit of 4 GiB has it. */
const FLAT_DATA_ATTRIBUTES = 0xc093;

/** What a {@link FlatMachine} does with ports. @public */
export interface FlatMachinePorts {
  /** IN of `size` bytes (1, 2 or 4); more bits than fit are cut. All ones when left out. */
  readonly read?: (port: number, size: number) => number;
  /** OUT; `value` is unsigned. Lost when left out. */
  readonly write?: (port: number, size: number, value: number) => void;
}

/**
 * A machine of flat memory: the linear address is the index in `memory`, whatever the segment, which starts out with base
 * 0 and a limit of 4 GiB. An access outside `memory` is a page fault (#PF with CR2 in `fault`). Page tables, privilege and
 * segment limits are not looked at, and operations that are no data flow (segment loads, CPUID, interrupts …) answer
 * `Abort.unsupported`.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Abort, Evaluator, FlatMachine, programFor, RegisterOffset, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x1000));
 * machine.registers.set64(RegisterOffset.general + 8 * 7, 0x2000n); // RDI, beyond the memory
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction); // mov eax, [rdi]
 * new Evaluator(machine).evaluate(programFor(instruction)) === Abort.fault; // true
 * machine.fault.vector === Vector.PF; // true
 * machine.fault.cr2Low; // 0x2000
 * ```
 *
 * @public
 */
export class FlatMachine implements SpanMachine {
  /** The registers; all 0 at first, but for the segments. */
  readonly registers: RegisterFile = new RegisterFile();
  /** Filled when something answers `Abort.fault`. */
  readonly fault: GuestFault = new GuestFault();
  /** Results of `load` and `in`, and what `store128` writes; see {@link Machine.data}. */
  readonly data: Int32Array = new Int32Array(4);
  /** The memory, as it was handed in. */
  readonly memory: Uint8Array;
  /** See {@link SpanMachine.span}. */
  spanAddress = 0;
  /** See {@link SpanMachine.span}. */
  spanElements = 0;
  readonly #ports: FlatMachinePorts;
  readonly #dataBytes: Uint8Array = new Uint8Array(this.data.buffer);

  /**
   * @param memory - bytes 0 and up of the linear address space; at most 4 GiB
   * @param ports - what IN and OUT do
   */
  constructor(memory: Uint8Array, ports: FlatMachinePorts = {}) {
    this.memory = memory;
    this.#ports = ports;
    const view = new DataView(this.registers.bytes.buffer);
    for (let segment: number = Segment.es; segment <= Segment.gs; segment++) {
      const at = RegisterOffset.segments + 16 * segment;
      view.setUint32(at + 8, 0xffff_ffff, true);
      view.setUint16(at + 14, FLAT_DATA_ATTRIBUTES, true);
    }
  }

  /** See {@link Machine.load}. */
  load(_segment: number, low: number, high: number, size: number, intent: number): number {
    return this.#check(low, high, size, intent) || this.loadPhysical(low >>> 0, size);
  }

  /** See {@link Machine.store}. */
  store(
    _segment: number,
    low: number,
    high: number,
    size: number,
    valueLow: number,
    valueHigh: number,
    intent: number,
  ): number {
    return (
      this.#check(low, high, size, intent | Intent.write) || this.storePhysical(low >>> 0, size, valueLow, valueHigh)
    );
  }

  /** See {@link Machine.store128}. */
  store128(_segment: number, low: number, high: number, intent: number): number {
    const abort = this.#check(low, high, 16, intent | Intent.write);
    if (abort === Abort.none) this.memory.set(this.#dataBytes, low >>> 0);
    return abort;
  }

  /** See {@link Machine.probe}. */
  probe(_segment: number, low: number, high: number, size: number, intent: number): number {
    return this.#check(low, high, size, intent);
  }

  /** IN, by the function for ports. */
  in(port: number, size: number): number {
    const value = this.#ports.read?.(port, size) ?? -1;
    this.data[0] = size === 4 ? value : value & (size === 1 ? 0xff : 0xffff);
    this.data[1] = 0;
    return Abort.none;
  }

  /** OUT, by the function for ports. */
  out(port: number, size: number, value: number): number {
    this.#ports.write?.(port, size, size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff));
    return Abort.none;
  }

  /** See {@link Machine.raise}. */
  raise(vector: number, errorCode: number): number {
    this.fault.vector = vector;
    this.fault.errorCode = errorCode;
    return Abort.fault;
  }

  /** There is nothing here that a named operation could act on. */
  helper(): number {
    return Abort.unsupported;
  }

  /** See {@link SpanMachine.span}; a guest-physical address is the linear one. */
  span(_segment: number, low: number, high: number, size: number, intent: number, down: boolean): number {
    const abort = this.#check(low, high, size, intent);
    if (abort !== Abort.none) return abort;
    this.spanAddress = low >>> 0;
    const inPage = this.spanAddress % PAGE;
    if (inPage + size > PAGE) this.spanElements = 0;
    else if (down) this.spanElements = Math.floor(inPage / size) + 1;
    else this.spanElements = Math.floor(Math.min(PAGE - inPage, this.memory.length - this.spanAddress) / size);
    return Abort.none;
  }

  /** See {@link SpanMachine.loadPhysical}. */
  loadPhysical(gpa: number, size: number): number {
    const { data, memory } = this;
    data.fill(0);
    for (let i = 0; i < size; i++) this.#dataBytes[i] = memory[gpa + i] as number;
    return Abort.none;
  }

  /** Its counterpart. */
  storePhysical(gpa: number, size: number, valueLow: number, valueHigh: number): number {
    const { memory } = this;
    for (let i = 0; i < size; i++)
      memory[gpa + i] = (i < 4 ? valueLow >>> (8 * i) : valueHigh >>> (8 * (i - 4))) & 0xff;
    return Abort.none;
  }

  #check(low: number, high: number, size: number, intent: number): number {
    if (high === 0 && (low >>> 0) + size <= this.memory.length) return Abort.none;
    this.fault.cr2Low = low | 0;
    this.fault.cr2High = high | 0;
    return this.raise(Vector.PF, (intent & Intent.write) !== 0 ? 2 : 0); // bit 1: the access was a write
  }
}
