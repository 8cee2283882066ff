/**
 * The interpreter as a WebAssembly module: a loop that goes from record to record. Forms that run often stand in it, in one
 * branch table; all others are handlers in a table, a call each. The number of a form, which its records hold, stays the
 * same whatever is inline, so that a new interpreter takes over the records of the old one.
 */

import {
  ADDRESS_TYPE,
  type Code,
  type FunctionType,
  IMPORT_MEMORY,
  IMPORT_MODULE,
  importMachine,
  type Label,
  type Local,
  ModuleWriter,
  RecordOffset,
  RegisterOffset,
  Routines,
} from "@whvkit/x86-semantics";
import { FrameOffset } from "./engine-frame.ts";
import { emitForm, type InterpretedForm, storeIp } from "./form-code.ts";
import type { InterpreterLayout } from "./guest-access.ts";
import { BlockPlace, ENGINE_RECORD_SIZE, FIRST_FORM, FIRST_RECORD, Special } from "./record-layout.ts";

/** Why the interpreter stopped. */
export const InterpreterStop = {
  /** The budget is used up. */
  budget: 0,
  /** The instruction has to be run by the evaluator. */
  evaluate: 1,
  /** No record is there yet, or its page has to be checked first. */
  missing: 2,
} as const;

/** Names of what the modules import beside the machine, and export. */
export const TABLE = "handlers";
export const RUN = "run";

/** What a handler answers. */
const Handled = { next: 0, branch: 1, stop: 2 } as const;

/** Parameter: address of the record. */
const HANDLER: FunctionType = { parameters: [ADDRESS_TYPE], result: "i32" };
/** Parameters: the record, or 0 to start at RIP; the budget. */
const INTERPRETER: FunctionType = { parameters: [ADDRESS_TYPE, "i32"], result: "i32" };

function newModule(): ModuleWriter {
  const module = new ModuleWriter(ADDRESS_TYPE);
  module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, { minimum: 1, maximum: null, shared: false });
  return module;
}

/** A module of handlers; the one of form number n is exported as `String(n)`. */
export function handlersModule(
  forms: ReadonlyMap<number, InterpretedForm>,
  layout: InterpreterLayout,
): Uint8Array<ArrayBuffer> {
  const module = newModule();
  const imports = importMachine(module);
  const routines = new Routines(module);
  for (const [number, form] of forms) {
    const { code, reference } = module.function(String(number), HANDLER);
    const record = code.parameter(0);
    const leave = (): void => {
      code.i32(Handled.stop);
      code.return();
    };
    emitForm(form, { code, layout, record, imports, routines, leave });
    code.i32(form.ir.writesIp ? Handled.branch : Handled.next);
    module.export(String(number), reference);
  }
  return module.finish();
}

/**
 * The interpreter with these forms inline.
 *
 * @param counts - address of a counter, i32, for each form: how often its handler was called.
 */
export function interpreterModule(
  inline: ReadonlyMap<number, InterpretedForm>,
  layout: InterpreterLayout,
  counts: number,
): Uint8Array<ArrayBuffer> {
  const module = newModule();
  const imports = importMachine(module);
  module.importTable(IMPORT_MODULE, TABLE, 1);
  const { code, reference } = module.function(RUN, INTERPRETER);
  const routines = new Routines(module);
  const record = code.parameter(0);
  const interpreter = new InterpreterWriter(module, code, layout);
  interpreter.write(inline, counts, (form, leave) =>
    emitForm(form, { code, layout, record, imports, routines, leave }),
  );
  module.export(RUN, reference);
  return module.finish();
}

type EmitForm = (form: InterpretedForm, leave: () => void) => void;

class InterpreterWriter {
  private readonly module: ModuleWriter;
  private readonly code: Code;
  private readonly layout: InterpreterLayout;
  private readonly record: Local;
  private readonly left: Local;
  private readonly linear: Local;
  private readonly entry: Local;

