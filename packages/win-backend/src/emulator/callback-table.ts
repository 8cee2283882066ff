/**
 * The five C callbacks of `WHV_EMULATOR_CALLBACKS`. There is one set for all emulators of a thread: emulations are
 * synchronous, so the one under way is known, and no emulator takes a place of koffi's limited table of callbacks.
 * Whatever happens in a callback, native code gets an HRESULT.
 */
import { E_FAIL, EmulatorCallbacksView } from "@whvkit/whv-types";
import { requireKoffi } from "../native/native-support.ts";

/** The emulation under way, as the C callbacks see it. Addresses are of this process: exact in a number, never null. */
export interface CallbackReceiver {
  /** What was given to native code as `Context`. */
  readonly contextNumber: number;
  ioPort(access: number): number;
  memory(access: number): number;
  getRegisters(names: number, count: number, values: number): number;
  setRegisters(names: number, count: number, values: number): number;
  /** `gva` comes as koffi makes it: a number where that is exact, else a bigint, and negative from 2^63 on. */
  translate(gva: number | bigint, flags: number, result: number, gpa: number): number;
}

let receiver: CallbackReceiver | null = null;
let table: Uint8Array | undefined;

/** Makes `next` the emulation under way. Answers the one before, for {@link leaveEmulation}: a callback may use another emulator. */
export function enterEmulation(next: CallbackReceiver): CallbackReceiver | null {
  const outer = receiver;
  receiver = next;
  return outer;
}

export function leaveEmulation(outer: CallbackReceiver | null): void {
  receiver = outer;
}

/** `WHV_EMULATOR_CALLBACKS`, for `WHvEmulatorCreateEmulator`. It lives as long as the thread. */
export function callbackTable(): Uint8Array {
  table ??= makeTable();
  return table;
}

// Declared as integers, pointers come as numbers; a bigint for each would cost as much as the rest of the call.
const POINTER = "uint64";
const INTEGER = "uint32";

function makeTable(): Uint8Array {
  const koffi = requireKoffi("WHvEmulatorCreateEmulator");
  const register = (callback: (...values: never[]) => number, ...parameters: string[]): bigint =>
    koffi.register(callback, koffi.pointer(koffi.proto(INTEGER, parameters)));
  return EmulatorCallbacksView.from({
    size: EmulatorCallbacksView.size,
    wHvEmulatorIoPortCallback: register(ioPort, POINTER, POINTER),
    wHvEmulatorMemoryCallback: register(memory, POINTER, POINTER),
    wHvEmulatorGetVirtualProcessorRegisters: register(getRegisters, POINTER, POINTER, INTEGER, POINTER),
    wHvEmulatorSetVirtualProcessorRegisters: register(setRegisters, POINTER, POINTER, INTEGER, POINTER),
    wHvEmulatorTranslateGvaPage: register(translate, POINTER, POINTER, INTEGER, POINTER, POINTER),
  }).bytes;
}

function current(context: number): CallbackReceiver | null {
  return receiver !== null && receiver.contextNumber === context ? receiver : null;
}

function ioPort(context: number, access: number): number {
  return access === 0 ? E_FAIL : (current(context)?.ioPort(access) ?? E_FAIL);
}

function memory(context: number, access: number): number {
  return access === 0 ? E_FAIL : (current(context)?.memory(access) ?? E_FAIL);
}

function getRegisters(context: number, names: number, count: number, values: number): number {
  return names === 0 || values === 0 ? E_FAIL : (current(context)?.getRegisters(names, count, values) ?? E_FAIL);
}

function setRegisters(context: number, names: number, count: number, values: number): number {
  return names === 0 || values === 0 ? E_FAIL : (current(context)?.setRegisters(names, count, values) ?? E_FAIL);
}

function translate(context: number, gva: number | bigint, flags: number, result: number, gpa: number): number {
  return result === 0 || gpa === 0 ? E_FAIL : (current(context)?.translate(gva, flags, result, gpa) ?? E_FAIL);
}
