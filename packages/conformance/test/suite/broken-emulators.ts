/** Emulators that are wrong in one way each: the suite must find every one of them. */
import type { EmulatorIoAccess, EmulatorMemoryAccess, EmulatorTranslation, RegisterValues } from "@whvkit/whv-types";
import type { CreateEmulator } from "../../src/index.ts";

/** What may stand between an emulator and its host's callbacks; `next` is the host's. */
export interface Interposition {
  memory?: (access: EmulatorMemoryAccess, next: (access: EmulatorMemoryAccess) => number) => number;
  ioPort?: (access: EmulatorIoAccess, next: (access: EmulatorIoAccess) => number) => number;
  translateGvaPage?: (translation: EmulatorTranslation, next: (translation: EmulatorTranslation) => number) => number;
  getVirtualProcessorRegisters?: RegisterInterposition;
  setVirtualProcessorRegisters?: RegisterInterposition;
}

type RegisterInterposition = (
  names: Uint32Array,
  count: number,
  values: RegisterValues,
  next: (names: Uint32Array, count: number, values: RegisterValues) => number,
) => number;

/** Creates emulators whose callbacks pass through `between`. */
export function interposed(createEmulator: CreateEmulator, between: Interposition): CreateEmulator {
  const {
    memory,
    ioPort,
    translateGvaPage,
    getVirtualProcessorRegisters: get,
    setVirtualProcessorRegisters: set,
  } = between;
  return (host, options) =>
    createEmulator(
      {
        memory: (context, access) =>
          memory === undefined ? host.memory(context, access) : memory(access, (a) => host.memory(context, a)),
        ioPort: (context, access) =>
          ioPort === undefined ? host.ioPort(context, access) : ioPort(access, (a) => host.ioPort(context, a)),
        translateGvaPage: (context, translation) =>
          translateGvaPage === undefined
            ? host.translateGvaPage(context, translation)
            : translateGvaPage(translation, (t) => host.translateGvaPage(context, t)),
        getVirtualProcessorRegisters: (context, names, count, values) => {
          const next = (n: Uint32Array, c: number, v: RegisterValues): number =>
            host.getVirtualProcessorRegisters(context, n, c, v);
          return get === undefined ? next(names, count, values) : get(names, count, values, next);
        },
        setVirtualProcessorRegisters: (context, names, count, values) => {
          const next = (n: Uint32Array, c: number, v: RegisterValues): number =>
            host.setVirtualProcessorRegisters(context, n, c, v);
          return set === undefined ? next(names, count, values) : set(names, count, values, next);
        },
      },
      options,
    );
}
