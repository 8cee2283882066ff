/**
 * `WinHvEmulation.dll` behind the `Emulator` interface: creation, one call, destruction. What a callback does is in
 * `native-emulation.ts`.
 */
import {
  E_FAIL,
  E_INVALIDARG,
  type EmulationResult,
  type Emulator,
  type EmulatorCallbacks,
  type IoPortAccessContextView,
  type MemoryAccessContextView,
  VpExitContextView,
  WhvError,
  type WinHvEmulationFunctions,
} from "@whvkit/whv-types";
import { check } from "../hypervisor/argument-checks.ts";
import { bindWinHvEmulation } from "../native/function-binding.ts";
import type { NativePointer } from "../native/kernel32.ts";
import { addressOf } from "../native/native-support.ts";
import type { NativeLibraryOptions } from "../native/system-library.ts";
import { callbackTable, enterEmulation, leaveEmulation } from "./callback-table.ts";
import { NativeEmulation } from "./native-emulation.ts";
import { diagnose, type InstructionKnown, isSuccess, NativeResult, refusal } from "./native-result.ts";

/**
 * The emulator of Windows.
 *
 * @public
 */
export interface NativeEmulator<Context = unknown> extends Emulator<Context> {
  /** {@link Emulator.destroy}, for `using`. */
  [Symbol.dispose](): void;
}

/** Offsets of the contexts in memory that native code reads: room for the larger of the two instruction contexts. */
const VP_CONTEXT_SIZE = 40;
const IO_CONTEXT_SIZE = 96;
const MEMORY_CONTEXT_SIZE = 40;
/** `InstructionByteCount` and `InstructionBytes`, at the same place in both. */
const BYTE_COUNT = 0;
const BYTES = 4;
const MAX_BYTES = 16;

type TryEmulation = WinHvEmulationFunctions["WHvEmulatorTryIoEmulation"];

let lastNumber = 0;

class DllEmulator<Context> implements NativeEmulator<Context> {
  private readonly functions: WinHvEmulationFunctions;
  private readonly emulation: NativeEmulation<Context>;
  /** The `Context` of native code: not the host's, which is no address. */
  private readonly contextPointer: NativePointer;
  private readonly result = new NativeResult();
  private readonly tryIo: TryEmulation;
  private readonly tryMmio: TryEmulation;
  private handle: NativePointer | null;
  private busy = false;
  private destroyed = false;

  // Copies of the caller's contexts: those may lie in any buffer, and native code reads them all through the call.
  private readonly vpContext = new Uint8Array(VP_CONTEXT_SIZE);
  private readonly access = new Uint8Array(IO_CONTEXT_SIZE);
  private readonly status = new Uint32Array(1);
  private readonly vpAddress: NativePointer;
  private readonly accessAddress: NativePointer;
  private readonly statusAddress: NativePointer;

  constructor(callbacks: EmulatorCallbacks<Context>, options: NativeLibraryOptions) {
    this.functions = bindWinHvEmulation(options);
    const { WHvEmulatorCreateEmulator: create } = this.functions;
    this.tryIo = this.functions.WHvEmulatorTryIoEmulation;
    this.tryMmio = this.functions.WHvEmulatorTryMmioEmulation as TryEmulation;
    const operation = "WHvEmulatorCreateEmulator";
    this.vpAddress = addressOf(this.vpContext, operation);
    this.accessAddress = addressOf(this.access, operation);
    this.statusAddress = addressOf(new Uint8Array(this.status.buffer), operation);
    lastNumber += 1;
    this.emulation = new NativeEmulation(callbacks, lastNumber);
    this.contextPointer = BigInt(lastNumber);
    const handle = new BigUint64Array(1);
    check(operation, create(callbackTable(), new Uint8Array(handle.buffer)));
    this.handle = handle[0] as NativePointer;
  }

  tryIoEmulation(
    context: Context,
    vpContext: VpExitContextView,
    ioInstructionContext: IoPortAccessContextView,
  ): EmulationResult {
    return this.emulate(context, vpContext, ioInstructionContext, this.tryIo, IO_CONTEXT_SIZE);
  }

  tryMmioEmulation(
    context: Context,
    vpContext: VpExitContextView,
    mmioInstructionContext: MemoryAccessContextView,
  ): EmulationResult {
    return this.emulate(context, vpContext, mmioInstructionContext, this.tryMmio, MEMORY_CONTEXT_SIZE);
  }

