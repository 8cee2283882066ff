/** What a family of instructions is: definitions by mnemonic. Each family is a file beside this one. */
import type { MnemonicName } from "@whvkit/x86-decoder";
import type { Definition } from "../ir/builder.ts";
import type { Form } from "../ir/form.ts";
import type { CarriedImmediates } from "../ir/instruction-form.ts";
import type { RequiredState } from "../ir/operation.ts";

export interface Family {
  readonly name: string;
  /** The processor state that a form of the family needs; nothing but general registers when left out. */
  readonly requires?: (form: Form) => RequiredState | null;
  /** What each mnemonic does. */
  readonly meanings: Readonly<Partial<Record<MnemonicName, Definition>>>;
  /** Mnemonics whose meaning depends on an immediate's value (its low byte), which therefore belongs to the form. */
  readonly immediates?: Readonly<Partial<Record<MnemonicName, CarriedImmediates>>>;
}
