/**
 * What a check of the suite is, and the two ways in which one ends other than well: a {@link Difference} from what the
 * contract says, or {@link Unsupported}, where the subject says itself that it cannot. No checks live here, and nothing
 * that runs them.
 */
import type { Hypervisor } from "@whvkit/whv-types";
import type { CreateEmulator } from "../capture/case-recorder.ts";

/** What every check has. @public */
export interface ConformanceCheckCommon {
  /** Stable, dotted, unique: `"emulator.port.in-1"`. */
  readonly id: string;
  /** What must hold, for people. */
  readonly title: string;
  /** Where it is written: a row of the emulator's contract (`"B3"`, `"C12"`), or functions and structures of the platform. */
  readonly reference: string;
  /** The documents leave this open: a subject that does otherwise is reported as different, not as failed. */
  readonly choice: boolean;
}

/** A check of an emulator. @public */
export interface EmulatorCheck extends ConformanceCheckCommon {
  /** Says which kind of check this is. */
  readonly subject: "emulator";
  /** Throws {@link Difference} or {@link Unsupported}; any other error is a failure too. */
  run(createEmulator: CreateEmulator): void;
}

/** A check of a hypervisor. @public */
export interface BackendCheck extends ConformanceCheckCommon {
  /** Says which kind of check this is. */
  readonly subject: "backend";
  /** Throws {@link Difference} or {@link Unsupported}; any other error is a failure too. */
  run(hypervisor: Hypervisor): void;
}

/** One check of the suite. @public */
export type ConformanceCheck = EmulatorCheck | BackendCheck;

/**
 * The first thing that is not as it must be.
 *
 * @example
 * ```ts
 * import { Difference } from "@whvkit/conformance";
 * const difference = new Difference("vpContext.cs.base", 0, 16);
 * difference.at; // "vpContext.cs.base"
 * difference.message; // "vpContext.cs.base: expected 0, got 0x10"
 * ```
 *
 * @public
 */
export class Difference extends Error {
  /** Tells this error from others where classes cannot be compared. */
  override readonly name = "Difference";
  /** Which value: a path such as `"vpContext.cs.base"`. */
  readonly at: string;
  /** What it must be, as text. */
  readonly expected: string;
  /** What it is, as text. */
  readonly actual: string;

  constructor(at: string, expected: unknown, actual: unknown) {
    super(`${at}: expected ${valueText(expected)}, got ${valueText(actual)}`);
    this.at = at;
    this.expected = valueText(expected);
    this.actual = valueText(actual);
  }
}

/**
 * The subject cannot do this, and says so.
 *
 * @example
 * ```ts
 * import { Unsupported } from "@whvkit/conformance";
 * const unsupported = new Unsupported("WHvReadGpaRange", "no such operation");
 * unsupported.message; // "WHvReadGpaRange: no such operation"
 * ```
 *
 * @public
 */
export class Unsupported extends Error {
  /** Tells this error from others where classes cannot be compared. */
  override readonly name = "Unsupported";
  /** What is not supported, by its name in the platform. */
  readonly what: string;
  /** What the subject says of it. */
  readonly says: string;

  constructor(what: string, says: string) {
    super(`${what}: ${says}`);
    this.what = what;
    this.says = says;
  }
}

/** One of several values that the contract allows. */
export class OneOf {
  readonly values: readonly unknown[];

  constructor(...values: readonly unknown[]) {
    this.values = values;
  }
}

/** Any value: the contract does not say. */
export const anything: OneOf = /* @__PURE__ */ new OneOf();

/**
 * Compares what is there with what must be. Of objects only the fields that `expected` names count; arrays and bytes
 * count as a whole.
 *
 * @throws {@link Difference} at the first value that differs
 */
export function expectMatch(at: string, actual: unknown, expected: unknown): void {
  if (expected instanceof OneOf) {
    if (expected.values.length > 0 && !expected.values.some((value) => matches(actual, value))) {
      throw new Difference(at, expected, actual);
    }
    return;
  }
  if (isRecord(expected) && isRecord(actual)) {
    for (const [name, value] of Object.entries(expected)) {
      expectMatch(at === "" ? name : `${at}.${name}`, (actual as Record<string, unknown>)[name], value);
    }
    return;
  }
  if (isList(expected) && isList(actual)) {
    const longest = Math.max(expected.length, actual.length);
    for (let i = 0; i < longest; i++) {
      const [want, have] = [
        i < expected.length ? expected[i] : "nothing more",
        i < actual.length ? actual[i] : "nothing",
      ];
      expectMatch(`${at}[${i}]`, have, want);
    }
    return;
  }
  if (!Object.is(actual, expected)) throw new Difference(at, expected, actual);
}

function matches(actual: unknown, expected: unknown): boolean {
  try {
    expectMatch("", actual, expected);
    return true;
  } catch (error) {
    if (error instanceof Difference) return false;
    throw error;
  }
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !isList(value);
}

/** A value as reports show it: integers in hexadecimal from 10 on. */
export function valueText(value: unknown): string {
  if (value instanceof OneOf) return value.values.map(valueText).join(" or ");
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (typeof value === "number")
    return Number.isInteger(value) && value > 9 ? `0x${value.toString(16)}` : String(value);
  if (typeof value === "string") return value;
  if (isList(value)) return `[${Array.from(value, valueText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([name, field]) => `${name}: ${valueText(field)}`)
      .join(", ")}}`;
  }
  return String(value);
}
