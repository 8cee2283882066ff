/**
 * Records emulation cases on a live host: wraps whatever creates the emulator, passes every call through, and hands out
 * each emulation as a case that `whv emulate` replays. What the memory callback answered becomes the case's
 * `deviceReads`, RAM included: the emulator cannot tell RAM from devices, and in order the answers are the same.
 */
import type { Emulator, EmulatorCallbacks, RegisterValues } from "@whvkit/whv-types";
import { caseFormat } from "../emulation/case-reader.ts";
import { ioExitJson, memoryExitJson, vpContextJson } from "../emulation/context-json.ts";
import { type CallbackName, callbackNames } from "../emulation/emulation-case.ts";
import { hexNumber, hexString } from "../json/json-fields.ts";
import { type RegisterJson, registersJson } from "../registers/register-json.ts";

/** A recorded case: JSON in the case format, one line of a capture file. @public */
export interface RecordedCase {
  /** Version of the format. */
  readonly format: typeof caseFormat;
  /** 1, 2, 3 … in the order of the emulations. */
  readonly id: number;
  /** Which entry point was called. */
  readonly kind: "mmio" | "io";
  /** `WHV_VP_EXIT_CONTEXT`. */
  readonly vp: object;
  /** `WHV_MEMORY_ACCESS_CONTEXT` or `WHV_X64_IO_PORT_ACCESS_CONTEXT`. */
  readonly exit: object;
  /** What the get callback answered. */
  readonly registers: Readonly<Record<string, RegisterJson>>;
  /** What the memory callback answered to reads, in order. */
  readonly deviceReads: string;
  /** What the port callback answered to IN, in order. */
  readonly portReads: readonly string[];
  /** What the translate callback answered, by page. */
  readonly translate: readonly { readonly gvaPage: string; readonly gpaPage: string; readonly result: number }[];
  /** The callback that failed, where one did. */
  readonly fail?: { readonly callback: CallbackName; readonly at: number; readonly hresult: string };
  /** Creation options of the emulator, where it was given any. */
  readonly options?: EmulatorCreationOptions;
}

/** Creation options of an emulator; functions among them do not survive JSON. @public */
export type EmulatorCreationOptions = Readonly<Record<string, unknown>>;

/** A function that creates emulators; `createEmulator` of `@whvkit/emulator-core` fits. @public */
export type CreateEmulator = <Context>(
  callbacks: EmulatorCallbacks<Context>,
  options?: EmulatorCreationOptions,
) => Emulator<Context>;

/** What a callback that threw counts as. */
const thrownHresult = 0x8000_4005;

/**
 * Wraps a function that creates emulators, so that every emulation is also recorded.
 *
 * @param createEmulator - for instance `createEmulator` of `@whvkit/emulator-core`
 * @param sink - takes each case when its emulation has ended
 * @returns a function to use in its place
 *
 * @example
 * ```ts
 * import { recordEmulations } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * import { createMachine } from "@whvkit/microvm";
 * import { simHypervisor } from "@whvkit/sim-backend";
 * const lines: string[] = [];
 * const machine = createMachine({
 *   hypervisor: simHypervisor,
 *   image: { bytes: Uint8Array.of(0xe6, 0x80, 0xf4), load: 0x7c00, mode: 16 }, // out 0x80, al; hlt
 *   createEmulator: recordEmulations(createEmulator, (recorded) => lines.push(JSON.stringify(recorded))),
 * });
 * machine.run();
 * lines.length; // 1
 * machine.dispose();
 * ```
 *
 * @public
 */
