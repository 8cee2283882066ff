/** `whv emulate`: runs emulation cases, one a line, and prints what each did. */
import type { Command } from "commander";
import type { CommandContext } from "../main.ts";

export function addEmulateCommand(program: Command, context: CommandContext): void {
  program
    .command("emulate")
    .description("Run emulation cases, one JSON object a line; print one result a line.")
    .argument("[file]", "file of cases; standard input where it is absent or -")
    .addHelpText(
      "after",
      `
A case is an exit of a virtual processor and the world that the emulator's callbacks see; the format stands in the
README of @whvkit/conformance. Exit status 0 when every line was answered, even where the answer is an error.

Example:
  $ whv emulate cases.jsonl | jq .status`,
    )
    .action(async (file: string | undefined) => {
      const { emulateCases } = await import("../cases/emulate-cases.ts");
      await emulateCases(file, context);
    });
}
