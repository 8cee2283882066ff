/** The emulator that the commands run cases on. */
import type { EmulatorSource } from "@whvkit/conformance";
import { createEmulator } from "@whvkit/emulator-core";

/** Creates emulators of `@whvkit/emulator-core`; the case's options go through to it, which checks them. */
export const emulatorSource: EmulatorSource = { createEmulator };
