/**
 * What runs one vector of `tooling/oracle` on a machine and says in which ways the outcome is another than the processor's:
 * registers of all kinds, flags, memory, where execution goes on, the exception with its error code and address; and in which
 * order memory was accessed, as a device would see it. Who carries out the instruction, the caller says.
 */
import {
  CODE,
  CODE_OFFSET,
  DATA,
  digestOf,
  EDGE,
  EDGE_SIZE,
  type Encoding,
  FLAGS_MASK,
  STATE_SIZE,
  StateAt,
  type Vector,
  WINDOW,
  WINDOW_SIZE,
} from "../../../../tooling/oracle/src/vectors.js";
import { Abort, type Ir, RegisterOffset } from "../../src/index.ts";
import { ProcessMachine } from "./process-machine.ts";

const PAGE_FAULT = 14;
const RSP = 4;
/** Vectors of exceptions that push an error code. */
const WITH_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);

/** The process, which notes accesses: a device sees each of them. */
export class ObservedMachine extends ProcessMachine {
  /** Address and size, one after the other; stores are negative sizes. */
  readonly accesses: number[] = [];

  override load(segment: number, low: number, high: number, size: number, intent: number): number {
    const abort = super.load(segment, low, high, size, intent);
    if (abort === Abort.none) this.accesses.push(low >>> 0, size);
    return abort;
  }
  override store(segment: number, low: number, high: number, size: number, v: number, w: number, how: number): number {
    const abort = super.store(segment, low, high, size, v, w, how);
    if (abort === Abort.none) this.accesses.push(low >>> 0, -size);
    return abort;
  }
  override store128(segment: number, low: number, high: number, intent: number): number {
    const abort = super.store128(segment, low, high, intent);
    if (abort === Abort.none) this.accesses.push(low >>> 0, -16);
    return abort;
  }
}

/** Where parts of a state lie in the register file: offset in the state, offset there, bytes. */
const PARTS: readonly (readonly [number, number, number])[] = [
  [StateAt.registers, RegisterOffset.general, 128],
  [StateAt.flags, RegisterOffset.rflags, 8],
  [StateAt.masks, RegisterOffset.mask, 64],
  [StateAt.mxcsr, RegisterOffset.mxcsr, 4],
  [StateAt.x87Control, RegisterOffset.fpuControl, 2],
  [StateAt.x87Status, RegisterOffset.fpuStatus, 2],
  [StateAt.x87Tags, RegisterOffset.fpuTag, 1],
  [StateAt.x87, RegisterOffset.fpu, 128],
  [StateAt.vectors, RegisterOffset.vector, 2048],
];
const FS = RegisterOffset.segments + 16 * 4;
const GS = RegisterOffset.segments + 16 * 5;

/** What the comparison must know of an instruction. */
export interface About {
  /** It (or a helper) writes RIP; otherwise the caller moves it on. */
  readonly writesIp: boolean;
  /** It repeats a comparison. */
  readonly keepsFlags: boolean;
  /** A page fault names the place that other processors name too. */
  readonly namesPlace: boolean;
  /** It touches a byte once in each direction. */
  readonly observed: boolean;
}

/** Areas of processor state, of which Zen checks the last byte first and names it, and stores masked by bytes. */
const NAMES_OTHERS = /^(fx|x)(save|rstor)|^v?maskmov(q|dqu)$/;

/** What {@link VectorBench.run} must know, from the instruction's meaning. */
export function aboutInstruction(ir: Ir, mnemonic: string): About {
  const kind = ir.string?.kind ?? null;
  return {
    writesIp: ir.writesIp,
    keepsFlags: kind === "cmps" || kind === "scas",
    namesPlace: !NAMES_OTHERS.test(mnemonic),
    // Elements of strings may overlap those before them, and the frames that ENTER copies the new one.
    observed: kind === null && mnemonic !== "enter",
  };
}

export class VectorBench {
  readonly machine: ObservedMachine;
  readonly #after = new Int32Array(STATE_SIZE / 4);
  readonly #afterBytes = new Uint8Array(this.#after.buffer);
  /** Views of the machine's registers and memory, and where they come from in a state. */
  readonly #views: readonly (readonly [Uint8Array, number])[];
  #mode = 0;

