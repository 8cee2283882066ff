/**
 * The three callbacks that every host of the platform's interface writes alike: registers and translations are the virtual
 * processor's own, and the callbacks pass them on.
 */
import {
  type EmulatorCallbacks,
  type EmulatorTranslation,
  type GvaTranslation,
  type RegisterValues,
  S_OK,
  type VirtualProcessor,
} from "@whvkit/whv-types";

/** The callbacks of {@link processorCallbacks}. @public */
export type ProcessorCallbacks = Pick<
  EmulatorCallbacks,
  "getVirtualProcessorRegisters" | "setVirtualProcessorRegisters" | "translateGvaPage"
>;

/**
 * Three of an emulator's five callbacks, over a virtual processor of any backend: `getRegisters`, `setRegisters` and
 * `translateGva`. What the processor throws counts as a failed callback and is kept in `diagnostic.thrown`.
 *
 * @param processor - whose exits the emulator is to finish
 * @example
 * ```ts
 * const emulator = createEmulator({
 *   ...processorCallbacks(processor),
 *   ioPort: (_, access) => ports.perform(access),
 *   memory: (_, access) => bus.perform(access),
 * });
 * ```
 * @public
 */
export function processorCallbacks(processor: VirtualProcessor): ProcessorCallbacks {
  const translated: GvaTranslation = { resultCode: 0, gpa: 0 };
  return {
    getVirtualProcessorRegisters(_context: unknown, names: Uint32Array, count: number, values: RegisterValues): number {
      processor.getRegisters(names, count, values);
      return S_OK;
    },
    setVirtualProcessorRegisters(_context: unknown, names: Uint32Array, count: number, values: RegisterValues): number {
      processor.setRegisters(names, count, values);
      return S_OK;
    },
    translateGvaPage(_context: unknown, page: EmulatorTranslation): number {
      processor.translateGva(page.gvaPageLow, page.gvaPageHigh, page.flags, translated);
      page.resultCode = translated.resultCode;
      page.gpaPage = translated.gpa;
      return S_OK;
    },
  };
}
