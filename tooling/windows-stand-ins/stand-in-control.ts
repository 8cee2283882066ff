/** A test's hands on the stand-in libraries: what they recorded, what is still alive, and what they are to do next. */

import { createRequire } from "node:module";
import path from "node:path";
import type koffiModule from "koffi";
import type { LibraryHandle } from "koffi";

const koffi = createRequire(import.meta.url)("koffi") as typeof koffiModule;

/** What the stand-in for `WinHvPlatform.dll` counts, in its order. */
export const LIVE_THINGS = [
  "partitions",
  "processors",
  "ranges",
  "doorbells",
  "ports",
  "triggers",
  "devices",
  "mmio",
] as const;

/** How many of each are alive. */
export type LiveThings = Record<(typeof LIVE_THINGS)[number], number>;

function load(directory: string, name: string): LibraryHandle {
  return koffi.load(path.win32.join(directory, name));
}

function textOf(take: (buffer: Uint8Array, capacity: number) => number): string[] {
  const buffer = Buffer.alloc(1 << 16);
  const length = take(buffer, buffer.length);
  return buffer.toString("latin1", 0, length).split("\n").filter(Boolean);
}

/** The stand-in for `WinHvPlatform.dll`. */
export class PlatformControl {
  private readonly take: (buffer: Uint8Array, capacity: number) => number;
  private readonly takeCallsInto: (buffer: Uint8Array, capacity: number) => number;
  private readonly count: (what: number) => number;
  /** The `at`-th next call of the function answers this HRESULT and does nothing. */
  readonly fail: (name: string, at: number, hresult: number) => void;
  readonly queueExit: (partition: bigint, index: number, exit: Uint8Array) => number;
  readonly guestWrites: (partition: bigint, gpa: number) => number;
  readonly lastInterrupt: (partition: bigint, out: Uint8Array) => number;
  readonly triggerSignalled: (partition: bigint) => number;
  /** The capability says from now on that no hypervisor is there, or that one is. */
  readonly hideHypervisor: (hide: number) => void;
  /** Runs go to /dev/kvm from now on, or not; answers 0 where there is no such device. */
  readonly useKvm: (use: number) => number;

  constructor(directory: string) {
    const library = load(directory, "WinHvPlatform.dll");
    this.take = library.func("StandInTakeViolations", "uint32", ["void *", "uint32"]);
    this.takeCallsInto = library.func("StandInTakeCalls", "uint32", ["void *", "uint32"]);
    this.count = library.func("StandInCount", "int", ["int"]);
    this.fail = library.func("StandInFail", "void", ["str", "uint32", "uint32"]);
    this.queueExit = library.func("StandInQueueExit", "uint32", ["void *", "uint32", "void *"]);
    this.guestWrites = library.func("StandInGuestWrites", "uint32", ["void *", "uint64"]);
    this.lastInterrupt = library.func("StandInLastInterrupt", "uint32", ["void *", "void *"]);
    this.triggerSignalled = library.func("StandInTriggerSignalled", "int", ["void *"]);
    this.hideHypervisor = library.func("StandInHideHypervisor", "void", ["int"]);
    this.useKvm = optional(library, "StandInUseKvm", "int", ["int"]);
  }

  /** What was done wrong since the last time, one line each. */
  takeViolations(): string[] {
    return textOf(this.take);
  }

  /** How often each function was called since the last time. */
  takeCalls(): Map<string, number> {
    const lines = textOf(this.takeCallsInto).map((line) => line.split("=") as [string, string]);
    return new Map(lines.map(([name, calls]) => [name, Number(calls)]));
  }

  live(): LiveThings {
    return Object.fromEntries(LIVE_THINGS.map((name, what) => [name, this.count(what)])) as LiveThings;
  }
}

/** What the stand-in for `WinHvEmulation.dll` does otherwise; see `Plan` there. */
export interface EmulationPlan {
  readonly registers?: number;
  readonly accessSize?: number;
  readonly wrongContext?: boolean;
  readonly nullAccess?: boolean;
  readonly answer?: number;
  readonly forcedStatus?: number;
  readonly portSize?: number;
  readonly modify?: boolean;
}

/** What it got back from the callbacks; see `Answers` there. */
export interface EmulationAnswers {
  readonly gpa: bigint;
  readonly resultCode: number;
  readonly data: number;
  readonly memory: Uint8Array;
  readonly first: readonly [bigint, bigint];
  readonly last: readonly [bigint, bigint];
}

/** The stand-in for `WinHvEmulation.dll`. */
export class EmulationControl {
  private readonly take: (buffer: Uint8Array, capacity: number) => number;
  private readonly setPlan: (plan: Uint8Array) => void;
  private readonly getAnswers: (out: Uint8Array) => void;
  /** Emulators that are alive. */
  readonly live: () => number;

  constructor(directory: string) {
    const library = load(directory, "WinHvEmulation.dll");
    this.take = library.func("StandInTakeViolations", "uint32", ["void *", "uint32"]);
    this.setPlan = library.func("StandInPlan", "void", ["void *"]);
    this.getAnswers = library.func("StandInAnswers", "void", ["void *"]);
    this.live = library.func("StandInCount", "int", []);
  }

  takeViolations(): string[] {
    return textOf(this.take);
  }

  plan(plan: EmulationPlan = {}): void {
    const { registers = 0, accessSize = 0, wrongContext = false, nullAccess = false } = plan;
    const { answer = 0, forcedStatus = 0, portSize = 0, modify = false } = plan;
    const flags = [wrongContext, nullAccess, modify].map(Number);
    const words = [registers, accessSize, flags[0], flags[1], answer, forcedStatus, portSize, flags[2]].map(Number);
    this.setPlan(new Uint8Array(Uint32Array.from(words).buffer));
  }

  answers(): EmulationAnswers {
    const bytes = new Uint8Array(64);
    this.getAnswers(bytes);
    const view = new DataView(bytes.buffer);
    const wide = (at: number): bigint => view.getBigUint64(at, true);
    return {
      gpa: wide(0),
      resultCode: view.getUint32(8, true),
      data: view.getUint32(12, true),
      memory: bytes.slice(16, 32),
      first: [wide(32), wide(40)],
      last: [wide(48), wide(56)],
    };
  }
}

/** A function that only one of the libraries has. */
function optional(library: LibraryHandle, name: string, result: string, parameters: string[]): () => number {
  try {
    return library.func(name, result, parameters);
  } catch {
    return () => 0;
  }
}
