// The words that the information tables use, in the order of their numbers in the generated columns.

/**
 * Names of processor flags; `c0` to `c3` are the x87 condition codes.
 *
 * @public
 */
export type FlagName = "of" | "sf" | "zf" | "af" | "pf" | "cf" | "df" | "if" | "ac" | "c0" | "c1" | "c2" | "c3";

/**
 * How an operand, register or memory is used. The conditional ones may not happen: a masked or compared-first write, for
 * example.
 *
 * @public
 */
export type Access =
  | "none"
  | "read"
  | "write"
  | "readwrite"
  | "conditional-read"
  | "conditional-write"
  | "read-conditional-write";

/**
 * How control goes on after an instruction. `next`: to the next one (faults aside).
 *
 * @public
 */
export type FlowControl =
  | "next"
  | "conditional-branch"
  | "branch"
  | "indirect-branch"
  | "call"
  | "indirect-call"
  | "return"
  | "interrupt"
  | "exception"
  | "xbegin";

/**
 * Who may execute an instruction: anybody, code at CPL at most IOPL, or only code at CPL 0.
 *
 * @public
 */
export type Privilege = "any" | "iopl" | "cpl0";

export const flagNames: readonly FlagName[] = [
  "of",
  "sf",
  "zf",
  "af",
  "pf",
  "cf",
  "df",
  "if",
  "ac",
  "c0",
  "c1",
  "c2",
  "c3",
];
export const accesses: readonly Access[] = [
  "none",
  "read",
  "write",
  "readwrite",
  "conditional-read",
  "conditional-write",
  "read-conditional-write",
];
export const flows: readonly FlowControl[] = [
  "next",
  "conditional-branch",
  "branch",
  "indirect-branch",
  "call",
  "indirect-call",
  "return",
  "interrupt",
  "exception",
  "xbegin",
];
export const privileges: readonly Privilege[] = ["any", "iopl", "cpl0"];
/** Effects on the stack pointer. */
export const stacks = ["none", "push", "pop", "push2", "pop2", "pop3", "push8", "pop8", "enter", "leave"] as const;
export type StackEffect = (typeof stacks)[number];
