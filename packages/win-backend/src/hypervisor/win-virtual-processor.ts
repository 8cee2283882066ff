/**
 * A virtual processor over `WinHvPlatform.dll`. What the platform reads and fills lies in buffers that are made once; the
 * views of `whv-types` read them in place. Nothing here decodes a structure on the way of an exit.
 */
import {
  AccessGpaControlsView,
  CpuidOutputView,
  E_INVALIDARG,
  type GvaTranslation,
  REGISTER_VALUE_SIZE,
  type RegisterValues,
  type RunVpExit,
  RunVpExitContextView,
  SynicEventParametersView,
  type VirtualProcessor,
  WHV_CACHE_TYPE,
  type WHV_CPUID_OUTPUT,
  WHV_E_INVALID_VP_STATE,
  WHV_E_VP_DOES_NOT_EXIST,
  type WHV_PROCESSOR_COUNTER_SET,
  WHV_VIRTUAL_PROCESSOR_STATE_TYPE,
  WhvError,
  type WinHvPlatformFunctions,
} from "@whvkit/whv-types";
import type { KoffiFunction } from "../native/koffi-function.ts";
import { addressOf } from "../native/native-support.ts";
import { check, requireBytes, requireSafeInteger, requireUint32 } from "./argument-checks.ts";
import type { PartitionHandle } from "./partition-handle.ts";
import { ProcessorState } from "./processor-state.ts";
import type { RunWatch } from "./run-watch.ts";
import { readInto } from "./variable-output.ts";

/**
 * A virtual processor of Windows: every operation of {@link VirtualProcessor}, and a run that does not hold the thread.
 *
 * @public
 */
export interface WinVirtualProcessor extends Required<VirtualProcessor> {
  /**
   * `WHvRunVirtualProcessor` on a thread of Node's pool: answers at the next exit, with the object that `run` answers too.
   * Until then only `cancelRun` may be called. Each processor that runs occupies a thread of the pool, of which there are
   * four unless the environment variable `UV_THREADPOOL_SIZE` says otherwise.
   */
  runAsync(): Promise<RunVpExit>;
  /** {@link VirtualProcessor.dispose}, for `using`. */
  [Symbol.dispose](): void;
}

const EXIT_CONTEXT_SIZE = 224;
const NO_FLAGS = 0;

export class NativeVirtualProcessor implements WinVirtualProcessor {
  readonly index: number;
  private readonly partition: PartitionHandle;
  private readonly functions: WinHvPlatformFunctions;
  private readonly state: ProcessorState;
  private readonly watch: RunWatch | null;
  private readonly removed: (processor: NativeVirtualProcessor) => void;
  private readonly exitBytes = new Uint8Array(EXIT_CONTEXT_SIZE);
  private readonly exitAddress: bigint;
  private readonly exit: RunVpExit;
  private readonly translation = new Uint32Array(4);
  private readonly translationAddress: bigint;
  private running = false;
  private live = true;

  // The four functions of the hot path, bound once: every version of the platform has them.
  private readonly runProcessor: WinHvPlatformFunctions["WHvRunVirtualProcessor"];
  private readonly getValues: WinHvPlatformFunctions["WHvGetVirtualProcessorRegisters"];
  private readonly setValues: WinHvPlatformFunctions["WHvSetVirtualProcessorRegisters"];
  private readonly translate: WinHvPlatformFunctions["WHvTranslateGva"];

  /**
   * @param watch - what ends runs that last too long
   * @param removed - called once, when the processor has been disposed of and no run is under way: to delete it.
   */
  constructor(
    partition: PartitionHandle,
    index: number,
    watch: RunWatch | null,
    removed: (processor: NativeVirtualProcessor) => void,
  ) {
    this.partition = partition;
    this.index = index;
    this.watch = watch;
    this.removed = removed;
    this.functions = partition.functions;
    this.state = new ProcessorState(partition.functions);
    this.runProcessor = this.functions.WHvRunVirtualProcessor;
    this.getValues = this.functions.WHvGetVirtualProcessorRegisters;
    this.setValues = this.functions.WHvSetVirtualProcessorRegisters;
    this.translate = this.functions.WHvTranslateGva;
    this.exitAddress = addressOf(this.exitBytes, "WHvCreateVirtualProcessor");
    // A view satisfies the union by construction; its exit reason tells which member counts.
    this.exit = new RunVpExitContextView(new DataView(this.exitBytes.buffer)) as unknown as RunVpExit;
    this.translationAddress = addressOf(new Uint8Array(this.translation.buffer), "WHvCreateVirtualProcessor");
  }

