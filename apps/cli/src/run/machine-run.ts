/**
 * Runs a machine to its end in slices, so that keys, signals and slow readers get their turn, and reports how it ended.
 */
import { writeFileSync } from "node:fs";
import { type CreateEmulator, recordEmulations } from "@whvkit/conformance";
import { createMachine, type Machine, type MachineOptions, type MachineResult } from "@whvkit/microvm";
import { simHypervisor } from "@whvkit/sim-backend";
import { type Hypervisor, WhvError } from "@whvkit/whv-types";
import { describeSystemError, UsageError, WorkError } from "../command-error.ts";
import type { CommandContext } from "../main.ts";
import type { ByteSinks } from "./byte-sinks.ts";
import { ConsoleKeys } from "./console-keys.ts";
import { statisticsJson, statisticsTable } from "./statistics-report.ts";

/** The machine to make; `terminal` says that keys are typed into it. */
export type MachineSetup = Omit<MachineOptions, "interactive" | "createEmulator"> & {
  readonly createEmulator: CreateEmulator;
  readonly terminal: boolean;
};

/** What to tell at the end. */
export interface RunReport {
  readonly sinks: ByteSinks;
  readonly printScreen: boolean;
  readonly screenFile: string | undefined;
  readonly printStatistics: boolean;
  readonly statisticsFile: string | undefined;
  /** Takes every emulation as a case, a line each. */
  readonly record: ((line: string) => void) | undefined;
}

/** Exits between two looks at the keyboard. A guest that computes exits every 100,000 instructions on the simulator. */
const sliceExits = 32;

/** Bytes: what the simulator needs besides RAM, and the bounds of what it can be given. */
const simulatorTables = 64 * 2 ** 20;
const smallestCapacity = 128 * 2 ** 20;
const largestCapacity = 2 ** 31 - 2 ** 16;

/** Milliseconds after which what the guest printed is shown, although it goes on without an end of line. */
const flushInterval = 20;

/** Runs the machine; answers the exit status. */
export async function runMachine(setup: MachineSetup, report: RunReport, context: CommandContext): Promise<number> {
  const machine = makeMachine(setup, report);
  try {
    const result = await runToEnd(machine, setup.terminal, report, context);
    if (result === null) {
      await note("left with Ctrl-A X", context);
      return 0;
    }
    await tellEnd(machine, result, report, context);
    return result.exitStatus;
  } catch (error) {
    // A hypervisor may refuse what it took before; the guest cannot go on.
    if (error instanceof WhvError) throw new WorkError(error.message);
    throw error;
  } finally {
    machine.dispose();
  }
}

function makeMachine({ terminal, ...options }: MachineSetup, { record }: RunReport): Machine {
  const { hypervisor, createEmulator, memorySize = 0 } = options;
  try {
    return createMachine({
      ...options,
      hypervisor: hypervisor === simHypervisor ? simulatorFor(memorySize) : hypervisor,
      interactive: terminal,
      createEmulator:
        record === undefined
          ? createEmulator
          : recordEmulations(createEmulator, (recorded) => record(JSON.stringify(recorded))),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(inOptions(error.message));
    if (error instanceof WhvError) throw new WorkError(error.message);
    throw error;
  }
}

/** The simulator with room for so many bytes of RAM and for its own tables. */
function simulatorFor(memorySize: number): Hypervisor {
  const wanted = Math.ceil((memorySize + simulatorTables) / 0x1_0000) * 0x1_0000;
  const memoryCapacity = Math.min(Math.max(wanted, smallestCapacity), largestCapacity);
  return { ...simHypervisor, createPartition: () => simHypervisor.createPartition({ memoryCapacity }) };
}

/** A message about the machine's options in the names of the command's. */
function inOptions(message: string): string {
  const names = {
    memorySize: "--memory",
    "image.load": "--load",
    "image.entry": "--entry",
    "image.mode": "--mode",
    "limits.maxInstructions": "--max-instructions",
  };
  return Object.entries(names).reduce((text, [theirs, ours]) => text.replace(theirs, ours), message);
}

/** Runs until the guest ends; `null` when somebody at the terminal left. */
async function runToEnd(
  machine: Machine,
  terminal: boolean,
  { sinks }: RunReport,
  context: CommandContext,
): Promise<MachineResult | null> {
  let left = false;
  // A key may come while the guest runs: then there is nothing to wake, and the wait after the slice must not begin.
  let stirred = false;
  let wake = (): void => {};
  let flushed = performance.now();
  const stir = (): void => {
    stirred = true;
    wake();
  };
  const keys = new ConsoleKeys(context.host.stdin, {
    type: (bytes) => {
      machine.type(bytes);
      stir();
    },
    leave: () => {
      left = true;
      stir();
    },
  });
  if (terminal) keys.start();
  try {
    while (!left) {
      stirred = false;
      const state = machine.runSlice(sliceExits);
      if (state !== "running" || performance.now() - flushed >= flushInterval) {
        sinks.flush();
        flushed = performance.now();
      }
      context.output.check();
      if (state === "ended") return machine.result;
      const { waitMilliseconds } = machine;
      await new Promise<void>((resolve) => {
        if (state === "running" || stirred) return void setImmediate(resolve);
        const timer = waitMilliseconds < 2 ** 31 ? setTimeout(resolve, Math.max(waitMilliseconds, 0)) : undefined;
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return null;
  } finally {
    if (terminal) keys.stop();
  }
}

async function tellEnd(
  machine: Machine,
  result: MachineResult,
  report: RunReport,
  context: CommandContext,
): Promise<void> {
  const { output, errors } = context;
  if (report.printScreen) await output.line(machine.screenText());
  if (report.screenFile !== undefined) writeFile(report.screenFile, `${machine.screenText()}\n`);
  if (result.exitStatus === 0 || result.reason === "debug-exit") await note(result.message, context);
  else {
    await errors.line(`${errors.style("red", "whv:")} ${result.message}`);
    const { diagnostic } = result;
    if (diagnostic !== null) {
      const bytes = Buffer.from(diagnostic.bytes).toString("hex");
      await errors.line(`  ${diagnostic.reason} in phase ${diagnostic.phase}: ${diagnostic.message}`);
      await errors.line(
        `  at 0x${diagnostic.rip.toString(16)}, ${diagnostic.mode}-bit: ${bytes} ${diagnostic.text ?? ""}`.trimEnd(),
      );
    }
    await errors.flush();
  }
  if (report.printStatistics) for (const line of statisticsTable(result)) await output.line(line);
  if (report.statisticsFile !== undefined)
    writeFile(report.statisticsFile, `${JSON.stringify(statisticsJson(result))}\n`);
}

/** Progress, for people. */
export async function note(text: string, { errors, quiet }: CommandContext): Promise<void> {
  if (quiet) return;
  await errors.line(errors.style("dim", text));
  await errors.flush();
}

function writeFile(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new WorkError(`${file}: ${describeSystemError(error)}`);
  }
}
