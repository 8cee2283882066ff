// From what the checks and the tests came to, the last lines of the test command and its exit code.

/** @typedef {{ name: string, passed: boolean }} CheckResult */
/** @typedef {{ file: string, name: string, state: "passed" | "failed" | "skipped", note?: string }} TestResult */
/**
 * @typedef {object} TestReport
 * @property {TestResult[]} tests
 * @property {string[]} errors what went wrong outside the tests: files that did not load, unhandled errors
 */

/**
 * Checks and tests count one each, and so does every error outside a test. A runner that wrote no report, or
 * that says it failed when nothing in its report did, is a failure too; so is a run without a single test.
 *
 * @param {readonly CheckResult[]} checks
 * @param {TestReport | null} report
 * @param {number | null} runnerStatus the test runner's exit status; null when a signal ended it
 * @returns {{ lines: string[], exitCode: number }}
 */
export function summarise(checks, report, runnerStatus) {
  const tests = report?.tests ?? [];
  const failures = checks.filter((check) => !check.passed).map((check) => `check: ${check.name}`);
  failures.push(...tests.filter((test) => test.state === "failed").map(titleOf));
  failures.push(...(report?.errors ?? []));

  const ran = tests.filter((test) => test.state !== "skipped").length;
  if (report === null) failures.push("the test runner ended without a report");
  else if (ran === 0) failures.push("no test ran");
  else if (runnerStatus !== 0 && tests.every((test) => test.state !== "failed") && report.errors.length === 0) {
    failures.push(`the test runner ended with status ${runnerStatus}`);
  }

  const passed = checks.filter((check) => check.passed).length + tests.filter((t) => t.state === "passed").length;
  const lines = [];
  for (const test of tests.filter((one) => one.state === "skipped")) lines.push(`skipped: ${titleOf(test)}`);
  for (const failure of failures) lines.push(`failed: ${failure}`);
  lines.push(`${passed} passed, ${failures.length} failed`);
  return { lines, exitCode: failures.length === 0 ? 0 : 1 };
}

/** `file > name`, and for a skip its reason; a skip without one has it in its name. */
function titleOf(/** @type {TestResult} */ test) {
  return `${test.file} > ${test.name}${test.note === undefined ? "" : `: ${test.note}`}`;
}
