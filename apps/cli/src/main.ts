/**
 * The `whv` command: puts the subcommands together, and turns how one ends into an exit status and a message. What a
 * subcommand does stands in commands/.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { exitStatus, UsageError, WorkError } from "./command-error.ts";
import { type CommandHost, Output, processHost, ReaderGone } from "./command-host.ts";
import { addConformanceCommand } from "./commands/conformance.ts";
import { addDecodeCommand } from "./commands/decode.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addEmulateCommand } from "./commands/emulate.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addRunCommand } from "./commands/run.ts";
import { addStepCommand } from "./commands/step.ts";

/** What the subcommands share. */
export interface CommandContext {
  readonly host: CommandHost;
  readonly output: Output;
  readonly errors: Output;
  /** Exit status with which the command will end. */
  status: number;
  /** `--quiet`: nothing but what was asked for. */
  quiet: boolean;
}

/**
 * Runs the command line.
 *
 * @param args - the arguments after `whv`
 * @param host - streams and environment; this process's when left out
 * @returns the exit status
 *
 * @example
 * ```ts
 * import { main } from "@whvkit/cli";
 * process.exitCode = await main(["decode", "8b07"]);
 * process.exitCode; // 0
 * ```
 *
 * @public
 */
export async function main(args: readonly string[], host: CommandHost = processHost()): Promise<number> {
  const output = new Output(host.stdout, host.environment);
  const errors = new Output(host.stderr, host.environment);
  const context: CommandContext = { host, output, errors, status: exitStatus.success, quiet: false };
  try {
    try {
      await program(context).parseAsync(args, { from: "user" });
      await output.flush();
      return context.status;
    } catch (error) {
      return await report(error, context);
    }
  } catch (error) {
    // Nobody reads: there is nobody to tell.
    if (error instanceof ReaderGone) return exitStatus.success;
    throw error;
  }
}

function program(context: CommandContext): Command {
  const { output, errors } = context;
  const command = new Command("whv")
    .description(
      "Run guests, decode x86 instructions, replay and explain emulations of the Windows Hypervisor Platform.",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void output.line(text.replace(/\n$/, "")),
      writeErr: (text) => void errors.line(text.replace(/\n$/, "")),
      outputError: (text, write) => write(`${errors.style("red", "whv:")} ${text.replace(/^error: /, "")}`),
    })
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .showSuggestionAfterError()
    .showHelpAfterError("(--help shows what there is)")
    .addHelpText(
      "after",
      "\nExample:\n  $ whv decode 8b07\n\nwhv COMMAND --help shows a command's options and an example.",
    );
  addRunCommand(command, context);
  addDecodeCommand(command, context);
  addEmulateCommand(command, context);
  addExplainCommand(command, context);
  addStepCommand(command, context);
  addConformanceCommand(command, context);
  addDoctorCommand(command, context);
  for (const subcommand of command.commands) {
    subcommand.option("-q, --quiet", "print nothing but what was asked for");
    subcommand.hook("preAction", (_, running) => {
      context.quiet = running.opts<{ quiet?: true }>().quiet === true;
    });
  }
  return command;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}

/** Says what went wrong, and answers the exit status that goes with it. */
async function report(error: unknown, { output, errors, status }: CommandContext): Promise<number> {
  if (error instanceof ReaderGone) return exitStatus.success;
  if (!output.failed) await output.flush();
  if (error instanceof CommanderError) {
    await errors.flush();
    return error.exitCode === 0 ? status : exitStatus.usage;
  }
  if (!(error instanceof UsageError) && !(error instanceof WorkError)) throw error;
  await errors.line(`${errors.style("red", "whv:")} ${error.message}`);
  await errors.flush();
  return error instanceof UsageError ? exitStatus.usage : exitStatus.failure;
}
