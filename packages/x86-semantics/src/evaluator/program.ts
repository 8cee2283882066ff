/**
 * A program: the meaning of one instruction with its registers, immediates and displacement resolved, ready to run. It
 * holds no state and is position independent, so one program serves every place where the same bytes stand in the same
 * mode. `binding.ts` makes programs.
 */
import type { Ir, RequiredState, StringElement } from "../ir/operation.ts";
import type { Helper } from "../machine/helper.ts";
import type { RegisterInterval } from "../machine/register-file.ts";
import type { InstructionFields } from "./instruction-fields.ts";
import type { Transfer } from "./transfer.ts";

/** A string instruction, as the REP driver runs it. @public */
export interface StringOperation extends StringElement {
  /** 0 for a single element, 0xf3 for REP and REPE, 0xf2 for REPNE. */
  readonly repeat: 0 | 0xf2 | 0xf3;
  /** Segment of the source operand (rSI), after overrides; DS for instructions without one. */
  readonly segment: number;
}

/**
 * One instruction, ready to run: the meaning of its form with the fields of the instruction put in. It serves wherever
 * these bytes stand in this mode. @public
 */
export interface Program {
  /** The decoder's number of the mnemonic. */
  readonly mnemonic: number;
  /** Bytes of the instruction. */
  readonly length: number;
  /** Bits of the mode it was decoded for: 16, 32 or 64. */
  readonly mode: number;
  /** What the evaluator runs; see `opcode.ts`. */
  readonly code: Int32Array;
  /** The program as one step, where it is no more than that. */
  readonly transfer: Transfer | null;
  /** Every interval of the register file that the program may read: address registers, segments, flags and RIP included. */
  readonly reads: readonly RegisterInterval[];
  /** Every interval that it may write. */
  readonly writes: readonly RegisterInterval[];
  /** The program (or a helper it calls) decides where execution goes on; otherwise the caller advances RIP by `length`. */
  readonly writesIp: boolean;
  /** The instruction names memory in its operands, whether it accesses it (MOV) or not (NOP, PREFETCH, INVLPG, LEA). */
  readonly namesMemory: boolean;
  /** Whether it has memory operands, explicit or implicit. */
  readonly accessesMemory: boolean;
  /** Whether it reads or writes a port. */
  readonly accessesPort: boolean;
  /** What a {@link RepeatDriver} repeats; null for all but string instructions. */
  readonly string: StringOperation | null;
  /** The helpers that it may call. */
  readonly helpers: readonly Helper[];
  /** Processor state that must be enabled; the program does not check it. Null for general registers alone. */
  readonly requires: RequiredState | null;
  /** Why this instruction has no meaning here; null when it has one. Evaluating one with a reason answers
   * `Abort.unsupported` and does nothing. */
  readonly unsupported: string | null;
  /** The form's meaning, and what this instruction puts into it; for the printer. Null when unsupported. */
  readonly ir: Ir | null;
  /** What this instruction puts into `ir`; null when unsupported. */
  readonly fields: InstructionFields | null;
}
