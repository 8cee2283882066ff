/** `whv step`: runs instructions on the simulator's processor, one case a line. */
import type { Command } from "commander";
import type { CommandContext } from "../main.ts";

export function addStepCommand(program: Command, context: CommandContext): void {
  program
    .command("step")
    .description("Run single instructions on the simulator's processor, one JSON case a line; print what changed.")
    .argument("[file]", "file of cases; standard input where it is absent or -")
    .addHelpText(
      "after",
      `
A case names a mode, registers and memory; the format stands in the README of @whvkit/conformance. Exit status 0 when
every line was answered, even where the answer is an error.

Example:
  $ echo '{"preset":"long","registers":{"Rip":"0x1000","Rax":1},"memory":[{"gpa":"0x1000","bytes":"48ffc0"}]}' | whv step`,
    )
    .action(async (file: string | undefined) => {
      const { stepCases } = await import("../cases/step-cases.ts");
      await stepCases(file, context);
    });
}
