/**
 * The port executor: finishes the instruction behind a port exit on any machine. IN and OUT need the exit alone; INS and
 * OUTS their decoded form, because the exit says neither their address size nor their segment. Fetching, decoding and
 * the registers' way in and out are the caller's.
 */
import { Evaluator, type Program, RepeatDriver, type RepeatOptions, type SpanMachine } from "@whvkit/x86-semantics";
import { inputToAccumulator, outputFromAccumulator } from "./accumulator-transfer.ts";
import type { PortExit } from "./port-exit.ts";

/**
 * Finishes port instructions.
 *
 * @example
 * ```ts
 * const executor = new IoExecutor(machine);
 * const abort = exit.stringOp ? executor.executeString(program) : executor.execute(exit);
 * ```
 *
 * @public
 */
export class IoExecutor {
  readonly #machine: SpanMachine;
  readonly #driver: RepeatDriver;

  /** @param options - iteration cap and yield hook of REP. */
  constructor(machine: SpanMachine, options?: RepeatOptions) {
    this.#machine = machine;
    this.#driver = new RepeatDriver(new Evaluator(machine), machine, options);
  }

  /** Elements of the last string instruction that were finished. */
  get completed(): number {
    return this.#driver.completed;
  }

  /** False when the last string instruction stopped before its end: RIP must stay. */
  get finished(): boolean {
    return this.#driver.finished;
  }

  /** IN or OUT. RAX is in the register file; RIP is the caller's to advance. */
  execute(exit: PortExit): number {
    return exit.isWrite
      ? outputFromAccumulator(this.#machine, exit.port, exit.accessSize)
      : inputToAccumulator(this.#machine, exit.port, exit.accessSize);
  }

  /** INS or OUTS with any prefix; the program must {@link describesExit | describe the exit}. */
  executeString(program: Program): number {
    return this.#driver.run(program);
  }
}

/**
 * Is this program the port instruction that the exit reports? A different one means that the bytes at RIP are not those
 * that the processor executed.
 *
 * @public
 */
export function describesExit(program: Program, exit: PortExit): boolean {
  const { string } = program;
  if (!program.accessesPort) return false;
  if (string === null) return !exit.stringOp;
  const isWrite = string.kind === "outs";
  return exit.stringOp && isWrite === exit.isWrite && string.size === exit.accessSize;
}
