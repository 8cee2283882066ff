/**
 * The five callbacks as the emulator calls them: with the reused access objects, and with every way of failing (an
 * HRESULT that is not `S_OK`, no HRESULT at all, an exception) turned into `false` and a filled {@link Failure}. What the
 * accesses mean is not decided here.
 */
import {
  type EmulationPhase,
  EmulatorIoAccess,
  EmulatorMemoryAccess,
  EmulatorTranslation,
  type RegisterValues,
} from "@whvkit/whv-types";
import { type EmulatorCallbackSet, EmulatorCompareExchange, type EmulatorExtendedState } from "./extra-callbacks.ts";
import { EmulatorStatus, type Failure, hexOfHalves } from "./failure.ts";

const S_OK = 0;

export class HostCallbacks<Context> {
  readonly memoryAccess: EmulatorMemoryAccess = new EmulatorMemoryAccess();
  readonly ioAccess: EmulatorIoAccess = new EmulatorIoAccess();
  readonly translation: EmulatorTranslation = new EmulatorTranslation();
  readonly compareExchangeAccess: EmulatorCompareExchange = new EmulatorCompareExchange();
  /** The host offers `compareExchange`. */
  readonly comparesAndExchanges: boolean;
  /** The host offers `getExtendedState` and `setExtendedState`. */
  readonly reachesExtendedState: boolean;
  readonly #callbacks: EmulatorCallbackSet<Context>;
  readonly #failure: Failure;
  #context: Context | undefined = undefined;

  constructor(callbacks: EmulatorCallbackSet<Context>, failure: Failure) {
    this.#callbacks = callbacks;
    this.#failure = failure;
    this.comparesAndExchanges = callbacks.compareExchange !== undefined;
    this.reachesExtendedState = callbacks.getExtendedState !== undefined && callbacks.setExtendedState !== undefined;
  }

  /** Sets what every callback of the next emulation is handed. */
  bind(context: Context | undefined): void {
    this.#context = context;
    this.compareExchangeAccess.accessSize = 0;
  }

  /**
   * Reads `size` bytes (1 to 8, inside one page) at `memoryAccess.gpaAddress`, which the caller sets, into
   * `memoryAccess.words`; bytes beyond `size` are undefined.
   */
  readMemory(size: number, phase: EmulationPhase): boolean {
    const access = this.memoryAccess;
    access.direction = 0;
    access.accessSize = size;
    access.words[0] = 0;
    access.words[1] = 0;
    let answer: unknown;
    try {
      answer = this.#callbacks.memory(this.#context as Context, access);
    } catch (thrown) {
      return this.#memoryThrew(thrown, phase);
    }
    return answer === S_OK || this.#memoryFailed(answer, phase);
  }

  /** Writes `size` bytes (1 to 8, inside one page), given as two words, at `memoryAccess.gpaAddress`. */
  writeMemory(size: number, low: number, high: number): boolean {
    const access = this.memoryAccess;
    access.direction = 1;
    access.accessSize = size;
    access.words[0] = low;
    access.words[1] = high;
    let answer: unknown;
    try {
      answer = this.#callbacks.memory(this.#context as Context, access);
    } catch (thrown) {
      return this.#memoryThrew(thrown, "store");
    }
    return answer === S_OK || this.#memoryFailed(answer, "store");
  }

