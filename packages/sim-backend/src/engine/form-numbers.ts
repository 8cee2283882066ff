/**
 * Numbers of forms: what records name them by. A form gets its number when it is first decoded and keeps it; it gets code
 * together with others that wait for theirs, because a module costs more than a form.
 */

import type { InterpretedForm } from "./form-code.ts";
import { FIRST_FORM } from "./record-layout.ts";

/** Forms at most: more are left to the evaluator. A record has 16 bits for the number. */
export const MAX_FORMS = 4096;

export class FormNumbers {
  private readonly forms: InterpretedForm[] = [];
  private readonly numbers = new Map<InterpretedForm, number>();
  /** The first form without code. */
  private compiled = 0;

  /** Numbers are below this. */
  get end(): number {
    return FIRST_FORM + this.forms.length;
  }

  numberOf(form: InterpretedForm): number {
    const known = this.numbers.get(form);
    if (known !== undefined) return known;
    if (this.forms.length === MAX_FORMS) return 0;
    const number = this.end;
    this.forms.push(form);
    this.numbers.set(form, number);
    return number;
  }

  form(number: number): InterpretedForm {
    return this.forms[number - FIRST_FORM] as InterpretedForm;
  }

  /** Can the interpreter run it? */
  hasCode(number: number): boolean {
    return number < FIRST_FORM + this.compiled;
  }

  /** The forms that wait, by number; from now on they have code. */
  takeWaiting(): Map<number, InterpretedForm> {
    const waiting = new Map<number, InterpretedForm>();
    for (let number = FIRST_FORM + this.compiled; number < this.end; number++) waiting.set(number, this.form(number));
    this.compiled = this.forms.length;
    return waiting;
  }
}
