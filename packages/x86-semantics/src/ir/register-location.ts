/** Where each register that an instruction can name lies in the register file. */
import { RegisterClass } from "@whvkit/x86-decoder";
import { type RegisterInterval, RegisterOffset } from "../machine/register-file.ts";

/** The interval of a register as the decoder numbers it, or null for one that the register file lacks. */
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

/** The 16 bytes of a segment register. */
export function segmentLocation(segment: number): RegisterInterval {
  return { offset: RegisterOffset.segments + 16 * segment, size: 16 };
}
