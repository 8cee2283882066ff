/**
 * The register file: every architectural register of one virtual processor at a fixed byte offset of one buffer.
 * Registers are intervals (offset, size): AH is RAX's offset + 1, EAX the low half of RAX, XMM3 the low 16 bytes of
 * ZMM3. Evaluator, compiled code and simulator share this layout; which registers an instruction touches, and so
 * which ones an emulator has to fetch, follows from the intervals. Nothing here knows what an instruction does.
 */

/** A run of bytes of the register file. @public */
export interface RegisterInterval {
  /** First byte in the register file. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/**
 * Segment registers in encoding order, then the two system segments, as indices of {@link RegisterOffset.segments}.
 *
 * @public
 */
export const Segment = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5, ldtr: 6, tr: 7 } as const;
/** A value of {@link Segment}: a segment register by its encoding number. @public */
export type Segment = (typeof Segment)[keyof typeof Segment];

/**
 * Byte offsets in the register file. Everything is little endian and aligned to its size.
 *
 * A segment takes 16 bytes in the layout of `WHV_X64_SEGMENT_REGISTER` (base 8, limit 4, selector 2, attributes 2; the
 * limit counts bytes whatever the granularity), a descriptor-table register 16 bytes in the layout of
 * `WHV_X64_TABLE_REGISTER` (6 bytes padding, limit 2, base 8).
 *
 * @public
 */
export const RegisterOffset = {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8…R15, 8 bytes each. */
  general: 0,
  rip: 128,
  rflags: 136,
  /** ES CS SS DS FS GS LDTR TR, 16 bytes each. */
  segments: 144,
  gdtr: 272,
  idtr: 288,
  cr0: 304,
  cr2: 312,
  cr3: 320,
  cr4: 328,
  cr8: 336,
  xcr0: 344,
  /** DR0 DR1 DR2 DR3, 8 bytes each. */
  dr0: 352,
  dr6: 384,
  dr7: 392,
  efer: 400,
  star: 408,
  lstar: 416,
  cstar: 424,
  fmask: 432,
  kernelGsBase: 440,
  tscAux: 448,
  sysenterCs: 456,
  sysenterEsp: 464,
  sysenterEip: 472,
  pat: 480,
  apicBase: 488,
  tsc: 496,
  /** MXCSR, 4 bytes; its mask, 4 bytes. */
  mxcsr: 504,
  mxcsrMask: 508,
  /** x87 control, status (2 bytes each), abridged tag (1), last opcode (2), last instruction and data pointers (8 each). */
  fpuControl: 512,
  fpuStatus: 514,
  fpuTag: 516,
  fpuOpcode: 518,
  fpuInstructionPointer: 520,
  fpuDataPointer: 528,
  /** ST/MM registers in physical order R0…R7, 16 bytes each of which 10 count. */
  fpu: 544,
  /** K0…K7, 8 bytes each. */
  mask: 672,
  /** PKRU, 4 bytes. */
  pkru: 736,
  /** ZMM0…ZMM31, 64 bytes each; XMM and YMM are their low ends. */
  vector: 768,
} as const;

/** Bytes of one register file. @public */
export const REGISTER_FILE_SIZE: number = 768 + 32 * 64;

/**
 * Typed views over one register file, which may stand alone or inside a larger memory (the simulator's WebAssembly
 * memory). `words[offset >> 2]` is the fast way in; 64-bit values are two words, low first.
 *
 * @example
 * ```ts
 * import { RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
 * const registers = new RegisterFile();
 * registers.set64(RegisterOffset.general, 0x1122_3344_5566_7788n); // RAX
 * registers.bytes[RegisterOffset.general]; // 0x88
 * registers.words[(RegisterOffset.general >> 2) + 1]; // 0x1122_3344
 * ```
 *
 * @public
 */
export class RegisterFile {
  /** The file as bytes; offsets are {@link RegisterOffset}. */
  readonly bytes: Uint8Array;
  /** The same bytes as 16-bit words. */
  readonly halfwords: Uint16Array;
  /** The same bytes as 32-bit words. */
  readonly words: Int32Array;
  /** The same bytes as 64-bit words. */
  readonly bigWords: BigUint64Array;

  /**
   * @param buffer - memory to view; a new one when left out.
   * @param byteOffset - where the register file starts; a multiple of 64.
   */
  constructor(buffer: ArrayBufferLike = new ArrayBuffer(REGISTER_FILE_SIZE), byteOffset = 0) {
    this.bytes = new Uint8Array(buffer, byteOffset, REGISTER_FILE_SIZE);
    this.halfwords = new Uint16Array(buffer, byteOffset, REGISTER_FILE_SIZE >> 1);
    this.words = new Int32Array(buffer, byteOffset, REGISTER_FILE_SIZE >> 2);
    this.bigWords = new BigUint64Array(buffer, byteOffset, REGISTER_FILE_SIZE >> 3);
  }

  /** The 64-bit register at a byte offset, unsigned. */
  get64(offset: number): bigint {
    return this.bigWords[offset >> 3] as bigint;
  }

  /** Writes the 64-bit register at a byte offset. */
  set64(offset: number, value: bigint): void {
    this.bigWords[offset >> 3] = value;
  }
}
