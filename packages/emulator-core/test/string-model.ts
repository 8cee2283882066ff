/**
 * What string instructions do, element by element, written from the manuals (Intel SDM volume 1, 7.3.9; volume 2, REP, MOVS,
 * CMPS, STOS, SCAS, LODS, INS, OUTS) without anything of the emulator: the accesses in order, registers and flags after, at
 * whatever point the instruction ends.
 */

export type StringKind = "movs" | "cmps" | "stos" | "scas" | "lods" | "ins" | "outs";

export interface StringCase {
  readonly kind: StringKind;
  /** Bytes of an element. */
  readonly size: 1 | 2 | 4 | 8;
  readonly repeat: "none" | "rep" | "repne";
  /** Bits of an address. */
  readonly addressSize: 16 | 32 | 64;
  readonly rax: bigint;
  readonly rcx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly port: number;
  readonly rflags: bigint;
}

/** What ends a run before its time. */
export interface Interruption {
  /** `maxRepIterations`; a set TF flag is a cap of 1. */
  readonly cap: number;
  /** `shouldYield` says yes once so many memory and port calls have been made. */
  readonly yieldAfter: number;
  /** The memory or port call with this number, from 0, fails. */
  readonly failsAt: number;
  /** A page that is not present. */
  readonly missingPage: number | null;
}

/** The outside world of the model. */
export interface StringWorld {
  readonly memory: Map<number, number>;
  readonly portReads: bigint[];
}

export interface StringOutcome {
  readonly end: "finished" | "continues" | "failed" | "faulted";
  /** Which callback failed. */
  readonly failed: "memory" | "ioPort" | null;
  readonly completed: number;
  /** Accesses as the test host writes them. */
  readonly accesses: readonly string[];
  readonly rax: bigint;
  readonly rcx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly rflags: bigint;
  /** CR2 and error code of the page fault. */
  readonly fault: { readonly address: bigint; readonly write: boolean } | null;
}

const PAGE = 4096;
const STATUS = { CF: 1n, PF: 4n, AF: 0x10n, ZF: 0x40n, SF: 0x80n, OF: 0x800n } as const;
const ALL_STATUS = 0x8d5n;
const DF = 0x400n;
const TF = 0x100n;

const READS_SOURCE: ReadonlySet<StringKind> = new Set(["movs", "cmps", "lods", "outs"]);
const READS_DESTINATION: ReadonlySet<StringKind> = new Set(["cmps", "scas"]);
const WRITES_DESTINATION: ReadonlySet<StringKind> = new Set(["movs", "stos", "ins"]);

/** Ends the run inside an element. */
class Stop extends Error {
  readonly callback: "memory" | "ioPort" | null;
  readonly fault: StringOutcome["fault"];
  constructor(callback: Stop["callback"], fault: Stop["fault"]) {
    super("stop");
    this.callback = callback;
    this.fault = fault;
  }
}

export function runStrings(one: StringCase, until: Interruption, world: StringWorld): StringOutcome {
  const state = { rax: one.rax, rcx: one.rcx, rsi: one.rsi, rdi: one.rdi, rflags: one.rflags };
  const accesses: string[] = [];
  const cap = (one.rflags & TF) !== 0n ? 1 : until.cap;
  let completed = 0;
  const outcome = (end: StringOutcome["end"], stop?: Stop): StringOutcome => ({
    end,
    failed: stop?.callback ?? null,
    fault: stop?.fault ?? null,
    completed,
    accesses,
    ...state,
    rflags: stop === undefined ? state.rflags : one.rflags,
  });
  for (;;) {
    if (one.repeat !== "none" && cut(state.rcx, one.addressSize) === 0n) return outcome("finished");
    if (completed >= cap || (completed > 0 && accesses.length >= until.yieldAfter)) return outcome("continues");
    try {
      element(one, state, accesses, until, world);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return outcome(error.fault === null ? "failed" : "faulted", error);
    }
    completed++;
    if (one.repeat === "none") return outcome("finished");
    state.rcx = replaced(state.rcx, cut(state.rcx, one.addressSize) - 1n, one.addressSize);
    const zero = (state.rflags & STATUS.ZF) !== 0n;
    const compares = one.kind === "cmps" || one.kind === "scas";
    if (compares && zero === (one.repeat === "repne")) return outcome("finished");
  }
}

type State =
  Pick<StringOutcome, "rax" | "rcx" | "rsi" | "rdi" | "rflags"> extends infer T
    ? { -readonly [K in keyof T]: T[K] }
    : never;

