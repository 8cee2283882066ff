/**
 * The whole outside world of an instruction, as the evaluator, the REP driver and the system operations see it.
 * `emulator-core` implements it over the five callbacks, `sim-backend` over guest memory and paging.
 *
 * The contract of every method: it answers {@link Abort.none} or why the instruction cannot go on. A method that
 * answers anything else has changed nothing that the guest can see, except where its text says otherwise, and has
 * recorded the details itself (a fault's vector, error code and CR2 in {@link Machine.fault}). Statuses are plain
 * numbers because a thrown error costs a thousand times as much.
 */
import type { RegisterFile } from "./register-file.ts";

/** Why an instruction stopped before its end. @public */
export const Abort = {
  none: 0,
  /** The guest takes the exception in `machine.fault`. */
  fault: 1,
  /** The access belongs to the host (simulator: an exit is due); nothing was changed, the instruction runs again. */
  exit: 2,
  /** The host failed (a callback did not answer S_OK); the machine has recorded what. */
  host: 3,
  /** The machine cannot do this operation (a helper that five callbacks do not reach); it has recorded what. */
  unsupported: 4,
} as const;
/** A value of {@link Abort}: what every method of a machine and every evaluation answers. @public */
export type Abort = (typeof Abort)[keyof typeof Abort];

/** What an access is for: decides permissions, error code bits and translate flags. Bits may be combined. @public */
export const Intent = {
  read: 1,
  write: 2,
  /** The load of a read-modify-write: write permission is asked for before the read. */
  modify: 3,
  execute: 4,
  /** Implicit supervisor access (descriptor tables, TSS, interrupt stack): CPL does not count. */
  system: 8,
  /** The instruction has a LOCK prefix or is XCHG with memory. */
  locked: 16,
} as const;

/** Exception vectors (Intel SDM volume 3, table 6-1). @public */
export const Vector = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
  CP: 21,
} as const;
/** A value of {@link Vector}: an exception vector. @public */
export type Vector = (typeof Vector)[keyof typeof Vector];

/**
 * The exception that a guest is about to take. Reused; filled by {@link Machine.raise} or by an access that faults.
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, GuestFault, Vector } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0));
 * machine.raise(Vector.GP, 0) === Abort.fault; // true
 * const fault: GuestFault = machine.fault;
 * fault.vector; // 13
 * fault.errorCode; // 0
 * ```
 *
 * @public
 */
export class GuestFault {
  /** Exception vector, 0 to 31; see {@link Vector}. */
  vector = 0;
  /** Error code, or -1 where the vector pushes none. */
  errorCode = -1;
  /** Faulting linear address, only for #PF. */
  cr2Low = 0;
  /** Bits 63..32 of that address. */
  cr2High = 0;
}

/**
 * The whole world outside an instruction: registers, memory, ports, exceptions, and named operations. Every method
 * answers {@link Abort.none} or why the instruction cannot go on, and then has changed nothing that the guest can see,
 * except where its text says otherwise.
 *
 * @public
 */
export interface Machine {
  /** All registers. */
  readonly registers: RegisterFile;
  /** Filled when a method answers {@link Abort.fault}. */
  readonly fault: GuestFault;
  /**
   * Result of `load`, `in` and helpers, little endian, low word first; up to 16 bytes. A load shorter than 4 bytes
   * is zero-extended into word 0; a load of 4 or fewer bytes leaves word 1 zero.
   */
  readonly data: Int32Array;

  /**
   * Reads `size` bytes (1, 2, 4, 8 or 16) at a linear address that was formed with `segment`; the result is in `data`. The machine
   * checks segment limit and rights, canonical form, splits at a page boundary (both translations before any side
   * effect, low part first) and performs the accesses.
   */
  load(segment: number, linearLow: number, linearHigh: number, size: number, intent: number): number;
  /** Writes `size` bytes (1, 2, 4, 8): value in two halves. Same checks as `load`. */
  store(
    segment: number,
    linearLow: number,
    linearHigh: number,
    size: number,
    valueLow: number,
    valueHigh: number,
    intent: number,
  ): number;
  /** Writes the 16 bytes in `data`. */
  store128(segment: number, linearLow: number, linearHigh: number, intent: number): number;
  /** Does all checks of an access of `size` bytes (any size up to 4096) without performing it; an exit or fault is answered as the access itself would. */
  probe(segment: number, linearLow: number, linearHigh: number, size: number, intent: number): number;

  /** Port input of 1, 2 or 4 bytes; zero-extended result in `data[0]`. Checks the right to the port where that is the machine's to check. */
  in(port: number, size: number): number;
  /** Port output. */
  out(port: number, size: number, value: number): number;

  /** Records an exception in `fault` and answers {@link Abort.fault}. `errorCode` -1: none. */
  raise(vector: number, errorCode: number): number;
  /**
   * A named operation that is not data flow (`Helper` in `helper.ts`): arguments are 64-bit values in halves, results
   * go to `data`. Register effects are the helper's own; its table entry says which.
   */
  helper(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number;
}

/**
 * What the REP driver may ask beyond {@link Machine}: whole runs of elements inside one page, already translated, so
 * that each element costs one physical access. A machine without it still runs every REP, element by element.
 *
 * @public
 */
export interface SpanMachine extends Machine {
  /**
   * Translates the page of one element with all checks, and answers in `spanAddress` its guest-physical address and in
   * `spanElements` how many elements of `size` bytes, this one included and going down when `down`, lie wholly in
   * that page and inside the segment limit (0: this element straddles a boundary; use `load`/`store`).
   */
  span(segment: number, linearLow: number, linearHigh: number, size: number, intent: number, down: boolean): number;
  /** Guest-physical address of the element, after {@link SpanMachine.span}. */
  spanAddress: number;
  /** How many elements lie in the span, after {@link SpanMachine.span}. */
  spanElements: number;
  /** Reads `size` bytes (1, 2, 4, 8) at a guest-physical address inside a span; result in `data`. */
  loadPhysical(gpa: number, size: number): number;
  /** Writes `size` bytes (1, 2, 4, 8) at a guest-physical address inside a span. */
  storePhysical(gpa: number, size: number, valueLow: number, valueHigh: number): number;
}

/**
 * What the REP driver may ask of a machine that moves many elements at once: part of a span, upwards, in the order of its
 * elements and with the sizes of its elements. Each method puts into `bulkElements` how many elements it finished, and
 * answers {@link Abort.none} or what stopped the next one. 0 elements and `Abort.none` mean that this run cannot be done at
 * once (device memory that wants single accesses); the driver then goes element by element. Source and target of
 * `moveSpan` do not overlap in a way that the order of elements would show.
 *
 * @public
 */
export interface BulkMachine extends SpanMachine {
  /** How many elements the last of the methods below finished. */
  readonly bulkElements: number;
  /**
   * Guest-physical address of what is read. It and {@link BulkMachine.bulkTarget} are fields because a double that is passed on
   * may be allocated.
   */
  bulkSource: number;
  /** Guest-physical address of what is written. */
  bulkTarget: number;
  /** Writes `count` elements of one value at `bulkTarget`. */
  fillSpan(size: number, count: number, valueLow: number, valueHigh: number): number;
  /** Copies `count` elements from `bulkSource` to `bulkTarget`. */
  moveSpan(size: number, count: number): number;
  /** Reads `count` elements from a port into memory at `bulkTarget`. */
  inSpan(port: number, size: number, count: number): number;
  /** Writes `count` elements of memory at `bulkSource` to a port. */
  outSpan(port: number, size: number, count: number): number;
}
