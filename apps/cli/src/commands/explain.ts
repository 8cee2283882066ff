/** `whv explain`: runs emulation cases like `whv emulate`, and tells a person what happened. */
import { type EmulationCase, explainEmulation, readEmulationCase, runEmulationCase } from "@whvkit/conformance";
import type { Command } from "commander";
import { exitStatus } from "../command-error.ts";
import { emulatorSource } from "../emulator-source.ts";
import { instructionMeaning } from "../instruction-meaning.ts";
import { attempt, jsonLines, type LineError } from "../json-lines.ts";
import type { CommandContext } from "../main.ts";

export function addExplainCommand(program: Command, context: CommandContext): void {
  program
    .command("explain")
    .description("Run emulation cases and tell what happened: instruction, callbacks, status, what to do.")
    .argument("[file]", "file of cases, one JSON object a line; standard input where it is absent or -")
    .addHelpText(
      "after",
      `
Takes what "whv emulate" takes, for instance the failure of a real host written down as a case. Exit status 1 when a
line could not be explained.

Example:
  $ whv explain failure.json`,
    )
    .action(async (file: string | undefined) => {
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
    });
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
