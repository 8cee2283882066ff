/**
 * The one get and the one set of an emulation: fetching what a {@link RegisterPlan} asks for into the register file,
 * remembering it, and afterwards gathering what changed. Which registers take part is the plan's decision; when the set
 * happens is `emulator.ts`'s.
 */
import { RegisterValues, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import type { ExitContext } from "./exit-context.ts";
import type { HostCallbacks } from "./host-callbacks.ts";
import { MAPPED_REGISTERS } from "./register-map.ts";
import { type RegisterPlan, RegisterShape } from "./register-plan.ts";

/** More than any instruction needs: all mapped registers and the event registers. */
const CAPACITY = MAPPED_REGISTERS.length + 16;

const NAME = WHV_REGISTER_NAME;
const NAME_RIP: number = NAME.WHvX64RegisterRip;
const NAME_RFLAGS: number = NAME.WHvX64RegisterRflags;
const CR4_LA57 = 1 << 12;
const RFLAGS = RegisterOffset.rflags >> 2;
const DATA_POINTER = RegisterOffset.fpuDataPointer >> 2;

export class RegisterExchange<Context> {
  /** Registers put down for the set so far. */
  count = 0;
  readonly #registers: RegisterFile;
  readonly #host: HostCallbacks<Context>;
  /** What the get callback fills; kept, so that what changed can be told. */
  readonly #got: RegisterValues = new RegisterValues(CAPACITY);
  readonly #getNames: Uint32Array = new Uint32Array(CAPACITY);
  readonly #setNames: Uint32Array = new Uint32Array(CAPACITY);
  /** What the set callback gets. Upper halves are 0 unless this emulation has put down 128-bit registers. */
  readonly #set: RegisterValues = new RegisterValues(CAPACITY);
  #hasUpperHalves = false;
  /** Values before the instruction, four words for each of a plan's written registers. */
  readonly #before: Int32Array = new Int32Array(CAPACITY * 4);
  /** Names asked for besides a plan's. */
  #extra = 0;
  readonly #extraNames: Uint32Array = new Uint32Array(16);
  #extraFrom = 0;
  /** For questions that come up during execution, when `#got` must stay. */
  readonly #single: RegisterValues = new RegisterValues(1);
  #fiveLevelPaging: boolean | null = null;

  constructor(registers: RegisterFile, host: HostCallbacks<Context>) {
    this.#registers = registers;
    this.#host = host;
  }

  begin(): void {
    this.count = 0;
    this.#extra = 0;
    this.#fiveLevelPaging = null;
    if (this.#hasUpperHalves) this.#set.words.fill(0);
    this.#hasUpperHalves = false;
  }

  /** Adds a register without a place in the file to the next get; {@link RegisterExchange.extraLow} has its value. */
  alsoGet(name: number): number {
    this.#extraNames[this.#extra] = name;
    return this.#extra++;
  }

  /** Starts a new list of extra registers. */
  forgetExtra(): void {
    this.#extra = 0;
  }

  /** Bits 31..0 of the register that {@link RegisterExchange.alsoGet} numbered. */
  extraLow(number: number): number {
    return this.#got.words[(this.#extraFrom + number) * 4];
  }

  /** Bits 63..32 of it. */
  extraHigh(number: number): number {
    return this.#got.words[(this.#extraFrom + number) * 4 + 1];
  }

  /** Gets what a simple plan asks for, where nothing else is asked, and keeps what has to be compared later. */
  fetchSimple(plan: RegisterPlan): boolean {
    const { names, fetchedWords } = plan;
    const count = fetchedWords.length;
    if (count !== 0) {
      if (!this.#host.getRegisters(names, count, this.#got)) return false;
      const to = this.#registers.words;
      const from = this.#got.words;
      for (let i = 0; i < count; i++) {
        const word = fetchedWords[i];
        to[word] = from[i * 4];
        to[word + 1] = from[i * 4 + 1];
      }
    }
    if (plan.comparesAny) this.remember(plan);
    return true;
  }

  /** Gets what the plan asks for, and the extra registers, in one call; no call where there is nothing to ask. */
  fetch(plan: RegisterPlan): boolean {
    const count = plan.names.length;
    if (count + this.#extra !== 0) {
      let names = plan.names;
      if (this.#extra !== 0) {
        names = this.#getNames;
        names.set(plan.names);
        for (let i = 0; i < this.#extra; i++) names[count + i] = this.#extraNames[i];
      }
      this.#extraFrom = count;
      if (!this.#host.getRegisters(names, count + this.#extra, this.#got)) return false;
      this.#unpack(plan, count);
    }
    return true;
  }

  /** Gets the extra registers alone. */
  fetchExtra(): boolean {
    if (this.#extra === 0) return true;
    this.#extraFrom = 0;
    return this.#host.getRegisters(this.#extraNames, this.#extra, this.#got);
  }

  /** CR4.LA57, in a get of its own: only addresses that need 57 bits ask. Null: the callback failed. */
  readFiveLevelPaging(): boolean | null {
    if (this.#fiveLevelPaging === null) {
      this.#getNames[0] = NAME.WHvX64RegisterCr4;
      if (!this.#host.getRegisters(this.#getNames, 1, this.#single)) return null;
      this.#fiveLevelPaging = (this.#single.low(0) & CR4_LA57) !== 0;
    }
    return this.#fiveLevelPaging;
  }

  #unpack(plan: RegisterPlan, count: number): void {
    const { fetchedWords, fetchedShapes } = plan;
    const to = this.#registers.words;
    const from = this.#got.words;
    for (let i = 0; i < count; i++) {
      const word = fetchedWords[i];
      const at = i * 4;
      const shape = fetchedShapes[i];
      if (shape === RegisterShape.composite) {
        to[DATA_POINTER] = from[at];
        to[DATA_POINTER + 1] = from[at + 1];
        to[word] = from[at + 2];
        to[word + 1] = from[at + 3];
        continue;
      }
      to[word] = from[at];
      to[word + 1] = from[at + 1];
      if (shape === RegisterShape.word) continue;
      to[word + 2] = from[at + 2];
      to[word + 3] = from[at + 3];
    }
  }

  /** Keeps the values before the instruction, so that what it changes can be told. */
  remember(plan: RegisterPlan): void {
    if (!plan.comparesAny) return;
    const { writtenWords, writtenShapes, compared } = plan;
    const words = this.#registers.words;
    const before = this.#before;
    for (let i = 0; i < compared.length; i++) {
      if (compared[i] === 0) continue;
      const word = writtenWords[i];
      const upper = upperWord(word, writtenShapes[i]);
      before[i * 4] = words[word];
      before[i * 4 + 1] = words[word + 1];
      before[i * 4 + 2] = words[upper];
      before[i * 4 + 3] = words[upper + 1];
    }
  }

  /** Puts down every register of the plan that has changed, and those of which it cannot be told. */
  putChanged(plan: RegisterPlan): void {
    const { writtenNames, writtenWords, writtenShapes, compared } = plan;
    const words = this.#registers.words;
    const to = this.#set.words;
    for (let i = 0; i < compared.length; i++) {
      const word = writtenWords[i];
      const shape = writtenShapes[i];
      if (compared[i] === 1 && !this.#hasChanged(i * 4, word, shape)) continue;
      if (shape === RegisterShape.word) {
        this.put(writtenNames[i], words[word], words[word + 1]);
        continue;
      }
      const at = this.count * 4;
      this.#setNames[this.count++] = writtenNames[i];
      this.#hasUpperHalves = true;
      if (shape === RegisterShape.composite) {
        to[at] = words[DATA_POINTER];
        to[at + 1] = words[DATA_POINTER + 1];
        to[at + 2] = words[word];
        to[at + 3] = words[word + 1];
        continue;
      }
      to[at] = words[word];
      to[at + 1] = words[word + 1];
      to[at + 2] = words[word + 2];
      to[at + 3] = words[word + 3];
    }
  }

  #hasChanged(at: number, word: number, shape: number): boolean {
    const words = this.#registers.words;
    const before = this.#before;
    const upper = upperWord(word, shape);
    return (
      words[word] !== before[at] ||
      words[word + 1] !== before[at + 1] ||
      words[upper] !== before[at + 2] ||
      words[upper + 1] !== before[at + 3]
    );
  }

  /**
   * The end of an instruction after a plain exit, in one go because it is the end of nearly every emulation: what changed,
   * RIP where the instruction is finished, RFLAGS where they changed, and the set.
   */
  commitPlain(plan: RegisterPlan, exit: ExitContext, finished: boolean): boolean {
    if (!plan.simple) this.putChanged(plan);
    else if (plan.writtenWords.length !== 0) this.#putChangedWords(plan);
    const { words } = this.#registers;
    const names = this.#setNames;
    const to = this.#set.words;
    const flagsLow = words[RFLAGS];
    const flagsHigh = words[RFLAGS + 1];
    const flagsChanged = flagsLow !== exit.rflagsLow || flagsHigh !== exit.rflagsHigh;
    let count = this.count;
    // The set is what tells the host that the emulation was successful: it is never empty.
    if (finished || (count === 0 && !flagsChanged)) {
      names[count] = NAME_RIP;
      putWords(to, count++, finished ? exit.nextRipLow : exit.ripLow, finished ? exit.nextRipHigh : exit.ripHigh);
    }
    if (flagsChanged) {
      names[count] = NAME_RFLAGS;
      putWords(to, count++, flagsLow, flagsHigh);
    }
    return this.#host.setRegisters(names, count, this.#set);
  }

  /** {@link RegisterExchange.putChanged} of a simple plan. */
  #putChangedWords({ writtenNames, writtenWords, compared }: RegisterPlan): void {
    const { words } = this.#registers;
    const names = this.#setNames;
    const to = this.#set.words;
    const before = this.#before;
    let count = this.count;
    for (let i = 0; i < writtenWords.length; i++) {
      const low = words[writtenWords[i]];
      const high = words[writtenWords[i] + 1];
      if (compared[i] === 1 && low === before[i * 4] && high === before[i * 4 + 1]) continue;
      names[count] = writtenNames[i];
      putWords(to, count++, low, high);
    }
    this.count = count;
  }

  /** Puts down a 64-bit register. */
  put(name: number, low: number, high: number): void {
    putWords(this.#set.words, this.count, low, high);
    this.#setNames[this.count++] = name;
  }

  /** Puts down a 128-bit register. */
  put128(name: number, word0: number, word1: number, word2: number, word3: number): void {
    const to = this.#set.words;
    const at = this.count * 4;
    this.#hasUpperHalves = true;
    to[at] = word0;
    to[at + 1] = word1;
    to[at + 2] = word2;
    to[at + 3] = word3;
    this.#setNames[this.count++] = name;
  }

  /** Puts down RFLAGS as the register file holds it, where it differs from what it was. */
  putRflags(beforeLow: number, beforeHigh: number): void {
    const { words } = this.#registers;
    const low = words[RFLAGS];
    const high = words[RFLAGS + 1];
    if (low !== beforeLow || high !== beforeHigh) this.put(NAME.WHvX64RegisterRflags, low, high);
  }

  /** The one set callback, right before success. */
  commit(): boolean {
    return this.#host.setRegisters(this.#setNames, this.count, this.#set);
  }
}

/** Where the upper 64 bits of a register lie, or its lower ones again where it has no more. */
function upperWord(word: number, shape: number): number {
  if (shape === RegisterShape.word) return word;
  return shape === RegisterShape.wide ? word + 2 : DATA_POINTER;
}

/** Writes a 64-bit register value, the `index`-th of a list of values of 128 bits whose upper halves are 0. */
function putWords(to: Uint32Array, index: number, low: number, high: number): void {
  const at = index * 4;
  to[at] = low;
  to[at + 1] = high;
}
