/**
 * Data breakpoints (DR0 to DR3 with DR7; Intel SDM volume 3, section 17.2.4 and 17.3.1.2): which of them the accesses of
 * this instruction hit. They are traps: `retire.ts` reports the hits after the instruction. Only with the option
 * `dataBreakpoints`, and only while the exit says that debug registers are active. I/O breakpoints need CR4.DE and
 * count here too.
 */
import { Intent, RegisterOffset, type RegisterFile } from "@whvkit/x86-semantics";

/** DR7 R/W fields. */
const ON_WRITE = 1;
const ON_READ_OR_WRITE = 3;

/** DR7 LEN fields: bytes by code. */
const LENGTHS = [1, 2, 8, 4] as const;

export class DataBreakpoints {
  /** True while accesses have to be compared. */
  armed = false;
  /** Bits 0 to 3: the breakpoints hit so far. */
  hits = 0;
  readonly #registers: RegisterFile;

  constructor(registers: RegisterFile) {
    this.#registers = registers;
  }

  /** Arms what DR7 enables; DR0 to DR3 and DR7 must be in the register file. */
  arm(): void {
    this.hits = 0;
    const dr7 = this.#registers.words[RegisterOffset.dr7 >> 2] as number;
    this.armed = (dr7 & 0xff) !== 0;
  }

  disarm(): void {
    this.hits = 0;
    this.armed = false;
  }

  /** An access of `size` bytes has been made. */
  accessed(low: number, high: number, size: number, intent: number): void {
    const words = this.#registers.words;
    const dr7 = words[RegisterOffset.dr7 >> 2] as number;
    const first = linearNumber(low, high);
    for (let i = 0; i < 4; i++) {
      if (((dr7 >>> (i * 2)) & 3) === 0) continue;
      const condition = (dr7 >>> (16 + i * 4)) & 3;
      const watched = condition === ON_READ_OR_WRITE || (condition === ON_WRITE && (intent & Intent.write) !== 0);
      if (!watched) continue;
      const length = LENGTHS[(dr7 >>> (18 + i * 4)) & 3] as number;
      const at = (RegisterOffset.dr0 + i * 8) >> 2;
      // The low bits of the address that the length covers are ignored.
      const start = linearNumber((words[at] as number) & ~(length - 1), words[at + 1] as number);
      if (first < start + length && start < first + size) this.hits |= 1 << i;
    }
  }
}

/**
 * A linear address as a number. Only its low 53 bits are exact, which canonical addresses do not exceed: they have 57
 * bits of which the upper ones are copies.
 */
function linearNumber(low: number, high: number): number {
  return (high & 0x1fffff) * 0x100000000 + (low >>> 0);
}
