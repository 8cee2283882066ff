/** `whv doctor`: its options and how findings are printed. What is found out is in doctor/. */
import type { Command } from "commander";
import { exitStatus } from "../command-error.ts";
import type { Output } from "../command-host.ts";
import type { CommandContext } from "../main.ts";

export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command("doctor")
    .description("Say what this host can do, and what to enable.")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
"ok" works, "no" is missing and whv needs it, "-" is worth knowing. On Windows the lines "to do" say how to enable the
Windows Hypervisor Platform, which whv run --backend win needs. Exit status 1 when something that whv needs is missing.

Examples:
  $ whv doctor
  $ whv doctor --json`,
    )
    .action(async ({ json }: { json?: true }) => {
      const { hostFindings, hostReport, whvWorks } = await import("../doctor/host-report.ts");
      const { output, quiet } = context;
      const report = hostReport();
      if (!whvWorks(report)) context.status = exitStatus.failure;
      if (json === true) return output.line(JSON.stringify(report));
      for (const { what, good, detail } of hostFindings(report)) {
        if (!quiet || good === false) await output.line(`${mark(good, output)}  ${what}: ${detail}`);
      }
    });
}

/** Two columns wide. */
function mark(good: boolean | null, output: Output): string {
  if (good === null) return output.style("dim", "- ");
  return good ? output.style("green", "ok") : output.style("red", "no");
}
