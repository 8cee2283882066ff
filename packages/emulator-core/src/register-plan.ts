/**
 * Which registers one instruction needs from the processor before it runs, and which it may have changed after. Made
 * once per instruction from the intervals of its program; what the exit context already holds is left out.
 */
import { type Program, type RegisterInterval, RegisterOffset, Segment } from "@whvkit/x86-semantics";
import { COMPOSITE, eachRegister, MAPPED_REGISTERS, registerAt } from "./register-map.ts";

/** The two kinds of exit hold different registers. */
export type ExitKind = "memory" | "port";

export interface RegisterPlan {
  /** Indices into `MAPPED_REGISTERS` to ask for. */
  readonly fetched: Int32Array;
  /** Their `WHV_REGISTER_NAME`s. */
  readonly names: Uint32Array;
  /** Indices of registers that the instruction may change, RIP and RFLAGS aside. */
  readonly written: Int32Array;
  /** For each of `written`: 1 where the value before is known, so that an unchanged one need not be set. */
  readonly compared: Uint8Array;
  /** The instruction looks at CR0, EFER or CS. */
  readonly usesMode: boolean;
  /** The instruction touches state that has no WHv name. */
  readonly unreachable: boolean;
}

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
  let unreachable = false;
  // A REP that ends at once, or at a fault, has not written what its elements write; a named operation writes some of
  // what its list says. What may be left as it was has to be known.
  const mayLeaveOut = program.string !== null || program.helpers.length > 0;
  let usesMode = program.helpers.length > 0;
  const need = (index: number): void => {
    if (index === CS || index === CR0 || index === EFER) usesMode = true;
    if (index < 0) unreachable = true;
    else if (!held.has(index)) fetched.add(index);
  };
  for (const interval of program.reads) eachRegister(interval, need);
  for (const interval of program.writes)
    eachRegister(interval, (index) => {
      if (index < 0) unreachable = true;
      else if (index !== RIP && index !== RFLAGS) written.add(index);
      if (index >= 0 && (mayLeaveOut || !coversWhole(interval, index))) need(index);
    });
  const order = [...fetched].sort((a, b) => a - b);
  const changed = [...written].sort((a, b) => a - b);
  return {
    fetched: Int32Array.from(order),
    names: Uint32Array.from(order, (index) => MAPPED_REGISTERS[index]?.name ?? 0),
    written: Int32Array.from(changed),
    compared: Uint8Array.from(changed, (index) => (fetched.has(index) || held.has(index) ? 1 : 0)),
    usesMode,
    unreachable,
  };
}
