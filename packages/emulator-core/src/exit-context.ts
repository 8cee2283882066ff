/**
 * What the exit contexts say, checked and unpacked once per emulation into plain numbers: mode, privilege, RIP, RFLAGS,
 * instruction bytes, the access. Nothing is fetched here, and nothing decided beyond "well-formed or not".
 */
import type { IoPortAccessContextView, MemoryAccessContextView, VpExitContextView } from "@whvkit/whv-types";
import { Flag, RegisterOffset, type RegisterFile } from "@whvkit/x86-semantics";

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

const CS_OFFSET = RegisterOffset.segments + 16;

/** `WHV_MEMORY_ACCESS_TYPE`. */
export const MemoryAccessType = { read: 0, write: 1, execute: 2 } as const;

export class ExitContext {
  /** Bitness of the code segment. */
  mode: 16 | 32 | 64 = 16;
  /** CR0.PE. */
  protectedMode = false;
  /** Virtual-8086 mode. */
  virtual8086 = false;
  /** EFER.LMA, in 64-bit and compatibility code alike. */
  longModeActive = false;
  cpl = 0;
  /** CPL 3 with CR0.AM and RFLAGS.AC: misaligned accesses raise #AC. */
  alignmentChecked = false;
  debugActive = false;
  interruptionPending = false;
  interruptShadow = false;
  /** 0 where the hypervisor did not say. */
  instructionLength = 0;
  ripLow = 0;
  ripHigh = 0;
  rflagsLow = 0;
  rflagsHigh = 0;
  /** RFLAGS.TF as the instruction starts. */
  singleStep = false;
  /** RFLAGS.RF as the instruction starts. */
  resume = false;
  /** How many instruction bytes the hypervisor delivered, 0 to 16. */
  byteCount = 0;
  /** Those bytes, and zeros after them. */
  readonly byteWords: Int32Array = new Int32Array(4);

  /** Reads `WHV_VP_EXIT_CONTEXT`, and puts RIP, RFLAGS and CS into the register file. */
  readProcessor(vp: VpExitContextView, registers: RegisterFile): void {
    const view = vp.view;
    const at = vp.byteOffset;
    const state = view.getUint16(at, true);
    const attributes = view.getUint16(at + 22, true);
    const rflags = view.getInt32(at + 32, true);
    this.cpl = state & 3;
    this.protectedMode = (state & CR0_PE) !== 0;
    this.longModeActive = (state & EFER_LMA) !== 0;
    this.debugActive = (state & DEBUG_ACTIVE) !== 0;
    this.interruptionPending = (state & INTERRUPTION_PENDING) !== 0;
    this.interruptShadow = (state & INTERRUPT_SHADOW) !== 0;
    this.instructionLength = view.getUint8(at + 2) & 15;
    this.mode =
      this.longModeActive && (attributes & CODE_LONG) !== 0 ? 64 : (attributes & CODE_DEFAULT) !== 0 ? 32 : 16;
    this.virtual8086 = this.protectedMode && !this.longModeActive && (rflags & Flag.VM) !== 0;
    this.alignmentChecked = this.cpl === 3 && (state & CR0_AM) !== 0 && (rflags & Flag.AC) !== 0;
    this.ripLow = view.getInt32(at + 24, true);
    this.ripHigh = view.getInt32(at + 28, true);
    this.rflagsLow = rflags;
    this.rflagsHigh = view.getInt32(at + 36, true);
    this.singleStep = (rflags & Flag.TF) !== 0;
    this.resume = (rflags & Flag.RF) !== 0;

    const words = registers.words;
    words[RegisterOffset.rip >> 2] = this.ripLow;
    words[(RegisterOffset.rip >> 2) + 1] = this.ripHigh;
    words[RegisterOffset.rflags >> 2] = rflags;
    words[(RegisterOffset.rflags >> 2) + 1] = this.rflagsHigh;
    copyWords(view, at + 8, words, CS_OFFSET, 4);
  }

  /** Makes CR0.PE and EFER.LMA of the register file those of the exit: named operations tell the mode by them. */
  imposeMode(registers: RegisterFile): void {
    const { words } = registers;
    const cr0 = words[RegisterOffset.cr0 >> 2] as number;
    words[RegisterOffset.cr0 >> 2] = this.protectedMode ? cr0 | 1 : cr0 & ~1;
    words[RegisterOffset.efer >> 2] = this.longModeActive ? EFER_LME_LMA : 0;
  }

  /** The instruction bytes of either access context (both start alike). False: it claims more than 16. */
  readInstructionBytes(context: MemoryAccessContextView | IoPortAccessContextView): boolean {
    const { view, byteOffset } = context;
    const count = view.getUint8(byteOffset);
    if (count > 16) return false;
    this.byteCount = count;
    for (let word = 0; word < 4; word++) {
      const bytes = count - word * 4;
      const all = bytes > 0 ? view.getInt32(byteOffset + 4 + word * 4, true) : 0;
      this.byteWords[word] = bytes > 0 && bytes < 4 ? all & ((1 << (bytes * 8)) - 1) : all;
    }
    return true;
  }
}

/** Copies `count` 32-bit words of a native structure to byte offset `to` of the register file. */
export function copyWords(view: DataView, from: number, words: Int32Array, to: number, count: number): void {
  const target = to >> 2;
  for (let i = 0; i < count; i++) words[target + i] = view.getInt32(from + i * 4, true);
}
