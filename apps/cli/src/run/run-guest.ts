/** The work of `whv run`: turns the options into a machine, its image and its byte sinks. Running it is machine-run.ts. */
import { DEMO_INPUT, type DebugConsoleOption, demoGuest, type GuestImage } from "@whvkit/microvm";
import { backendCalled, emulatorCalled } from "../backend-choice.ts";
import { UsageError, WorkError } from "../command-error.ts";
import { readInput } from "../input-lines.ts";
import type { CommandContext } from "../main.ts";
import { ByteSinks } from "./byte-sinks.ts";
import { type MachineSetup, note, runMachine } from "./machine-run.ts";
import type { RunOptions } from "./run-options.ts";

/** A guest that computes without exits gives its thread back after so long: for limits, keys and its own timers. */
const maxRunMilliseconds = 5;

/** Runs the guest that the arguments name, and sets the exit status. */
export async function runGuest(guest: string | undefined, options: RunOptions, context: CommandContext): Promise<void> {
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
        ...(await chosenMachinery(options, context)),
        // The demo's time is its own, so that it is the same on every host; other guests at a terminal live in ours.
        ...(terminal && demo === null ? { clock: "host" } : {}),
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

/** The hypervisor and the emulator that the options name. Microsoft's emulator works on Microsoft's hypervisor only. */
async function chosenMachinery(
  { backend, emulator }: RunOptions,
  context: CommandContext,
): Promise<Pick<MachineSetup, "hypervisor" | "createEmulator">> {
  if (emulator === "native" && backend === "sim") {
    throw new UsageError("--emulator native goes with --backend win");
  }
  const hypervisor = await backendCalled(backend, maxRunMilliseconds);
  if (emulator === "native" && hypervisor.name !== "win") {
    throw new WorkError('--emulator native needs the backend win, which cannot run guests here; see "whv doctor"');
  }
  if (backend === "auto") await note(`backend: ${hypervisor.name}`, context);
  return { hypervisor, createEmulator: await emulatorCalled(emulator) };
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
