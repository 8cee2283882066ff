/**
 * The code of one instruction form, as the interpreter has it inline and as a handler that the interpreter calls. What an
 * instruction means is its Ir's and the emitter's; here is what surrounds it: the instruction pointer where the form
 * reads it, and the ways out.
 */

import { type Instruction, Mnemonic, RegisterClass } from "@whvkit/x86-decoder";
import {
  type Code,
  emitInstruction,
  type Ir,
  irOf,
  type Local,
  type MachineImports,
  type Operation,
  RecordFields,
  RegisterOffset,
  type Routines,
  StateBase,
} from "@whvkit/x86-semantics";
import { FrameOffset } from "./engine-frame.ts";
import { GuestAccess, type InterpreterLayout } from "./guest-access.ts";
import { RecordPlace } from "./record-layout.ts";

/** A form that the interpreter can run. */
export interface InterpretedForm {
  readonly ir: Ir;
  /** Must RIP be right in the state before the instruction? Else it is only known by the record. */
  readonly readsIp: boolean;
}

/** What the code of a form is put into. */
export interface FormPlace {
  readonly code: Code;
  readonly layout: InterpreterLayout;
  readonly record: Local;
  readonly imports: MachineImports;
  readonly routines: Routines;
  /** Emits the way out of an instruction that did not happen. The operand stack is as it was. */
  readonly leave: () => void;
}

/** Emits the code of a form; falls through when the instruction is done. */
export function emitForm({ ir, readsIp }: InterpretedForm, place: FormPlace): void {
  const { code, layout, record, imports, routines, leave } = place;
  if (readsIp) storeIp(code, layout, record);
  const state = new StateBase(layout.state);
  emitInstruction(ir, {
    code,
    state,
    fields: new RecordFields(state, record),
    imports,
    routines,
    leave: () => {
      code.drop();
      leave();
    },
    access: (...parts) => new GuestAccess(layout, ir.form.long, ...parts),
  });
}

/** Writes RIP of the instruction of a record. */
export function storeIp(code: Code, layout: InterpreterLayout, record: Local): void {
  code.address(0);
  code.address(0);
  code.load("i64.load", layout.frame + FrameOffset.pageIp);
  code.get(record);
  code.load("i64.load16_u", RecordPlace.inPage);
  code.op("i64.add");
  code.address(0);
  code.load("i64.load", layout.frame + FrameOffset.ipMask);
  code.op("i64.and");
  code.store("i64.store", layout.state + RegisterOffset.rip);
}

/** Does an operation keep its instruction from being interpreted? Those have effects that the processor has to see. */
function needsEvaluator({ op }: Operation): boolean {
  return op === "call" || op === "callSecond" || op === "in" || op === "out";
}

function readsIp(operation: Operation): boolean {
  if (operation.op !== "register") return false;
  const { register } = operation;
  return register.from === "fixed" && register.offset >= RegisterOffset.rip && register.offset < RegisterOffset.rip + 8;
}

/** Forms by Ir: what is known of each, once; null for those that the evaluator runs. */
const known = new WeakMap<Ir, { readonly plain: InterpretedForm; readonly relative: InterpretedForm } | null>();

/** The form of an instruction, or null where the evaluator has to run it. Equal forms are one object. */
export function interpretedForm(instruction: Instruction): InterpretedForm | null {
  // What vector registers need of the processor's state is checked by the evaluator, as is what CLAC and STAC change.
  const { mnemonic } = instruction;
  if (instruction.vectorLength !== 0 || mnemonic === Mnemonic.clac || mnemonic === Mnemonic.stac) return null;
  const ir = irOf(instruction);
  if (ir === null) return null;
  let forms = known.get(ir);
  if (forms === undefined) {
    const interpreted = ir.requires === null && ir.string === null && !ir.operations.some(needsEvaluator);
    const reads = ir.operations.some(readsIp);
    forms = interpreted ? { plain: { ir, readsIp: reads }, relative: { ir, readsIp: true } } : null;
    known.set(ir, forms);
  }
  if (forms === null) return null;
  return instruction.memoryBase >> 5 === RegisterClass.ip ? forms.relative : forms.plain;
}
