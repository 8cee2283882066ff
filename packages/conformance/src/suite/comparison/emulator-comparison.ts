/**
 * Runs the same cases through two emulators and lists where they differ: in what the call returned, in the accesses and
 * other callbacks, in the registers afterwards, in RAM. What is known is named with its reason; known-differences.ts
 * holds those that the documents explain.
 */
import { registerByShortName, S_OK } from "@whvkit/whv-types";
import { caseFormat } from "../../emulation/case-reader.ts";
import type { EmulationCase } from "../../emulation/emulation-case.ts";
import { type EmulationOutcome, EmulationRunner, type EmulatorSource } from "../../emulation/emulation-run.ts";
import { CaseHost } from "../../host/case-host.ts";
import type { CallbackCall } from "../../host/transcript.ts";
import { type RegisterJson, registerJson } from "../../registers/register-json.ts";
import { accessText } from "../emulator/emulation-expectation.ts";
import { nativeDifferences } from "./known-differences.ts";

/** Which part of two outcomes differs. @public */
export type ComparedPart =
  | "hresult"
  | "status"
  | "accesses"
  | "translations"
  | "register calls"
  | "register"
  | "memory";

/** One difference between two emulators on one case. @public */
export interface EmulatorDifference {
  /** What differs. */
  readonly part: ComparedPart;
  /** Which value: `"accesses[2]"`, `"register Rax"`. */
  readonly at: string;
  /** On the first emulator, as text. */
  readonly first: string;
  /** On the second emulator, as text. */
  readonly second: string;
  /** Why this is known, or `null`. */
  readonly known: string | null;
}

/** A difference that is expected, and why. @public */
export interface KnownDifference {
  /** One sentence for people. */
  readonly why: string;
  /** Whether this is it. */
  matches(difference: Omit<EmulatorDifference, "known">, outcomes: ComparedOutcomes): boolean;
}

/** What two emulators did with one case. @public */
export interface ComparedOutcomes {
  /** The case. */
  readonly emulationCase: EmulationCase;
  /** What the first emulator did. */
  readonly first: EmulationOutcome;
  /** What the second emulator did. */
  readonly second: EmulationOutcome;
}

/** What `compareEmulators` answers. @public */
export interface EmulatorComparison {
  /** Version of the format. */
  readonly format: typeof caseFormat;
  /** Cases that were run. */
  readonly cases: number;
  /** Cases without a difference. */
  readonly same: number;
  /** Cases whose differences are all known. */
  readonly known: number;
  /** Cases with a difference that is not known. */
  readonly different: number;
  /** The cases that differ, in order. */
  readonly differences: readonly {
    readonly id: string | number | null;
    readonly differences: readonly EmulatorDifference[];
  }[];
}

/**
 * Runs cases through two emulators.
 *
 * @param cases - from `readEmulationCase`
 * @param first - creates the first emulator, for instance the TypeScript one
 * @param second - creates the second, for instance the native one
 * @param known - differences that are expected; those between the TypeScript and the native emulator when left out
 *
 * @example
 * ```ts
 * import { compareEmulators, readEmulationCase } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * const cases = [
 *   readEmulationCase({
 *     kind: "io",
 *     vp: { rip: 0, cs: { attributes: "0xa09b" }, instructionLength: 2 },
 *     exit: { instructionBytes: "e680", isWrite: true, accessSize: 1, port: 128, rax: "0x41" }, // out 0x80, al
 *   }),
 * ];
 * const { same, different } = compareEmulators(cases, { createEmulator }, { createEmulator }); // or createNativeEmulator
 * same; // 1
 * different; // 0
 * ```
 *
 * @public
 */
export function compareEmulators(
  cases: Iterable<EmulationCase>,
  first: EmulatorSource,
  second: EmulatorSource,
  known: readonly KnownDifference[] = nativeDifferences,
): EmulatorComparison {
  const runners = [new EmulationRunner(first), new EmulationRunner(second)] as const;
  const found: { id: string | number | null; differences: EmulatorDifference[] }[] = [];
  let count = 0;
  try {
    for (const emulationCase of cases) {
      count++;
      const outcomes = { emulationCase, first: runners[0].run(emulationCase), second: runners[1].run(emulationCase) };
      const differences = differencesOf(outcomes).map((difference) => ({
        ...difference,
        known: known.find((one) => one.matches(difference, outcomes))?.why ?? null,
      }));
      if (differences.length > 0) found.push({ id: emulationCase.id, differences });
    }
  } finally {
    for (const runner of runners) runner.dispose();
  }
  const unknown = found.filter(({ differences }) => differences.some((difference) => difference.known === null)).length;
  return {
    format: caseFormat,
    cases: count,
    same: count - found.length,
    known: found.length - unknown,
    different: unknown,
    differences: found,
  };
}

