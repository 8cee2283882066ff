/** The work of `whv conformance`: finds the backend and the emulators, runs the suite or the comparison, prints. */
import { release } from "node:os";
import {
  compareEmulators,
  type EmulationCase,
  formatComparison,
  formatConformance,
  readEmulationCase,
  runConformance,
} from "@whvkit/conformance";
import { type BackendName, backendCalled, type EmulatorName, emulatorCalled } from "../backend-choice.ts";
import { emulatorSource } from "../cases/emulator-source.ts";
import { jsonLines } from "../cases/json-lines.ts";
import { exitStatus, WorkError } from "../command-error.ts";
import type { CommandContext } from "../main.ts";

/** The options of the command. */
export interface ConformanceOptions {
  readonly backend: BackendName;
  readonly emulator?: EmulatorName;
  readonly filter?: string;
  readonly json?: true;
  readonly compare?: string;
}

/** Runs what the options ask for. */
export async function checkSubjects(options: ConformanceOptions, context: CommandContext): Promise<void> {
  if (options.compare !== undefined) return compareOnFile(options.compare, options, context);
  const emulatorName = options.emulator ?? "ts";
  const filter = options.filter ?? "";
  const report = runConformance({
    createEmulator: await emulatorCalled(emulatorName),
    emulatorName,
    hypervisor: await backendCalled(options.backend),
    filter: ({ id }) => id.includes(filter),
  });
  const { output, quiet } = context;
  if (report.checks.length === 0) throw new WorkError(`no check's name contains ${JSON.stringify(filter)}`);
  await output.line(
    options.json === true
      ? JSON.stringify({ ...report, host: `${process.platform} ${release()} ${process.arch}` })
      : formatConformance(report, { all: !quiet }),
  );
  if (report.counts.failed > 0) context.status = exitStatus.failure;
}

async function compareOnFile(file: string, options: ConformanceOptions, context: CommandContext): Promise<void> {
  const second = { createEmulator: await emulatorCalled(options.emulator ?? "native") };
  const cases: EmulationCase[] = [];
  for await (const line of jsonLines(file, context)) {
    if ("answer" in line) throw new WorkError(`${file}: ${line.answer.error}`);
    try {
      cases.push(readEmulationCase(line.json));
    } catch (error) {
      throw new WorkError(`${file}: line ${line.number}: ${(error as Error).message}`);
    }
  }
  const comparison = compareEmulators(cases, emulatorSource, second);
  await context.output.line(options.json === true ? JSON.stringify(comparison) : formatComparison(comparison));
  if (comparison.different > 0) context.status = exitStatus.failure;
}