  constructor(module: ModuleWriter, code: Code, layout: InterpreterLayout) {
    this.module = module;
    this.code = code;
    this.layout = layout;
    this.record = code.parameter(0);
    this.left = code.parameter(1);
    this.linear = code.local("i64");
    this.entry = code.local("i32");
  }

  /**
   * Blocks, from the outside: `missing`, `stop` and `budget` are the ways out; in the loop, `look` ends where the record
   * at RIP is looked for, `branch` where a branch counts before that; then a block for each inline form.
   */
  write(inline: ReadonlyMap<number, InterpretedForm>, counts: number, emit: EmitForm): void {
    const { code, record, left } = this;
    const missing = code.block();
    const stop = code.block();
    const budget = code.block();
    const loop = code.loop();
    const look = code.block();
    code.get(record);
    code.op("i32.eqz");
    code.branchIf(look);
    const branch = code.block();

    const otherwise = code.block();
    const [evaluate, absent, end] = [code.block(), code.block(), code.block()];
    const numbers = [...inline.keys()];
    const blocks = new Map<number, Label>();
    for (const number of numbers) blocks.set(number, code.block());
    code.get(record);
    code.load("i32.load16_u", RecordOffset.handler);
    const special = new Map<number, Label>([
      [Special.evaluate, evaluate],
      [Special.absent, absent],
      [Special.end, end],
    ]);
    const last = Math.max(FIRST_FORM - 1, ...numbers);
    const labels = Array.from({ length: last + 1 }, (_, n) => special.get(n) ?? blocks.get(n) ?? otherwise);
    code.branchTable(labels, otherwise);
    for (const number of numbers.reverse()) {
      code.end();
      const form = inline.get(number) as InterpretedForm;
      emit(form, () => code.branch(stop));
      if (form.ir.writesIp) code.branch(branch);
      else this.next(loop, budget);
    }
    code.end(); // end
    storeIp(code, this.layout, record);
    code.branch(look);
    code.end(); // absent
    storeIp(code, this.layout, record);
    code.branch(missing);
    code.end(); // evaluate
    code.branch(stop);
    code.end(); // otherwise
    this.callHandler(counts, branch, stop);
    this.next(loop, budget);
    code.end(); // branch
    code.get(left);
    code.i32(1);
    code.op("i32.sub");
    code.set(left);
    code.address(0);
    code.set(record);
    code.get(left);
    code.op("i32.eqz");
    code.branchIf(budget);
    code.end(); // look
    this.look(missing);
    code.branch(loop);
    code.end(); // loop
    code.end(); // budget
    this.leave(InterpreterStop.budget);
    code.end(); // stop
    this.leave(InterpreterStop.evaluate);
    code.end(); // missing
    code.address(0);
    code.set(record);
    this.leave(InterpreterStop.missing);
    code.unreachable();
  }

  /** Counts the instruction and goes on with the record behind its own. */
  private next(loop: Label, budget: Label): void {
    const { code, record, left } = this;
    code.get(record);
    code.i32(ENGINE_RECORD_SIZE);
    code.op("i32.add");
    code.set(record);
    code.get(left);
    code.i32(1);
    code.op("i32.sub");
    code.tee(left);
    code.branchIf(loop);
    code.branch(budget);
  }

  private leave(reason: number): void {
    const { code, layout } = this;
    code.address(0);
    code.get(this.record);
    code.store("i32.store", layout.frame + FrameOffset.record);
    code.address(0);
    code.get(this.left);
    code.store("i32.store", layout.frame + FrameOffset.left);
    code.i32(reason);
    code.return();
  }

  /** Runs the record's instruction by its handler; falls through when the next record follows. */
  private callHandler(counts: number, branch: Label, stop: Label): void {
    const { code, layout, entry, record } = this;
    const number = (): void => {
      code.get(record);
      code.load("i32.load16_u", RecordOffset.handler);
    };
    this.increment(() => code.address(0), layout.frame + FrameOffset.calls);
    this.increment(() => {
      number();
      code.i32(2);
      code.op("i32.shl");
    }, counts);
    code.get(record);
    number();
    code.callIndirect(HANDLER, this.module.typeIndex(HANDLER));
    code.tee(entry);
    code.i32(Handled.branch);
    code.op("i32.eq");
    code.branchIf(branch);
    code.get(entry);
    code.branchIf(stop);
  }