/**
 * A comparison for people: each case that differs with its differences, and the counts.
 *
 * @param comparison - from {@link compareEmulators}
 * @returns text of several lines, without a line end at the end
 *
 * @example
 * ```ts
 * import { compareEmulators, formatComparison } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * formatComparison(compareEmulators([], { createEmulator }, { createEmulator })); // "0 cases: 0 the same, 0 with known differences, 0 different"
 * ```
 *
 * @public
 */
export function formatComparison(comparison: EmulatorComparison): string {
  const lines = comparison.differences.flatMap(({ id, differences }) => [
    `case ${id ?? "without id"}`,
    ...differences.flatMap(({ at, first, second, known }) => [
      `  ${at}:`,
      `    first   ${first}`,
      `    second  ${second}`,
      ...(known === null ? [] : [`    known:  ${known}`]),
    ]),
  ]);
  const { cases, same, known, different } = comparison;
  return [...lines, `${cases} cases: ${same} the same, ${known} with known differences, ${different} different`].join(
    "\n",
  );
}

type Found = Omit<EmulatorDifference, "known">;

function differencesOf(outcomes: ComparedOutcomes): Found[] {
  const { first, second } = outcomes;
  const found: Found[] = [];
  const compare = (part: ComparedPart, at: string, one: string, other: string): void => {
    if (one !== other) found.push({ part, at, first: one, second: other });
  };
  compare("hresult", "hresult", first.hresult, second.hresult);
  // The status counts only with S_OK.
  if (Number(first.hresult) === S_OK && Number(second.hresult) === S_OK) {
    compare("status", "status", first.status.join(", "), second.status.join(", "));
  }
  const lists: readonly [ComparedPart, (call: CallbackCall) => boolean, (call: CallbackCall) => string][] = [
    ["accesses", ({ callback }) => callback === "memory" || callback === "ioPort", accessText],
    ["translations", ({ callback }) => callback === "translate", translationText],
    ["register calls", ({ callback }) => callback === "getRegisters" || callback === "setRegisters", registerCallText],
  ];
  for (const [part, wanted, text] of lists) {
    const one = first.calls.filter(wanted).map(text);
    const other = second.calls.filter(wanted).map(text);
    const at = firstDifference(one, other);
    if (at >= 0) compare(part, `${part}[${at}]`, one[at] ?? "none", other[at] ?? "none");
  }
  const [before, after] = [registersAfter(first), registersAfter(second)];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const value = (registers: Map<string, RegisterJson>): string =>
      JSON.stringify(registers.get(name) ?? registerBefore(outcomes.emulationCase, name));
    compare("register", `register ${name}`, value(before), value(after));
  }
  compare("memory", "memory", JSON.stringify(first.memory), JSON.stringify(second.memory));
  return found;
}

function firstDifference(one: readonly string[], other: readonly string[]): number {
  for (let i = 0; i < Math.max(one.length, other.length); i++) if (one[i] !== other[i]) return i;
  return -1;
}

function translationText(call: CallbackCall): string {
  if (call.callback !== "translate") return call.callback;
  return `translate ${call.gvaPage} flags 0x${call.flags.toString(16)} -> ${call.result} ${call.gpaPage}`;
}

function registerCallText(call: CallbackCall): string {
  return "names" in call ? `${call.callback} ${call.names.join(" ")}` : call.callback;
}

/** What was set, where the set succeeded. */
function registersAfter({ calls, set }: EmulationOutcome): Map<string, RegisterJson> {
  const committed = calls.some(({ callback, hresult }) => callback === "setRegisters" && hresult === undefined);
  return new Map(Object.entries(committed ? (set ?? {}) : {}));
}

function registerBefore(emulationCase: EmulationCase, name: string): RegisterJson {
  const code = registerByShortName(name);
  return code === undefined ? "unknown" : registerJson(code, new CaseHost(emulationCase).register(code));
}
