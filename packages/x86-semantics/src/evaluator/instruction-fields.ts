/** The instruction's own part of a program, kept for the printer: what its form leaves open. */
import type { Instruction } from "@whvkit/x86-decoder";
import { memorySegment, registerLocation } from "../ir/register-location.ts";
import type { RegisterInterval } from "../machine/register-file.ts";

/**
 * What one instruction puts into the {@link Ir} of its form: registers, immediates and parts of addresses.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { InstructionFields, programFor, RegisterOffset } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0x4c, 0xf7, 0x10), 0, instruction); // add [rdi + rsi * 8 + 0x10], ecx
 * const fields: InstructionFields | null = programFor(instruction).fields;
 * fields?.scale; // 8
 * fields?.displacementLow; // 0x10
 * fields?.base?.offset === RegisterOffset.general + 8 * 7; // true
 * ```
 *
 * @public
 */
export class InstructionFields {
  /** Registers as the decoder numbers them; 0 for operands that name none. */
  readonly #operandRegisters: number[];
  readonly #base: number;
  readonly #index: number;
  /** Bits 31..0 of the immediate. */
  readonly immediateLow: number;
  /** Bits 63..32 of the immediate. */
  readonly immediateHigh: number;
  /** The second immediate, 16 bits. */
  readonly immediate2: number;
  /** Factor of the index register: 1, 2, 4 or 8. */
  readonly scale: number;
  /** Bits 31..0 of the displacement. */
  readonly displacementLow: number;
  /** Bits 63..32 of the displacement. */
  readonly displacementHigh: number;
  /** The opmask register as the decoder numbers it; 0 without one. */
  readonly opmask: number;
  /** Segment of the memory or source operand, after overrides. */
  readonly segment: number;

  constructor(instruction: Instruction) {
    this.#operandRegisters = [];
    for (let i = 0; i < instruction.operandCount; i++) this.#operandRegisters.push(instruction.operandRegister(i));
    this.#base = instruction.memoryBase;
    this.#index = instruction.memoryIndex;
    this.immediateLow = instruction.immediateLow;
    this.immediateHigh = instruction.immediateHigh;
    this.immediate2 = instruction.immediate2;
    this.scale = instruction.memoryScale;
    this.displacementLow = instruction.displacementLow;
    this.displacementHigh = instruction.displacementHigh;
    this.opmask = instruction.opmask;
    this.segment = memorySegment(instruction);
  }

  /** The register that an operand names, by its place in the register file; null where it names none. */
  operandRegister(operand: number): RegisterInterval | null {
    return registerLocation(this.#operandRegisters[operand] ?? 0);
  }
  /** Base register of the memory operand; RIP as base counts from the next instruction. */
  get base(): RegisterInterval | null {
    return registerLocation(this.#base);
  }
  /** Index register of the memory operand; null without one. */
  get index(): RegisterInterval | null {
    return registerLocation(this.#index);
  }
}
