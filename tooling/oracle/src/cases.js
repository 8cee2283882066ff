// The instructions that are tried, by family. Families have the names of the files in packages/x86-semantics/src/families.
import { control, faults, flags, stack, strings, system } from "./flow-cases.js";
import { arithmetic, bits, decimal, moves, multiplication, shifts } from "./integer-cases.js";
import { CODE_OFFSET } from "./state.js";
import { vectorIntegers, vectorMoves } from "./vector-cases.js";

/** Cases by family. @type {Readonly<Record<string, () => import("./encoding.js").Case[]>>} */
export const families = {
  moves,
  arithmetic,
  multiplication,
  decimal,
  shifts,
  bits,
  control,
  strings,
  stack,
  flags,
  system,
  faults,
  "vector-moves": vectorMoves,
  "vector-integers": vectorIntegers,
};

/** Vectors of a case where it names no number. */
export const DEFAULT_COUNT = 16;

export { CODE_OFFSET };