  run(): RunVpExit {
    const operation = "WHvRunVirtualProcessor";
    const handle = this.idle(operation);
    this.watch?.begin(operation);
    const hresult = this.runProcessor(handle, this.index, this.exitAddress, EXIT_CONTEXT_SIZE);
    this.watch?.end();
    check(operation, hresult);
    return this.exit;
  }

  runAsync(): Promise<RunVpExit> {
    const operation = "WHvRunVirtualProcessor";
    return new Promise((resolve, reject) => {
      const handle = this.idle(operation);
      const finished = (error: unknown, hresult: number): void => {
        this.running = false;
        this.watch?.end();
        try {
          if (!this.live) this.removed(this);
          if (error) throw error;
          check(operation, hresult);
          resolve(this.exit);
        } catch (failure) {
          reject(failure);
        }
      };
      const asynchronous = this.runProcessor as unknown as KoffiFunction;
      this.watch?.begin(operation);
      asynchronous.async(handle, this.index, this.exitAddress, EXIT_CONTEXT_SIZE, finished);
      this.running = true;
    });
  }

  cancelRun(): void {
    const operation = "WHvCancelRunVirtualProcessor";
    check(operation, this.functions.WHvCancelRunVirtualProcessor(this.existing(operation), this.index, NO_FLAGS));
  }

  getRegisters(names: Uint32Array, count: number, values: RegisterValues): void {
    const operation = "WHvGetVirtualProcessorRegisters";
    const handle = this.existing(operation);
    requireRegisters(operation, names, count, values);
    check(operation, this.getValues(handle, this.index, names as unknown as Uint8Array, count, values.bytes));
  }

  setRegisters(names: Uint32Array, count: number, values: RegisterValues): void {
    const operation = "WHvSetVirtualProcessorRegisters";
    const handle = this.existing(operation);
    requireRegisters(operation, names, count, values);
    check(operation, this.setValues(handle, this.index, names as unknown as Uint8Array, count, values.bytes));
  }

  translateGva(gvaLow: number, gvaHigh: number, flags: number, result: GvaTranslation): void {
    const operation = "WHvTranslateGva";
    const handle = this.existing(operation);
    requireUint32(operation, "flags", flags);
    const gva = (BigInt(gvaHigh >>> 0) << 32n) | BigInt(gvaLow >>> 0);
    const { index, translation } = this;
    translation.fill(0);
    const { translationAddress: at } = this;
    check(operation, this.translate(handle, index, gva, flags, at, at + 8n));
    result.resultCode = translation[0] as number;
    result.gpa = (translation[3] as number) * 0x1_0000_0000 + (translation[2] as number);
  }

  readState(type: WHV_VIRTUAL_PROCESSOR_STATE_TYPE, destination: Uint8Array): number {
    const handle = this.existing("WHvGetVirtualProcessorState");
    return this.state.read(handle, this.index, type, destination);
  }

  writeState(type: WHV_VIRTUAL_PROCESSOR_STATE_TYPE, source: Uint8Array): void {
    const handle = this.existing("WHvSetVirtualProcessorState");
    this.state.write(handle, this.index, type, source);
  }

  readXsaveState(destination: Uint8Array): number {
    return this.readState(WHV_VIRTUAL_PROCESSOR_STATE_TYPE.WHvVirtualProcessorStateTypeXsaveState, destination);
  }

  writeXsaveState(source: Uint8Array): void {
    this.writeState(WHV_VIRTUAL_PROCESSOR_STATE_TYPE.WHvVirtualProcessorStateTypeXsaveState, source);
  }

  readInterruptControllerState(destination: Uint8Array): number {
    const handle = this.existing("WHvGetVirtualProcessorInterruptControllerState2");
    return this.state.readInterruptController(handle, this.index, destination);
  }

  writeInterruptControllerState(source: Uint8Array): void {
    const handle = this.existing("WHvSetVirtualProcessorInterruptControllerState2");
    this.state.writeInterruptController(handle, this.index, source);
  }

