/** The work of `whv emulate`. */
import { readEmulationCase, runEmulationCase } from "@whvkit/conformance";
import type { CommandContext } from "../main.ts";
import { emulatorSource } from "./emulator-source.ts";
import { answerLines } from "./json-lines.ts";

/** Runs the cases of a file, or of standard input, and prints one result a line. */
export async function emulateCases(file: string | undefined, context: CommandContext): Promise<void> {
  await answerLines(file, context, (json) => runEmulationCase(readEmulationCase(json), emulatorSource));
}
