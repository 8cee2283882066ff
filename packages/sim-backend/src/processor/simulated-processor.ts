/**
 * One virtual processor: the loop that alternates between events and instructions until something is the host's to do.
 * Instructions are the engine's, frames and faults `event-delivery.ts`'s, the exit's layout `exit-record.ts`'s.
 */

import {
  type GvaTranslation,
  WHV_RUN_VP_EXIT_REASON as Reason,
  type RegisterValues,
  type RunVpExit,
  WHV_TRANSLATE_GVA_FLAGS as TranslateFlag,
  WHV_E_VP_DOES_NOT_EXIST,
  WHV_X64_PENDING_INTERRUPTION_TYPE,
  WhvError,
} from "@whvkit/whv-types";
import {
  currentPrivilege,
  EventKind,
  Flag,
  isLongMode,
  RegisterFile,
  RegisterOffset,
  STATE_SIZE,
  Vector,
} from "@whvkit/x86-semantics";
import {
  ENGINE_FRAME_SIZE,
  type Engine,
  type EngineDescription,
  type EngineFactory,
  EngineStop,
} from "../engine/engine.ts";
import { GuestMachine } from "../memory/guest-machine.ts";
import { type MemoryArena, PAGE_SIZE } from "../memory/memory-arena.ts";
import type { MemoryMap } from "../memory/memory-map.ts";
import { WalkAccess } from "../memory/page-walk.ts";
import { TRANSLATION_CACHE_SIZE } from "../memory/translation-cache.ts";
import type { SimVirtualProcessor, StepResult } from "../sim-platform.ts";
import type { CpuModel } from "./cpu-model.ts";
import { hasInstructionBreakpoint, instructionBreakpoints } from "./debug-registers.ts";
import { findInvalidState } from "./entry-checks.ts";
import { Delivery, EventDelivery } from "./event-delivery.ts";
import { EventState, NotificationBit, PendingDebugBit } from "./event-state.ts";
import { ExitRecord } from "./exit-record.ts";
import { InstructionTimestamp } from "./instruction-timestamp.ts";
import { ExtraRegisters } from "./model-specific-registers.ts";
import { RegisterAccess } from "./register-access.ts";
import { resetRegisters } from "./reset-state.ts";
import { type InterceptSettings, SystemInstructionSet } from "./system-instructions.ts";

const rflagsWord = RegisterOffset.rflags >> 2;
const cr8Word = RegisterOffset.cr8 >> 2;
const dr6Word = RegisterOffset.dr6 >> 2;

/** What a step may spend beyond its instructions: some 270 million elements of repeated string instructions. */
const STEP_WORK = 0x100_0000;

/** Bytes that a processor takes of the arena. */
const PROCESSOR_MEMORY: number =
  Math.ceil((STATE_SIZE + TRANSLATION_CACHE_SIZE + ENGINE_FRAME_SIZE) / PAGE_SIZE) * PAGE_SIZE;

/** What a partition gives each of its processors. */
export interface ProcessorEnvironment {
  readonly arena: MemoryArena;
  readonly map: MemoryMap;
  readonly model: CpuModel;
  readonly settings: InterceptSettings;
  readonly engine: EngineFactory;
  /** Instructions after which `run` answers Canceled; Infinity for none. */
  readonly instructionBudget: number;
  readonly omitsInstructionBytes: boolean;
}

/** A virtual processor of a {@link SimulatedPartition}. */
export class SimulatedProcessor implements SimVirtualProcessor {
  readonly index: number;
  readonly registerFile: RegisterFile;
  exitDetail = "";
  private budget: number;

  private readonly environment: ProcessorEnvironment;
  private readonly memoryOffset: number;
  private readonly events = new EventState();
  private readonly machine: GuestMachine;
  private readonly runner: Engine;
  private readonly delivery: EventDelivery;
  private readonly record: ExitRecord;
  private readonly access: RegisterAccess;
  private readonly removed: () => void;
  private cancelRequested = false;
  private live = true;
  /** Are exceptions reported instead of delivered ({@link SimVirtualProcessor.step})? */
  private reportsExceptions = false;
  private reported = false;

