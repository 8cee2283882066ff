/** The debug-exit port: the guest writes a value and the machine ends. */
import type { BusDevice } from "../bus/bus-device.ts";

/**
 * A port that ends the machine, as QEMU's `isa-debug-exit`: writes of 1, 2 or 4 bytes hand their value on; reads give 0.
 *
 * @example
 * ```ts
 * import { Bus, DebugExitPort } from "@whvkit/devices";
 * const bus = new Bus();
 * let status = -1;
 * bus.attachPorts(0xf4, 4, new DebugExitPort((value) => (status = value)));
 * bus.writePort(0xf4, 4, 3);
 * status; // 3
 * ```
 *
 * @public
 */
export class DebugExitPort implements BusDevice {
  readonly width = 4;
  readonly #exit: (value: number) => void;

  /** @param exit - called with the unsigned value written */
  constructor(exit: (value: number) => void) {
    this.#exit = exit;
  }

  read(): number {
    return 0;
  }

  write(_offset: number, _size: number, value: number): void {
    this.#exit(value);
  }
}
