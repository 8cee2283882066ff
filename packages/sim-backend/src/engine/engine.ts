/**
 * The boundary between a virtual processor and what executes its instructions. Everything that the two share lies in
 * one memory (register file, translation cache, guest RAM), and an engine answers with a status number, so that one
 * compiled to WebAssembly fits behind it as well as the evaluator does.
 *
 * An engine executes instructions and nothing else. It does not deliver events, does not know what an exit looks like,
 * and stops at every instruction boundary where the processor has to decide something.
 */

import type { RegisterFile } from "@whvkit/x86-semantics";
import type { CodeObserver, GuestMachine } from "../memory/guest-machine.ts";
import type { MemoryArena } from "../memory/memory-arena.ts";
import type { EventState } from "../processor/event-state.ts";

/** Why an engine stopped. RIP is at an instruction boundary with every one of them. */
export const EngineStop = {
  /** The budget is used up. */
  budget: 0,
  /** `machine.fault` holds an exception of the instruction at RIP; nothing of that instruction has happened. */
  fault: 1,
  /**
   * `machine.exit` holds what the host has to do for the instruction at RIP; nothing of that instruction has happened.
   * (HLT is the exception: RIP is behind it.)
   */
  exit: 2,
  /** The last instruction set `events.attention`. */
  attention: 3,
} as const;
export type EngineStop = (typeof EngineStop)[keyof typeof EngineStop];

/** Bytes of the arena that each engine gets beside its processor's state. */
export const ENGINE_FRAME_SIZE = 256;

/** What an engine is given to work on. */
export interface EngineContext {
  /** The memory that holds everything else. */
  readonly arena: MemoryArena;
  /** The register file, in the arena at `registerOffset`, where a processor's state starts (`STATE_SIZE` bytes). */
  readonly registers: RegisterFile;
  readonly registerOffset: number;
  /** {@link ENGINE_FRAME_SIZE} bytes of the arena for the engine's own use. */
  readonly frameOffset: number;
  /** Slow paths: page walks, system instructions, exits. */
  readonly machine: GuestMachine;
  /** What instructions change of the event state. */
  readonly events: EventState;
}

/**
 * Which engine a processor runs on.
 *
 * @public
 */
export interface EngineDescription {
  /** What runs warm code: `evaluator`, or the interpreter in WebAssembly, which leaves rare instructions to the evaluator. */
  readonly name: "evaluator" | "webassembly";
  /** Why it is not the one that was hoped for: what keeps WebAssembly from being used. Null where nothing does. */
  readonly reason: string | null;
}

export interface Engine {
  readonly description: EngineDescription;
  /** What guest stores to memory with decoded instructions are reported to. */
  readonly observer: CodeObserver;
  /** Instructions completed since the engine was made. A REP instruction counts once, when its last element is done. */
  readonly retired: number;
  /**
   * Budget used up since the engine was made: one for each instruction, and one more for every 16 elements of repeated
   * string instructions, which take about as long. Not always an integer.
   */
  readonly spent: number;
  /** Length in bytes of the instruction that the last `fault` or `exit` is about, 0 where it could not be decoded. */
  readonly instructionLength: number;
  /** Its bytes: the first `instructionLength` of 16. */
  readonly instructionBytes: Uint8Array;

  /**
   * Runs from CS:RIP until `budget` is spent (at least 1, so at least one instruction or one slice of a repeated one).
   *
   * @returns an {@link EngineStop}.
   */
  run(budget: number): number;

  /**
   * The host may have changed registers and guest memory behind the engine's back: called before the first `run` after
   * the host had control.
   */
  resume(): void;

  /** The processor changed registers itself (it delivered an event): called before the next `run`. */
  registersChanged(): void;

  /** Releases what the engine holds. */
  dispose(): void;
}

/** Makes an engine for one virtual processor: a partition option, so that a host can choose. */
export type EngineFactory = (context: EngineContext) => Engine;
