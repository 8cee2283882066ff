/** One interrupt wire between a device and an interrupt controller. */

/**
 * A wire that a device drives high (it wants attention) or low. What a rising edge or a high level means is the
 * receiver's business. Setting the level it already has does nothing.
 *
 * @public
 */
export interface InterruptLine {
  /** Drives the wire high (`true`) or low. */
  set(level: boolean): void;
}

/** A wire that ends nowhere, for devices whose interrupts nobody needs. @public */
export const unconnectedLine: InterruptLine = { set: () => undefined };
