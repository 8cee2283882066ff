/** The work of `whv emulate`. */
import { EmulationRunner, readEmulationCase } from "@whvkit/conformance";
import type { CommandContext } from "../main.ts";
import { emulatorSource } from "./emulator-source.ts";
import { answerLines } from "./json-lines.ts";

/** Runs the cases of a file, or of standard input, and prints one result a line. */
export async function emulateCases(file: string | undefined, context: CommandContext): Promise<void> {
  const runner = new EmulationRunner(emulatorSource);
  try {
    await answerLines(file, context, (json) => runner.run(readEmulationCase(json)));
  } finally {
    runner.dispose();
  }
}
