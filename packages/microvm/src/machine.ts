/**
 * The machine as its user sees it: what can be done with it from outside. How one is made is `create-machine.ts`, how
 * its board is wired `board.ts`, how exits are finished `run-loop.ts`.
 */
import type { MachineResult, MachineStatistics } from "./machine-result.ts";

/**
 * A virtual machine with one processor: made by {@link createMachine}, run to its end, disposed of.
 *
 * @public
 */
export interface Machine {
  /**
   * Runs until the guest ends, without giving the host's event loop a turn: for tests, scripts and guests whose input
   * is all known. In interactive machines a guest that waits for input ends with reason `"halted"`.
   */
  run(): MachineResult;
  /**
   * Runs until the guest ends, waits for input, or `maxExits` exits were finished, or the backend cut a run short
   * (because the guest computes), for hosts that have an event loop to serve: `"running"` = call again, `"waiting"` = the guest is halted until {@link Machine.type} is called (or,
   * with the host's clock, until `waitMilliseconds` have gone by), `"ended"` = `result` is there.
   */
  runSlice(maxExits: number): "running" | "waiting" | "ended";
  /**
   * After `runSlice` said `"waiting"`: milliseconds to the guest's next timer or the time limit, whichever is first;
   * `Infinity` without either.
   */
  readonly waitMilliseconds: number;
  /** How the run ended, `null` before it did. */
  readonly result: MachineResult | null;
  /** What the run has cost so far. */
  readonly statistics: MachineStatistics;
  /** Types bytes into the first serial port. */
  type(bytes: Uint8Array): void;
  /** Makes a run in progress stop at the next chance with reason `"timeout"`; for hosts that stop on a signal. */
  cancel(): void;
  /** The text screen: 25 lines of 80 characters, trailing blanks removed, joined by line feeds. */
  screenText(): string;
  /** Releases the partition and its memory. The machine cannot be used any more. */
  dispose(): void;
}
