/** The debug console port: every byte written goes to a sink. */
import type { BusDevice } from "../bus/bus-device.ts";

/**
 * A byte-wide port without a protocol, as Bochs' port 0xe9: reading answers `signature`, by which guests find it.
 *
 * @example
 * ```ts
 * import { Bus, DebugConsolePort } from "@whvkit/devices";
 * const bytes: number[] = [];
 * const bus = new Bus();
 * bus.attachPorts(0xe9, 1, new DebugConsolePort((byte) => bytes.push(byte)));
 * bus.readPort(0xe9, 1); // 0xe9
 * bus.writePort(0xe9, 1, 0x41);
 * bytes; // [0x41]
 * ```
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
