/**
 * What the exit contexts say, checked and unpacked once per emulation into plain numbers: mode, privilege, RIP, RFLAGS,
 * instruction bytes, the access. Nothing is fetched here, and nothing decided beyond "well-formed or not".
 */
import type { IoPortAccessContextView, MemoryAccessContextView, VpExitContextView } from "@whvkit/whv-types";
import { Flag, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import type { InstructionBytes } from "./instruction-bytes.ts";
import { NativeWords } from "./native-words.ts";

/** Bits of `WHV_X64_VP_EXECUTION_STATE`. */
const CR0_PE = 1 << 2;
const CR0_AM = 1 << 3;
const EFER_LMA = 1 << 4;
const DEBUG_ACTIVE = 1 << 5;
const INTERRUPTION_PENDING = 1 << 6;
const INTERRUPT_SHADOW = 1 << 12;

/** Bits of a segment's attributes (WHV_X64_SEGMENT_REGISTER). */
const CODE_LONG = 1 << 13;
const CODE_DEFAULT = 1 << 14;

/** EFER.LME and EFER.LMA, as the register has them. */
const EFER_LME_LMA = 0x500;

/** Sizes of the three contexts in words. */
const PROCESSOR_WORDS = 10;
const MEMORY_ACCESS_WORDS = 10;
const PORT_ACCESS_WORDS = 24;
const NO_WORDS: Int32Array = new Int32Array(PORT_ACCESS_WORDS);

const RIP = RegisterOffset.rip >> 2;
const RFLAGS = RegisterOffset.rflags >> 2;
const CR0 = RegisterOffset.cr0 >> 2;
const EFER = RegisterOffset.efer >> 2;
const CS_OFFSET = RegisterOffset.segments + 16;

/** `WHV_MEMORY_ACCESS_TYPE`. */
export const MemoryAccessType = { read: 0, write: 1, execute: 2 } as const;

export class ExitContext {
  /** `WHV_X64_VP_EXECUTION_STATE.AsUINT16`. */
  state = 0;
  /** Bitness of the code segment. */
  mode: 16 | 32 | 64 = 16;
  /**
   * Nothing but the instruction counts: no interrupt shadow, no active debug registers, neither RFLAGS.TF nor RF. So it is
   * with nearly every exit.
   */
  plain = true;
  /** 0 where the hypervisor did not say. */
  instructionLength = 0;
  ripLow = 0;
  ripHigh = 0;
  rflagsLow = 0;
  rflagsHigh = 0;
  /** How many instruction bytes the hypervisor delivered, 0 to 16. */
  byteCount = 0;
  /** Where execution goes on; set by {@link ExitContext.advance}. */
  nextRipLow = 0;
  nextRipHigh = 0;
  /** The words of `WHV_VP_EXIT_CONTEXT`. */
  #processor: Int32Array = NO_WORDS;
  /** The words of either access context. */
  #access: Int32Array = NO_WORDS;
  readonly #processorWords: NativeWords = new NativeWords(PROCESSOR_WORDS);
  readonly #memoryWords: NativeWords = new NativeWords(MEMORY_ACCESS_WORDS);
  readonly #portWords: NativeWords = new NativeWords(PORT_ACCESS_WORDS);

  /** Reads what every exit is asked for out of `WHV_VP_EXIT_CONTEXT`. */
  readProcessor({ view, byteOffset }: VpExitContextView): void {
    const words = this.#processorWords.of(view, byteOffset);
    this.#processor = words;
    this.#access = NO_WORDS;
    this.byteCount = 0;
    const first = words[0];
    const attributes = words[5] >>> 16;
    const rflags = words[8];
    this.state = first & 0xffff;
    this.plain = ((first & (INTERRUPT_SHADOW | DEBUG_ACTIVE)) | (rflags & (Flag.TF | Flag.RF))) === 0;
    this.instructionLength = (first >>> 16) & 15;
    this.mode =
      (first & EFER_LMA) !== 0 && (attributes & CODE_LONG) !== 0 ? 64 : (attributes & CODE_DEFAULT) !== 0 ? 32 : 16;
    this.ripLow = words[6];
    this.ripHigh = words[7];
    this.rflagsLow = rflags;
    this.rflagsHigh = words[9];
  }

  get cpl(): number {
    return this.state & 3;
  }

  /** CR0.PE. */
  get protectedMode(): boolean {
    return (this.state & CR0_PE) !== 0;
  }

  /** EFER.LMA, in 64-bit and compatibility code alike. */
  get longModeActive(): boolean {
    return (this.state & EFER_LMA) !== 0;
  }

  get virtual8086(): boolean {
    return (this.state & (CR0_PE | EFER_LMA)) === CR0_PE && (this.rflagsLow & Flag.VM) !== 0;
  }

  /** CPL 3 with CR0.AM and RFLAGS.AC: misaligned accesses raise #AC. */
  get alignmentChecked(): boolean {
    return (this.state & (3 | CR0_AM)) === (3 | CR0_AM) && (this.rflagsLow & Flag.AC) !== 0;
  }

  get debugActive(): boolean {
    return (this.state & DEBUG_ACTIVE) !== 0;
  }

  get interruptionPending(): boolean {
    return (this.state & INTERRUPTION_PENDING) !== 0;
  }

  get interruptShadow(): boolean {
    return (this.state & INTERRUPT_SHADOW) !== 0;
  }

  /** RFLAGS.TF as the instruction starts. */
  get singleStep(): boolean {
    return (this.rflagsLow & Flag.TF) !== 0;
  }

  /** RFLAGS.RF as the instruction starts. */
  get resume(): boolean {
    return (this.rflagsLow & Flag.RF) !== 0;
  }

  /**
   * Finds where execution goes on: past an instruction of `length` bytes, modulo the width of the code segment; or, with a
   * length of -1, where RIP of the register file says.
   */
  advance(length: number, registers: RegisterFile): void {
    if (length < 0) {
      this.nextRipLow = registers.words[RIP];
      this.nextRipHigh = registers.words[RIP + 1];
      return;
    }
    const low = (this.ripLow + length) | 0;
    if (this.mode === 64) {
      this.nextRipLow = low;
      this.nextRipHigh = low >>> 0 < length ? (this.ripHigh + 1) | 0 : this.ripHigh;
      return;
    }
    this.nextRipLow = this.mode === 32 ? low : low & 0xffff;
    this.nextRipHigh = 0;
  }

  /** Puts RIP and RFLAGS into the register file. */
  loadPointerAndFlags(registers: RegisterFile): void {
    const { words } = registers;
    words[RIP] = this.ripLow;
    words[RIP + 1] = this.ripHigh;
    words[RFLAGS] = this.rflagsLow;
    words[RFLAGS + 1] = this.rflagsHigh;
  }

  /** Puts CS into the register file. */
  loadCodeSegment(registers: RegisterFile): void {
    copyWords(this.#processor, 2, registers.words, CS_OFFSET, 4);
  }

  /**
   * Makes CR0.PE, EFER.LMA and CS of the register file those of the exit: named operations tell the mode by them, and few
   * other instructions look at them.
   */
  imposeMode(registers: RegisterFile): void {
    const { words } = registers;
    const cr0 = words[CR0];
    words[CR0] = this.protectedMode ? cr0 | 1 : cr0 & ~1;
    words[EFER] = this.longModeActive ? EFER_LME_LMA : 0;
    this.loadCodeSegment(registers);
  }

  /** Reads `WHV_MEMORY_ACCESS_CONTEXT`; its words are in `access`. False: it claims more than 16 instruction bytes. */
  readMemoryAccess({ view, byteOffset }: MemoryAccessContextView): boolean {
    return this.#readAccess(this.#memoryWords.of(view, byteOffset));
  }

  /** Reads `WHV_X64_IO_PORT_ACCESS_CONTEXT`; its words are in `access`. False: it claims more than 16 instruction bytes. */
  readPortAccess({ view, byteOffset }: IoPortAccessContextView): boolean {
    return this.#readAccess(this.#portWords.of(view, byteOffset));
  }

  /** Both access contexts begin with InstructionByteCount and InstructionBytes. */
  #readAccess(words: Int32Array): boolean {
    this.#access = words;
    this.byteCount = words[0] & 0xff;
    return this.byteCount <= 16;
  }

  /** The words of the access context that was read last. */
  get access(): Int32Array {
    return this.#access;
  }

  /** Copies the delivered instruction bytes, and zeros after them. */
  copyInstructionBytes(to: InstructionBytes): void {
    const words = this.#access;
    const count = Math.min(this.byteCount, 16);
    to.count = count;
    to.word0 = firstBytes(words[1], count);
    to.word1 = firstBytes(words[2], count - 4);
    to.word2 = firstBytes(words[3], count - 8);
    to.word3 = firstBytes(words[4], count - 12);
  }
}

/** A word of which only the first `count` bytes count; the others become 0. */
function firstBytes(word: number, count: number): number {
  if (count >= 4) return word;
  return count <= 0 ? 0 : word & ((1 << (count * 8)) - 1);
}

/** Copies `count` words of a native structure to byte offset `to` of the register file. */
export function copyWords(from: Int32Array, at: number, words: Int32Array, to: number, count: number): void {
  const target = to >> 2;
  for (let i = 0; i < count; i++) words[target + i] = from[at + i];
}