  readGpaRange(
    gpa: number,
    destination: Uint8Array,
    cacheType: WHV_CACHE_TYPE = WHV_CACHE_TYPE.WHvCacheTypeWriteBack,
  ): void {
    const operation = "WHvReadGpaRange";
    const handle = this.existing(operation);
    requireSafeInteger(operation, "gpa", gpa);
    requireBytes(operation, "destination", destination);
    const controls = AccessGpaControlsView.from({ cacheType }).asUINT64;
    check(
      operation,
      this.functions.WHvReadGpaRange(handle, this.index, gpa, controls, destination, destination.length),
    );
  }

  writeGpaRange(
    gpa: number,
    source: Uint8Array,
    cacheType: WHV_CACHE_TYPE = WHV_CACHE_TYPE.WHvCacheTypeWriteBack,
  ): void {
    const operation = "WHvWriteGpaRange";
    const handle = this.existing(operation);
    requireSafeInteger(operation, "gpa", gpa);
    requireBytes(operation, "source", source);
    const controls = AccessGpaControlsView.from({ cacheType }).asUINT64;
    check(operation, this.functions.WHvWriteGpaRange(handle, this.index, gpa, controls, source, source.length));
  }

  signalSynicEvent(targetSint: number, flagNumber: number): boolean {
    const operation = "WHvSignalVirtualProcessorSynicEvent";
    const handle = this.existing(operation);
    const event = SynicEventParametersView.from({ vpIndex: this.index, targetSint, flagNumber }).toObject();
    const newlySignaled = new Uint8Array(4);
    check(operation, this.functions.WHvSignalVirtualProcessorSynicEvent(handle, event, newlySignaled));
    return newlySignaled.some((byte) => byte !== 0);
  }

  postSynicMessage(sintIndex: number, message: Uint8Array): void {
    const operation = "WHvPostVirtualProcessorSynicMessage";
    const handle = this.existing(operation);
    requireUint32(operation, "sintIndex", sintIndex);
    requireBytes(operation, "message", message);
    const { WHvPostVirtualProcessorSynicMessage: post } = this.functions;
    check(operation, post(handle, this.index, sintIndex, message, message.length));
  }

  getCpuidOutput(eax: number, ecx: number): WHV_CPUID_OUTPUT {
    const operation = "WHvGetVirtualProcessorCpuidOutput";
    const handle = this.existing(operation);
    requireUint32(operation, "eax", eax);
    requireUint32(operation, "ecx", ecx);
    const output = CpuidOutputView.from({});
    check(operation, this.functions.WHvGetVirtualProcessorCpuidOutput(handle, this.index, eax, ecx, output.bytes));
    return output.toObject();
  }

  readCounters(set: WHV_PROCESSOR_COUNTER_SET, destination: Uint8Array): number {
    const operation = "WHvGetVirtualProcessorCounters";
    const handle = this.existing(operation);
    requireUint32(operation, "set", set);
    requireBytes(operation, "destination", destination);
    const { WHvGetVirtualProcessorCounters: get } = this.functions;
    return readInto(operation, destination, (buffer, size, written) =>
      get(handle, this.index, set, buffer, size, written),
    );
  }

  /** Deletes it. A run under way is cancelled, and the processor deleted when that has ended. */
  dispose(): void {
    if (!this.live) return;
    if (this.running) this.cancelRun();
    this.live = false;
    if (!this.running) this.removed(this);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The partition's handle, where this processor may be run. */
  private idle(operation: string): bigint {
    const handle = this.existing(operation);
    if (this.running) throw new WhvError(operation, WHV_E_INVALID_VP_STATE, `processor ${this.index} is running`);
    return handle;
  }

  private existing(operation: string): bigint {
    const handle = this.partition.of(operation);
    if (!this.live) throw new WhvError(operation, WHV_E_VP_DOES_NOT_EXIST, `processor ${this.index} is deleted`);
    return handle;
  }
}

/** C reads and writes as many entries as it is told to. */
function requireRegisters(operation: string, names: Uint32Array, count: number, values: RegisterValues): void {
  const entries = Math.min(names.length, values.bytes.length / REGISTER_VALUE_SIZE);
  if (!Number.isInteger(count) || count < 0 || count > entries || !(names instanceof Uint32Array))
    throw new WhvError(
      operation,
      E_INVALIDARG,
      `${count} registers, of ${names.length} names and ${values.capacity} values`,
    );
}
