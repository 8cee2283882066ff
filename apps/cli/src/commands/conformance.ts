/** `whv conformance`: one suite of checks on a backend and an emulator, or two emulators on the same cases. */
import { type Command, Option } from "commander";
import type { ConformanceOptions } from "../conformance/check-subjects.ts";
import type { CommandContext } from "../main.ts";

export function addConformanceCommand(program: Command, context: CommandContext): void {
  program
    .command("conformance")
    .description("Check a backend and an emulator against the platform's contract.")
    .addOption(
      new Option("--backend <name>", "hypervisor to check: sim, win, or auto (win where it can run guests)")
        .choices(["sim", "win", "auto"])
        .default("auto"),
    )
    .addOption(
      new Option("--emulator <name>", "emulator to check: ts or native (default: ts; with --compare: native)").choices([
        "ts",
        "native",
      ]),
    )
    .option("--filter <text>", "only checks whose name contains this")
    .option("--json", "print the report as one JSON object")
    .option("--compare <file>", "run a file's emulation cases through ts and the other emulator, and list differences")
    .addHelpText(
      "after",
      `
Each check passed, failed with the first difference, differs where the documents leave a choice, or is unsupported, with
what the backend says of it. --quiet leaves out the checks that passed. Exit status 0 when nothing failed.

Examples:
  $ whv conformance --backend sim
  $ whv conformance --backend win --emulator native --json > report.json
  $ whv conformance --compare cases.jsonl`,
    )
    .action(async (options: ConformanceOptions) => {
      const { checkSubjects } = await import("../conformance/check-subjects.ts");
      await checkSubjects(options, context);
    });
}
