/**
 * Differences between the TypeScript emulator and the native one that follow from the documents, or from what users of
 * the native one have reported. A list to add to: each entry says why.
 */
import type { EmulationOutcome } from "../../emulation/emulation-run.ts";
import type { ComparedOutcomes, KnownDifference } from "./emulator-comparison.ts";

/** Whether one emulator faulted the guest where the other gave up. */
function faultedAgainstGaveUp({ first, second }: ComparedOutcomes): boolean {
  const faulted = ({ set }: EmulationOutcome): boolean =>
    set !== null && ("PendingEvent" in set || "PendingInterruption" in set);
  const gaveUp = ({ status }: EmulationOutcome): boolean => status.includes("InternalEmulationFailure");
  return (faulted(first) && gaveUp(second)) || (gaveUp(first) && faulted(second));
}

/** Known differences between the TypeScript emulator and the native one. @public */
export const nativeDifferences: readonly KnownDifference[] = [
  {
    why: "Number and grouping of register calls are the emulator's own (contract row B10); the values are compared separately.",
    matches: ({ part }) => part === "register calls",
  },
  {
    why: "When pages are translated, and whether the exit's own translation is trusted, is the emulator's own (B19, C10).",
    matches: ({ part }, { first, second }) => part === "translations" && first.hresult === second.hresult,
  },
  {
    why: "Emulators of Windows 10 answer InternalEmulationFailure for bytes that are no instruction, later ones fault the guest (B18).",
    matches: ({ part }, outcomes) => (part === "status" || part === "register") && faultedAgainstGaveUp(outcomes),
  },
];
