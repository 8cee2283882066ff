/** What an instruction means, in words for people: the printer's lines of the same program that the emulator runs. */
import type { Instruction } from "@whvkit/x86-decoder";
import { describeProgram, programFor } from "@whvkit/x86-semantics";

/** Lines that say what an instruction does, or why the emulator cannot do it. */
export function instructionMeaning(instruction: Instruction): readonly string[] {
  return describeProgram(programFor(instruction)).split("\n");
}
