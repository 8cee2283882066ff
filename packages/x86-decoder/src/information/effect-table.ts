// The information columns of the form table, unpacked when they are first asked for: decoding never needs them.

import * as columns from "../table/information-columns.generated.ts";
import { unpackNumbers } from "../table/unpacking.ts";
import {
  type FlagName,
  type FlowControl,
  flagNames,
  flows,
  type Privilege,
  privileges,
  type StackEffect,
  stacks,
} from "./names.ts";

/** What a form does besides its operands. */
export interface Effects {
  /** Masks over `flagNames`: read, written, undefined, cleared, set. */
  readonly flags: readonly number[];
  readonly flow: FlowControl;
  readonly stack: StackEffect;
  readonly privilege: Privilege;
  /** Implicit registers: access << 12 | register; classes from DYNAMIC_OPERAND on stand for a size known only with the instruction. */
  readonly registers: readonly number[];
}

/** Classes of implicit registers whose size the operand size, the address size or the mode gives. */
export const DYNAMIC_OPERAND = 24;
export const DYNAMIC_ADDRESS = 25;

interface InformationTable {
  readonly effects: readonly Effects[];
  readonly formEffects: readonly number[];
  readonly formAccesses: readonly number[];
  readonly formFeatures: readonly number[];
  readonly features: readonly (readonly string[])[];
  readonly formAttributes: readonly number[];
  readonly texts: readonly string[];
}

let table: InformationTable | undefined;

/** The unpacked table. */
export function informationTable(): InformationTable {
  table ??= {
    effects: lists(unpackNumbers(columns.effectLists)).map((list) => ({
      flags: list.slice(0, 5),
      flow: flows[list[5] ?? 0] ?? "next",
      stack: stacks[list[6] ?? 0] ?? "none",
      privilege: privileges[list[7] ?? 0] ?? "any",
      registers: list.slice(8),
    })),
    formEffects: unpackNumbers(columns.formEffects),
    formAccesses: unpackNumbers(columns.formAccesses),
    formFeatures: unpackNumbers(columns.formFeatures),
    features: columns.featureLists.split(",").map((text) => (text === "" ? [] : text.split(" "))),
    formAttributes: unpackNumbers(columns.formAttributes),
    texts: texts(),
  };
  return table;
}

function texts(): string[] {
  const tokens = ["", ...columns.tokens.split(" ")];
  return lists(unpackNumbers(columns.formTokens)).map((list) => list.map((index) => tokens[index]).join(" "));
}

/** Lists that are written as their length and their elements. */
function lists(numbers: readonly number[]): number[][] {
  const result: number[][] = [];
  for (let i = 0; i < numbers.length; ) {
    const count = numbers[i] ?? 0;
    result.push(numbers.slice(i + 1, i + 1 + count));
    i += 1 + count;
  }
  return result;
}

/** The effects of a form, 1 to `formCount`. */
export function effectsOf(form: number): Effects {
  const { effects, formEffects } = informationTable();
  return (
    effects[formEffects[form - 1] ?? 0] ?? {
      flags: [0, 0, 0, 0, 0],
      flow: "next",
      stack: "none",
      privilege: "any",
      registers: [],
    }
  );
}

/** The number of the access (index into `accesses`) of a form's operand. */
export function accessOf(form: number, operand: number): number {
  return Math.floor((informationTable().formAccesses[form - 1] ?? 0) / 8 ** operand) % 8;
}

/** The flags of a mask. */
export function flagsOf(mask: number): FlagName[] {
  return flagNames.filter((_, bit) => (mask & (1 << bit)) !== 0);
}
