/**
 * The engine that runs on WebAssembly: an interpreter made from the representation when code is warm. Whatever is rare
 * (first executions, system and string instructions, ports, faults, exits) it leaves to an evaluator engine of its own, an
 * instruction at a time: an instruction that stops in the interpreter has changed nothing and runs again there.
 */

import { RegisterOffset, Segment } from "@whvkit/x86-semantics";
import type { CodeObserver, GuestMachine } from "../memory/guest-machine.ts";
import { CodeRecords, recordsSize } from "./code-records.ts";
import { type Engine, type EngineContext, type EngineDescription, EngineStop } from "./engine.ts";
import { EngineFrame } from "./engine-frame.ts";
import { EvaluatorEngine } from "./evaluator-engine.ts";
import { FormNumbers } from "./form-numbers.ts";
import { COUNTS_SIZE, Interpreter } from "./interpreter.ts";
import { InterpreterStop } from "./interpreter-module.ts";
import { FIRST_RECORD } from "./record-layout.ts";

const ripWord = RegisterOffset.rip >> 2;
const csBaseWord = (RegisterOffset.segments + Segment.cs * 16) >> 2;

/** When what becomes worth its cost. All are guesses of the same kind: a cost is paid when as much was lost without it. */
export interface EngineTuning {
  /** Instructions that the evaluator runs before anything is decoded for the interpreter: short guests end before. */
  readonly firstRun: number;
  /** Instructions that the evaluator runs where nothing is decoded yet. */
  readonly coldRun: number;
  /** Visits of a place before it is decoded. */
  readonly warmVisits: number;
  /** Instructions run by the evaluator for want of a handler before handlers are compiled. */
  readonly handlerMisses: number;
  /** Calls of handlers before the interpreter takes in the frequent ones; each time four times as many. */
  readonly calls: number;
}

/** For guests. */
export const PATIENT: EngineTuning = {
  firstRun: 0x8000,
  coldRun: 16,
  warmVisits: 4,
  handlerMisses: 512,
  calls: 0x10_0000,
};
/** For tests: everything is compiled at its first execution. */
export const EAGER: EngineTuning = { firstRun: 0, coldRun: 1, warmVisits: 0, handlerMisses: 1, calls: 64 };

/** Instructions before a state that cannot be interpreted is looked at again. */
const UNINTERPRETABLE_RUN = 1000;

/** The most instructions of one call: V8 replaces code between calls only. */
const LONGEST_CALL = 0x10_0000;

/** Bytes of tables of one engine, for an arena of a capacity. */
export function tablesSizeOf(capacity: number): number {
  return Math.ceil((COUNTS_SIZE + recordsSize(capacity)) / 0x1_0000) * 0x1_0000;
}

export class WebAssemblyEngine implements Engine {
  readonly description: EngineDescription = { name: "webassembly", reason: null };
  readonly observer: CodeObserver;
  private readonly context: EngineContext;
  private readonly tuning: EngineTuning;
  private readonly machine: GuestMachine;
  private readonly words: Int32Array;
  private readonly evaluator: EvaluatorEngine;
  private readonly frame: EngineFrame;
  private readonly forms = new FormNumbers();
  private readonly records: CodeRecords;
  private readonly tables: number;
  private interpreter: Interpreter | null = null;
  /** Instructions that the interpreter has completed. */
  private interpreted = 0;
  private misses = 0;
  private callLimit: number;
  /** Versions of what the frame was made from. */
  private modeVersion = -1;
  private epoch = 0;
  /** May the current state be interpreted? */
  private interpretable = false;

  /** @param tables - where its {@link tablesSizeOf} bytes start in the arena. */
  constructor(context: EngineContext, tables: number, tuning: EngineTuning) {
    const { arena, machine } = context;
    this.context = context;
    this.tuning = tuning;
    this.callLimit = tuning.calls;
    this.machine = machine;
    this.words = context.registers.words;
    this.tables = tables;
    this.records = new CodeRecords(arena, tables + COUNTS_SIZE, this.forms);
    const { records } = this;
    this.evaluator = new EvaluatorEngine(context, null, records.codePages);
    this.frame = new EngineFrame(arena, context.frameOffset, machine);
    const decoded = this.evaluator.observer;
    this.observer = {
      codePages: records.codePages,
      codeWritten(offset, size) {
        decoded.codeWritten(offset, size);
        records.codeWritten(offset, size);
      },
    };
  }

  get retired(): number {
    return this.interpreted + this.evaluator.retired;
  }

