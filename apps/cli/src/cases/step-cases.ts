/** The work of `whv step`. */
import { readStepCase, StepRunner } from "@whvkit/conformance";
import type { CommandContext } from "../main.ts";
import { answerLines } from "./json-lines.ts";
import { stepSource } from "./step-source.ts";

/** Runs the cases of a file, or of standard input, and prints one result a line. */
export async function stepCases(file: string | undefined, context: CommandContext): Promise<void> {
  const runner = new StepRunner(stepSource);
  try {
    await answerLines(file, context, (json) => runner.run(readStepCase(json)));
  } finally {
    runner.dispose();
  }
}
