// The formatter's one entry.

import type { Instruction } from "../instruction.ts";
import { attText } from "./att.ts";
import { intelText } from "./intel.ts";
import type { FormatOptions } from "./options.ts";

const defaults: FormatOptions = {};

/**
 * The text of a decoded instruction, in lower case. Memory operands always show their size (Intel and NASM syntax),
 * numbers above 9 are hexadecimal with `0x`, immediates are unsigned in their operand's size, branches show their target.
 *
 * @param instruction - as `Decoder.decode` left it
 * @param options - see {@link FormatOptions}
 * @returns the text; `"(bad)"` where the instruction holds none
 *
 * @example
 * ```ts
 * import { Decoder, formatInstruction, Instruction } from "@whvkit/x86-decoder";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction);
 * formatInstruction(instruction); // "mov eax, dword ptr [rdi]"
 * formatInstruction(instruction, { syntax: "att" }); // "mov (%rdi), %eax"
 * ```
 *
 * @public
 */
export function formatInstruction(instruction: Instruction, options: FormatOptions = defaults): string {
  if (instruction.form === 0) return "(bad)";
  return options.syntax === "att" ? attText(instruction, options) : intelText(instruction, options);
}
