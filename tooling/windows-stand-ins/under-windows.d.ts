/** See under-windows.js. */

/** One check of a suite: `error` where it failed, with its stack. */
export interface CheckResult {
  readonly name: string;
  readonly error: string | null;
  /** Why it did not run, where it did not. */
  readonly skipped: string | null;
}

/** What a run gave: results, or the reason why there was none. */
export interface SuiteOutcome {
  readonly unavailable: string | null;
  readonly results: readonly CheckResult[];
  /** What the program printed. */
  readonly output: string;
}

/** Why programs for Windows cannot be run here; `null` where they can. */
export function windowsUnavailable(): string | null;

/** Folders of the stand-in libraries, as Windows names them. Compiles them where need be. */
export function standInFolders(): { current: string; version2004: string; installed: string };

/** An absolute path as a program under Wine names it. */
export function windowsPath(file: string): string;

/** Bundles a TypeScript program and runs it in Node for Windows with these arguments; answers what it printed. */
export function runProgram(
  entry: string,
  args: readonly string[],
  options?: { timeout?: number; prefix?: string },
): Promise<{ status: number | null; output: string }>;

/**
 * Runs a suite (see suite.ts) with the stand-in libraries: `current` and `version2004` in a folder of their own, `installed`
 * where Windows has the platform's.
 */
export function runSuite(entry: string, libraries?: "current" | "version2004" | "installed"): Promise<SuiteOutcome>;

/**
 * Compiles a C program against the stand-ins and runs it with the name of a file that it may write; answers what it printed
 * and what it wrote there.
 */
export function runHost(
  source: string,
  includes: readonly string[],
): Promise<{ status: number | null; output: string; written: string }>;