  get spent(): number {
    return this.interpreted + this.evaluator.spent;
  }

  get instructionLength(): number {
    return this.evaluator.instructionLength;
  }

  get instructionBytes(): Uint8Array {
    return this.evaluator.instructionBytes;
  }

  resume(): void {
    this.evaluator.resume();
    this.records.nextGeneration();
    this.frame.generation = this.records.generation;
  }

  registersChanged(): void {
    this.evaluator.registersChanged();
  }

  dispose(): void {
    this.evaluator.dispose();
    this.records.dispose();
    const { arena } = this.context;
    arena.releaseTables(this.tables, tablesSizeOf(arena.capacity));
  }

  run(budget: number): number {
    const { evaluator } = this;
    const end = this.spent + budget;
    for (;;) {
      const left = Math.ceil(end - this.spent);
      if (left <= 0) return EngineStop.budget;
      if (this.modeVersion !== evaluator.modeVersion || this.epoch !== this.records.epoch) this.enterMode();
      const evaluate = this.interpretable ? this.interpret(left) : UNINTERPRETABLE_RUN;
      if (evaluate === 0) continue;
      const stop = evaluator.run(Math.min(evaluate, end - this.spent));
      if (stop !== EngineStop.budget) return stop;
    }
  }

  private enterMode(): void {
    this.modeVersion = this.evaluator.modeVersion;
    this.epoch = this.records.epoch;
    this.interpretable = this.frame.enterMode(this.records.directories);
  }

  /** Runs by the interpreter; answers how many instructions the evaluator has to run before it can go on. */
  private interpret(left: number): number {
    const { frame, records, tuning } = this;
    if (this.interpreter === null) {
      if (this.evaluator.spent < tuning.firstRun) return tuning.firstRun - this.evaluator.spent;
      if (!this.prepare()) return tuning.coldRun;
      this.interpreter = this.makeInterpreter();
    }
    const slice = Math.min(left, LONGEST_CALL);
    const reason = this.interpreter.run(0, slice);
    const done = slice - frame.left;
    this.interpreted += done;
    const { record } = frame;
    if (record !== 0) {
      const inPage = records.inPage(record);
      this.words[ripWord] = frame.ipLow(inPage);
      this.words[ripWord + 1] = frame.ipHigh(inPage);
    }
    if (frame.calls >= this.callLimit) this.takeInOften(this.interpreter);
    const wasPrepared = this.prepared && done === 0;
    this.prepared = false;
    switch (reason) {
      case InterpreterStop.budget:
        return 0;
      case InterpreterStop.missing:
        // What was prepared and is missing all the same must not be prepared for ever.
        if (wasPrepared) return 1;
        this.prepared = this.prepare();
        return this.prepared ? 0 : tuning.coldRun;
      default:
        if (record === 0 || records.awaitedForm(record) === 0 || ++this.misses < tuning.handlerMisses) return 1;
        this.misses = 0;
        this.interpreter.compileWaiting();
        records.formsCompiled();
        return 0;
    }
  }

  /** Did the last call of {@link interpret} end with a record made? */
  private prepared = false;

  /** Sees to it that there is a record of the instruction at RIP; false where the evaluator should run. */
  private prepare(): boolean {
    const { words, records, frame, machine } = this;
    const { mode } = frame;
    const wide = mode === 2;
    const ip = words[ripWord];
    const low = wide ? ip : (words[csBaseWord] + ip) | 0;
    const high = wide ? words[ripWord + 1] : 0;
    const inPage = low & 0xfff;
    if (!wide && !frame.holdsPage((ip >>> 0) - inPage)) return false;
    const at = machine.translateFetch(low, high);
    if (at < 0) return false;
    const page = at >>> 12;
    const block = records.block(page, mode);
    if (block === 0) return false;
    const slot = records.slot(block, inPage);
    if (slot >= FIRST_RECORD) return true;
    if (slot < this.tuning.warmVisits) {
      records.visit(block, inPage);
      return false;
    }
    return records.decodeLine(page, mode, block, inPage);
  }

  private makeInterpreter(): Interpreter {
    const { arena, registerOffset, frameOffset } = this.context;
    const layout = { state: registerOffset, frame: frameOffset, codePages: this.records.codePages.byteOffset };
    return new Interpreter(arena.memory as WebAssembly.Memory, this.machine, layout, this.forms, this.tables);
  }

  private takeInOften(interpreter: Interpreter): void {
    interpreter.takeInOften();
    this.frame.clearCalls();
    this.callLimit *= 4;
  }
}
