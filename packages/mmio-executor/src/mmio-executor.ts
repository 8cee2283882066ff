/**
 * The memory executor: finishes any instruction with a memory operand on any machine, on device memory and RAM alike.
 * What the instruction means comes from `@whvkit/x86-semantics`; where its accesses go is the machine's business.
 * Fetching, decoding and the registers' way in and out are the caller's.
 */
import { Evaluator, type Program, RepeatDriver, type RepeatOptions, type SpanMachine } from "@whvkit/x86-semantics";

/**
 * Why an instruction cannot be executed here; `null` when it can.
 *
 * @public
 */
export type MmioRefusal = "unsupported-instruction" | "no-memory-operand" | null;

/**
 * Finishes instructions with memory operands.
 *
 * @example
 * ```ts
 * import { MmioExecutor } from "@whvkit/mmio-executor";
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Abort, FlatMachine, programFor, RegisterOffset } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0x3000));
 * machine.registers.set64(RegisterOffset.general + 8 * 1, 0x1234n); // RCX
 * machine.registers.set64(RegisterOffset.general + 8 * 7, 0x2000n); // RDI
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0x0f), 0, instruction); // add [rdi], ecx
 * new MmioExecutor(machine).execute(programFor(instruction)) === Abort.none; // true
 * machine.memory.slice(0x2000, 0x2004); // [0x34, 0x12, 0, 0]
 * ```
 *
 * @public
 */
export class MmioExecutor {
  readonly #evaluator: Evaluator;
  readonly #driver: RepeatDriver;
  #completed = 0;
  #finished = true;

  /** @param options - iteration cap and yield hook of REP. */
  constructor(machine: SpanMachine, options?: RepeatOptions) {
    this.#evaluator = new Evaluator(machine);
    this.#driver = new RepeatDriver(new Evaluator(machine), machine, options);
  }

  /** Elements of the last string instruction that were finished, 0 for others. */
  get completed(): number {
    return this.#completed;
  }

  /** False when the last REP stopped before its end: RIP must stay. */
  get finished(): boolean {
    return this.#finished;
  }

  /**
   * Runs the whole instruction. RIP in the register file is this instruction's; it is changed only where the program
   * says so.
   *
   * @returns an `Abort`. Unless it is `Abort.none`, no register has changed but those of finished REP iterations.
   */
  execute(program: Program): number {
    if (program.string !== null) return this.#executeString(program);
    this.#completed = 0;
    this.#finished = true;
    return this.#evaluator.evaluate(program);
  }

  #executeString(program: Program): number {
    const abort = this.#driver.run(program);
    this.#completed = this.#driver.completed;
    this.#finished = this.#driver.finished;
    return abort;
  }
}

/**
 * Can the executor carry this program out? An instruction that names memory is one with a memory operand even where it
 * does not access it (NOP, PREFETCH, LEA).
 *
 * @param program - from `programFor`
 * @returns `null` where it can, else the reason
 *
 * @example
 * ```ts
 * import { refusalOf } from "@whvkit/mmio-executor";
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { programFor } from "@whvkit/x86-semantics";
 * const refusal = (...bytes: number[]) => {
 *   const instruction = new Instruction();
 *   new Decoder(64).decode(Uint8Array.from(bytes), 0, instruction);
 *   return refusalOf(programFor(instruction));
 * };
 * refusal(0x01, 0x0f); // null
 * refusal(0x01, 0xc8); // "no-memory-operand"
 * refusal(0xd8, 0x07); // "unsupported-instruction"
 * ```
 *
 * @public
 */
export function refusalOf(program: Program): MmioRefusal {
  if (program.unsupported !== null) return "unsupported-instruction";
  return program.accessesMemory || program.namesMemory ? null : "no-memory-operand";
}
