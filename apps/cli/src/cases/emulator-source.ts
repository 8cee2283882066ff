/** The emulator that the commands run cases on. */
import type { EmulatorSource } from "@whvkit/conformance";
import { createEmulator, type EmulatorOptions } from "@whvkit/emulator-core";

/** Every creation option, and whether JSON can hold it. The type makes the list complete. */
const optionForms: Readonly<Record<keyof EmulatorOptions, "json" | "function">> = {
  maxRepIterations: "json",
  shouldYield: "function",
  commitPartialRep: "json",
  invalidEncoding: "json",
  unsupported: "json",
  noMemoryOperand: "json",
  eventForm: "json",
  canFault: "function",
  cmpxchgAlwaysWrites: "json",
  interruptShadow: "json",
  gpaUnmapped: "json",
  debugTraps: "json",
  dataBreakpoints: "json",
  recheckEnables: "json",
  verifyExitContext: "json",
  programCacheSize: "json",
};

/** Creates emulators of `@whvkit/emulator-core`, which checks the values of a case's options; their names are checked here. */
export const emulatorSource: EmulatorSource = {
  createEmulator(callbacks, options = {}) {
    const known = Object.keys(optionForms).filter((name) => optionForms[name as keyof EmulatorOptions] === "json");
    for (const name of Object.keys(options)) {
      if (!known.includes(name)) throw new RangeError(`option ${name} is not an option; there are ${known.join(", ")}`);
    }
    return createEmulator(callbacks, options);
  },
};
