/**
 * The emulator API in the shape of WinHvEmulation.h, for people who port code: functions under their documented names
 * that answer an HRESULT, take handles, and fill what they are handed. The work is that of `createEmulator`.
 */
import {
  E_INVALIDARG,
  type EmulationResult,
  type Emulator,
  type EmulatorCallbacks,
  type EmulatorIoAccess,
  type EmulatorMemoryAccess,
  type IoPortAccessContextView,
  type MemoryAccessContextView,
  type RegisterValues,
  S_OK,
  type VpExitContextView,
} from "@whvkit/whv-types";
import { createEmulator } from "./emulator.ts";
import type { EmulatorOptions } from "./emulator-options.ts";

/**
 * A place that a function fills: C's pointer to one value.
 *
 * @public
 */
export interface Out<T> {
  /** What the function answered; undefined content after a failure. */
  value: T;
}

/**
 * `WHV_EMULATOR_CALLBACKS` with functions where C has pointers. Members and arguments are those of the header, in its
 * order; each callback answers an HRESULT.
 *
 * @public
 */
export interface WHvEmulatorCallbackTable<Context = unknown> {
  /** Bytes of the native structure: 48 or more. */
  readonly Size: number;
  /** Must be 0. */
  readonly Reserved: number;
  /** `WHV_EMULATOR_IO_PORT_CALLBACK`. */
  readonly WHvEmulatorIoPortCallback: (context: Context, ioAccess: EmulatorIoAccess) => number;
  /** `WHV_EMULATOR_MEMORY_CALLBACK`. */
  readonly WHvEmulatorMemoryCallback: (context: Context, memoryAccess: EmulatorMemoryAccess) => number;
  /** `WHV_EMULATOR_GET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK`. */
  readonly WHvEmulatorGetVirtualProcessorRegisters: (
    context: Context,
    registerNames: Uint32Array,
    registerCount: number,
    registerValues: RegisterValues,
  ) => number;
  /** `WHV_EMULATOR_SET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK`. */
  readonly WHvEmulatorSetVirtualProcessorRegisters: (
    context: Context,
    registerNames: Uint32Array,
    registerCount: number,
    registerValues: RegisterValues,
  ) => number;
  /** `WHV_EMULATOR_TRANSLATE_GVA_PAGE_CALLBACK`; fills a `WHV_TRANSLATE_GVA_RESULT_CODE` and a guest-physical page. */
  readonly WHvEmulatorTranslateGvaPage: (
    context: Context,
    gva: bigint,
    translateFlags: number,
    translationResult: Out<number>,
    gpa: Out<number>,
  ) => number;
}

/**
 * `WHV_EMULATOR_HANDLE`: opaque.
 *
 * @public
 */
export interface WHvEmulatorHandle<Context = unknown> {
  /** Never there; keeps the type of the context. */
  readonly contextType?: Context;
}

/**
 * `WHV_EMULATOR_STATUS` as the functions fill it: a plain object, or an `EmulatorStatusView` of `@whvkit/whv-types`.
 *
 * @public
 */
export interface WHvEmulatorStatus {
  /** The bits of `WHV_EMULATOR_STATUS`; they count only where the function answered `S_OK`. */
  asUINT32: number;
}

/** sizeof(WHV_EMULATOR_CALLBACKS) on x64. */
const CALLBACKS_SIZE = 48;

/** The live handles of this module, and whose emulator each is. */
const emulators: WeakMap<object, Emulator<never>> = new WeakMap();

/**
 * `WHvEmulatorCreateEmulator`.
 *
 * @param callbacks - the table; a missing member or a `Size` below 48 is `E_INVALIDARG`.
 * @param emulator - receives the handle.
 * @param options - this implementation's options; wrong ones are `E_INVALIDARG`.
 * @returns `S_OK` or `E_INVALIDARG`.
 *
 * @example
 * ```ts
 * import { type Out, type WHvEmulatorCallbackTable, WHvEmulatorCreateEmulator, type WHvEmulatorHandle } from "@whvkit/emulator-core";
 * import { E_FAIL, E_INVALIDARG, S_OK } from "@whvkit/whv-types";
 * const table: WHvEmulatorCallbackTable = {
 *   Size: 48,
 *   Reserved: 0,
 *   WHvEmulatorIoPortCallback: () => E_FAIL,
 *   WHvEmulatorMemoryCallback: () => E_FAIL,
 *   WHvEmulatorGetVirtualProcessorRegisters: () => E_FAIL,
 *   WHvEmulatorSetVirtualProcessorRegisters: () => E_FAIL,
 *   WHvEmulatorTranslateGvaPage: () => E_FAIL,
 * };
 * const emulator: Out<WHvEmulatorHandle | null> = { value: null };
 * WHvEmulatorCreateEmulator(table, emulator) === S_OK; // true
 * WHvEmulatorCreateEmulator({ ...table, Size: 40 }, emulator) === E_INVALIDARG; // true
 * ```
 *
 * @public
 */
