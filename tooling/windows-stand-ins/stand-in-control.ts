/** A test's hands on the stand-in libraries: what they recorded, what is still alive, and what they are to do next. */

import { createRequire } from "node:module";
import path from "node:path";
import { WhvError } from "@whvkit/whv-types";
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

/** Memory that a partition has mapped; `bytes` is that memory. */
export interface MappedRange {
  readonly gpa: number;
  /** `WHV_MAP_GPA_RANGE_FLAGS`. */
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** Runs a processor to its next exit and fills the exit context. What it throws becomes the HRESULT of the run. */
export type RunServer = (partition: bigint, index: number, exitContext: Uint8Array) => void;

const runServer = koffi.proto("uint32", ["uint64", "uint32", "uint64"]);
const E_FAIL = 0x8000_4005;
const MAX_RANGES = 64;

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
  private readonly setRunServer: (server: unknown, extendedExits: bigint) => void;
  private readonly exchange: (
    partition: bigint,
    index: number,
    names: Uint32Array,
    count: number,
    values: Uint8Array,
    write: number,
  ) => number;
  private readonly takeRanges: (partition: bigint, out: BigUint64Array) => number;
  private readonly takeProperty: (partition: bigint, code: number) => number | bigint;
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
    this.setRunServer = library.func("StandInServeRuns", "void", ["void *", "uint64"]);
    const exchanged = ["void *", "uint32", "void *", "uint32", "void *", "int"];
    this.exchange = library.func("StandInRegisters", "uint32", exchanged);
    this.takeRanges = library.func("StandInRanges", "uint32", ["void *", "void *"]);
    this.takeProperty = library.func("StandInProperty", "uint64", ["void *", "uint32"]);
    this.hideHypervisor = library.func("StandInHideHypervisor", "void", ["int"]);
    this.useKvm = optional(library, "StandInUseKvm", "int", ["int"]);
  }

  /** Runs go there from now on, with these extended exits. Answers what ends that. */
  serveRuns(extendedExits: bigint, serve: RunServer): () => void {
    const registered = koffi.register((partition: number | bigint, index: number, exit: number): number => {
      try {
        serve(BigInt.asUintN(64, BigInt(partition)), index, new Uint8Array(koffi.view(BigInt(exit), 224)));
        return 0;
      } catch (error) {
        if (error instanceof WhvError) return error.hresult;
        console.error(error);
        return E_FAIL;
      }
    }, koffi.pointer(runServer));
    this.setRunServer(registered, extendedExits);
    return () => {
      this.setRunServer(null, 0n);
      koffi.unregister(registered);
    };
  }

  /** The registers of a processor, also while it runs. */
  registers(partition: bigint, index: number, names: Uint32Array, values: Uint8Array, write: boolean): void {
    const hresult = this.exchange(partition, index, names, names.length, values, write ? 1 : 0);
    if (hresult !== 0) throw new WhvError("StandInRegisters", hresult);
  }

  /** What a partition has mapped. */
  ranges(partition: bigint): MappedRange[] {
    const words = new BigUint64Array(4 * MAX_RANGES);
    const count = this.takeRanges(partition, words);
    return Array.from({ length: count }, (_, i) => {
      const [gpa = 0n, size = 0n, source = 0n, flags = 0n] = words.subarray(4 * i, 4 * i + 4);
      return { gpa: Number(gpa), flags: Number(flags), bytes: new Uint8Array(koffi.view(source, Number(size))) };
    });
  }

  /** The low 64 bits of a property. */
  property(partition: bigint, code: number): bigint {
    return BigInt.asUintN(64, BigInt(this.takeProperty(partition, code)));
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

/** A C function that answers an HRESULT. */
type NativeFunction = (...values: unknown[]) => number;

/** The functions of a `WHV_EMULATOR_CALLBACKS`. */
export interface NativeCallbacks {
  readonly ioPort: NativeFunction;
  readonly memory: NativeFunction;
  readonly getRegisters: NativeFunction;
  readonly setRegisters: NativeFunction;
  readonly translate: NativeFunction;
}

/** Carries out an emulation: 0 TryIo, 1 TryMmio. `viewOf` gives the two structures of the exit. */
export type EmulationServer = (
  kind: number,
  callbacks: NativeCallbacks,
  context: bigint,
  viewOf: (which: "vp" | "access", size: number) => DataView,
  setStatus: (bits: number) => void,
) => number;

const prototypes = {
  ioPort: koffi.proto("uint32", ["void *", "void *"]),
  memory: koffi.proto("uint32", ["void *", "void *"]),
  getRegisters: koffi.proto("uint32", ["void *", "void *", "uint32", "void *"]),
  setRegisters: koffi.proto("uint32", ["void *", "void *", "uint32", "void *"]),
  translate: koffi.proto("uint32", ["void *", "uint64", "uint32", "void *", "void *"]),
};
const server = koffi.proto("uint32", ["uint32", "uint64", "uint64", "uint64", "uint64", "uint64"]);

function viewAt(address: number | bigint, size: number): DataView {
  return new DataView(koffi.view(BigInt(address), size));
}

/** The stand-in for `WinHvEmulation.dll`. */
export class EmulationControl {
  private readonly setServer: (server: unknown) => void;
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
    this.setServer = library.func("StandInServe", "void", ["void *"]);
  }

  takeViolations(): string[] {
    return textOf(this.take);
  }

  /** Emulations go there from now on. Answers what ends that. */
  serve(serve: EmulationServer): () => void {
    const registered = koffi.register(
      (kind: number, callbacks: number, context: number, vp: number, access: number, status: number): number => {
        try {
          return serve(
            kind,
            callbacksAt(callbacks),
            BigInt(context),
            (which, size) => viewAt(which === "vp" ? vp : access, size),
            (bits) => viewAt(status, 4).setUint32(0, bits, true),
          );
        } catch (error) {
          console.error(error);
          return E_FAIL;
        }
      },
      koffi.pointer(server),
    );
    this.setServer(registered);
    return () => {
      this.setServer(null);
      koffi.unregister(registered);
    };
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

/** The functions behind Size and Reserved, in the order of the header. */
function callbacksAt(address: number): NativeCallbacks {
  const table = viewAt(address, 48);
  const order = ["ioPort", "memory", "getRegisters", "setRegisters", "translate"] as const;
  const bound = order.map((name, i) => [name, koffi.decode(table.getBigUint64(8 + 8 * i, true), prototypes[name])]);
  return Object.fromEntries(bound) as NativeCallbacks;
}

/** A function that only one of the libraries has. */
function optional(library: LibraryHandle, name: string, result: string, parameters: string[]): () => number {
  try {
    return library.func(name, result, parameters);
  } catch {
    return () => 0;
  }
}