  constructor(machine: ObservedMachine) {
    this.machine = machine;
    const { bytes } = machine.registers;
    this.#views = [
      ...PARTS.map(([at, offset, size]) => [bytes.subarray(offset, offset + size), at] as const),
      [machine.memory.subarray(WINDOW - DATA, WINDOW - DATA + WINDOW_SIZE), StateAt.window],
      [machine.memory.subarray(EDGE - DATA, EDGE - DATA + EDGE_SIZE), StateAt.edge],
    ];
  }

  /** Address of the instruction, as an offset in its code segment. */
  static ipOf({ mode }: Encoding): number {
    return (mode === 16 ? 0 : CODE) + CODE_OFFSET;
  }

  /** Puts the machine into the state before the vector's instruction. */
  #load({ encoding, state }: Vector): void {
    const { machine } = this;
    if (this.#mode !== encoding.mode) machine.enter(encoding.mode);
    this.#mode = encoding.mode;
    // What earlier instructions wrote outside the two pieces of memory.
    const { accesses } = machine;
    for (let i = 0; i < accesses.length; i += 2) {
      const at = (accesses[i] as number) - DATA;
      const size = accesses[i + 1] as number;
      if (size < 0) machine.memory.fill(0, at, at - size);
    }
    accesses.length = 0;
    for (const [view, at] of this.#views) view.set(state.bytes.subarray(at, at + view.length));
    const { words } = machine.registers;
    words[RegisterOffset.rip >> 2] = VectorBench.ipOf(encoding);
    words[(RegisterOffset.rip >> 2) + 1] = 0;
    if (encoding.mode === 64) {
      for (let i = 0; i < 2; i++) {
        words[(FS >> 2) + i] = state.words[(StateAt.bases >> 2) + i] as number;
        words[(GS >> 2) + i] = state.words[(StateAt.bases >> 2) + 2 + i] as number;
      }
    }
    // The x87's last instruction and operand, which no vector sets.
    words.fill(0, RegisterOffset.fpuOpcode >> 2, RegisterOffset.fpu >> 2);
    machine.registers.bytes[RegisterOffset.fpuTag] = state.bytes[StateAt.x87Tags] as number;
    machine.fault.vector = -1;
    machine.fault.errorCode = -1;
  }

  /**
   * Runs a vector; answers what differs, in words, or null when nothing does.
   *
   * @param about - {@link aboutInstruction}
   * @param execute - carries out the instruction on the machine; answers an `Abort`
   */
  run(vector: Vector, about: About, execute: () => number): string | null {
    const { encoding, outcome, state } = vector;
    const { machine } = this;
    this.#load(vector);
    const abort = execute();
    if (abort !== Abort.none && abort !== Abort.fault) return `abort ${abort}`;
    const found: string[] = [];
    const { registers, fault } = machine;
    const compare = (what: string, got: number | bigint | null, want: number | bigint | null): void => {
      const hex = (value: number | bigint | null): string => (value === null ? "none" : value.toString(16));
      if (got !== want) found.push(`${what} is ${hex(got)}, the processor has ${hex(want)}`);
    };
    const faulted = abort === Abort.fault;
    if (faulted !== (outcome.vector !== null) || (faulted && fault.vector !== outcome.vector)) {
      compare("exception", faulted ? fault.vector : null, outcome.vector);
    } else if (faulted) {
      if (fault.vector !== PAGE_FAULT || about.namesPlace)
        compare("error code", WITH_ERROR_CODE.has(fault.vector) ? fault.errorCode : 0, outcome.errorCode);
      if (fault.vector === PAGE_FAULT && about.namesPlace)
        compare("CR2", (BigInt(fault.cr2High >>> 0) << 32n) | BigInt(fault.cr2Low >>> 0), outcome.cr2);
    } else {
      const ip = VectorBench.ipOf(encoding) + encoding.code.length;
      const low = about.writesIp ? (registers.words[RegisterOffset.rip >> 2] as number) >>> 0 : ip;
      const high = about.writesIp ? (registers.words[(RegisterOffset.rip >> 2) + 1] as number) >>> 0 : 0;
      if (high !== 0 || outcome.ipStep !== BigInt(low - ip))
        compare("rip", (BigInt(high) << 32n) | BigInt(low), BigInt.asUintN(64, BigInt(ip) + outcome.ipStep));
    }
    this.#compareState(vector, faulted && about.keepsFlags, found);
    if (about.observed) observe(machine.accesses, found);
    return found.length === 0
      ? null
      : `${found.slice(0, 8).join("; ")} (flags before: ${state.words[StateAt.flags >> 2]?.toString(16)})`;
  }

  /** Compares all of the state; what the outcome has as a digest, by the digest. */
  #compareState({ encoding, state, outcome }: Vector, keepsFlags: boolean, found: string[]): void {
    const after = this.#after;
    after.set(state.words);
    for (const [view, at] of this.#views) this.#afterBytes.set(view, at);
    const { words } = this.machine.registers;
    if (encoding.mode === 64) {
      for (let i = 0; i < 2; i++) {
        after[(StateAt.bases >> 2) + i] = words[(FS >> 2) + i] as number;
        after[(StateAt.bases >> 2) + 2 + i] = words[(GS >> 2) + i] as number;
      }
    }
    const want = new Int32Array(outcome.state.buffer);
    const flags = StateAt.flags >> 2;
    // REPE CMPS and SCAS that fault leave the flags of the last comparison on Zen. Here they are those from before, as
    // Intel documents it (SDM volume 2, REP): the instruction runs again either way.
    const wantedFlags = (keepsFlags ? state.words[flags] : want[flags]) as number;
    if ((((after[flags] as number) ^ wantedFlags) & FLAGS_MASK) !== 0)
      found.push(
        `flags are ${((after[flags] as number) & FLAGS_MASK).toString(16)}, the processor has ${(wantedFlags & FLAGS_MASK).toString(16)}`,
      );
    after[flags] = want[flags] as number;
    after[flags + 1] = want[flags + 1] as number;
    // The kernel does not bring back the upper half of ESP from a 16-bit stack.
    if (encoding.mode === 16) this.#afterBytes.set(outcome.state.subarray(8 * RSP + 2, 8 * RSP + 8), 8 * RSP + 2);
    const wideFrom = StateAt.x87 >> 2;
    const wideTo = StateAt.bases >> 2;
    const isDigest = outcome.digest !== null;
    if (isDigest && digestOf(state.words, after) !== outcome.digest)
      found.push("wide registers or memory differ from the processor's");
    for (let i = 0; i < after.length; i++) {
      if (after[i] === want[i] || (isDigest && i >= wideFrom && i < wideTo)) continue;
      found.push(
        `${placeName(4 * i)} is ${((after[i] as number) >>> 0).toString(16)}, the processor has ${((want[i] as number) >>> 0).toString(16)}`,
      );
    }
  }
}

/** Which part of a state an offset is in. */
function placeName(offset: number): string {
  const part = Object.entries(StateAt)
    .filter(([, at]) => at <= offset)
    .sort(([, a], [, b]) => b - a)[0] as [string, number];
  return `${part[0]} + ${(offset - part[1]).toString(16)}`;
}

/** A byte is read at most once and written at most once, read before it is written, and pieces of an operand go upwards. */
function observe(accesses: readonly number[], found: string[]): void {
  if (accesses.length <= 2) return;
  for (let i = 0; i < accesses.length; i += 2) {
    const at = accesses[i] as number;
    const size = accesses[i + 1] as number;
    for (let j = 0; j < i; j += 2) {
      const before = accesses[j] as number;
      const sizeBefore = accesses[j + 1] as number;
      if (at >= before + Math.abs(sizeBefore) || before >= at + Math.abs(size)) continue;
      if (size > 0 === sizeBefore > 0) found.push(`${at.toString(16)} is ${size > 0 ? "read" : "written"} twice`);
      else if (size > 0) found.push(`${at.toString(16)} is written before it is read`);
    }
  }
}
