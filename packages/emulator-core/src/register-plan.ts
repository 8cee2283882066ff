/**
 * Which registers one instruction needs from the processor before it runs, and which it may have changed after. Made
 * once per instruction from the intervals of its program; what the exit context already holds is left out.
 */
import { Helper, type Program, type RegisterInterval, RegisterOffset, Segment } from "@whvkit/x86-semantics";
import {
  COMPOSITE,
  EXTENDED,
  eachRegister,
  MAPPED_REGISTERS,
  type MappedRegister,
  registerAt,
} from "./register-map.ts";

/** The two kinds of exit hold different registers. */
export type ExitKind = "memory" | "port";

/** How a register's value lies in the register file. */
export const RegisterShape = {
  /** 64 bits. */
  word: 0,
  /** 128 bits in one piece. */
  wide: 1,
  /** XmmControlStatus: 64 bits here, and 64 bits with the x87 registers. */
  composite: 2,
} as const;

export interface RegisterPlan {
  /** Every register has 64 bits and a name, and the mode does not count: so it is with nearly every instruction. */
  readonly simple: boolean;
  /** `WHV_REGISTER_NAME`s to ask for. */
  readonly names: Uint32Array;
  /** Where each of them goes: index of its first word in the register file. */
  readonly fetchedWords: Int32Array;
  /** How each of them is laid out: a {@link RegisterShape}. */
  readonly fetchedShapes: Uint8Array;
  /** `WHV_REGISTER_NAME`s that the instruction may change, RIP and RFLAGS aside. */
  readonly writtenNames: Uint32Array;
  readonly writtenWords: Int32Array;
  readonly writtenShapes: Uint8Array;
  /** For each of them: 1 where the value before is known, so that an unchanged one need not be set. */
  readonly compared: Uint8Array;
  /** Some of them are compared. */
  readonly comparesAny: boolean;
  /** The instruction looks at CR0, EFER or CS. */
  readonly usesMode: boolean;
  /** The instruction touches state that has no WHv name, or may do so. */
  readonly usesExtendedState: boolean;
  /** It may change some of that. */
  readonly changesExtendedState: boolean;
  /** It touches only the state that XCR0 and EDX:EAX ask for: the XSAVE family. */
  readonly selectsState: boolean;
}

/** Of an instruction whose registers the exit holds and whose effects are put down one by one: IN and OUT. */
export const NO_PLAN: RegisterPlan = {
  simple: true,
  names: new Uint32Array(0),
  fetchedWords: new Int32Array(0),
  fetchedShapes: new Uint8Array(0),
  writtenNames: new Uint32Array(0),
  writtenWords: new Int32Array(0),
  writtenShapes: new Uint8Array(0),
  compared: new Uint8Array(0),
  comparesAny: false,
  usesMode: false,
  usesExtendedState: false,
  changesExtendedState: false,
  selectsState: false,
};

const RIP = registerAt(RegisterOffset.rip);
const RFLAGS = registerAt(RegisterOffset.rflags);
const CS = registerAt(RegisterOffset.segments + Segment.cs * 16);
const CR0 = registerAt(RegisterOffset.cr0);
const EFER = registerAt(RegisterOffset.efer);
const general = (number: number): number => registerAt(RegisterOffset.general + number * 8);

/** In `WHV_VP_EXIT_CONTEXT`; of EFER only LMA matters to the instructions that come here, and ExecutionState has it. */
const HELD_BY_EVERY_EXIT: readonly number[] = [RIP, RFLAGS, CS, EFER];

/** RAX, RCX, RSI, RDI, DS and ES of `WHV_X64_IO_PORT_ACCESS_CONTEXT`; its port number is DX, all that INS and OUTS read of RDX. */
const HELD_BY_PORT_EXIT: readonly number[] = [
  ...HELD_BY_EVERY_EXIT,
  general(0),
  general(1),
  general(2),
  general(6),
  general(7),
  registerAt(RegisterOffset.segments + Segment.ds * 16),
  registerAt(RegisterOffset.segments + Segment.es * 16),
];

/** Registers of this run of the file count as read when the instruction only replaces a part of them. */
function coversWhole(interval: RegisterInterval, index: number): boolean {
  const register = MAPPED_REGISTERS[index];
  if (register === undefined || index === COMPOSITE) return false;
  return interval.offset <= register.offset && interval.offset + interval.size >= register.offset + register.size;
}

/** The plan of a program for one kind of exit. */
export function planRegisters(program: Program, kind: ExitKind): RegisterPlan {
  const held = new Set(kind === "port" ? HELD_BY_PORT_EXIT : HELD_BY_EVERY_EXIT);
  const fetched = new Set<number>();
  const written = new Set<number>();
  let usesExtendedState = false;
  let changesExtendedState = false;
  // A REP that ends at once, or at a fault, has not written what its elements write; a named operation writes some of
  // what its list says. What may be left as it was has to be known.
  const mayLeaveOut = program.string !== null || program.helpers.length > 0;
  let usesMode = program.helpers.length > 0;
  const need = (index: number): void => {
    if (index === CS || index === CR0 || index === EFER) usesMode = true;
    if (index === EXTENDED) usesExtendedState = true;
    else if (!held.has(index)) fetched.add(index);
  };
  for (const interval of program.reads) eachRegister(interval, need);
  for (const interval of program.writes)
    eachRegister(interval, (index) => {
      if (index === EXTENDED) changesExtendedState = true;
      else if (index !== RIP && index !== RFLAGS) written.add(index);
      if (index >= 0 && (mayLeaveOut || !coversWhole(interval, index))) need(index);
    });
  const order = [...fetched].sort((a, b) => a - b);
  const changed = [...written].sort((a, b) => a - b);
  const compared = Uint8Array.from(changed, (index) => (fetched.has(index) || held.has(index) ? 1 : 0));
  const special = usesMode || usesExtendedState || changesExtendedState;
  return {
    simple: !special && [...order, ...changed].every((index) => shapeOf(index) === RegisterShape.word),
    names: Uint32Array.from(order, (index) => mapped(index).name),
    fetchedWords: Int32Array.from(order, (index) => mapped(index).offset >> 2),
    fetchedShapes: Uint8Array.from(order, shapeOf),
    writtenNames: Uint32Array.from(changed, (index) => mapped(index).name),
    writtenWords: Int32Array.from(changed, (index) => mapped(index).offset >> 2),
    writtenShapes: Uint8Array.from(changed, shapeOf),
    compared,
    comparesAny: compared.includes(1),
    usesMode,
    usesExtendedState: usesExtendedState || changesExtendedState,
    changesExtendedState,
    selectsState: program.helpers.includes(Helper.otherExtendedState),
  };
}

function mapped(index: number): MappedRegister {
  return MAPPED_REGISTERS[index];
}

function shapeOf(index: number): number {
  if (index === COMPOSITE) return RegisterShape.composite;
  return mapped(index).size === 16 ? RegisterShape.wide : RegisterShape.word;
}
