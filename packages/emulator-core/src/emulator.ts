/**
 * The emulator as its callers hold it: creation, the guard against calls that must be refused, destruction. What happens
 * to an exit is in `emulation.ts`.
 */
import {
  E_FAIL,
  E_INVALIDARG,
  type EmulationResult,
  type Emulator,
  type IoPortAccessContextView,
  type MemoryAccessContextView,
  type VpExitContextView,
  WhvError,
} from "@whvkit/whv-types";
import { refusal } from "./answers.ts";
import { Emulation } from "./emulation.ts";
import { type EmulatorOptions, resolveOptions } from "./emulator-options.ts";
import type { EmulatorCallbackSet } from "./extra-callbacks.ts";

class CallbackEmulator<Context> implements Emulator<Context> {
  readonly #emulation: Emulation<Context>;
  #busy = false;
  #destroyed = false;

  constructor(callbacks: EmulatorCallbackSet<Context>, options: EmulatorOptions<Context>) {
    this.#emulation = new Emulation(callbacks, resolveOptions(options));
  }

  tryIoEmulation(
    context: Context,
    vpContext: VpExitContextView,
    ioInstructionContext: IoPortAccessContextView,
  ): EmulationResult {
    const refused = this.#refuse();
    if (refused !== null) return refused;
    const emulation = this.#emulation;
    this.#busy = true;
    try {
      emulation.begin(context, vpContext);
      return emulation.io(ioInstructionContext);
    } catch (thrown) {
      return this.#defect(thrown, vpContext, ioInstructionContext, "WHV_X64_IO_PORT_ACCESS_CONTEXT");
    } finally {
      emulation.finish();
      this.#busy = false;
    }
  }

  tryMmioEmulation(
    context: Context,
    vpContext: VpExitContextView,
    mmioInstructionContext: MemoryAccessContextView,
  ): EmulationResult {
    const refused = this.#refuse();
    if (refused !== null) return refused;
    const emulation = this.#emulation;
    this.#busy = true;
    try {
      emulation.begin(context, vpContext);
      return emulation.mmio(mmioInstructionContext);
    } catch (thrown) {
      return this.#defect(thrown, vpContext, mmioInstructionContext, "WHV_MEMORY_ACCESS_CONTEXT");
    } finally {
      emulation.finish();
      this.#busy = false;
    }
  }

  destroy(): void {
    this.#destroyed = true;
  }

  /** Calls that never reach an instruction. Their answer is an object of its own: the outer call's is not touched. */
  #refuse(): EmulationResult | null {
    if (this.#busy) {
      const message =
        "The emulator was called from one of its own callbacks; use one emulator for each virtual processor.";
      return refusal(E_FAIL, "re-entered", message);
    }
    if (this.#destroyed) return refusal(E_INVALIDARG, "invalid-argument", "The emulator has been destroyed.");
    return null;
  }

  /** Something threw. A context that is none is the caller's mistake, anything else one of ours or of an option's function. */
  #defect(thrown: unknown, vpContext: unknown, accessContext: unknown, accessName: string): EmulationResult {
    if (!isView(vpContext)) return refusal(E_INVALIDARG, "invalid-argument", "There is no WHV_VP_EXIT_CONTEXT.");
    if (!isView(accessContext)) return refusal(E_INVALIDARG, "invalid-argument", `There is no ${accessName}.`);
    return this.#emulation.answers.defect(thrown);
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

const OPTIONAL = ["getExtendedState", "setExtendedState", "compareExchange", "memoryBulk", "ioPortBulk"] as const;

/**
 * Creates an instruction emulator over a host's five callbacks: `WHvEmulatorCreateEmulator`.
 *
 * Use one emulator for each virtual processor; it must not be called again from its own callbacks.
 *
 * @param callbacks - the five documented callbacks, and any of {@link EmulatorExtraCallbacks}; they are called as methods of
 *   this object.
 * @param options - see {@link EmulatorOptions}; each has a documented default.
 * @returns the emulator; `destroy()` ends its use.
 * @throws WhvError with `E_INVALIDARG` where a callback is missing; TypeError or RangeError where an option is wrong.
 *
 * @example
 * ```ts
 * import { createEmulator } from "@whvkit/emulator-core";
 * import { E_FAIL, IoPortAccessContextView, S_OK, VpExitContextView } from "@whvkit/whv-types";
 * const sent: string[] = [];
 * const emulator = createEmulator({
 *   ioPort(_context, access) {
 *     sent.push(`${access.port}: ${access.data}`);
 *     return S_OK;
 *   },
 *   memory: () => E_FAIL, // the other four do nothing here: OUT needs no memory and no registers
 *   getVirtualProcessorRegisters: () => E_FAIL,
 *   setVirtualProcessorRegisters: () => S_OK,
 *   translateGvaPage: () => E_FAIL,
 * });
 * const out = IoPortAccessContextView.from({ accessInfo: { isWrite: true, accessSize: 1 }, portNumber: 0x80, rax: 0x41n });
 * const result = emulator.tryIoEmulation(null, VpExitContextView.from({ instructionLength: 2 }), out);
 * result.emulationSuccessful; // true
 * sent; // ["128: 65"]
 * ```
 *
 * @public
 */
export function createEmulator<Context = unknown>(
  callbacks: EmulatorCallbackSet<Context>,
  options: EmulatorOptions<Context> = {},
): Emulator<Context> {
  const given: Partial<Record<(typeof REQUIRED)[number], unknown>> | null | undefined = callbacks;
  for (const name of REQUIRED)
    if (typeof given?.[name] !== "function")
      throw new WhvError("WHvEmulatorCreateEmulator", E_INVALIDARG, `there is no callback ${name}`);
  for (const name of OPTIONAL)
    if (callbacks[name] !== undefined && typeof callbacks[name] !== "function")
      throw new WhvError("WHvEmulatorCreateEmulator", E_INVALIDARG, `callback ${name} is no function`);
  return new CallbackEmulator(callbacks, options);
}
