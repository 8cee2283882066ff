/** Condition codes: Intel SDM volume 1, appendix B, "EFLAGS condition codes". */
import type { Builder, Definition, Value } from "../ir/builder.ts";
import { CONDITION_NAMES, type ConditionName } from "../ir/flag.ts";

/** Is the condition true of the flags before the instruction? */
export function conditionHolds(b: Builder, name: ConditionName): Value {
  const code = CONDITION_NAMES.indexOf(name);
  const value = PREDICATES[code >> 1]?.(b) as Value;
  return (code & 1) === 0 ? value : b.not(value);
}

const signDiffers = (b: Builder): Value => b.xor(b.flag("SF"), b.flag("OF"));

/** The even condition codes: O, B, E, BE, S, P, L, LE. */
const PREDICATES: readonly ((b: Builder) => Value)[] = [
  (b) => b.flag("OF"),
  (b) => b.flag("CF"),
  (b) => b.flag("ZF"),
  (b) => b.or(b.flag("CF"), b.flag("ZF")),
  (b) => b.flag("SF"),
  (b) => b.flag("PF"),
  signDiffers,
  (b) => b.or(b.flag("ZF"), signDiffers(b)),
];

/** One definition for each condition, under the prefix's mnemonics: "set" gives seto, setno … */
export function forEachCondition<Prefix extends string>(
  prefix: Prefix,
  define: (name: ConditionName) => Definition,
): Record<`${Prefix}${ConditionName}`, Definition> {
  const entries = CONDITION_NAMES.map((name) => [`${prefix}${name}`, define(name)] as const);
  return Object.fromEntries(entries) as Record<`${Prefix}${ConditionName}`, Definition>;
}
