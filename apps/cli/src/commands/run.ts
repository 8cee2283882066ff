/** `whv run`: its options. What they mean for the machine is run/run-guest.ts. */
import { type Command, Option } from "commander";
import { modeValue, numberValue, patternValue, repeated, secondsValue, sizeValue } from "../argument-values.ts";
import { backendNames, emulatorNames } from "../backend-choice.ts";
import { UsageError } from "../command-error.ts";
import type { CommandContext } from "../main.ts";
import type { PortAndFile, RunOptions } from "../run/run-options.ts";

/** Options of the command's description that this version does not carry out: asked for, they are wrong usage. */
const notImplemented: readonly string[] = [
  "--kernel <file>",
  "--initrd <file>",
  "--append <string>",
  "--bios <file>",
  "--disk <file>",
  "--cpus <count>",
];

const highestAddress = 2 ** 52 - 1;

export function addRunCommand(program: Command, context: CommandContext): void {
  const port = numberValue(0xffff);
  const command = program
    .command("run")
    .description("Boot a guest on the simulator or on Windows, every I/O and MMIO exit finished by the emulator.")
    .argument("[guest]", "the built-in guest: demo")
    .option("--flat <file>", "run a flat image instead")
    .option("--mode <bits>", "mode at the image's entry: 16, 32 or 64 (default: 16)", modeValue)
    .option(
      "--load <address>",
      "where the image is loaded (default: 0x7c00, or 0x100000 in modes 32 and 64)",
      numberValue(highestAddress),
    )
    .option("--entry <address>", "where it is entered (default: where it is loaded)", numberValue(highestAddress))
    .option("--memory <size>", "RAM, for instance 64M", sizeValue)
    .addOption(
      new Option("--backend <name>", "hypervisor to run on: sim, win, or auto (win where it can run guests)")
        .choices(backendNames)
        .default("sim"),
    )
    .addOption(
      new Option("--emulator <name>", "emulator that finishes exits: ts, or native on the backend win")
        .choices(emulatorNames)
        .default("ts"),
    )
    .option("--serial <where>", "where the first serial port goes: stdio, none or a file", "stdio")
    .option("--serial-in <file>", "type the bytes of a file (- for standard input) into the first serial port")
    .addOption(new Option("--vga <what>", "print the screen's text at the end: text").choices(["text"]))
    .option("--vga-out <file>", "write the screen's text to a file at the end")
    .option("--debug-exit-port <port>", "port that ends the run when written (default: 0xf4)", port)
    .option(
      "--debug-console-port <port[,file]>",
      "send bytes written to a port to standard output or a file; repeatable",
      repeated(portAndFile),
    )
    .option("--post-port <port,file>", "log bytes written to a port as hex digits; repeatable", repeated(portAndFile))
    .option(
      "--max-instructions <count>",
      "stop after so many guest instructions",
      numberValue(Number.MAX_SAFE_INTEGER, 1),
    )
    .option("--timeout <seconds>", "stop after so many seconds", secondsValue)
    .option("--until <regex>", "stop with success when the console shows this", patternValue)
    .option("--stats", "print what the run cost: exits, emulations, callbacks, instructions, seconds")
    .option("--stats-json <file>", "write the same as JSON to a file")
    .option("--record <file>", 'write every emulation to a file, one case a line, for "whv emulate" and "whv explain"')
    .addHelpText(
      "after",
      `
At a terminal, keys go to the guest's serial port; Ctrl-A X leaves. Without one, the demo types a script.

The backend win is the Windows Hypervisor Platform; "whv doctor" says what to enable for it. It does not count
instructions: --max-instructions is for the simulator.

Exit status: 0 the guest shut down or --until matched; 2*v+1 when it wrote v to the debug-exit port; 124 a limit was
reached; 1 the guest failed (triple fault, failed emulation); 2 wrong usage.

Examples:
  $ whv run demo --stats
  $ whv run --flat boot.bin --mode 16 --load 0x7c00 --timeout 10
  $ whv run demo --backend win --emulator native`,
    )
    .action(async (guest: string | undefined, options: RunOptions) => {
      const { runGuest } = await import("../run/run-guest.ts");
      await runGuest(guest, options, context);
    });
  for (const flags of notImplemented) command.addOption(new Option(flags).hideHelp().argParser(refuse(flags)));
}

function portAndFile(text: string): PortAndFile {
  const comma = text.indexOf(",");
  const port = numberValue(0xffff)(comma < 0 ? text : text.slice(0, comma));
  return { port, file: comma < 0 ? undefined : text.slice(comma + 1) };
}

function refuse(flags: string): () => never {
  return () => {
    throw new UsageError(`${flags.split(" ")[0]} is not implemented yet`);
  };
}
