/** The guests that come with this package: flat images to hand to `createMachine`. Their sources are in `guest/`. */
import type { GuestImage } from "../machine-options.ts";
import { DEMO_IMAGE, TRIPLE_FAULT_IMAGE } from "./images.generated.ts";

/** Where both images are loaded and entered. */
const LOAD = 0x8000;

/**
 * The demo guest: goes from real mode through protected mode into long mode, talks to devices in each with port,
 * string and memory instructions, checks every result, takes timer interrupts, and asks for a name on the serial port.
 * Switches the machine off in the end (exit status 0); a wrong result ends it with status 3 and a message.
 *
 * @example
 * ```ts
 * import { createMachine, DEMO_INPUT, demoGuest } from "@whvkit/microvm";
 * import { simHypervisor } from "@whvkit/sim-backend";
 * const machine = createMachine({
 *   hypervisor: simHypervisor,
 *   image: demoGuest(),
 *   serialInput: new TextEncoder().encode(DEMO_INPUT), // the guest asks for a name
 * });
 * machine.run().exitStatus; // 0
 * ```
 *
 * @public
 */
export function demoGuest(): GuestImage {
  return { bytes: fromHex(DEMO_IMAGE), mode: 16, load: LOAD };
}

/** What to type to the demo guest where nobody is there to type. @public */
export const DEMO_INPUT = "whvkit\n";

/**
 * A guest that ends by triple fault.
 *
 * @example
 * ```ts
 * import { createMachine, tripleFaultGuest } from "@whvkit/microvm";
 * import { simHypervisor } from "@whvkit/sim-backend";
 * const machine = createMachine({ hypervisor: simHypervisor, image: tripleFaultGuest() });
 * machine.run().reason; // "triple-fault"
 * ```
 *
 * @public
 */
export function tripleFaultGuest(): GuestImage {
  return { bytes: fromHex(TRIPLE_FAULT_IMAGE), mode: 16, load: LOAD };
}

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
