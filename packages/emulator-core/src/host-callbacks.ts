/**
 * The five callbacks as the emulator calls them: with the reused access objects, and with every way of failing (an
 * HRESULT that is not `S_OK`, no HRESULT at all, an exception) turned into `false` and a filled {@link Failure}. What the
 * accesses mean is not decided here.
 */
import {
  type EmulationPhase,
  type EmulatorCallbacks,
  EmulatorIoAccess,
  EmulatorMemoryAccess,
  EmulatorTranslation,
  type RegisterValues,
} from "@whvkit/whv-types";
import {
  BulkAccesses,
  type EmulatorBulkIoAccess,
  type EmulatorBulkMemoryAccess,
  type EmulatorCallbackSet,
  EmulatorCompareExchange,
  type EmulatorExtendedState,
} from "./extra-callbacks.ts";
import { EmulatorStatus, type Failure, hexOfHalves } from "./failure.ts";

const S_OK = 0;

export class HostCallbacks<Context> {
  readonly memoryAccess: EmulatorMemoryAccess = new EmulatorMemoryAccess();
  readonly ioAccess: EmulatorIoAccess = new EmulatorIoAccess();
  readonly translation: EmulatorTranslation = new EmulatorTranslation();
  readonly compareExchangeAccess: EmulatorCompareExchange = new EmulatorCompareExchange();
  readonly bulk: BulkAccesses = new BulkAccesses();
  /** The host offers `compareExchange`. */
  readonly comparesAndExchanges: boolean;
  /** The host offers `getExtendedState` and `setExtendedState`. */
  readonly reachesExtendedState: boolean;
  /** The host offers `memoryBulk`. */
  readonly movesMemoryInBulk: boolean;
  /** The host offers `ioPortBulk`. */
  readonly movesPortsInBulk: boolean;
  readonly #callbacks: EmulatorCallbackSet<Context>;
  readonly #failure: Failure;
  #context: Context | undefined = undefined;

  constructor(callbacks: EmulatorCallbackSet<Context>, failure: Failure) {
    this.#callbacks = callbacks;
    this.#failure = failure;
    this.comparesAndExchanges = callbacks.compareExchange !== undefined;
    this.movesMemoryInBulk = callbacks.memoryBulk !== undefined;
    this.movesPortsInBulk = callbacks.ioPortBulk !== undefined;
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
    const { words } = access;
    access.direction = 0;
    access.accessSize = size;
    words[0] = 0;
    words[1] = 0;
    let answer: unknown;
    try {
      answer = this.#callbacks.memory(this.#context as Context, access);
    } catch (thrown) {
      return this.#memoryThrew(phase, thrown);
    }
    return answer === S_OK || this.#memoryRefused(phase, answer);
  }

  /** Writes `size` bytes (1 to 8, inside one page), given as two words, at `memoryAccess.gpaAddress`. */
  writeMemory(size: number, low: number, high: number): boolean {
    const access = this.memoryAccess;
    const { words } = access;
    access.direction = 1;
    access.accessSize = size;
    words[0] = low;
    words[1] = high;
    let answer: unknown;
    try {
      answer = this.#callbacks.memory(this.#context as Context, access);
    } catch (thrown) {
      return this.#memoryThrew("store", thrown);
    }
    return answer === S_OK || this.#memoryRefused("store", answer);
  }

