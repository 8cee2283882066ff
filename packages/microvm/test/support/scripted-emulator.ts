// An emulator that does what a test says, through the callbacks that the machine gave it.
import {
  type EmulationDiagnostic,
  type EmulationResult,
  type Emulator,
  type EmulatorCallbacks,
  EmulatorIoAccess,
  EmulatorMemoryAccess,
  S_OK,
} from "@whvkit/whv-types";

export const success: EmulationResult = {
  hresult: S_OK,
  statusBits: 1,
  emulationSuccessful: true,
  internalEmulationFailure: false,
  ioPortCallbackFailed: false,
  memoryCallbackFailed: false,
  translateGvaPageCallbackFailed: false,
  translateGvaPageCallbackGpaIsNotAligned: false,
  getVirtualProcessorRegistersCallbackFailed: false,
  setVirtualProcessorRegistersCallbackFailed: false,
  interruptCausedIntercept: false,
  guestCannotBeFaulted: false,
  diagnostic: null,
};

export const failure = (diagnostic: EmulationDiagnostic | null): EmulationResult => ({
  ...success,
  statusBits: 2,
  emulationSuccessful: false,
  internalEmulationFailure: true,
  diagnostic,
});

/** What the emulator does at one exit; answers its result, or nothing for success. */
export type EmulatorStep = (emulator: ScriptedEmulator) => unknown;

/** Takes the next step at each exit; a step may use the ports and memory below. */
export class ScriptedEmulator implements Emulator {
  readonly callbacks: EmulatorCallbacks;
  destroyed = 0;
  readonly #steps: EmulatorStep[];

  constructor(callbacks: EmulatorCallbacks, steps: EmulatorStep[]) {
    this.callbacks = callbacks;
    this.#steps = [...steps];
  }

  tryIoEmulation(): EmulationResult {
    return this.#step();
  }
  tryMmioEmulation(): EmulationResult {
    return this.#step();
  }
  destroy(): void {
    this.destroyed += 1;
  }

  out(port: number, accessSize: 1 | 2 | 4, data: number): void {
    this.callbacks.ioPort(null, Object.assign(new EmulatorIoAccess(), { direction: 1, port, accessSize, data }));
  }
  in(port: number, accessSize: 1 | 2 | 4): number {
    const access = Object.assign(new EmulatorIoAccess(), { port, accessSize });
    this.callbacks.ioPort(null, access);
    return access.data;
  }
  store(gpaAddress: number, accessSize: number, value: bigint): void {
    this.callbacks.memory(
      null,
      Object.assign(new EmulatorMemoryAccess(), { gpaAddress, direction: 1, accessSize, value }),
    );
  }
  load(gpaAddress: number, accessSize: number): bigint {
    const access = Object.assign(new EmulatorMemoryAccess(), { gpaAddress, accessSize });
    this.callbacks.memory(null, access);
    return access.value;
  }

  #step(): EmulationResult {
    return (this.#steps.shift()?.(this) as EmulationResult | undefined) ?? success;
  }
}
