/**
 * A suite of checks that runs in Node for Windows and writes what came of each as JSON: vitest itself does not run there.
 * `runSuite` of under-windows.js starts it; the arguments are the folder of the libraries and the file for the results.
 */
import { writeFileSync } from "node:fs";

interface Check {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

const checks: Check[] = [];

const [folder, resultsFile] = process.argv.slice(2);

/** The folder of the stand-in libraries, absolute. */
export const libraryDirectory: string = folder ?? "";

/** What a check throws that cannot run here. */
export class Skipped extends Error {}

/** Adds a check. Checks run in the order in which they were added, one after the other. */
export function check(name: string, run: () => void | Promise<void>): void {
  checks.push({ name, run });
}

/** A check that waits for something that never comes fails, and the others run. */
const TIMEOUT = 15_000;

async function inTime(running: void | Promise<void>): Promise<void> {
  if (running === undefined) return;
  // Also keeps the process alive: what a check waits for need not.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${TIMEOUT} ms`)), TIMEOUT);
  });
  try {
    await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs all checks; `after` each one, for what must hold after all of them. */
export async function runChecks(after: () => void = () => {}): Promise<void> {
  const results: { name: string; error: string | null; skipped: string | null }[] = [];
  for (const { name, run } of checks) {
    let error: string | null = null;
    let skipped: string | null = null;
    try {
      await inTime(run());
      after();
    } catch (thrown) {
      if (thrown instanceof Skipped) skipped = thrown.message;
      else error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    results.push({ name, error, skipped });
  }
  writeFileSync(resultsFile ?? "results.json", JSON.stringify(results));
}
