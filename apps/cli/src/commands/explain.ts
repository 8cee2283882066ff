/** `whv explain`: runs emulation cases like `whv emulate`, and tells a person what happened. */
import type { Command } from "commander";
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
      const { explainCases } = await import("../cases/explain-cases.ts");
      await explainCases(file, context);
    });
}