  #memoryThrew(phase: EmulationPhase, thrown: unknown): false {
    return this.#threw("memory", phase, accessText(phase, this.memoryAccess), thrown);
  }

  #memoryRefused(phase: EmulationPhase, answer: unknown): false {
    return this.#refused("memory", phase, accessText(phase, this.memoryAccess), answer);
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
      return this.#threw("ioPort", "port", portText(access), thrown);
    }
    return answer === S_OK || this.#refused("ioPort", "port", portText(access), answer);
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
      return this.#threw("translateGvaPage", "translate", pageText(pageLow, pageHigh), thrown);
    }
    return answer === S_OK || this.#refused("translateGvaPage", "translate", pageText(pageLow, pageHigh), answer);
  }

  getRegisters(names: Uint32Array, count: number, values: RegisterValues): boolean {
    let answer: unknown;
    try {
      answer = this.#callbacks.getVirtualProcessorRegisters(this.#context as Context, names, count, values);
    } catch (thrown) {
      return this.#threw(GET, "registers", `a read of ${count} registers`, thrown);
    }
    return answer === S_OK || this.#refused(GET, "registers", `a read of ${count} registers`, answer);
  }

  setRegisters(names: Uint32Array, count: number, values: RegisterValues): boolean {
    let answer: unknown;
    try {
      answer = this.#callbacks.setVirtualProcessorRegisters(this.#context as Context, names, count, values);
    } catch (thrown) {
      return this.#threw(SET, "commit", `a write of ${count} registers`, thrown);
    }
    return answer === S_OK || this.#refused(SET, "commit", `a write of ${count} registers`, answer);
  }

  /** Performs the exchange that `compareExchangeAccess` describes; whether it happened is in its `exchanged`. */
  compareExchange(): boolean {
    const access = this.compareExchangeAccess;
    access.exchanged = false;
    let answer: unknown;
    try {
      answer = this.#callbacks.compareExchange?.(this.#context as Context, access);
    } catch (thrown) {
      return this.#threw("memory", "store", exchangeText(access), thrown);
    }
    return answer === S_OK || this.#refused("memory", "store", exchangeText(access), answer);
  }

  /** Moves `count` elements between `bulk.data` and memory at `bulk.memory.gpaAddress`; how many is in its `completed`. */
  memoryBulk(direction: 0 | 1, size: number, count: number): boolean {
    const access = this.bulk.memory;
    access.direction = direction;
    access.elementSize = size;
    access.elementCount = count;
    access.completed = 0;
    const phase = direction === 0 ? "load" : "store";
    let answer: unknown;
    try {
      answer = this.#callbacks.memoryBulk?.(this.#context as Context, access);
    } catch (thrown) {
      return this.#threw("memory", phase, bulkMemoryText(access), thrown);
    } finally {
      limitCompleted(access);
    }
    return answer === S_OK || this.#refused("memory", phase, bulkMemoryText(access), answer);
  }

  /** Moves `count` elements between `bulk.data` and a port; how many is in `bulk.port.completed`. */
  ioPortBulk(direction: 0 | 1, port: number, size: number, count: number): boolean {
    const access = this.bulk.port;
    access.direction = direction;
    access.port = port;
    access.elementSize = size as 1 | 2 | 4;
    access.elementCount = count;
    access.completed = 0;
    let answer: unknown;
    try {
      answer = this.#callbacks.ioPortBulk?.(this.#context as Context, access);
    } catch (thrown) {
      return this.#threw("ioPort", "port", bulkPortText(access), thrown);
    } finally {
      limitCompleted(access);
    }
    return answer === S_OK || this.#refused("ioPort", "port", bulkPortText(access), answer);
  }

  getExtendedState(state: EmulatorExtendedState): boolean {
    const question = "vector state (getExtendedState)";
    let answer: unknown;
    try {
      answer = this.#callbacks.getExtendedState?.(this.#context as Context, state);
    } catch (thrown) {
      return this.#threw(GET, "registers", question, thrown);
    }
    return answer === S_OK || this.#refused(GET, "registers", question, answer);
  }

  setExtendedState(state: EmulatorExtendedState): boolean {
    const question = "a write of vector state (setExtendedState)";
    let answer: unknown;
    try {
      answer = this.#callbacks.setExtendedState?.(this.#context as Context, state);
    } catch (thrown) {
      return this.#threw(SET, "commit", question, thrown);
    }
    return answer === S_OK || this.#refused(SET, "commit", question, answer);
  }

  /** Records that a callback threw; `question` says in words what it was asked. */
  #threw(callback: keyof EmulatorCallbacks, phase: EmulationPhase, question: string, thrown: unknown): false {
    this.#failure.callbackThrew(callback, STATUS[callback], phase, thrown, question);
    return false;
  }

  /** Records that a callback did not answer `S_OK`. */
  #refused(callback: keyof EmulatorCallbacks, phase: EmulationPhase, question: string, answer: unknown): false {
    this.#failure.callbackAnswered(callback, STATUS[callback], phase, answer, question);
    return false;
  }
}

/** A bulk callback has done whole elements, and no more than it was asked for, whatever it says. */
function limitCompleted(access: EmulatorBulkMemoryAccess | EmulatorBulkIoAccess): void {
  const { completed, elementCount } = access;
  access.completed = completed > 0 ? Math.min(Math.floor(completed), elementCount) : 0;
}

const GET = "getVirtualProcessorRegisters";
const SET = "setVirtualProcessorRegisters";

/** The status bit of each callback. */
const STATUS: Readonly<Record<keyof EmulatorCallbacks, number>> = {
  ioPort: EmulatorStatus.ioPortCallbackFailed,
  memory: EmulatorStatus.memoryCallbackFailed,
  translateGvaPage: EmulatorStatus.translateGvaPageCallbackFailed,
  getVirtualProcessorRegisters: EmulatorStatus.getVirtualProcessorRegistersCallbackFailed,
  setVirtualProcessorRegisters: EmulatorStatus.setVirtualProcessorRegistersCallbackFailed,
};

/** None of `WHV_TRANSLATE_GVA_RESULT_CODE`. */
const NO_ANSWER = -1;

function accessText(phase: EmulationPhase, { gpaAddress, accessSize }: EmulatorMemoryAccess): string {
  const what = phase === "store" ? "a write" : phase === "fetch" ? "an instruction fetch" : "a read";
  const bytes = `${accessSize} byte${accessSize === 1 ? "" : "s"}`;
  return `${what} of ${bytes} at guest-physical 0x${gpaAddress.toString(16)}`;
}

function exchangeText({ gpaAddress, accessSize }: EmulatorCompareExchange): string {
  return `an exchange of ${accessSize} bytes at guest-physical 0x${gpaAddress.toString(16)} (compareExchange)`;
}

function bulkMemoryText({ direction, gpaAddress, elementSize, elementCount }: EmulatorBulkMemoryAccess): string {
  const what = direction === 0 ? "a read" : "a write";
  return `${what} of ${elementCount} times ${elementSize} bytes at guest-physical 0x${gpaAddress.toString(16)} (memoryBulk)`;
}

function bulkPortText({ direction, port, elementSize, elementCount }: EmulatorBulkIoAccess): string {
  const what = direction === 0 ? "a read" : "a write";
  return `${what} of ${elementCount} times ${elementSize} bytes at port 0x${port.toString(16)} (ioPortBulk)`;
}

function pageText(pageLow: number, pageHigh: number): string {
  return `the page of ${hexOfHalves(pageLow, pageHigh)}`;
}

function portText({ direction, port, accessSize }: EmulatorIoAccess): string {
  const what = direction === 0 ? "a read" : "a write";
  return `${what} of ${accessSize} byte${accessSize === 1 ? "" : "s"} at port 0x${port.toString(16)}`;
}
