/**
 * A PC's two cascaded 8259As: sixteen interrupt lines, the slave on the master's IR2, and the edge/level control
 * registers (ELCR) of EISA and PCI boards.
 */

import type { Bus } from "../bus/bus.ts";
import type { Attachment, BusDevice } from "../bus/bus-device.ts";
import type { InterruptLine } from "./interrupt-line.ts";
import { Pic8259 } from "./pic8259.ts";

/** The line of the master that the slave hangs on. */
const CASCADE_LINE = 2;

/** Lines that are always edge triggered: timer, keyboard, cascade; real-time clock and coprocessor (82371SB, ELCR1/2). */
const ELCR_WRITABLE = 0xdef8;

/**
 * The interrupt controller pair. Lines 0 to 15 are IRQ 0 to 15; IRQ 2 is the cascade and belongs to nobody.
 *
 * @example
 * ```ts
 * import { Bus, PicPair } from "@whvkit/devices";
 * const bus = new Bus();
 * const pic = new PicPair();
 * pic.attach(bus);
 * for (const value of [0x11]) bus.writePort(0x20, 1, value); // ICW1
 * for (const value of [0x20, 0x04, 0x01, 0x00]) bus.writePort(0x21, 1, value); // vectors from 0x20; no line masked
 * pic.line(0).set(true); // the timer's
 * pic.requesting; // true
 * pic.acknowledge(); // 0x20
 * ```
 *
 * @public
 */
export class PicPair {
  /** IRQ 0 to 7, and the processor's INTR. */
  readonly master: Pic8259;
  /** IRQ 8 to 15, on the master's line 2. */
  readonly slave: Pic8259;
  readonly #elcr = new Uint8Array(2);
  #requesting = false;

  constructor() {
    this.master = new Pic8259((level) => {
      this.#requesting = level;
    }, 1 << CASCADE_LINE);
    this.slave = new Pic8259((level) => this.master.setLine(CASCADE_LINE, level));
  }

  /** Whether the pair asks the processor for an interrupt. */
  get requesting(): boolean {
    return this.#requesting;
  }

  /**
   * The wire of an IRQ.
   *
   * @param irq - 0 to 15, but not 2
   * @throws RangeError for another one
   */
  line(irq: number): InterruptLine {
    if (!Number.isInteger(irq) || irq < 0 || irq > 15 || irq === CASCADE_LINE) {
      throw new RangeError(`IRQ ${irq}: lines are 0 to 15, and 2 is the cascade`);
    }
    const chip = irq < 8 ? this.master : this.slave;
    return { set: (level) => chip.setLine(irq & 7, level) };
  }

  /** The processor's interrupt acknowledge: answers the vector, 0 to 255. */
  acknowledge(): number {
    const line = this.master.acknowledge();
    // A spurious request answers line 7, never the cascade, so line 2 means that the master acknowledged the slave.
    return line === CASCADE_LINE ? this.slave.vector(this.slave.acknowledge()) : this.master.vector(line);
  }

  /** Attaches the pair where a PC has it: 0x20, 0xa0, and the ELCR at 0x4d0. */
  attach(bus: Bus): Attachment[] {
    const elcr: BusDevice = {
      width: 1,
      read: (offset) => this.#elcr[offset] as number,
      write: (offset, _size, value) => {
        this.#elcr[offset] = value & (ELCR_WRITABLE >> (8 * offset));
        (offset === 0 ? this.master : this.slave).setLevelTriggered(this.#elcr[offset] as number);
      },
    };
    return [
      bus.attachPorts(0x20, 2, this.master),
      bus.attachPorts(0xa0, 2, this.slave),
      bus.attachPorts(0x4d0, 2, elcr),
    ];
  }
}
