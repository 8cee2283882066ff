/**
 * One emulator's side of the C callbacks: native structures into the reused objects of `whv-types`, the host's callback,
 * and its answer back into native memory. The host never sees native memory itself, so that nothing it keeps can outlive
 * that.
 */
import {
  type EmulatorCallbacks,
  EmulatorIoAccess,
  EmulatorMemoryAccess,
  EmulatorTranslation,
  RegisterValues,
  S_OK,
} from "@whvkit/whv-types";
import { CallbackFailure } from "./callback-failure.ts";
import type { CallbackReceiver } from "./callback-table.ts";
import { CallbackViews } from "./callback-views.ts";

const IO_ACCESS_INFO_SIZE = 12;
const MEMORY_ACCESS_INFO_SIZE = 24;
/** Offset of `Data` in `WHV_EMULATOR_MEMORY_ACCESS_INFO`. */
const MEMORY_DATA = 10;
const TWO_TO_32 = 0x1_0000_0000;
/** All registers there are would fit; a bound for what native code asks. */
const MAX_REGISTERS = 1024;

/** For all emulators of the thread: the addresses are those of one stack. */
const ioViews = new CallbackViews();
const memoryViews = new CallbackViews();
const nameViews = new CallbackViews();
const valueViews = new CallbackViews();
const resultViews = new CallbackViews();
const gpaViews = new CallbackViews();

export class NativeEmulation<Context> implements CallbackReceiver {
  readonly contextNumber: number;
  readonly failure: CallbackFailure = new CallbackFailure();
  context: Context | undefined = undefined;
  private readonly callbacks: EmulatorCallbacks<Context>;
  private readonly io = new EmulatorIoAccess();
  private readonly access = new EmulatorMemoryAccess();
  private readonly translation = new EmulatorTranslation();
  private names = new Uint32Array(64);
  private values = new RegisterValues(64);

  constructor(callbacks: EmulatorCallbacks<Context>, contextNumber: number) {
    this.callbacks = callbacks;
    this.contextNumber = contextNumber;
  }

  ioPort(address: number): number {
    const { io, failure } = this;
    try {
      const { words } = ioViews.at(address, IO_ACCESS_INFO_SIZE);
      const first = words[0] as number;
      const size = (words[1] as number) & 0xffff;
      if (size !== 1 && size !== 2 && size !== 4)
        return failure.malformed("ioPort", "port", `WinHvEmulation.dll asks for a port access of ${size} bytes.`);
      io.direction = (first & 0xff) === 0 ? 0 : 1;
      io.port = first >>> 16;
      io.accessSize = size;
      io.data = words[2] as number;
      const answer: unknown = this.callbacks.ioPort(this.context as Context, io);
      if (answer !== S_OK) return failure.answered("ioPort", "port", answer);
      if (io.direction === 0) words[2] = io.data;
      return S_OK;
    } catch (thrown) {
      return failure.threw("ioPort", "port", thrown);
    }
  }

  memory(address: number): number {
    const { access, failure } = this;
    let phase: "load" | "store" = "load";
    try {
      const { words, bytes } = memoryViews.at(address, MEMORY_ACCESS_INFO_SIZE);
      const size = bytes[9] as number;
      if (size < 1 || size > 8)
        return failure.malformed("memory", phase, `WinHvEmulation.dll asks for a memory access of ${size} bytes.`);
      access.gpaAddress = (words[1] as number) * TWO_TO_32 + (words[0] as number);
      access.direction = bytes[8] === 0 ? 0 : 1;
      access.accessSize = size;
      phase = access.direction === 0 ? "load" : "store";
      const { data } = access;
      for (let i = 0; i < 8; i++) data[i] = bytes[MEMORY_DATA + i] as number;
      const answer: unknown = this.callbacks.memory(this.context as Context, access);
      if (answer !== S_OK) return failure.answered("memory", phase, answer);
      if (phase === "load") for (let i = 0; i < size; i++) bytes[MEMORY_DATA + i] = data[i] as number;
      return S_OK;
    } catch (thrown) {
      return failure.threw("memory", phase, thrown);
    }
  }

  getRegisters(names: number, count: number, values: number): number {
    const { failure } = this;
    const callback = "getVirtualProcessorRegisters";
    try {
      if (!this.takeNames(names, count)) return failure.malformed(callback, "registers", tooManyRegisters(count));
      const answer: unknown = this.callbacks[callback](this.context as Context, this.names, count, this.values);
      if (answer !== S_OK) return failure.answered(callback, "registers", answer);
      const native = valueViews.at(values, count * 16).words;
      const { words } = this.values;
      for (let i = 0; i < count * 4; i++) native[i] = words[i] as number;
      return S_OK;
    } catch (thrown) {
      return failure.threw(callback, "registers", thrown);
    }
  }

  setRegisters(names: number, count: number, values: number): number {
    const { failure } = this;
    const callback = "setVirtualProcessorRegisters";
    try {
      if (!this.takeNames(names, count)) return failure.malformed(callback, "commit", tooManyRegisters(count));
      const native = valueViews.at(values, count * 16).words;
      const { words } = this.values;
      for (let i = 0; i < count * 4; i++) words[i] = native[i] as number;
      const answer: unknown = this.callbacks[callback](this.context as Context, this.names, count, this.values);
      return answer === S_OK ? S_OK : failure.answered(callback, "commit", answer);
    } catch (thrown) {
      return failure.threw(callback, "commit", thrown);
    }
  }

  translate(gva: number | bigint, flags: number, result: number, gpa: number): number {
    const { translation, failure } = this;
    const callback = "translateGvaPage";
    try {
      if (typeof gva === "number") {
        // Exact, and two's complement where koffi made it negative: division by a power of two rounds nothing.
        translation.gvaPageLow = gva >>> 0;
        translation.gvaPageHigh = Math.floor(gva / TWO_TO_32) >>> 0;
      } else {
        translation.gvaPageLow = Number(BigInt.asUintN(32, gva));
        translation.gvaPageHigh = Number(BigInt.asUintN(32, gva >> 32n));
      }
      translation.flags = flags;
      // No result code: a callback that answers S_OK must say one.
      translation.resultCode = -1;
      translation.gpaPage = 0;
      const answer: unknown = this.callbacks[callback](this.context as Context, translation);
      if (answer !== S_OK) return failure.answered(callback, "translate", answer);
      const { gpaPage, resultCode } = translation;
      if (!Number.isSafeInteger(gpaPage) || gpaPage < 0)
        return failure.malformed(callback, "translate", `The ${callback} callback gave the address ${gpaPage}.`);
      if (!Number.isInteger(resultCode) || resultCode < 0)
        return failure.malformed(callback, "translate", `The ${callback} callback gave the result code ${resultCode}.`);
      resultViews.at(result, 4).words[0] = resultCode;
      const { words } = gpaViews.at(gpa, 8);
      words[0] = gpaPage >>> 0;
      words[1] = Math.floor(gpaPage / TWO_TO_32);
      return S_OK;
    } catch (thrown) {
      return failure.threw(callback, "translate", thrown);
    }
  }

  /** Copies the register names; whether there are as many as can be. */
  private takeNames(address: number, count: number): boolean {
    if (count < 1 || count > MAX_REGISTERS) return false;
    if (count > this.names.length) {
      this.names = new Uint32Array(count);
      this.values = new RegisterValues(count);
    }
    const native = nameViews.at(address, count * 4).words;
    for (let i = 0; i < count; i++) this.names[i] = native[i] as number;
    return true;
  }
}

function tooManyRegisters(count: number): string {
  return `WinHvEmulation.dll asks for ${count} registers.`;
}
