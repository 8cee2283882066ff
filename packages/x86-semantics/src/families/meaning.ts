/** All families together: the meaning of an instruction, its Ir by form, its program. */
import { type Instruction, type MnemonicName, mnemonicName } from "@whvkit/x86-decoder";
import { bind, bindUnsupported } from "../evaluator/binding.ts";
import type { Program } from "../evaluator/program.ts";
import { Builder, type Definition, UnsupportedForm } from "../ir/builder.ts";
import { DEFAULT_OPTIONS, type SemanticOptions } from "../ir/form.ts";
import { type CarriedImmediates, formKey, formOf } from "../ir/instruction-form.ts";
import type { Ir } from "../ir/operation.ts";
import { arithmetic } from "./arithmetic.ts";
import { bits } from "./bits.ts";
import { control } from "./control.ts";
import { decimal } from "./decimal.ts";
import { extendedState } from "./extended-state.ts";
import type { Family } from "./family.ts";
import { flags } from "./flags.ts";
import { mask } from "./mask.ts";
import { moves } from "./moves.ts";
import { multiplication } from "./multiplication.ts";
import { ports } from "./ports.ts";
import { shifts } from "./shifts.ts";
import { stack } from "./stack.ts";
import { strings } from "./strings.ts";
import { system } from "./system.ts";
import { whyUnsupported } from "./unsupported.ts";
import { vectorIntegers } from "./vector-integers.ts";
import { vectorMoves } from "./vector-moves.ts";
import { vectorPacking } from "./vector-packing.ts";
import { x87State } from "./x87-state.ts";

/** Every family, in the order of the manual's summary (Intel SDM volume 1, chapter 5). @public */
export const families: readonly Family[] = [
  moves,
  arithmetic,
  multiplication,
  decimal,
  shifts,
  bits,
  control,
  strings,
  ports,
  stack,
  flags,
  system,
  x87State,
  extendedState,
  vectorMoves,
  vectorPacking,
  vectorIntegers,
  mask,
];

interface Meaning {
  readonly family: Family;
  readonly definition: Definition;
  readonly carried: CarriedImmediates;
}

const meanings: ReadonlyMap<string, Meaning> = /* @__PURE__ */ collectMeanings();

function collectMeanings(): Map<string, Meaning> {
  const result = new Map<string, Meaning>();
  for (const family of families) {
    for (const [name, definition] of Object.entries(family.meanings)) {
      const carried = family.immediates?.[name as MnemonicName] ?? "none";
      if (result.has(name)) throw new Error(`two meanings for ${name}`);
      result.set(name, { family, definition, carried });
    }
  }
  return result;
}

/** Whether an instruction has a meaning here. @public */
export type Support =
  | { readonly supported: true; readonly family: string }
  | { readonly supported: false; readonly reason: string };

/**
 * Whether the instructions of a mnemonic have a meaning, and if not, why.
 *
 * @param mnemonic - a value of the decoder's `Mnemonic`
 *
 * @example
 * ```ts
 * import { Mnemonic } from "@whvkit/x86-decoder";
 * import { supportOf } from "@whvkit/x86-semantics";
 * supportOf(Mnemonic.add).supported; // true
 * supportOf(Mnemonic.fadd).supported; // false
 * ```
 *
 * @public
 */
export function supportOf(mnemonic: number): Support {
  const name = mnemonicName(mnemonic);
  const meaning = meanings.get(name);
  if (meaning !== undefined) return { supported: true, family: meaning.family.name };
  return { supported: false, reason: whyUnsupported(name) };
}

/** Caches by form, one for each choice of options. */
const caches = new Map<SemanticOptions, Map<string | number, Ir | string>>();

/**
 * The meaning of an instruction's form, or null when it has none ({@link programFor} says why). Made once per form.
 *
 * @param options - the choices a host can make; keep one object, since the cache goes by identity
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { irOf } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const ir = irOf(instruction);
 * ir?.operations.at(-1)?.op; // "setRegister"
 * ```
 *
 * @public
 */
export function irOf(instruction: Instruction, options: SemanticOptions = DEFAULT_OPTIONS): Ir | null {
  const found = lookUp(instruction, options);
  return typeof found === "string" ? null : found;
}

/** The Ir, or why there is none. */
function lookUp(instruction: Instruction, options: SemanticOptions): Ir | string {
  const name = mnemonicName(instruction.mnemonic);
  const meaning = meanings.get(name);
  if (meaning === undefined) return whyUnsupported(name);
  let cache = caches.get(options);
  if (cache === undefined) {
    cache = new Map();
    caches.set(options, cache);
  }
  const form = formKey(instruction);
  const key = meaning.carried === "none" ? form : `${form}:${carriedImmediates(instruction, meaning.carried)}`;
  let ir = cache.get(key);
  if (ir === undefined) {
    ir = define(meaning, instruction, options);
    cache.set(key, ir);
  }
  return ir;
}

function define(meaning: Meaning, instruction: Instruction, options: SemanticOptions): Ir | string {
  const form = formOf(instruction, meaning.carried, options);
  const builder = new Builder(form);
  try {
    meaning.definition(builder);
  } catch (error) {
    if (error instanceof UnsupportedForm) return error.message;
    throw error;
  }
  return builder.finish(meaning.family.requires?.(form) ?? null);
}

function carriedImmediates(instruction: Instruction, carried: CarriedImmediates): string {
  const first = carried === "immediate2" ? "" : instruction.immediateLow & 0xff;
  const second = carried === "immediate" ? "" : instruction.immediate2 & 0xff;
  return `${first}:${second}`;
}

/**
 * The program of a decoded instruction: its form's meaning with this instruction's registers, immediates and displacement.
 * It may be kept as long as the instruction's bytes and mode stay the same, wherever they stand. It allocates; keep
 * programs in a cache by bytes and mode.
 *
 * @returns a program; where `unsupported` is not null, evaluating it does nothing but answer `Abort.unsupported`
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { programFor } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction); // mov eax, [rdi]
 * const program = programFor(instruction);
 * program.accessesMemory; // true
 * program.unsupported; // null
 * ```
 *
 * @public
 */
export function programFor(instruction: Instruction, options: SemanticOptions = DEFAULT_OPTIONS): Program {
  const ir = lookUp(instruction, options);
  return typeof ir === "string" ? bindUnsupported(instruction, ir) : bind(ir, instruction);
}
