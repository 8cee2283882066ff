/** The report of a run of the suite: its shape, which is also its JSON, and its form for people. */

/** How one check ended. @public */
export type CheckStatus = "passed" | "failed" | "different" | "unsupported";

/** What one check answered. @public */
export interface CheckResult {
  /** The check's. */
  readonly id: string;
  /** The check's. */
  readonly title: string;
  /** The check's. */
  readonly reference: string;
  /** The check's. */
  readonly subject: "backend" | "emulator";
  /** `"different"`: not as this suite expects, where the documents leave the choice. */
  readonly status: CheckStatus;
  /** The first difference, where the check failed or found one. */
  readonly difference?: { readonly at: string; readonly expected: string; readonly actual: string };
  /** What is not supported, and what the subject says of it. */
  readonly unsupported?: { readonly what: string; readonly says: string };
}

/** Counts of a report. @public */
export interface ConformanceCounts {
  /** As the contract says. */
  readonly passed: number;
  /** Not as the contract says. */
  readonly failed: number;
  /** Another choice than this suite's where the documents leave one. */
  readonly different: number;
  /** What the subject says that it cannot. */
  readonly unsupported: number;
}

/** The report of a run of the suite. @public */
export interface ConformanceReport {
  /** Version of the report's form: 1. */
  readonly format: 1;
  /** Name of the emulator that was checked; `null` where none was. */
  readonly emulator: string | null;
  /** Name of the backend that was checked; `null` where none was. */
  readonly backend: string | null;
  /** How many checks ended how. */
  readonly counts: ConformanceCounts;
  /** One entry a check, in the suite's order. */
  readonly checks: readonly CheckResult[];
}

const words: Readonly<Record<CheckStatus, string>> = {
  passed: "ok",
  failed: "FAILED",
  different: "differs",
  unsupported: "unsupported",
};

/**
 * A report as a table for people: a line a check, under it the first difference or what the subject says, and the
 * counts at the end.
 *
 * @param report - from `runConformance`
 * @param options - `all: false` leaves out the checks that passed
 * @returns lines without a line end at the end
 *
 * @example
 * ```ts
 * import { formatConformance, runConformance } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * const report = runConformance({ createEmulator, filter: () => false });
 * report.checks; // []
 * typeof formatConformance(report, { all: true }); // "string"
 * ```
 *
 * @public
 */
export function formatConformance(report: ConformanceReport, options: { readonly all?: boolean } = {}): string {
  const shown = options.all === false ? report.checks.filter(({ status }) => status !== "passed") : report.checks;
  const idWidth = Math.max(0, ...shown.map(({ id }) => id.length));
  const statusWidth = Math.max(...Object.values(words).map((word) => word.length));
  const lines = shown.flatMap((check) => {
    const head = `${words[check.status].padEnd(statusWidth)}  ${check.id.padEnd(idWidth)}  ${check.title} (${check.reference})`;
    return [head, ...detailLines(check).map((line) => `${" ".repeat(statusWidth + 2)}${line}`)];
  });
  const subjects = [
    ...(report.emulator === null ? [] : [`emulator ${report.emulator}`]),
    ...(report.backend === null ? [] : [`backend ${report.backend}`]),
  ].join(", ");
  const { passed, failed, different, unsupported } = report.counts;
  const counts = `${passed} passed, ${failed} failed, ${different} different by choice, ${unsupported} unsupported`;
  return [...lines, ...(lines.length > 0 ? [""] : []), `${subjects}: ${counts}`].join("\n");
}

function detailLines({ difference, unsupported }: CheckResult): string[] {
  if (difference !== undefined) {
    return [`${difference.at}:`, `  expected ${difference.expected}`, `  got      ${difference.actual}`];
  }
  return unsupported === undefined ? [] : [`${unsupported.what}: ${unsupported.says}`];
}