  private increment(address: () => void, offset: number): void {
    const { code } = this;
    address();
    address();
    code.load("i32.load", offset);
    code.i32(1);
    code.op("i32.add");
    code.store("i32.store", offset);
  }

  /** Sets `record` to that of the instruction at RIP. */
  private look(missing: Label): void {
    const { code, layout, linear } = this;
    const frame = (name: keyof typeof FrameOffset): void => {
      code.address(0);
      const offset = layout.frame + FrameOffset[name];
      code.load(WIDE_FIELDS.has(name) ? "i64.load" : "i32.load", offset);
    };
    code.address(0);
    code.load("i64.load", layout.state + RegisterOffset.rip);
    frame("codeBase");
    code.op("i64.add");
    frame("linearMask");
    code.op("i64.and");
    code.tee(linear);
    code.i64(~0xfff);
    code.op("i64.and");
    frame("page");
    code.op("i64.ne");
    code.if();
    this.enterPage(missing, frame);
    code.end();
    frame("slots");
    this.lowBits(0xfff);
    code.i32(2);
    code.op("i32.shl");
    code.op("i32.add");
    code.load("i32.load");
    code.tee(this.record);
    code.i32(FIRST_RECORD);
    code.op("i32.lt_u");
    code.branchIf(missing);
  }

  private lowBits(mask: number): void {
    const { code } = this;
    code.get(this.linear);
    code.op("i32.wrap_i64");
    code.i32(mask);
    code.op("i32.and");
  }

  /** Makes the page of a linear address the one that execution is in, if all that takes is known here. */
  private enterPage(missing: Label, frame: (name: keyof typeof FrameOffset) => void): void {
    const { code, layout, linear, entry } = this;
    const pageIp = code.local("i64");
    const miss = (): void => code.branchIf(missing);
    frame("fetches");
    code.get(linear);
    code.op("i32.wrap_i64");
    code.i32(8);
    code.op("i32.shr_u");
    code.i32(0xff0);
    code.op("i32.and");
    code.op("i32.add");
    code.tee(entry);
    code.load("i64.load");
    code.get(linear);
    code.i64(0xfff);
    code.op("i64.or");
    code.op("i64.ne");
    miss();
    // Behind the entry is the page of the arena, behind that its block.
    frame("directory");
    code.get(entry);
    code.load("i32.load", 8);
    code.i32(12);
    code.op("i32.shr_u");
    code.i32(2);
    code.op("i32.shl");
    code.op("i32.add");
    code.load("i32.load");
    code.tee(entry);
    code.op("i32.eqz");
    miss();
    code.get(entry);
    code.load("i32.load", BlockPlace.generation);
    frame("generation");
    code.op("i32.ne");
    miss();
    code.address(0);
    code.load("i64.load", layout.state + RegisterOffset.rip);
    this.lowBits(0xfff);
    code.op("i64.extend_i32_u");
    code.op("i64.sub");
    code.set(pageIp);
    frame("ipLimit");
    code.get(pageIp);
    code.i64(0xfff);
    code.op("i64.add");
    code.op("i64.lt_s");
    miss();
    const set = (name: keyof typeof FrameOffset, value: () => void): void => {
      code.address(0);
      value();
      code.store(WIDE_FIELDS.has(name) ? "i64.store" : "i32.store", layout.frame + FrameOffset[name]);
    };
    set("pageIp", () => code.get(pageIp));
    set("slots", () => code.get(entry));
    set("page", () => {
      code.get(linear);
      code.i64(~0xfff);
      code.op("i64.and");
    });
  }
}

const WIDE_FIELDS: ReadonlySet<string> = new Set(["page", "pageIp", "codeBase", "linearMask", "ipLimit", "ipMask"]);
