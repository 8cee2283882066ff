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
 *
 * @example
 * ```ts
 * import { createEmulator, processorCallbacks } from "@whvkit/emulator-core";
 * import { simHypervisor } from "@whvkit/sim-backend";
 * import { E_FAIL, S_OK, WHV_RUN_VP_EXIT_REASON } from "@whvkit/whv-types";
 * const partition = simHypervisor.createPartition();
 * partition.setup();
 * const ram = partition.allocateMemory(0x1000);
 * ram.bytes.set([0xb0, 0x41, 0xe6, 0x80, 0xf4], 0xff0); // mov al, 0x41; out 0x80, al; hlt
 * partition.mapGpaRange(ram, 0, 0xffff_f000, 0x1000, 7);
 * const processor = partition.createVirtualProcessor(0);
 * const sent: number[] = [];
 * const emulator = createEmulator({
 *   ...processorCallbacks(processor),
 *   ioPort: (_context, access) => (sent.push(access.data), S_OK),
 *   memory: () => E_FAIL,
 * });
 * const exit = processor.run();
 * if (exit.exitReason === WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess)
 *   emulator.tryIoEmulation(null, exit.vpContext, exit.ioPortAccess);
 * sent; // [0x41]
 * ```
 *
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
