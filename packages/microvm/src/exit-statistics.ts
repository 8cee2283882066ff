/** Counts the exits of a run by the platform's names. */
import { WHV_RUN_VP_EXIT_REASON } from "@whvkit/whv-types";

const PREFIX = "WHvRunVpExitReason";
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(WHV_RUN_VP_EXIT_REASON).map(([name, reason]) => [reason, name.slice(PREFIX.length)]),
);

/** `X64IoPortAccess` for `WHvRunVpExitReasonX64IoPortAccess`; the number in hex where the platform has no name for it. */
export function exitReasonName(reason: number): string {
  return NAMES.get(reason) ?? `0x${reason.toString(16)}`;
}

export class ExitCounts {
  total = 0;
  readonly #byReason = new Map<number, number>();

  count(reason: number): void {
    this.total += 1;
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + 1);
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries([...this.#byReason].map(([reason, count]) => [exitReasonName(reason), count]));
  }
}
