/** Runs the checks of the suite on an emulator, a hypervisor, or both, one after the other. */
import { E_NOTIMPL, type Hypervisor, WhvError } from "@whvkit/whv-types";
import type { CreateEmulator } from "../capture/case-recorder.ts";
import { type ConformanceCheck, Difference, Unsupported } from "./check.ts";
import type { CheckResult, CheckStatus, ConformanceReport } from "./conformance-report.ts";
import { conformanceSuite } from "./suite.ts";

/** What to check. @public */
export interface ConformanceSubjects {
  /** Creates the emulators to check; without it the emulator's checks are left out. */
  readonly createEmulator?: CreateEmulator;
  /** The emulator's name in the report. */
  readonly emulatorName?: string;
  /** The backend to check; without it the backend's checks are left out. */
  readonly hypervisor?: Hypervisor;
  /** Only checks for which this answers true. */
  readonly filter?: (check: ConformanceCheck) => boolean;
  /** Only these checks; the whole suite where it is left out. */
  readonly checks?: readonly ConformanceCheck[];
}

/**
 * Runs the suite.
 *
 * @param subjects - what to check
 * @returns what passed, what failed with the first difference, and by name what is not supported
 *
 * @example
 * ```ts
 * import { runConformance } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * import { simHypervisor } from "@whvkit/sim-backend";
 * const report = runConformance({ createEmulator, hypervisor: simHypervisor, filter: (check) => check.id.startsWith("io.") });
 * report.counts.failed; // 0
 * ```
 *
 * @public
 */
export function runConformance(subjects: ConformanceSubjects): ConformanceReport {
  const { createEmulator, hypervisor, filter = () => true, checks = conformanceSuite } = subjects;
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (!filter(check)) continue;
    if (check.subject === "emulator" && createEmulator !== undefined) {
      results.push(resultOf(check, () => check.run(createEmulator)));
    }
    if (check.subject === "backend" && hypervisor !== undefined) {
      results.push(resultOf(check, () => check.run(hypervisor)));
    }
  }
  const count = (status: CheckStatus): number => results.filter((result) => result.status === status).length;
  return {
    format: 1,
    emulator: createEmulator === undefined ? null : (subjects.emulatorName ?? "emulator"),
    backend: hypervisor === undefined ? null : hypervisor.name,
    counts: {
      passed: count("passed"),
      failed: count("failed"),
      different: count("different"),
      unsupported: count("unsupported"),
    },
    checks: results,
  };
}

function resultOf(check: ConformanceCheck, run: () => void): CheckResult {
  const { id, title, reference, subject, choice } = check;
  const common = { id, title, reference, subject };
  try {
    run();
    return { ...common, status: "passed" };
  } catch (error) {
    if (error instanceof Unsupported) {
      return { ...common, status: "unsupported", unsupported: { what: error.what, says: error.says } };
    }
    // The platform's word for an operation that is there by name only.
    if (error instanceof WhvError && error.hresult === E_NOTIMPL) {
      return { ...common, status: "unsupported", unsupported: { what: error.operation, says: error.message } };
    }
    return { ...common, status: choice ? "different" : "failed", difference: differenceOf(error) };
  }
}

function differenceOf(error: unknown): { at: string; expected: string; actual: string } {
  if (error instanceof Difference) return { at: error.at, expected: error.expected, actual: error.actual };
  return {
    at: error instanceof WhvError ? error.operation : "the check",
    expected: "no error",
    actual: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  };
}
