/** What koffi makes of a C function. */

/** A bound function: called on this thread, or on one of Node's pool with a callback. */
export interface KoffiFunction {
  (...parameters: unknown[]): unknown;
  async(...parametersAndCallback: unknown[]): void;
}
