/** `whv run`: its options, and what each means for the machine. Running it is run/machine-run.ts. */
import type { DebugConsoleOption, GuestImage } from "@whvkit/microvm";
import { DEMO_INPUT, demoGuest } from "@whvkit/microvm";
import { type Command, InvalidArgumentError, Option } from "commander";
import { modeValue, numberValue, patternValue, repeated, secondsValue, sizeValue } from "../argument-values.ts";
import { UsageError } from "../command-error.ts";
import { readInput } from "../input-lines.ts";
import type { CommandContext } from "../main.ts";
import { ByteSinks } from "../run/byte-sinks.ts";
import { runMachine } from "../run/machine-run.ts";

/** The options as commander hands them over. */
interface RunOptions {
  readonly flat?: string;
  readonly mode?: 16 | 32 | 64;
  readonly load?: number;
  readonly entry?: number;
  readonly memory?: number;
  readonly backend: "sim" | "auto";
  readonly serial: string;
  readonly serialIn?: string;
  readonly vga?: "text";
  readonly vgaOut?: string;
  readonly debugExitPort?: number;
  readonly debugConsolePort?: readonly PortAndFile[];
  readonly postPort?: readonly PortAndFile[];
  readonly maxInstructions?: number;
  readonly timeout?: number;
  readonly until?: RegExp;
  readonly stats?: true;
  readonly statsJson?: string;
  readonly record?: string;
  readonly quiet?: true;
}

interface PortAndFile {
  readonly port: number;
  readonly file: string | undefined;
}

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
    .description("Boot a guest on the simulator, every I/O and MMIO exit finished by the emulator.")
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
    .addOption(new Option("--backend <name>", "hypervisor to run on: sim").default("sim").argParser(backendValue))
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
    .option("-q, --quiet", "print nothing but what the guest prints and what was asked for")
    .addHelpText(
      "after",
      `
At a terminal, keys go to the guest's serial port; Ctrl-A X leaves. Without one, the demo types a script.

Exit status: 0 the guest shut down or --until matched; 2*v+1 when it wrote v to the debug-exit port; 124 a limit was
reached; 1 the guest failed (triple fault, failed emulation); 2 wrong usage.

Examples:
  $ whv run demo --stats
  $ whv run --flat boot.bin --mode 16 --load 0x7c00 --timeout 10`,
    )
    .action((guest: string | undefined, options: RunOptions) => run(guest, options, context));
  for (const flags of notImplemented) command.addOption(new Option(flags).hideHelp().argParser(refuse(flags)));
}

async function run(guest: string | undefined, options: RunOptions, context: CommandContext): Promise<void> {
  const sinks = new ByteSinks();
  try {
    const demo = demoImage(guest, options);
    const image = demo ?? (await flatImage(options, context));
    const terminal = context.host.stdin.isTTY === true && options.serialIn === undefined && options.serial === "stdio";
    const script = demo !== null && !terminal ? new TextEncoder().encode(DEMO_INPUT) : undefined;
    const input = options.serialIn === undefined ? script : await readInput(options.serialIn, context.host);
    context.status = await runMachine(
      {
        image,
        terminal,
        serialOutput: serialSink(options.serial, sinks, context),
        debugConsoles: debugConsoles(options, sinks, context),
        ...(input === undefined ? {} : { serialInput: input }),
        ...(options.memory === undefined ? {} : { memorySize: options.memory }),
        ...(options.debugExitPort === undefined ? {} : { debugExitPort: options.debugExitPort }),
        limits: {
          ...(options.maxInstructions === undefined ? {} : { maxInstructions: options.maxInstructions }),
          ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
          ...(options.until === undefined ? {} : { until: options.until }),
        },
      },
      {
        sinks,
        quiet: options.quiet === true,
        printScreen: options.vga === "text",
        screenFile: options.vgaOut,
        printStatistics: options.stats === true,
        statisticsFile: options.statsJson,
        record: options.record === undefined ? undefined : sinks.toLines(options.record),
      },
      context,
    );
  } finally {
    sinks.close();
  }
}

/** The demo's image, or `null` where a flat image is asked for. */
function demoImage(guest: string | undefined, options: RunOptions): GuestImage | null {
  if (guest !== undefined && guest !== "demo") {
    throw new UsageError(`${guest}: this version runs "demo" and flat images (whv run --flat ${guest} --mode 16)`);
  }
  if (options.flat !== undefined) {
    if (guest !== undefined) throw new UsageError("demo and --flat exclude each other");
    return null;
  }
  for (const name of ["mode", "load", "entry"] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} is for --flat images`);
  }
  if (guest === undefined) throw new UsageError("which guest? whv run demo, or whv run --flat FILE");
  return demoGuest();
}

async function flatImage(options: RunOptions, { host }: CommandContext): Promise<GuestImage> {
  const mode = options.mode ?? 16;
  const load = options.load ?? (mode === 16 ? 0x7c00 : 0x10_0000);
  const entry = options.entry ?? load;
  return { bytes: await readInput(options.flat ?? "-", host), mode, load, entry };
}

function serialSink(where: string, sinks: ByteSinks, { output }: CommandContext): (byte: number) => void {
  if (where === "none") return () => {};
  return where === "stdio" ? sinks.toOutput(output) : sinks.toFile(where);
}

function debugConsoles(options: RunOptions, sinks: ByteSinks, { output }: CommandContext): DebugConsoleOption[] {
  return [
    ...(options.debugConsolePort ?? []).map(({ port, file }) => ({
      port,
      output: file === undefined ? sinks.toOutput(output) : sinks.toFile(file),
    })),
    ...(options.postPort ?? []).map(({ port, file }) => {
      if (file === undefined) throw new UsageError("--post-port needs a file: --post-port 0x190,FILE");
      return { port, output: sinks.toHexLog(file) };
    }),
  ];
}

function portAndFile(text: string): PortAndFile {
  const comma = text.indexOf(",");
  const port = numberValue(0xffff)(comma < 0 ? text : text.slice(0, comma));
  return { port, file: comma < 0 ? undefined : text.slice(comma + 1) };
}

function backendValue(text: string): "sim" | "auto" {
  if (text === "sim" || text === "auto") return text;
  if (text === "win") throw new InvalidArgumentError("The native backend is not implemented yet; use sim.");
  throw new InvalidArgumentError("It must be sim.");
}

function refuse(flags: string): () => never {
  return () => {
    throw new UsageError(`${flags.split(" ")[0]} is not implemented yet`);
  };
}