export function WHvEmulatorCreateEmulator<Context>(
  callbacks: WHvEmulatorCallbackTable<Context>,
  emulator: Out<WHvEmulatorHandle<Context> | null>,
  options: EmulatorOptions<Context> = {},
): number {
  if (!isObject(callbacks) || !isObject(emulator)) return E_INVALIDARG;
  emulator.value = null;
  if (!(callbacks.Size >= CALLBACKS_SIZE)) return E_INVALIDARG;
  const members = [
    callbacks.WHvEmulatorIoPortCallback,
    callbacks.WHvEmulatorMemoryCallback,
    callbacks.WHvEmulatorGetVirtualProcessorRegisters,
    callbacks.WHvEmulatorSetVirtualProcessorRegisters,
    callbacks.WHvEmulatorTranslateGvaPage,
  ];
  if (members.some((member) => typeof member !== "function")) return E_INVALIDARG;
  const handle: WHvEmulatorHandle<Context> = Object.freeze({});
  try {
    emulators.set(handle, createEmulator(adapt(callbacks), options));
  } catch {
    // Only a wrong option can be the cause, and an HRESULT is all there is to say it with.
    return E_INVALIDARG;
  }
  emulator.value = handle;
  return S_OK;
}

/**
 * `WHvEmulatorDestroyEmulator`.
 *
 * @param emulator - the handle that `WHvEmulatorCreateEmulator` filled in
 * @returns `S_OK`, or `E_INVALIDARG` where the handle is none or has been destroyed.
 *
 * @example
 * ```ts
 * import { type Out, WHvEmulatorCreateEmulator, WHvEmulatorDestroyEmulator, type WHvEmulatorHandle } from "@whvkit/emulator-core";
 * import { E_FAIL, E_INVALIDARG, S_OK } from "@whvkit/whv-types";
 * const callback = () => E_FAIL;
 * const emulator: Out<WHvEmulatorHandle | null> = { value: null };
 * WHvEmulatorCreateEmulator(
 *   {
 *     Size: 48,
 *     Reserved: 0,
 *     WHvEmulatorIoPortCallback: callback,
 *     WHvEmulatorMemoryCallback: callback,
 *     WHvEmulatorGetVirtualProcessorRegisters: callback,
 *     WHvEmulatorSetVirtualProcessorRegisters: callback,
 *     WHvEmulatorTranslateGvaPage: callback,
 *   },
 *   emulator,
 * );
 * WHvEmulatorDestroyEmulator(emulator.value) === S_OK; // true
 * WHvEmulatorDestroyEmulator(emulator.value) === E_INVALIDARG; // true
 * ```
 *
 * @public
 */
export function WHvEmulatorDestroyEmulator<Context>(emulator: WHvEmulatorHandle<Context> | null): number {
  const found = find(emulator);
  if (found === undefined) return E_INVALIDARG;
  found.destroy();
  emulators.delete(emulator as object);
  return S_OK;
}

/**
 * `WHvEmulatorTryIoEmulation`.
 *
 * @param context - handed to every callback.
 * @param emulatorReturnStatus - receives the status; it counts only when the answer is `S_OK`.
 * @param vpContext - `VpContext` of the exit
 * @param ioInstructionContext - `IoPortAccess` of the exit
 * @returns `S_OK`, `E_INVALIDARG` for a malformed handle or context, `E_FAIL` when called from a callback of this emulator.
 *
 * @example
 * ```ts
 * import { type Out, WHvEmulatorCreateEmulator, type WHvEmulatorHandle, WHvEmulatorTryIoEmulation } from "@whvkit/emulator-core";
 * import { E_FAIL, IoPortAccessContextView, S_OK, VpExitContextView } from "@whvkit/whv-types";
 * const sent: string[] = [];
 * const emulator: Out<WHvEmulatorHandle | null> = { value: null };
 * WHvEmulatorCreateEmulator(
 *   {
 *     Size: 48,
 *     Reserved: 0,
 *     WHvEmulatorIoPortCallback(_context, { port, data }) {
 *       sent.push(`${port}: ${data}`);
 *       return S_OK;
 *     },
 *     WHvEmulatorMemoryCallback: () => E_FAIL,
 *     WHvEmulatorGetVirtualProcessorRegisters: () => E_FAIL, // OUT needs none
 *     WHvEmulatorSetVirtualProcessorRegisters: () => S_OK, // RIP, here
 *     WHvEmulatorTranslateGvaPage: () => E_FAIL,
 *   },
 *   emulator,
 * );
 * const out = IoPortAccessContextView.from({ accessInfo: { isWrite: true, accessSize: 1 }, portNumber: 0x80, rax: 0x41n });
 * const status = { asUINT32: 0 };
 * WHvEmulatorTryIoEmulation(emulator.value, null, VpExitContextView.from({ instructionLength: 2 }), out, status); // 0
 * status.asUINT32; // 1
 * sent; // ["128: 65"]
 * ```
 *
 * @public
 */
