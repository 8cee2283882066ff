/**
 * What the exit contexts say, checked and unpacked once per emulation into plain numbers: mode, privilege, RIP, RFLAGS,
 * instruction bytes, the access. Nothing is fetched here, and nothing decided beyond "well-formed or not".
 */
import type { IoPortAccessContextView, MemoryAccessContextView, VpExitContextView } from "@whvkit/whv-types";
import { Flag, Intent, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import { NativeWords } from "./native-words.ts";

/** Bits of `WHV_X64_VP_EXECUTION_STATE`. */
const CR0_PE = 1 << 2;
const CR0_AM = 1 << 3;
const EFER_LMA = 1 << 4;
const DEBUG_ACTIVE = 1 << 5;
const INTERRUPTION_PENDING = 1 << 6;
const INTERRUPT_SHADOW = 1 << 12;

/** What makes an exit more than an instruction. */
const SPECIAL_STATE = INTERRUPT_SHADOW | DEBUG_ACTIVE;
const SPECIAL_FLAGS: number = Flag.TF | Flag.RF;

/** Bits of the word of WHV_X64_SEGMENT_REGISTER whose upper half is the attributes. */
const CODE_LONG = 1 << 29;
const CODE_DEFAULT = 1 << 30;

/** EFER.LME and EFER.LMA, as the register has them. */
const EFER_LME_LMA = 0x500;

/** Sizes of the three contexts in words. */
const PROCESSOR_WORDS = 10;
const MEMORY_ACCESS_WORDS = 10;
const PORT_ACCESS_WORDS = 24;
/** Words of WHV_MEMORY_ACCESS_CONTEXT. */
const ACCESS_INFO = 5;
const GPA = 6;
const GVA = 8;
/** Bit 3 of `WHV_MEMORY_ACCESS_INFO`; its low two bits are a `WHV_MEMORY_ACCESS_TYPE`: read, write, execute, none. */
const GVA_VALID = 1 << 3;
const NO_ACCESS_TYPE = 3;
/** The page was read by the processor, perhaps by a read-modify-write. */
export const TRUSTED_MODIFY = 64;
const PAGE_RIGHTS = [
  Intent.read | TRUSTED_MODIFY,
  Intent.read | Intent.write,
  Intent.read | Intent.execute,
  0,
] as const;
/** The upper half of the highest guest-physical address of 52 bits. */
const HIGHEST_GPA_HALF = 2 ** 20 - 1;
const PAGE_MASK = ~0xfff;
const NO_WORDS: Int32Array = new Int32Array(PORT_ACCESS_WORDS);

const RIP = RegisterOffset.rip >> 2;
const RFLAGS = RegisterOffset.rflags >> 2;
const CR0 = RegisterOffset.cr0 >> 2;
const EFER = RegisterOffset.efer >> 2;
const CS_OFFSET = RegisterOffset.segments + 16;

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
  /**
   * What the translation that the processor made before it stopped vouches for, as an `Intent`; 0 without one. A read says
   * nothing about the right to write, except of the instruction that writes what it reads: its read asked for both.
   */
  pageRights = 0;
  /** Set by {@link ExitContext.isInPage}. A field, because a returned double is allocated. */
  page = 0;
  /** The words of `WHV_VP_EXIT_CONTEXT`. */
  #processor: Int32Array = NO_WORDS;
  /** The words of either access context. */
  #access: Int32Array = NO_WORDS;
  readonly #processorWords: NativeWords = new NativeWords(PROCESSOR_WORDS);
  readonly #memoryWords: NativeWords = new NativeWords(MEMORY_ACCESS_WORDS);
  readonly #portWords: NativeWords = new NativeWords(PORT_ACCESS_WORDS);
  readonly #registers: RegisterFile;

  /** @param registers - where RIP, RFLAGS and CS go. */
  constructor(registers: RegisterFile) {
    this.#registers = registers;
  }

  /** Reads what every exit is asked for out of `WHV_VP_EXIT_CONTEXT`; RIP and RFLAGS go into the register file too. */
  readProcessor({ view, byteOffset }: VpExitContextView): void {
    const from = this.#processorWords.of(view, byteOffset);
    const { words } = this.#registers;
    const first = from[0];
    const flags = from[8];
    this.#processor = from;
    this.#access = NO_WORDS;
    this.byteCount = 0;
    this.state = first & 0xffff;
    this.instructionLength = (first >>> 16) & 15;
    this.plain = ((first & SPECIAL_STATE) | (flags & SPECIAL_FLAGS)) === 0;
    this.mode = (first & EFER_LMA) !== 0 && (from[5] & CODE_LONG) !== 0 ? 64 : (from[5] & CODE_DEFAULT) !== 0 ? 32 : 16;
    words[RIP] = this.ripLow = from[6];
    words[RIP + 1] = this.ripHigh = from[7];
    words[RFLAGS] = this.rflagsLow = flags;
    words[RFLAGS + 1] = this.rflagsHigh = from[9];
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
  advance(length: number): void {
    if (length < 0) {
      const { words } = this.#registers;
      this.nextRipLow = words[RIP];
      this.nextRipHigh = words[RIP + 1];
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

  /** Puts CS into the register file. */
  loadCodeSegment(): void {
    copyWords(this.#processor, 2, this.#registers.words, CS_OFFSET, 4);
  }

  /**
   * Makes CR0.PE, EFER.LMA and CS of the register file those of the exit: named operations tell the mode by them, and few
   * other instructions look at them.
   */
  imposeMode(): void {
    const { words } = this.#registers;
    const cr0 = words[CR0];
    words[CR0] = this.protectedMode ? cr0 | 1 : cr0 & ~1;
    words[EFER] = this.longModeActive ? EFER_LME_LMA : 0;
    this.loadCodeSegment();
  }

  /**
   * Reads `WHV_MEMORY_ACCESS_CONTEXT`; its words are in `access`. False: it claims more than 16 instruction bytes, or its
   * AccessType is none.
   */
  readMemoryAccess({ view, byteOffset }: MemoryAccessContextView): boolean {
    const words = this.#memoryWords.of(view, byteOffset);
    const info = words[ACCESS_INFO];
    const translated = (info & GVA_VALID) !== 0 && words[GPA + 1] >>> 0 <= HIGHEST_GPA_HALF;
    this.pageRights = translated ? PAGE_RIGHTS[info & 3] : 0;
    return this.#readAccess(words) && (info & 3) !== NO_ACCESS_TYPE;
  }

  /** Is a linear address in the page of `Gva`? Then `page` is its guest-physical page; `Gpa` may be cut to it. */
  isInPage(low: number, high: number): boolean {
    const words = this.#access;
    if (((words[GVA] ^ low) & PAGE_MASK) !== 0 || words[GVA + 1] !== (high | 0)) return false;
    const page = (words[GPA] & PAGE_MASK) >>> 0;
    const above = words[GPA + 1];
    this.page = above === 0 ? page : (above >>> 0) * 0x1_0000_0000 + page;
    return true;
  }

  /** Reads `WHV_X64_IO_PORT_ACCESS_CONTEXT`; its words are in `access`. False: it claims more than 16 instruction bytes. */
  readPortAccess({ view, byteOffset }: IoPortAccessContextView): boolean {
    this.pageRights = 0;
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
}

/** Copies `count` words of a native structure to byte offset `to` of the register file. */
export function copyWords(from: Int32Array, at: number, words: Int32Array, to: number, count: number): void {
  const target = to >> 2;
  for (let i = 0; i < count; i++) words[target + i] = from[at + i];
}