  /** @param removed - called once when the processor is disposed of. */
  constructor(index: number, environment: ProcessorEnvironment, removed: () => void) {
    this.index = index;
    this.environment = environment;
    this.budget = environment.instructionBudget;
    this.removed = removed;
    const { arena, map, settings } = environment;
    this.memoryOffset = arena.allocate(PROCESSOR_MEMORY, "WHvCreateVirtualProcessor");
    const registers = new RegisterFile(arena.buffer, this.memoryOffset);
    this.registerFile = registers;
    const extra = new ExtraRegisters();
    resetRegisters(registers, extra);
    if (index === 0) registers.words[RegisterOffset.apicBase >> 2] |= 0x100;
    this.machine = new GuestMachine(registers, arena, map, this.memoryOffset + STATE_SIZE);
    const timestamp = new InstructionTimestamp(() => this.runner.retired);
    const system = new SystemInstructionSet(
      this.machine,
      this.events,
      environment.model,
      settings,
      extra,
      timestamp,
      index,
    );
    this.runner = environment.engine({
      arena,
      registers,
      registerOffset: this.memoryOffset,
      frameOffset: this.memoryOffset + STATE_SIZE + TRANSLATION_CACHE_SIZE,
      machine: this.machine,
      events: this.events,
    });
    this.machine.connect(this.runner.observer, system);
    this.delivery = new EventDelivery(this.machine, this.events, settings);
    this.record = new ExitRecord(registers, this.events, environment.omitsInstructionBytes);
    this.access = new RegisterAccess(registers, extra, this.events, timestamp, index);
  }

  get engine(): EngineDescription {
    return this.runner.description;
  }

  get instructionCount(): number {
    return this.runner.retired;
  }

  get instructionBudget(): number {
    return this.budget;
  }

  set instructionBudget(value: number) {
    if (!(value >= 1)) throw new RangeError(`instructionBudget ${value} is below 1`);
    this.budget = Math.floor(value);
  }

  run(): RunVpExit {
    this.requireLive("WHvRunVirtualProcessor");
    this.reportsExceptions = false;
    return this.enter() ?? this.execute(this.budget, this.budget);
  }

  step(count: number): StepResult {
    this.requireLive("WHvRunVirtualProcessor");
    const before = this.runner.retired;
    this.reportsExceptions = true;
    this.reported = false;
    const exit = this.enter() ?? this.execute(count, count + STEP_WORK);
    const instructions = this.runner.retired - before;
    const { fault } = this.machine;
    if (this.reported) {
      const isPageFault = fault.vector === Vector.PF;
      const cr2 = (BigInt(fault.cr2High >>> 0) << 32n) | BigInt(fault.cr2Low >>> 0);
      const errorCode = fault.errorCode === -1 ? null : fault.errorCode >>> 0;
      return {
        instructions,
        exit: null,
        exception: { vector: fault.vector, errorCode, cr2: isPageFault ? cr2 : null },
      };
    }
    // The end of the count is no exit.
    const ended = exit.exitReason === Reason.WHvRunVpExitReasonCanceled && instructions >= count;
    return { instructions, exit: ended ? null : exit, exception: null };
  }

  cancelRun(): void {
    this.requireLive("WHvCancelRunVirtualProcessor");
    this.cancelRequested = true;
  }

  getRegisters(names: Uint32Array, count: number, values: RegisterValues): void {
    this.requireLive("WHvGetVirtualProcessorRegisters");
    this.access.get(names, count, values);
  }

  setRegisters(names: Uint32Array, count: number, values: RegisterValues): void {
    this.requireLive("WHvSetVirtualProcessorRegisters");
    this.access.set(names, count, values);
    // Control registers decide what translations mean; the host changes them rarely, so all are forgotten.
    this.machine.cache.clear();
  }

  translateGva(gvaLow: number, gvaHigh: number, flags: number, result: GvaTranslation): void {
    this.requireLive("WHvTranslateGva");
    const { walker, registers } = this.machine;
    let access = 0;
    if ((flags & TranslateFlag.WHvTranslateGvaFlagValidateRead) !== 0) access |= WalkAccess.read;
    if ((flags & TranslateFlag.WHvTranslateGvaFlagValidateWrite) !== 0) access |= WalkAccess.write;
    if ((flags & TranslateFlag.WHvTranslateGvaFlagValidateExecute) !== 0) access |= WalkAccess.execute;
    if (access === 0 || (flags & TranslateFlag.WHvTranslateGvaFlagPrivilegeExempt) !== 0) access |= WalkAccess.exempt;
    if (currentPrivilege(registers) === 3) access |= WalkAccess.user;
    if ((flags & TranslateFlag.WHvTranslateGvaFlagSetPageTableBits) === 0) access |= WalkAccess.keepBits;
    if ((flags & TranslateFlag.WHvTranslateGvaFlagEnforceSmap) !== 0) access |= WalkAccess.implicit;
    if ((flags & TranslateFlag.WHvTranslateGvaFlagOverrideSmap) !== 0) access |= WalkAccess.overrideSmap;
    walker.walk(gvaLow | 0, isLongMode(registers) ? gvaHigh | 0 : 0, access);
    result.resultCode = walker.resultCode;
    result.gpa = walker.gpa;
  }