export function WHvEmulatorTryIoEmulation<Context>(
  emulator: WHvEmulatorHandle<Context> | null,
  context: Context,
  vpContext: VpExitContextView,
  ioInstructionContext: IoPortAccessContextView,
  emulatorReturnStatus: WHvEmulatorStatus,
): number {
  const found = find(emulator);
  if (found === undefined || !isObject(emulatorReturnStatus)) return E_INVALIDARG;
  return report(found.tryIoEmulation(context as never, vpContext, ioInstructionContext), emulatorReturnStatus);
}

/**
 * `WHvEmulatorTryMmioEmulation`; arguments and answers as of {@link WHvEmulatorTryIoEmulation}.
 *
 * @param emulator - the handle that `WHvEmulatorCreateEmulator` filled in
 * @param context - handed to every callback
 * @param vpContext - `VpContext` of the exit
 * @param mmioInstructionContext - `MemoryAccess` of the exit
 * @param emulatorReturnStatus - receives the status; it counts only when the answer is `S_OK`
 *
 * @example
 * ```ts
 * import { type Out, WHvEmulatorCreateEmulator, type WHvEmulatorHandle, WHvEmulatorTryMmioEmulation } from "@whvkit/emulator-core";
 * import { E_FAIL, MemoryAccessContextView, S_OK, VpExitContextView, WHV_TRANSLATE_GVA_RESULT_CODE } from "@whvkit/whv-types";
 * const stored: string[] = [];
 * const emulator: Out<WHvEmulatorHandle | null> = { value: null };
 * WHvEmulatorCreateEmulator(
 *   {
 *     Size: 48,
 *     Reserved: 0,
 *     WHvEmulatorIoPortCallback: () => E_FAIL,
 *     WHvEmulatorMemoryCallback(_context, { gpaAddress, value }) {
 *       stored.push(`0x${gpaAddress.toString(16)}: ${value}`);
 *       return S_OK;
 *     },
 *     WHvEmulatorGetVirtualProcessorRegisters: () => S_OK, // all 0, here
 *     WHvEmulatorSetVirtualProcessorRegisters: () => S_OK,
 *     WHvEmulatorTranslateGvaPage(_context, gva, _flags, result, gpa) {
 *       result.value = WHV_TRANSLATE_GVA_RESULT_CODE.WHvTranslateGvaResultSuccess;
 *       gpa.value = 0xb8000 + Number(gva);
 *       return S_OK;
 *     },
 *   },
 *   emulator,
 * );
 * const vpContext = VpExitContextView.from({ cs: { limit: 0xffff } }); // real mode
 * const store = MemoryAccessContextView.from({ gpa: 0xb8000, instructionByteCount: 2 });
 * store.instructionBytes.set([0x88, 0x05]); // mov [di], al
 * const status = { asUINT32: 0 };
 * WHvEmulatorTryMmioEmulation(emulator.value, null, vpContext, store, status); // 0
 * status.asUINT32; // 1
 * stored; // ["0xb8000: 0"]
 * ```
 *
 * @public
 */
export function WHvEmulatorTryMmioEmulation<Context>(
  emulator: WHvEmulatorHandle<Context> | null,
  context: Context,
  vpContext: VpExitContextView,
  mmioInstructionContext: MemoryAccessContextView,
  emulatorReturnStatus: WHvEmulatorStatus,
): number {
  const found = find(emulator);
  if (found === undefined || !isObject(emulatorReturnStatus)) return E_INVALIDARG;
  return report(found.tryMmioEmulation(context as never, vpContext, mmioInstructionContext), emulatorReturnStatus);
}

function find(handle: unknown): Emulator<never> | undefined {
  return isObject(handle) ? emulators.get(handle) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function report({ hresult, statusBits }: EmulationResult, status: WHvEmulatorStatus): number {
  status.asUINT32 = statusBits;
  return hresult;
}

/** The five callbacks as `createEmulator` takes them. */
function adapt<Context>(table: WHvEmulatorCallbackTable<Context>): EmulatorCallbacks<Context> {
  const resultCode: Out<number> = { value: 0 };
  const gpaPage: Out<number> = { value: 0 };
  return {
    ioPort: (context, access) => table.WHvEmulatorIoPortCallback(context, access),
    memory: (context, access) => table.WHvEmulatorMemoryCallback(context, access),
    getVirtualProcessorRegisters: (context, names, count, values) =>
      table.WHvEmulatorGetVirtualProcessorRegisters(context, names, count, values),
    setVirtualProcessorRegisters: (context, names, count, values) =>
      table.WHvEmulatorSetVirtualProcessorRegisters(context, names, count, values),
    translateGvaPage: (context, translation) => {
      resultCode.value = translation.resultCode;
      gpaPage.value = 0;
      const { gvaPage, flags } = translation;
      const hresult = table.WHvEmulatorTranslateGvaPage(context, gvaPage, flags, resultCode, gpaPage);
      translation.resultCode = resultCode.value;
      translation.gpaPage = gpaPage.value;
      return hresult;
    },
  };
}
