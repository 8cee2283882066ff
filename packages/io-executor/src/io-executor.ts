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
 * import { IoExecutor } from "@whvkit/io-executor";
 * import { Abort, FlatMachine, RegisterOffset } from "@whvkit/x86-semantics";
 * const written: number[] = [];
 * const machine = new FlatMachine(new Uint8Array(0), { write: (_port, _size, value) => written.push(value) });
 * machine.registers.set64(RegisterOffset.general, 0x5an); // RAX
 * const exit = { port: 0x3f8, accessSize: 1, isWrite: true, stringOp: false, repPrefix: false } as const;
 * new IoExecutor(machine).execute(exit) === Abort.none; // true
 * written; // [0x5a]
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
 * @example
 * ```ts
 * import { describesExit } from "@whvkit/io-executor";
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { programFor } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0xf3, 0x6c), 0, instruction); // rep insb
 * const program = programFor(instruction);
 * const exit = { port: 0x60, accessSize: 1, isWrite: false, stringOp: true, repPrefix: true } as const;
 * describesExit(program, exit); // true
 * describesExit(program, { ...exit, isWrite: true }); // false
 * ```
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
