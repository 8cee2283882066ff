/** The work of `whv explain`. */
import { type EmulationCase, explainEmulation, readEmulationCase, runEmulationCase } from "@whvkit/conformance";
import { exitStatus } from "../command-error.ts";
import type { CommandContext } from "../main.ts";
import { emulatorSource } from "./emulator-source.ts";
import { instructionMeaning } from "./instruction-meaning.ts";
import { attempt, jsonLines, type LineError } from "./json-lines.ts";

/** Runs the cases of a file, or of standard input, and prints what happened, for people. */
export async function explainCases(file: string | undefined, context: CommandContext): Promise<void> {
  let first = true;
  for await (const line of jsonLines(file, context)) {
    if (!first) await context.output.line(context.output.style("dim", "—".repeat(72)));
    first = false;
    const answer = "answer" in line ? line.answer : attempt(line.json, line.number, explain);
    if (typeof answer === "string") {
      await context.output.line(headingsInBold(answer, context));
      continue;
    }
    const { id, error } = answer as LineError;
    await context.output.line(context.output.style("red", `${id === null ? "" : `Case ${id}: `}${error}`));
    context.status = exitStatus.failure;
  }
}

function explain(json: unknown): string {
  const emulationCase: EmulationCase = readEmulationCase(json);
  return explainEmulation(emulationCase, runEmulationCase(emulationCase, emulatorSource), {
    describe: instructionMeaning,
  });
}

/** Headings are the lines that are not indented. */
function headingsInBold(text: string, { output }: CommandContext): string {
  return text.replace(/^\S.*$/gm, (heading) => output.style("bold", heading));
}