export function recordEmulations(
  createEmulator: CreateEmulator,
  sink: (recorded: RecordedCase) => void,
): CreateEmulator {
  let nextId = 1;
  return <Context>(callbacks: EmulatorCallbacks<Context>, options: EmulatorCreationOptions = {}): Emulator<Context> => {
    let draft = new Draft();
    const emulator = createEmulator(
      recordingCallbacks(callbacks, () => draft),
      options,
    );
    const finish = (kind: "mmio" | "io", vp: object, exit: object): void => {
      const recorded: RecordedCase = { format: caseFormat, id: nextId++, kind, vp, exit, ...draft.json() };
      sink(Object.keys(options).length === 0 ? recorded : { ...recorded, options });
    };
    return {
      tryIoEmulation(context, vpContext, exitContext) {
        draft = new Draft();
        const [vp, exit] = [vpContextJson(vpContext), ioExitJson(exitContext)];
        const result = emulator.tryIoEmulation(context, vpContext, exitContext);
        finish("io", vp, exit);
        return result;
      },
      tryMmioEmulation(context, vpContext, exitContext) {
        draft = new Draft();
        const [vp, exit] = [vpContextJson(vpContext), memoryExitJson(exitContext)];
        const result = emulator.tryMmioEmulation(context, vpContext, exitContext);
        finish("mmio", vp, exit);
        return result;
      },
      destroy: () => emulator.destroy(),
    };
  };
}

/** What the callbacks of one emulation answered. */
class Draft {
  readonly registers: Record<string, RegisterJson> = {};
  readonly portReads: string[] = [];
  readonly translations: Map<bigint, { gvaPage: string; gpaPage: string; result: number }> = new Map();
  deviceReads = "";
  private fail: RecordedCase["fail"];
  private readonly counts: Map<CallbackName, number> = new Map();

  /** Makes the call, counts it, and remembers the first that failed. Answers the HRESULT. */
  call(callback: CallbackName, make: () => number): number {
    const at = this.counts.get(callback) ?? 0;
    this.counts.set(callback, at + 1);
    let hresult = thrownHresult;
    try {
      hresult = make();
      return hresult;
    } finally {
      if (hresult !== 0) this.fail ??= { callback, at, hresult: hexNumber(hresult >>> 0) };
    }
  }

  json(): Pick<RecordedCase, "registers" | "deviceReads" | "portReads" | "translate" | "fail"> {
    const { registers, deviceReads, portReads, fail } = this;
    const translate = [...this.translations.values()];
    return { registers, deviceReads, portReads, translate, ...(fail === undefined ? {} : { fail }) };
  }
}

/** The five callbacks with every answer written into the draft. Optional ones are left out, so that nothing goes past. */
function recordingCallbacks<Context>(
  callbacks: EmulatorCallbacks<Context>,
  draft: () => Draft,
): EmulatorCallbacks<Context> {
  return {
    ioPort(context, access) {
      const hresult = draft().call(callbackNames.ioPort, () => callbacks.ioPort(context, access));
      if (hresult === 0 && access.direction === 0) {
        draft().portReads.push(hexNumber(BigInt.asUintN(8 * access.accessSize, BigInt(access.data))));
      }
      return hresult;
    },
    memory(context, access) {
      const hresult = draft().call(callbackNames.memory, () => callbacks.memory(context, access));
      if (hresult === 0 && access.direction === 0) {
        draft().deviceReads += hexString(access.data.subarray(0, access.accessSize));
      }
      return hresult;
    },
    getVirtualProcessorRegisters(context, names: Uint32Array, count: number, values: RegisterValues) {
      const hresult = draft().call(callbackNames.getVirtualProcessorRegisters, () =>
        callbacks.getVirtualProcessorRegisters(context, names, count, values),
      );
      if (hresult === 0) Object.assign(draft().registers, registersJson(names, count, values));
      return hresult;
    },
    setVirtualProcessorRegisters(context, names: Uint32Array, count: number, values: RegisterValues) {
      return draft().call(callbackNames.setVirtualProcessorRegisters, () =>
        callbacks.setVirtualProcessorRegisters(context, names, count, values),
      );
    },
    translateGvaPage(context, translation) {
      const { gvaPage } = translation;
      const hresult = draft().call(callbackNames.translateGvaPage, () =>
        callbacks.translateGvaPage(context, translation),
      );
      const { resultCode: result, gpaPage } = translation;
      if (hresult === 0) {
        draft().translations.set(gvaPage, { gvaPage: hexNumber(gvaPage), gpaPage: hexNumber(gpaPage), result });
      }
      return hresult;
    },
  };
}
