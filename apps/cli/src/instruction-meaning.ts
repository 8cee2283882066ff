/** What an instruction means, in words for people: from the same program that the emulator runs. */

import type { Instruction } from "@whvkit/x86-decoder";
import { programFor } from "@whvkit/x86-semantics";

/** Lines that say what an instruction means, or why the emulator does not know. */
export function instructionMeaning(instruction: Instruction): readonly string[] {
  const program = programFor(instruction);
  if (program.unsupported !== null) return [`not supported: ${program.unsupported}`];
  return [];
}
