/**
 * Runs cases of `whv step` on a backend that can run a processor by single instructions: gives the processor the state and
 * the RAM that the case describes, runs, and says what changed.
 */
import {
  type Partition,
  RegisterValues,
  type RunVpExit,
  shortRegisterName,
  type VirtualProcessor,
  WHV_PARTITION_PROPERTY_CODE,
  WHV_REGISTER_NAME,
  WHV_RUN_VP_EXIT_REASON,
  WhvError,
} from "@whvkit/whv-types";
import { caseFormat } from "../emulation/case-reader.ts";
import { ioExitJson, memoryExitJson, structureJson, vpContextJson } from "../emulation/context-json.ts";
import { CaseError, hexNumber, hexString } from "../json/json-fields.ts";
import { extendedRegisterJson } from "../registers/extended-register.ts";
import { type RegisterJson, type RegisterWords, registerJson, wordsAt } from "../registers/register-json.ts";
import type { StepCase, StepEngine } from "./step-case.ts";
import { presetRegisters } from "./step-environment.ts";
import { StepMemory } from "./step-memory.ts";

/** What stepping a processor answered. @public */
export interface StepReport {
  /** The exit that ended it, `null` where all instructions ran or one raised an exception. */
  readonly exit: RunVpExit | null;
  /** What an exit for an unsupported feature or a refused register value was about, in words; else empty. */
  readonly detail?: string;
  /** Instructions that were completed. */
  readonly instructions: number;
  /** The first exception raised; it has not been delivered. */
  readonly exception: {
    readonly vector: number;
    /** `null` where the exception has none. */
    readonly errorCode: number | null;
    /** `null` unless it is a page fault. */
    readonly cr2: bigint | null;
  } | null;
}

/** What runs the cases of `whv step`: partitions whose processors can be stepped, and how. @public */
export interface StepSource {
  /** Makes the partition that cases run in; it must hold their RAM. Null where they leave the engine to the backend. */
  readonly createPartition: (engine: StepEngine | null) => Partition;
  /** Runs at most so many instructions; stops before the delivery of an exception. */
  readonly step: (processor: VirtualProcessor, instructions: number) => StepReport;
  /** The engines that a case may name. */
  readonly engines: readonly StepEngine[];
  /** Access to vector state beyond the WHv names, where there is one. */
  readonly extended?: {
    readonly names: readonly string[];
    readonly read: (processor: VirtualProcessor, name: string) => Uint8Array;
    readonly write: (processor: VirtualProcessor, name: string, bytes: Uint8Array) => void;
  };
}

/** What a step answers: the result line of `whv step`. @public */
export interface StepOutcome {
  /** Version of the format. */
  readonly format: typeof caseFormat;
  /** The case's. */
  readonly id: string | number | null;
  /** The exit with the fields of an emulation case, or `null`. */
  readonly exit: { readonly reason: string; readonly [field: string]: unknown } | null;
  /** Instructions completed. */
  readonly instructions: number;
  /** The registers that changed. */
  readonly registers: Readonly<Record<string, RegisterJson>>;
  /** The ranges that the case asks to read. */
  readonly memory: readonly { readonly gpa: string; readonly bytes: string }[];
  /** The first exception raised, not delivered; or `null`. */
  readonly exception: {
    readonly vector: number;
    readonly errorCode: string | null;
    readonly cr2: string | null;
  } | null;
}

/** The state components that a preset tries to enable, best first: AVX-512, AVX, SSE, x87 alone. */
const stateComponents: readonly bigint[] = [0xe7n, 7n, 3n, 1n];

/**
 * Runs cases of `whv step`, one after the other in one partition for each engine: a new processor and new RAM for each.
 *
 * @example
 * ```ts
 * import { readStepCase, StepRunner } from "@whvkit/conformance";
 * import { simHypervisor, type SimVirtualProcessor } from "@whvkit/sim-backend";
 * const runner = new StepRunner({
 *   createPartition: () => simHypervisor.createPartition(),
 *   step: (processor, instructions) => ({ ...(processor as SimVirtualProcessor).step(instructions) }),
 *   engines: ["cold"],
 * });
 * const memory = [{ gpa: "0x1000", bytes: "48ffc0" }]; // inc rax
 * runner.run(readStepCase({ preset: "long", registers: { Rip: "0x1000", Rax: 1 }, memory })).registers; // { Rax: "0x2", Rip: "0x1003" }
 * runner.dispose();
 * ```
 *
 * @public
 */
export class StepRunner {
  private readonly source: StepSource;
  private readonly partitions = new Map<StepEngine | null, Partition>();

  constructor(source: StepSource) {
    this.source = source;
  }

  /**
   * Runs one case.
   *
   * @param stepCase - from `readStepCase`
   * @throws {@link CaseError} for what the backend refuses, for instance an engine that it does not have
   */
  run(stepCase: StepCase): StepOutcome {
    const { source } = this;
    const { engine } = stepCase;
    if (engine !== null && !source.engines.includes(engine)) {
      throw new CaseError(
        "engine",
        `"${engine}" is not an engine of this backend (it has ${source.engines.join(", ")})`,
      );
    }
    const partition = this.partition(engine);
    const memory = new StepMemory(partition, stepCase);
    try {
      const processor = partition.createVirtualProcessor(0);
      try {
        setUp(processor, stepCase, source);
        const before = readState(processor, source);
        const report = source.step(processor, stepCase.instructions);
        return outcome(stepCase, report, changes(before, readState(processor, source)), memory);
      } finally {
        processor.dispose();
      }
    } finally {
      memory.dispose();
    }
  }

