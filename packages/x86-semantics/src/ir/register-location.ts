/** Where each register that an instruction can name lies in the register file. */
import { type Instruction, RegisterClass } from "@whvkit/x86-decoder";
import { type RegisterInterval, RegisterOffset, Segment } from "../machine/register-file.ts";

/**
 * The interval of a register as the decoder numbers it, or null for one that the register file lacks.
 *
 * @param register - a value of the decoder's `Register`
 * @returns bytes of the register file
 *
 * @example
 * ```ts
 * import { Register } from "@whvkit/x86-decoder";
 * import { registerLocation } from "@whvkit/x86-semantics";
 * registerLocation(Register.ah); // { offset: 1, size: 1 }
 * registerLocation(Register.ecx); // { offset: 8, size: 4 }
 * ```
 *
 * @public
 */
export function registerLocation(register: number): RegisterInterval | null {
  const number = register & 31;
  switch (register >> 5) {
    case RegisterClass.gpr8:
      return { offset: RegisterOffset.general + 8 * number, size: 1 };
    case RegisterClass.gpr8High:
      return { offset: RegisterOffset.general + 8 * number + 1, size: 1 };
    case RegisterClass.gpr16:
      return { offset: RegisterOffset.general + 8 * number, size: 2 };
    case RegisterClass.gpr32:
      return { offset: RegisterOffset.general + 8 * number, size: 4 };
    case RegisterClass.gpr64:
      return { offset: RegisterOffset.general + 8 * number, size: 8 };
    case RegisterClass.segment:
      // The selector; base, limit and attributes stand before it.
      return { offset: RegisterOffset.segments + 16 * number + 12, size: 2 };
    case RegisterClass.mm:
      return { offset: RegisterOffset.fpu + 16 * number, size: 8 };
    case RegisterClass.xmm:
      return { offset: RegisterOffset.vector + 64 * number, size: 16 };
    case RegisterClass.ymm:
      return { offset: RegisterOffset.vector + 64 * number, size: 32 };
    case RegisterClass.zmm:
      return { offset: RegisterOffset.vector + 64 * number, size: 64 };
    case RegisterClass.mask:
      return { offset: RegisterOffset.mask + 8 * number, size: 8 };
    case RegisterClass.ip:
      return { offset: RegisterOffset.rip, size: 8 };
    default:
      return null;
  }
}

/** Offset of an opmask register as the decoder numbers it. */
export function opmaskOffset(register: number): number {
  return RegisterOffset.mask + 8 * (register & 31);
}

/**
 * The 16 bytes of a segment register.
 *
 * @param segment - index of {@link Segment}: 0 to 7
 *
 * @example
 * ```ts
 * import { Segment, segmentLocation } from "@whvkit/x86-semantics";
 * segmentLocation(Segment.cs); // { offset: 160, size: 16 }
 * ```
 *
 * @public
 */
export function segmentLocation(segment: number): RegisterInterval {
  return { offset: RegisterOffset.segments + 16 * segment, size: 16 };
}

/**
 * Number of the segment register (see `Segment`) that an instruction's memory or source operand is in, after overrides; DS where
 * nothing says another. An instruction whose address only registers give (CLZERO, MONITOR) takes overrides too: measured on
 * an AMD Zen 5.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { memorySegment, Segment } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x65, 0x8b, 0x07), 0, instruction); // mov eax, gs:[rdi]
 * memorySegment(instruction) === Segment.gs; // true
 * ```
 *
 * @public
 */
export function memorySegment(instruction: Instruction): number {
  const named = instruction.memorySegment;
  if (named !== 0) return named & 31;
  const override = instruction.segmentPrefix;
  const counts = override !== 0 && (instruction.mode !== 64 || (override & 31) >= Segment.fs);
  return counts ? override & 31 : Segment.ds;
}
