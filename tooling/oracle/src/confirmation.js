// Why forms have no vectors, counted; and whether the processor agrees: what it is said to refuse it must refuse.
import { exclusionOf, exclusionReasons, recordingFaults } from "./exclusions.js";
import { walkForms } from "./forms.js";
import { encodingsOf, statesOf } from "./inputs.js";

/** Prints the exclusions by reason, and what the processor runs in spite of one; answers how many forms that are. @param {import("./record.js").NativeProcessor} processor */
export function confirmExclusions(processor) {
  /** @type {Map<string, number>} */
  const counts = new Map(exclusionReasons.map((reason) => [reason, 0]));
  /** @type {Set<string>} */
  const run = new Set();
  for (const formCase of walkForms()) {
    const encodings = encodingsOf(formCase, 0);
    const reason = exclusionOf(formCase, encodings);
    if (reason === null) continue;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (!recordingFaults.includes(reason)) continue;
    for (const encoding of encodings) {
      for (const state of statesOf(formCase, encoding, 0)) {
        processor.run(encoding, state, ({ vector }) => {
          if (vector === null) run.add(`${formCase.key} (${reason})`);
        });
        break;
      }
    }
  }
  processor.flush();
  for (const [reason, count] of counts) console.log(`without vectors: ${count} forms: ${reason}`);
  for (const form of run) console.log(`the processor runs ${form}`);
  return run.size;
}