  /** From one of its own callbacks, it takes effect when the emulation has ended. */
  destroy(): void {
    this.destroyed = true;
    if (!this.busy) this.release();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  private emulate(
    context: Context,
    vpContext: VpExitContextView,
    accessContext: IoPortAccessContextView | MemoryAccessContextView,
    tryEmulation: TryEmulation,
    size: number,
  ): EmulationResult {
    if (this.busy) {
      const message =
        "The emulator was called from one of its own callbacks; use one emulator for each virtual processor.";
      return refusal(E_FAIL, "re-entered", message);
    }
    const { handle, emulation } = this;
    if (this.destroyed || handle === null)
      return refusal(E_INVALIDARG, "invalid-argument", "The emulator has been destroyed.");
    if (!isView(vpContext) || !isView(accessContext))
      return refusal(E_INVALIDARG, "invalid-argument", "There is no exit context, or no instruction context.");
    const { bytes } = accessContext;
    if (bytes.length !== size)
      return refusal(
        E_INVALIDARG,
        "invalid-argument",
        `The instruction context has ${bytes.length} bytes, not ${size}.`,
      );
    this.vpContext.set(vpContext.bytes);
    this.access.set(bytes);
    this.status[0] = 0;
    emulation.context = context;
    emulation.failure.clear();
    this.busy = true;
    const outer = enterEmulation(emulation);
    let hresult: number;
    try {
      hresult = tryEmulation(handle, this.contextPointer, this.vpAddress, this.accessAddress, this.statusAddress);
    } catch (thrown) {
      // A callback could not even begin, for want of stack: koffi told native code S_OK, and throws it here.
      hresult = E_FAIL;
      emulation.failure.escaped(thrown);
    } finally {
      leaveEmulation(outer);
      this.busy = false;
      emulation.context = undefined;
      if (this.destroyed) this.release();
    }
    return this.answer(hresult);
  }

  private answer(hresult: number): EmulationResult {
    const { result, emulation } = this;
    const statusBits = this.status[0] as number;
    result.hresult = hresult;
    result.statusBits = statusBits;
    result.diagnostic = isSuccess(hresult, statusBits)
      ? null
      : diagnose(hresult, statusBits, emulation.failure, this.known());
    return result;
  }

  private release(): void {
    const { handle } = this;
    this.handle = null;
    if (handle !== null) check("WHvEmulatorDestroyEmulator", this.functions.WHvEmulatorDestroyEmulator(handle));
  }

  /** What the diagnostic says of the instruction. */
  private known(): InstructionKnown {
    const count = Math.min(this.access[BYTE_COUNT] as number, MAX_BYTES);
    return {
      vpContext: new VpExitContextView(new DataView(this.vpContext.buffer)),
      bytes: this.access.subarray(BYTES, BYTES + count),
    };
  }
}

/** A structure view of whv-types, of whichever copy of that package. */
function isView(context: unknown): boolean {
  return typeof context === "object" && context !== null && (context as { view?: unknown }).view instanceof DataView;
}

const REQUIRED = [
  "ioPort",
  "memory",
  "getVirtualProcessorRegisters",
  "setVirtualProcessorRegisters",
  "translateGvaPage",
] as const;

/**
 * Creates an emulator of Windows over a host's five callbacks: `WHvEmulatorCreateEmulator` of `WinHvEmulation.dll`. The
 * same interface as `createEmulator` of `@whvkit/emulator-core`, so a host can take either.
 *
 * @param callbacks - the five documented callbacks; they are called as methods of this object. What one throws is kept in
 * the diagnostic; native code is told `E_FAIL`.
 * @returns the emulator; `destroy()` gives its handle back.
 * @throws WhvError with `E_INVALIDARG` where a callback is missing, with what is missing where there is no Windows.
 *
 * @example
 * ```ts windows
 * import { E_FAIL, IoPortAccessContextView, S_OK, VpExitContextView } from "@whvkit/whv-types";
 * import { createNativeEmulator } from "@whvkit/win-backend";
 * const emulator = createNativeEmulator({
 *   ioPort: () => S_OK,
 *   memory: () => E_FAIL, // the other four do nothing here: OUT needs no memory and no registers
 *   getVirtualProcessorRegisters: () => E_FAIL,
 *   setVirtualProcessorRegisters: () => S_OK,
 *   translateGvaPage: () => E_FAIL,
 * });
 * const out = IoPortAccessContextView.from({ accessInfo: { isWrite: true, accessSize: 1 }, portNumber: 0x80, rax: 0x41n });
 * emulator.tryIoEmulation(null, VpExitContextView.from({ instructionLength: 2 }), out).hresult; // 0
 * emulator.destroy();
 * ```
 *
 * @public
 */
export function createNativeEmulator<Context = unknown>(
  callbacks: EmulatorCallbacks<Context>,
  options: NativeLibraryOptions = {},
): NativeEmulator<Context> {
  const given: Partial<Record<(typeof REQUIRED)[number], unknown>> | null | undefined = callbacks;
  for (const name of REQUIRED)
    if (typeof given?.[name] !== "function")
      throw new WhvError("WHvEmulatorCreateEmulator", E_INVALIDARG, `there is no callback ${name}`);
  return new DllEmulator(callbacks, options);
}