  private partition(engine: StepEngine | null): Partition {
    let partition = this.partitions.get(engine);
    if (partition === undefined) {
      partition = this.source.createPartition(engine);
      this.partitions.set(engine, partition);
      partition.setProperty(WHV_PARTITION_PROPERTY_CODE.WHvPartitionPropertyCodeProcessorCount, 1n);
      partition.setup();
    }
    return partition;
  }

  /** Releases the partitions. */
  dispose(): void {
    for (const partition of this.partitions.values()) partition.dispose();
  }
}

/** Registers that a step may change and that programs can see, in the order in which changes are printed. */
function observedRegisters(): number[] {
  const name = WHV_REGISTER_NAME;
  const range = (first: number, last: number): number[] =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return [
    ...range(name.WHvX64RegisterRax, name.WHvX64RegisterCr4),
    name.WHvX64RegisterCr8,
    ...range(name.WHvX64RegisterDr0, name.WHvX64RegisterDr7),
    name.WHvX64RegisterXCr0,
    ...range(name.WHvX64RegisterXmm0, name.WHvX64RegisterXmmControlStatus),
    name.WHvX64RegisterEfer,
    name.WHvX64RegisterKernelGsBase,
    name.WHvX64RegisterApicBase,
    name.WHvX64RegisterPat,
    ...range(name.WHvX64RegisterSysenterCs, name.WHvX64RegisterSfmask),
    name.WHvX64RegisterTscAux,
  ];
}

/** Register values by name, WHv names and others. */
type State = ReadonlyMap<string, RegisterJson>;

/** Writes the preset's registers, then the case's. */
function setUp(processor: VirtualProcessor, stepCase: StepCase, { extended }: StepSource): void {
  let refused: unknown;
  for (const components of stateComponents) {
    try {
      writeRegisters(processor, new Map([...presetRegisters(stepCase, components), ...stepCase.registers]));
      refused = undefined;
      break;
    } catch (error) {
      if (!(error instanceof WhvError)) throw error;
      refused = error;
    }
  }
  if (refused instanceof WhvError) throw new CaseError("registers", refused.message);
  for (const [name, bytes] of stepCase.extended) {
    if (extended === undefined || !extended.names.includes(name)) {
      throw new CaseError(`registers.${name}`, "this backend's processor has no such register");
    }
    extended.write(processor, name, bytes);
  }
}

function writeRegisters(processor: VirtualProcessor, registers: ReadonlyMap<number, RegisterWords>): void {
  const values = new RegisterValues(registers.size);
  for (const [index, words] of [...registers.values()].entries()) values.words.set(words, 4 * index);
  processor.setRegisters(Uint32Array.from(registers.keys()), registers.size, values);
}

function readState(processor: VirtualProcessor, { extended }: StepSource): State {
  const codes = observedRegisters();
  const values = new RegisterValues(codes.length);
  processor.getRegisters(Uint32Array.from(codes), codes.length, values);
  const state = new Map<string, RegisterJson>();
  for (const [index, code] of codes.entries())
    state.set(shortRegisterName(code), registerJson(code, wordsAt(values, index)));
  for (const name of extended?.names ?? []) {
    state.set(name, extendedRegisterJson(extended?.read(processor, name) ?? new Uint8Array()));
  }
  return state;
}

function changes(before: State, after: State): Record<string, RegisterJson> {
  const changed = [...after].filter(([name, value]) => differs(name, before.get(name), value));
  return Object.fromEntries(changed);
}

/** A wide register has changed where its name alone tells: YMM0 above XMM0, ZMM0 above YMM0; of numbers above 15 ZMM tells all. */
function differs(name: string, before: RegisterJson | undefined, after: RegisterJson): boolean {
  const match = /^([YZ])mm(\d+)$/.exec(name);
  if (match === null) return JSON.stringify(after) !== JSON.stringify(before);
  const hasName = Number(match[2]) < 16;
  if (match[1] === "Y" && !hasName) return false;
  const lower = !hasName ? 0n : match[1] === "Y" ? 128n : 256n;
  return BigInt(String(after)) >> lower !== BigInt(String(before)) >> lower;
}

function outcome(
  { id, read }: StepCase,
  { exit, detail, instructions, exception }: StepReport,
  registers: Readonly<Record<string, RegisterJson>>,
  memory: StepMemory,
): StepOutcome {
  return {
    format: caseFormat,
    id,
    exit: exit === null ? null : { ...exitJson(exit), ...(detail ? { detail } : {}) },
    instructions,
    registers,
    memory: read.map((range) => ({ gpa: hexNumber(range.gpa), bytes: hexString(memory.read(range)) })),
    exception:
      exception === null
        ? null
        : {
            vector: exception.vector,
            errorCode: exception.errorCode === null ? null : hexNumber(exception.errorCode),
            cr2: exception.cr2 === null ? null : hexNumber(exception.cr2),
          },
  };
}

/** The exit with the fields of an emulation case, so that it can be pasted into one. */
function exitJson(exit: RunVpExit): NonNullable<StepOutcome["exit"]> {
  const names = Object.entries(WHV_RUN_VP_EXIT_REASON);
  const name = names.find(([, value]) => value === exit.exitReason)?.[0] ?? hexNumber(exit.exitReason);
  const reason = name.replace(/^WHvRunVpExitReason/, "");
  const vp = vpContextJson(exit.vpContext);
  switch (exit.exitReason) {
    case WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonMemoryAccess:
      return { reason, vp, ...memoryExitJson(exit.memoryAccess) };
    case WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess:
      return { reason, vp, ...ioExitJson(exit.ioPortAccess) };
    case WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Cpuid:
      return { reason, vp, ...structureJson(exit.cpuidAccess.toObject()) };
    case WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64MsrAccess:
      return { reason, vp, ...structureJson(exit.msrAccess.toObject()) };
    default:
      return { reason, vp };
  }
}