  #memoryThrew(thrown: unknown, phase: EmulationPhase): false {
    this.#failure.callbackThrew("memory", STATUS.memory, phase, thrown, accessText(phase, this.memoryAccess));
    return false;
  }

  #memoryFailed(answer: unknown, phase: EmulationPhase): false {
    this.#failure.callbackAnswered("memory", STATUS.memory, phase, answer, accessText(phase, this.memoryAccess));
    return false;
  }

  /** Performs one port access; for IN the value is in `ioAccess.data`, as the callback left it. */
  ioPort(direction: 0 | 1, port: number, size: number, value: number): boolean {
    const access = this.ioAccess;
    access.direction = direction;
    access.port = port;
    access.accessSize = size as 1 | 2 | 4;
    access.data = value;
    let answer: unknown;
    try {
      answer = this.#callbacks.ioPort(this.#context as Context, access);
    } catch (thrown) {
      this.#failure.callbackThrew("ioPort", STATUS.ioPort, "port", thrown, portText(direction, port, size));
      return false;
    }
    if (answer === S_OK) return true;
    this.#failure.callbackAnswered("ioPort", STATUS.ioPort, "port", answer, portText(direction, port, size));
    return false;
  }

  /** Asks for the page of a guest-virtual address; the answer is in `translation`. */
  translateGvaPage(pageLow: number, pageHigh: number, flags: number): boolean {
    const translation = this.translation;
    translation.gvaPageLow = pageLow >>> 0;
    translation.gvaPageHigh = pageHigh >>> 0;
    translation.flags = flags;
    // A callback that forgets to answer must not be taken for one that answered the last question again.
    translation.resultCode = NO_ANSWER;
    translation.gpaPage = 0;
    let answer: unknown;
    try {
      answer = this.#callbacks.translateGvaPage(this.#context as Context, translation);
    } catch (thrown) {
      const question = `the page of ${hexOfHalves(pageLow, pageHigh)}`;
      this.#failure.callbackThrew("translateGvaPage", STATUS.translate, "translate", thrown, question);
      return false;
    }
    if (answer === S_OK) return true;
    const question = `the page of ${hexOfHalves(pageLow, pageHigh)}`;
    this.#failure.callbackAnswered("translateGvaPage", STATUS.translate, "translate", answer, question);
    return false;
  }

  getRegisters(names: Uint32Array, count: number, values: RegisterValues): boolean {
    let answer: unknown;
    try {
      answer = this.#callbacks.getVirtualProcessorRegisters(this.#context as Context, names, count, values);
    } catch (thrown) {
      const question = `${count} registers`;
      this.#failure.callbackThrew("getVirtualProcessorRegisters", STATUS.get, "registers", thrown, question);
      return false;
    }
    if (answer === S_OK) return true;
    const question = `a read of ${count} registers`;
    this.#failure.callbackAnswered("getVirtualProcessorRegisters", STATUS.get, "registers", answer, question);
    return false;
  }

  setRegisters(names: Uint32Array, count: number, values: RegisterValues): boolean {
    let answer: unknown;
    try {
      answer = this.#callbacks.setVirtualProcessorRegisters(this.#context as Context, names, count, values);
    } catch (thrown) {
      const question = `a write of ${count} registers`;
      this.#failure.callbackThrew("setVirtualProcessorRegisters", STATUS.set, "commit", thrown, question);
      return false;
    }
    if (answer === S_OK) return true;
    const question = `a write of ${count} registers`;
    this.#failure.callbackAnswered("setVirtualProcessorRegisters", STATUS.set, "commit", answer, question);
    return false;
  }

  /** Performs the exchange that `compareExchangeAccess` describes; whether it happened is in its `exchanged`. */
  compareExchange(): boolean {
    const access = this.compareExchangeAccess;
    access.exchanged = false;
    const question = (): string =>
      `an exchange of ${access.accessSize} bytes at guest-physical 0x${access.gpaAddress.toString(16)} (compareExchange)`;
    let answer: unknown;
    try {
      answer = this.#callbacks.compareExchange?.(this.#context as Context, access);
    } catch (thrown) {
      this.#failure.callbackThrew("memory", STATUS.memory, "store", thrown, question());
      return false;
    }
    if (answer === S_OK) return true;
    this.#failure.callbackAnswered("memory", STATUS.memory, "store", answer, question());
    return false;
  }

  getExtendedState(state: EmulatorExtendedState): boolean {
    const question = "vector state (getExtendedState)";
    let answer: unknown;
    try {
      answer = this.#callbacks.getExtendedState?.(this.#context as Context, state);
    } catch (thrown) {
      this.#failure.callbackThrew("getVirtualProcessorRegisters", STATUS.get, "registers", thrown, question);
      return false;
    }
    if (answer === S_OK) return true;
    this.#failure.callbackAnswered("getVirtualProcessorRegisters", STATUS.get, "registers", answer, question);
    return false;
  }

  setExtendedState(state: EmulatorExtendedState): boolean {
    const question = "a write of vector state (setExtendedState)";
    let answer: unknown;
    try {
      answer = this.#callbacks.setExtendedState?.(this.#context as Context, state);
    } catch (thrown) {
      this.#failure.callbackThrew("setVirtualProcessorRegisters", STATUS.set, "commit", thrown, question);
      return false;
    }
    if (answer === S_OK) return true;
    this.#failure.callbackAnswered("setVirtualProcessorRegisters", STATUS.set, "commit", answer, question);
    return false;
  }
}

const STATUS = {
  ioPort: EmulatorStatus.ioPortCallbackFailed,
  memory: EmulatorStatus.memoryCallbackFailed,
  translate: EmulatorStatus.translateGvaPageCallbackFailed,
  get: EmulatorStatus.getVirtualProcessorRegistersCallbackFailed,
  set: EmulatorStatus.setVirtualProcessorRegistersCallbackFailed,
} as const;

/** None of `WHV_TRANSLATE_GVA_RESULT_CODE`. */
const NO_ANSWER = -1;

function accessText(phase: EmulationPhase, { gpaAddress, accessSize }: EmulatorMemoryAccess): string {
  const what = phase === "store" ? "a write" : phase === "fetch" ? "an instruction fetch" : "a read";
  const bytes = `${accessSize} byte${accessSize === 1 ? "" : "s"}`;
  return `${what} of ${bytes} at guest-physical 0x${gpaAddress.toString(16)}`;
}

function portText(direction: 0 | 1, port: number, size: number): string {
  const what = direction === 0 ? "a read" : "a write";
  return `${what} of ${size} byte${size === 1 ? "" : "s"} at port 0x${port.toString(16)}`;
}