function element(one: StringCase, state: State, accesses: string[], until: Interruption, world: StringWorld): void {
  const { kind, size, addressSize } = one;
  const source = Number(cut(state.rsi, addressSize));
  const destination = Number(cut(state.rdi, addressSize));
  // Nothing is touched when any page of the element is missing.
  if (READS_SOURCE.has(kind)) present(source, size, false, until);
  if (READS_DESTINATION.has(kind)) present(destination, size, false, until);
  if (WRITES_DESTINATION.has(kind)) present(destination, size, true, until);
  const call = (callback: "memory" | "ioPort", text: string): void => {
    const number = accesses.length;
    accesses.push(text);
    if (number === until.failsAt) throw new Stop(callback, null);
  };
  const read = (address: number): bigint => {
    let value = 0n;
    for (const { at, length, from } of parts(address, size)) {
      call("memory", `read ${length}@${at.toString(16)}`);
      for (let i = 0; i < length; i++) value |= BigInt(world.memory.get(at + i) as number) << BigInt(8 * (from + i));
    }
    return value;
  };
  const write = (address: number, value: bigint): void => {
    for (const { at, length, from } of parts(address, size)) {
      const part = BigInt.asUintN(8 * length, value >> BigInt(8 * from));
      call("memory", `write ${length}@${at.toString(16)}=0x${part.toString(16)}`);
      for (let i = 0; i < length; i++) world.memory.set(at + i, Number((part >> BigInt(8 * i)) & 0xffn));
    }
  };
  const accumulator = BigInt.asUintN(8 * size, state.rax);
  switch (kind) {
    case "movs":
      write(destination, read(source));
      break;
    case "stos":
      write(destination, accumulator);
      break;
    case "lods":
      state.rax = replaced(state.rax, read(source), (8 * size) as 8 | 16 | 32 | 64);
      break;
    case "ins": {
      call("ioPort", `in ${size}@${one.port.toString(16)}`);
      const value = BigInt.asUintN(8 * size, world.portReads.shift() ?? 0xffff_ffffn);
      write(destination, value);
      break;
    }
    case "outs": {
      const value = read(source);
      call("ioPort", `out ${size}@${one.port.toString(16)}=0x${value.toString(16)}`);
      break;
    }
    case "cmps": {
      // The source comes first, as CR2 shows when both pages are missing (measured on Zen 5).
      const first = read(source);
      state.rflags = compared(state.rflags, first, read(destination), 8 * size);
      break;
    }
    case "scas":
      state.rflags = compared(state.rflags, accumulator, read(destination), 8 * size);
      break;
  }
  const step = (one.rflags & DF) !== 0n ? -BigInt(size) : BigInt(size);
  if (READS_SOURCE.has(kind)) state.rsi = replaced(state.rsi, state.rsi + step, addressSize);
  if (kind !== "lods" && kind !== "outs") state.rdi = replaced(state.rdi, state.rdi + step, addressSize);
}

/** The pieces of an access: one, or two where it crosses a page. */
function parts(address: number, size: number): { at: number; length: number; from: number }[] {
  const left = PAGE - (address % PAGE);
  if (left >= size) return [{ at: address, length: size, from: 0 }];
  return [
    { at: address, length: left, from: 0 },
    { at: address + left, length: size - left, from: left },
  ];
}

function present(address: number, size: number, write: boolean, { missingPage }: Interruption): void {
  for (const { at } of parts(address, size))
    if (at - (at % PAGE) === missingPage) throw new Stop(null, { address: BigInt(at), write });
}

const cut = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value);

/** A register after a write of its low bits: 32 bits clear the upper half, 8 and 16 keep the rest. */
function replaced(register: bigint, value: bigint, bits: 8 | 16 | 32 | 64): bigint {
  if (bits >= 32) return cut(value, bits);
  return ((register >> BigInt(bits)) << BigInt(bits)) | cut(value, bits);
}

/** RFLAGS after `x - y`. */
function compared(rflags: bigint, x: bigint, y: bigint, bits: number): bigint {
  const difference = cut(x - y, bits);
  const top = (value: bigint): boolean => ((value >> BigInt(bits - 1)) & 1n) === 1n;
  let ones = 0;
  for (let i = 0; i < 8; i++) ones += Number((difference >> BigInt(i)) & 1n);
  const set = [
    x < y ? STATUS.CF : 0n,
    ones % 2 === 0 ? STATUS.PF : 0n,
    (x & 15n) < (y & 15n) ? STATUS.AF : 0n,
    difference === 0n ? STATUS.ZF : 0n,
    top(difference) ? STATUS.SF : 0n,
    top(x) !== top(y) && top(difference) !== top(x) ? STATUS.OF : 0n,
  ];
  return set.reduce((flags, bit) => flags | bit, rflags & ~ALL_STATUS);
}