  dispose(): void {
    if (!this.live) return;
    this.live = false;
    this.runner.dispose();
    this.environment.arena.release(this.memoryOffset, PROCESSOR_MEMORY);
    this.removed();
  }

  /** What has to be true before anything runs; an exit when it is not. */
  private enter(): RunVpExit | null {
    this.exitDetail = "";
    if (this.cancelRequested) {
      this.cancelRequested = false;
      return this.record.plain(Reason.WHvRunVpExitReasonCanceled);
    }
    const invalid = findInvalidState(this.registerFile, this.events);
    if (invalid !== null) {
      this.exitDetail = invalid;
      return this.record.plain(Reason.WHvRunVpExitReasonInvalidVpRegisterValue);
    }
    this.machine.refresh();
    this.runner.resume();
    return null;
  }

  /**
   * Events and instructions in turn, until an exit is due, so many instructions are completed, or so much work is spent
   * ({@link Engine.spent}).
   */
  private execute(instructions: number, work: number): RunVpExit {
    const { runner: engine, events, registerFile } = this;
    const { words } = registerFile;
    const lastRetired = engine.retired + instructions;
    let lastSpent = engine.spent + work;
    for (;;) {
      const exit = this.deliverEvents();
      if (exit !== null) return exit;
      const left = Math.min(lastRetired - engine.retired, lastSpent - engine.spent);
      if (left <= 0) return this.record.plain(Reason.WHvRunVpExitReasonCanceled);

      const flagsBefore = words[rflagsWord];
      const shadowBefore = events.interruptShadow;
      const watched = hasInstructionBreakpoint(registerFile);
      const single = shadowBefore || watched || (flagsBefore & (Flag.TF | Flag.RF)) !== 0;
      if (watched) {
        const hit = instructionBreakpoints(registerFile);
        if (hit !== 0) {
          words[dr6Word] |= hit;
          this.machine.raise(Vector.DB, -1);
          const exit = this.raiseFault();
          if (exit !== null) return exit;
          lastSpent--;
          continue;
        }
      }
      events.attention = false;
      const before = engine.retired;
      const stop = engine.run(single ? 1 : left);
      const advanced = engine.retired !== before;
      if (single) this.finishSingle(flagsBefore, shadowBefore, advanced, stop);
      else if (events.shadowBegun) events.interruptShadow = true;
      events.shadowBegun = false;
      events.enteredHandler = false;
      if (stop === EngineStop.exit) {
        this.exitDetail = this.machine.exit.detail;
        return this.record.fromRequest(this.machine.exit, engine, this.machine.fault);
      }
      if (stop === EngineStop.fault) {
        const exit = this.raiseFault();
        if (exit !== null) return exit;
      }
      // What completes no instruction costs one as well: a handler that faults at its first instruction must not hang the host.
      if (!advanced) lastSpent--;
    }
  }

  /** After one instruction alone: RF has served, a shadow ends, TF asks for its trap. */
  private finishSingle(flagsBefore: number, shadowBefore: boolean, advanced: boolean, stop: number): void {
    const { events } = this;
    const { words } = this.registerFile;
    const completed = advanced || stop === EngineStop.attention;
    if (!completed || stop === EngineStop.fault) return;
    // A second MOV SS or STI in a shadow does not lengthen it.
    events.interruptShadow = events.shadowBegun && !shadowBefore;
    if (advanced && (flagsBefore & Flag.RF) !== 0 && !events.attention) words[rflagsWord] &= ~Flag.RF;
    if ((flagsBefore & Flag.TF) !== 0 && !events.enteredHandler) events.pendingDebug |= PendingDebugBit.singleStep;
  }

