/**
 * The one get and the one set of an emulation: fetching what a {@link RegisterPlan} asks for into the register file,
 * remembering it, and afterwards gathering what changed. Which registers take part is the plan's decision; when the set
 * happens is `emulator.ts`'s.
 */
import { RegisterValues, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { RegisterOffset, type RegisterFile } from "@whvkit/x86-semantics";
import type { HostCallbacks } from "./host-callbacks.ts";
import { COMPOSITE, MAPPED_REGISTERS } from "./register-map.ts";
import type { RegisterPlan } from "./register-plan.ts";

/** More than any instruction needs: all mapped registers and the event registers. */
const CAPACITY = MAPPED_REGISTERS.length + 16;

/** Offsets in words, and sizes in words, of every mapped register: flat, because they are read on every emulation. */
const wordAt: Int32Array = Int32Array.from(MAPPED_REGISTERS, ({ offset }) => offset >> 2);
const nameAt: Uint32Array = Uint32Array.from(MAPPED_REGISTERS, ({ name }) => name);
const wordCount: Int32Array = Int32Array.from(MAPPED_REGISTERS, ({ size }) => size >> 2);

const NAME = WHV_REGISTER_NAME;
const CR4_LA57 = 1 << 12;
const RIP_WORD = RegisterOffset.rip >> 2;
const RFLAGS_WORD = RegisterOffset.rflags >> 2;
const DATA_POINTER_WORD = RegisterOffset.fpuDataPointer >> 2;

export class RegisterExchange<Context> {
  /** Registers put down for the set so far. */
  count = 0;
  readonly #registers: RegisterFile;
  readonly #host: HostCallbacks<Context>;
  /** What the get callback fills; kept, so that what changed can be told. */
  readonly #got: RegisterValues = new RegisterValues(CAPACITY);
  readonly #getNames: Uint32Array = new Uint32Array(CAPACITY);
  readonly #setNames: Uint32Array = new Uint32Array(CAPACITY);
  readonly #set: RegisterValues = new RegisterValues(CAPACITY);
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
    return this.#got.words[(this.#extraFrom + number) * 4] as number;
  }

  /** Bits 63..32 of it. */
  extraHigh(number: number): number {
    return this.#got.words[(this.#extraFrom + number) * 4 + 1] as number;
  }

  /** Gets what the plan asks for, and the extra registers, in one call; no call where there is nothing to ask. */
  fetch(plan: RegisterPlan): boolean {
    const count = plan.fetched.length;
    if (count + this.#extra !== 0) {
      let names = plan.names;
      if (this.#extra !== 0) {
        names = this.#getNames;
        names.set(plan.names);
        for (let i = 0; i < this.#extra; i++) names[count + i] = this.#extraNames[i] as number;
      }
      this.#extraFrom = count;
      if (!this.#host.getRegisters(names, count + this.#extra, this.#got)) return false;
      this.#unpack(plan.fetched);
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

  #unpack(fetched: Int32Array): void {
    const to = this.#registers.words;
    const from = this.#got.words;
    for (let i = 0; i < fetched.length; i++) {
      const index = fetched[i] as number;
      const word = wordAt[index] as number;
      if (index === COMPOSITE) {
        to[DATA_POINTER_WORD] = from[i * 4] as number;
        to[DATA_POINTER_WORD + 1] = from[i * 4 + 1] as number;
        to[word] = from[i * 4 + 2] as number;
        to[word + 1] = from[i * 4 + 3] as number;
        continue;
      }
      to[word] = from[i * 4] as number;
      to[word + 1] = from[i * 4 + 1] as number;
      if (wordCount[index] === 4) {
        to[word + 2] = from[i * 4 + 2] as number;
        to[word + 3] = from[i * 4 + 3] as number;
      }
    }
  }

  /** Keeps the values before the instruction, so that what it changes can be told. */
  remember(plan: RegisterPlan): void {
    const words = this.#registers.words;
    const { written, compared } = plan;
    for (let i = 0; i < written.length; i++) {
      if (compared[i] === 0) continue;
      const word = wordAt[written[i] as number] as number;
      const count = wordCount[written[i] as number] as number;
      for (let j = 0; j < count; j++) this.#before[i * 4 + j] = words[word + j] as number;
      if (written[i] === COMPOSITE) {
        this.#before[i * 4 + 2] = words[DATA_POINTER_WORD] as number;
        this.#before[i * 4 + 3] = words[DATA_POINTER_WORD + 1] as number;
      }
    }
  }

  /** Puts down every register of the plan that has changed, and those of which it cannot be told. */
  putChanged(plan: RegisterPlan): void {
    const { written, compared } = plan;
    for (let i = 0; i < written.length; i++) {
      const index = written[i] as number;
      if (compared[i] === 0 || this.#hasChanged(index, i * 4)) this.#putMapped(index);
    }
  }

  #hasChanged(index: number, before: number): boolean {
    const words = this.#registers.words;
    const word = wordAt[index] as number;
    const count = wordCount[index] as number;
    for (let j = 0; j < count; j++) if (words[word + j] !== this.#before[before + j]) return true;
    if (index !== COMPOSITE) return false;
    return (
      words[DATA_POINTER_WORD] !== this.#before[before + 2] || words[DATA_POINTER_WORD + 1] !== this.#before[before + 3]
    );
  }

  #putMapped(index: number): void {
    const words = this.#registers.words;
    const word = wordAt[index] as number;
    const to = this.#set.words;
    const at = this.count * 4;
    this.#setNames[this.count++] = nameAt[index] as number;
    if (index === COMPOSITE) {
      to[at] = words[DATA_POINTER_WORD] as number;
      to[at + 1] = words[DATA_POINTER_WORD + 1] as number;
      to[at + 2] = words[word] as number;
      to[at + 3] = words[word + 1] as number;
      return;
    }
    const wide = wordCount[index] === 4;
    to[at] = words[word] as number;
    to[at + 1] = words[word + 1] as number;
    to[at + 2] = wide ? (words[word + 2] as number) : 0;
    to[at + 3] = wide ? (words[word + 3] as number) : 0;
  }

  /** Puts down a 64-bit register. */
  put(name: number, low: number, high: number): void {
    this.#set.setHalves(this.count, low, high);
    this.#setNames[this.count++] = name;
  }

  /** Puts down a 128-bit register. */
  put128(name: number, word0: number, word1: number, word2: number, word3: number): void {
    const to = this.#set.words;
    const at = this.count * 4;
    to[at] = word0;
    to[at + 1] = word1;
    to[at + 2] = word2;
    to[at + 3] = word3;
    this.#setNames[this.count++] = name;
  }

  /** Puts down RIP as given. */
  putRip(low: number, high: number): void {
    this.put(NAME.WHvX64RegisterRip, low, high);
  }

  /** Puts down RFLAGS as the register file holds it, where it differs from what it was. */
  putRflags(beforeLow: number, beforeHigh: number): void {
    const words = this.#registers.words;
    const low = words[RFLAGS_WORD] as number;
    const high = words[RFLAGS_WORD + 1] as number;
    if (low !== beforeLow || high !== beforeHigh) this.put(NAME.WHvX64RegisterRflags, low, high);
  }

  /** RIP in the register file. */
  get ripLow(): number {
    return this.#registers.words[RIP_WORD] as number;
  }

  get ripHigh(): number {
    return this.#registers.words[RIP_WORD + 1] as number;
  }

  /** The one set callback, right before success. */
  commit(): boolean {
    return this.#host.setRegisters(this.#setNames, this.count, this.#set);
  }
}
