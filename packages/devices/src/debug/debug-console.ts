/** The debug console port: every byte written goes to a sink. */
import type { BusDevice } from "../bus/bus-device.ts";

/**
 * A byte-wide port without a protocol, as Bochs' port 0xe9: reading answers `signature`, by which guests find it.
 *
 * @public
 */
export class DebugConsolePort implements BusDevice {
  readonly width = 1;
  readonly #output: (byte: number) => void;
  readonly #signature: number;

  /**
   * @param output - takes each byte
   * @param signature - what reads answer; Bochs' 0xe9 when left out
   */
  constructor(output: (byte: number) => void, signature = 0xe9) {
    this.#output = output;
    this.#signature = signature;
  }

  read(): number {
    return this.#signature;
  }

  write(_offset: number, _size: number, value: number): void {
    this.#output(value);
  }
}
