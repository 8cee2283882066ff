/**
 * The interpreter brought to life over one arena and machine: its handlers, and which forms it has inline. It starts with
 * none and takes in those that are called often.
 */

import { IMPORT_MEMORY, IMPORT_MODULE, type Machine, machineFunctions } from "@whvkit/x86-semantics";
import type { InterpretedForm } from "./form-code.ts";
import type { FormNumbers } from "./form-numbers.ts";
import { MAX_FORMS } from "./form-numbers.ts";
import type { InterpreterLayout } from "./guest-access.ts";
import { handlersModule, interpreterModule, RUN, TABLE } from "./interpreter-module.ts";
import { FIRST_FORM } from "./record-layout.ts";

/** Forms inline at most: beyond some 250 a longer function costs more than a call. */
const MAX_INLINE = 256;
/** A form is worth its place when it was at least every so-manyth of the calls. */
const WORTHWHILE = 4096;

/** Bytes of the counters. */
export const COUNTS_SIZE: number = (FIRST_FORM + MAX_FORMS) * 4;

type Run = (record: number, budget: number) => number;

export class Interpreter {
  /** Runs from a record, or from RIP where that is 0; answers an `InterpreterStop`. */
  run: Run;
  private readonly layout: InterpreterLayout;
  private readonly forms: FormNumbers;
  private readonly imports: Record<string, WebAssembly.ImportValue>;
  private readonly table: WebAssembly.Table;
  private readonly counts: Int32Array;
  private inline = new Map<number, InterpretedForm>();

  constructor(
    memory: WebAssembly.Memory,
    machine: Machine,
    layout: InterpreterLayout,
    forms: FormNumbers,
    counts: number,
  ) {
    this.layout = layout;
    this.forms = forms;
    this.counts = new Int32Array(memory.buffer, counts, FIRST_FORM + MAX_FORMS);
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: FIRST_FORM + MAX_FORMS });
    this.imports = { ...machineFunctions(machine), [IMPORT_MEMORY]: memory, [TABLE]: this.table };
    this.run = this.compile();
  }

  /** Makes handlers of the forms that have none. */
  compileWaiting(): void {
    const waiting = this.forms.takeWaiting();
    if (waiting.size === 0) return;
    const { exports } = this.instance(handlersModule(waiting, this.layout));
    for (const number of waiting.keys()) this.table.set(number, exports[String(number)]);
  }

  /** Takes the forms in that were called often since this was last asked. */
  takeInOften(): void {
    const { counts, forms } = this;
    const often = oftenCalled(counts, forms.end);
    counts.fill(0);
    const numbers = [...often, ...this.inline.keys()].slice(0, MAX_INLINE);
    this.inline = new Map(numbers.map((number) => [number, forms.form(number)]));
    this.run = this.compile();
  }

  private compile(): Run {
    const bytes = interpreterModule(this.inline, this.layout, this.counts.byteOffset);
    return this.instance(bytes).exports[RUN] as Run;
  }

  private instance(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Instance {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { [IMPORT_MODULE]: this.imports });
  }
}

/** Numbers below `end` of the forms that are worth a place, the most frequent first. */
export function oftenCalled(counts: Int32Array, end: number): number[] {
  let calls = 0;
  for (let number = FIRST_FORM; number < end; number++) calls += counts[number];
  const often: number[] = [];
  for (let number = FIRST_FORM; number < end; number++) if (counts[number] > calls / WORTHWHILE) often.push(number);
  return often.sort((a, b) => counts[b] - counts[a]);
}