  /** Brings every event to the guest that can be taken now; an exit when the host must act first. */
  private deliverEvents(): RunVpExit | null {
    const { events, delivery } = this;
    if ((events.interruption[0] & 1) !== 0) {
      const exit = this.afterDelivery(delivery.pendingInterruption());
      if (exit !== null) return exit;
    }
    // Traps of the instruction before MOV SS or POP SS wait for the end of the shadow.
    if (events.pendingDebug !== 0 && !events.interruptShadow) {
      if (this.reportsExceptions || delivery.intercepts(Vector.DB)) {
        const { words } = this.registerFile;
        words[dr6Word] |= (events.pendingDebug & 0xf) | ((events.pendingDebug & 0x10) << 10);
        this.machine.raise(Vector.DB, -1);
        const exit = this.raiseFault();
        events.pendingDebug = 0;
        return exit;
      }
      const exit = this.afterDelivery(delivery.debugTrap());
      if (exit !== null) return exit;
    }
    if ((events.event[0] & 1) !== 0) {
      const exit = this.deliverPendingEvent();
      if (exit !== null) return exit;
    }
    return events.notifications !== 0 ? this.notify() : null;
  }

  /** `WHvRegisterPendingEvent`: an exception with all that belongs to it, or an external interrupt that waits for IF. */
  private deliverPendingEvent(): RunVpExit | null {
    const { events, delivery, machine } = this;
    const { event } = events;
    const type = (event[0] >> 1) & 7;
    if (type === 5) {
      if (!this.acceptsInterrupts()) return null;
      const vector = (event[0] >>> 8) & 0xff;
      event.fill(0);
      return this.afterDelivery(delivery.interrupt(vector, EventKind.external));
    }
    const vector = event[0] >>> 16;
    machine.raise(vector & 0xff, (event[0] & 0x100) !== 0 ? event[1] : -1);
    machine.fault.cr2Low = event[2];
    machine.fault.cr2High = event[3];
    if (vector === Vector.DB) this.registerFile.words[dr6Word] |= event[2] & 0xe00f;
    event.fill(0);
    return this.afterDelivery(delivery.exception());
  }

  /** Tells the host that what it waits for can be delivered; a notification serves once. */
  private notify(): RunVpExit | null {
    const { events } = this;
    if ((events.notifications & NotificationBit.nmi) !== 0 && !events.nmiMasked && !events.interruptShadow) {
      events.notifications &= ~NotificationBit.nmi;
      return this.record.interruptWindow(WHV_X64_PENDING_INTERRUPTION_TYPE.WHvX64PendingNmi);
    }
    const priority = (events.notifications & NotificationBit.priority) >> 2;
    const masked = priority !== 0 && priority <= this.registerFile.words[cr8Word];
    if ((events.notifications & NotificationBit.interrupt) !== 0 && this.acceptsInterrupts() && !masked) {
      events.notifications &= ~(NotificationBit.interrupt | NotificationBit.priority);
      return this.record.interruptWindow(WHV_X64_PENDING_INTERRUPTION_TYPE.WHvX64PendingInterrupt);
    }
    return null;
  }

  private acceptsInterrupts(): boolean {
    return (this.registerFile.words[rflagsWord] & Flag.IF) !== 0 && !this.events.interruptShadow;
  }

  /** The exception in `machine.fault`: shown to the host where it asked for that, else delivered. */
  private raiseFault(): RunVpExit | null {
    if (this.reportsExceptions) {
      this.reported = true;
      return this.record.exception(this.runner, this.machine.fault);
    }
    if (this.delivery.intercepts(this.machine.fault.vector))
      return this.record.exception(this.runner, this.machine.fault);
    return this.afterDelivery(this.delivery.exception());
  }

  private afterDelivery(outcome: number): RunVpExit | null {
    switch (outcome) {
      case Delivery.done:
        this.runner.registersChanged();
        return null;
      case Delivery.exit:
        this.exitDetail = this.machine.exit.detail;
        return this.record.fromRequest(this.machine.exit, NO_INSTRUCTION, this.machine.fault);
      case Delivery.intercepted:
        return this.record.exception(NO_INSTRUCTION, this.machine.fault);
      default:
        return this.record.plain(Reason.WHvRunVpExitReasonUnrecoverableException);
    }
  }

  private requireLive(operation: string): void {
    if (!this.live) throw new WhvError(operation, WHV_E_VP_DOES_NOT_EXIST, `virtual processor ${this.index}`);
  }
}

/** An exit while an event is delivered belongs to no instruction. */
const NO_INSTRUCTION: { readonly instructionLength: number; readonly instructionBytes: Uint8Array } = {
  instructionLength: 0,
  instructionBytes: new Uint8Array(16),
};
