/**
 * One 8259A programmable interrupt controller: initialization and operation command words, request, mask and
 * in-service registers, priorities. Two of them make a PC's pair (`pic-pair.ts`).
 *
 * Names and rules are those of Intel's 8259A data sheet (231468-003). Not modelled: the MCS-80/85 call sequence
 * (ICW4.µPM = 0 answers as in 8086 mode) and buffered mode, which only moves a pin.
 */
import type { BusDevice } from "../bus/bus-device.ts";

/** Bits of the command words. */
const ICW1 = { ic4: 0x01, single: 0x02, level: 0x08, init: 0x10 } as const;
const ICW4 = { autoEoi: 0x02, specialFullyNested: 0x10 } as const;
const OCW2 = { level: 0x07, eoi: 0x20, specific: 0x40, rotate: 0x80 } as const;
const OCW3 = {
  select: 0x08,
  readIsr: 0x01,
  read: 0x02,
  poll: 0x04,
  specialMask: 0x20,
  enableSpecialMask: 0x40,
} as const;

/** What the next write to the data port is; `icw1`: the mask, but nobody has initialized the chip, so it asks for nothing. */
type Expecting = "icw1" | "icw2" | "icw3" | "icw4" | "mask";

/**
 * The chip alone; ports 0 (command) and 1 (data).
 *
 * @example
 * ```ts
 * import { Pic8259 } from "@whvkit/devices";
 * const chip = new Pic8259(() => {});
 * chip.write(0, 1, 0x13); // ICW1: alone, with ICW4
 * for (const value of [0x20, 0x01, 0x00]) chip.write(1, 1, value); // ICW2: vectors from 0x20; ICW4: 8086 mode; no line masked
 * chip.setLine(3, true);
 * chip.requesting; // true
 * chip.vector(chip.acknowledge()); // 0x23
 * ```
 *
 * @public
 */
export class Pic8259 implements BusDevice {
  readonly width = 1;

  /** Follows the INT pin. */
  readonly #output: (level: boolean) => void;
  /** Lines that a slave hangs on (as ICW3 of a master says; here by wiring). */
  readonly #cascade: number;

  #lines = 0;
  /** Edges seen and not yet acknowledged. */
  #edges = 0;
  #mask = 0;
  #inService = 0;
  /** Lines that are level triggered by the board's ELCR. */
  #levelLines = 0;
  #allLevel = false;
  #lowest = 7;
  #vectorBase = 0;
  #expecting: Expecting = "icw1";
  #expectIcw4 = false;
  #single = false;
  #autoEoi = false;
  #rotateOnAutoEoi = false;
  #specialFullyNested = false;
  #specialMask = false;
  #readInService = false;
  #poll = false;

  /**
   * @param output - called with the level of INT whenever it may have changed
   * @param cascade - mask of lines that carry a slave's INT; 0 for a slave
   */
  constructor(output: (level: boolean) => void, cascade = 0) {
    this.#output = output;
    this.#cascade = cascade;
  }

  /** The level of INT: some request beats what is in service. */
  get requesting(): boolean {
    return this.#winner() >= 0;
  }

  /**
   * Interrupt request register: edge latched lines that are still high, and high level lines. A request must stay high
   * until the first INTA; one that falls before is lost (data sheet, "interrupt request").
   */
  get requests(): number {
    const level = this.#allLevel ? 0xff : this.#levelLines;
    return this.#lines & (this.#edges | level);
  }

  /** In-service register. */
  get inService(): number {
    return this.#inService;
  }

  /** Drives input IR0 to IR7. */
  setLine(line: number, level: boolean): void {
    const bit = 1 << line;
    if (level && (this.#lines & bit) === 0) this.#edges |= bit;
    this.#lines = level ? this.#lines | bit : this.#lines & ~bit;
    this.#update();
  }

  /** The board's edge/level control register for these eight lines: 1 = level. */
  setLevelTriggered(lines: number): void {
    this.#levelLines = lines;
    this.#update();
  }

  /**
   * The interrupt acknowledge cycle: puts the winner in service and answers its number 0 to 7, or 7 when the request
   * has gone meanwhile (spurious: nothing is put in service).
   */
  acknowledge(): number {
    const winner = this.#winner();
    if (winner < 0) return 7;
    const bit = 1 << winner;
    this.#edges &= ~bit;
    // INT goes low in the acknowledge cycle, so a master's edge detector sees the next request of this slave.
    this.#output(false);
    if (this.#autoEoi) {
      if (this.#rotateOnAutoEoi) this.#lowest = winner;
    } else {
      this.#inService |= bit;
    }
    this.#update();
    return winner;
  }

  /** The vector for input `line`: ICW2's upper five bits and the line. */
  vector(line: number): number {
    return this.#vectorBase | line;
  }

  read(offset: number): number {
    if (this.#poll) {
      // Poll: the read is the acknowledge; bit 7 says whether there was a request (data sheet, "poll command").
      this.#poll = false;
      return this.requesting ? 0x80 | this.acknowledge() : 0;
    }
    if (offset === 1) return this.#mask;
    return this.#readInService ? this.#inService : this.requests;
  }

  write(offset: number, _size: number, value: number): void {
    if (offset === 1) this.#writeData(value);
    else if ((value & ICW1.init) !== 0) this.#initialize(value);
    else if ((value & OCW3.select) !== 0) this.#writeOcw3(value);
    else this.#writeOcw2(value);
    this.#update();
  }

  #initialize(icw1: number): void {
    this.#edges = 0;
    this.#mask = 0;
    this.#inService = 0;
    this.#lowest = 7;
    this.#specialMask = false;
    this.#readInService = false;
    this.#poll = false;
    this.#autoEoi = false;
    this.#specialFullyNested = false;
    this.#rotateOnAutoEoi = false;
    this.#allLevel = (icw1 & ICW1.level) !== 0;
    this.#single = (icw1 & ICW1.single) !== 0;
    this.#expectIcw4 = (icw1 & ICW1.ic4) !== 0;
    this.#expecting = "icw2";
  }

  #writeData(value: number): void {
    switch (this.#expecting) {
      case "icw2":
        this.#vectorBase = value & 0xf8;
        this.#expecting = this.#single ? (this.#expectIcw4 ? "icw4" : "mask") : "icw3";
        break;
      case "icw3": // Who hangs on which line is the board's wiring here.
        this.#expecting = this.#expectIcw4 ? "icw4" : "mask";
        break;
      case "icw4":
        this.#autoEoi = (value & ICW4.autoEoi) !== 0;
        this.#specialFullyNested = (value & ICW4.specialFullyNested) !== 0;
        this.#expecting = "mask";
        break;
      default:
        this.#mask = value;
    }
  }

  #writeOcw2(value: number): void {
    const rotate = (value & OCW2.rotate) !== 0;
    const line = value & OCW2.level;
    if ((value & OCW2.eoi) !== 0) {
      const ended = (value & OCW2.specific) !== 0 ? line : this.#highestInService();
      if (ended < 0) return;
      this.#inService &= ~(1 << ended);
      if (rotate) this.#lowest = ended;
    } else if ((value & OCW2.specific) === 0) {
      this.#rotateOnAutoEoi = rotate; // 100 sets, 000 clears
    } else if (rotate) {
      this.#lowest = line; // 110: set priority; 010 is no operation
    }
  }

  #writeOcw3(value: number): void {
    if ((value & OCW3.enableSpecialMask) !== 0) this.#specialMask = (value & OCW3.specialMask) !== 0;
    // P and RR together: poll wins, the read selection stays as it was.
    if ((value & OCW3.poll) !== 0) this.#poll = true;
    else if ((value & OCW3.read) !== 0) this.#readInService = (value & OCW3.readIsr) !== 0;
  }

  /** The line that ends with a non-specific EOI: the one in service of highest priority. */
  #highestInService(): number {
    for (let i = 1; i <= 8; i++) {
      const line = (this.#lowest + i) & 7;
      if ((this.#inService & (1 << line)) === 0) continue;
      // In special mask mode a masked line is not touched by a non-specific EOI.
      if (this.#specialMask && (this.#mask & (1 << line)) !== 0) continue;
      return line;
    }
    return -1;
  }

  /** The request that INT stands for, or -1: scanned from the highest priority down to what is in service. */
  #winner(): number {
    if (this.#expecting !== "mask") return -1;
    const wanted = this.requests & ~this.#mask;
    if (wanted === 0) return -1;
    for (let i = 1; i <= 8; i++) {
      const line = (this.#lowest + i) & 7;
      const bit = 1 << line;
      if ((this.#inService & bit) !== 0) {
        // Special mask mode: only the same line is inhibited. Special fully nested: a slave may interrupt itself.
        if (this.#specialMask) continue;
        const nested = this.#specialFullyNested && (this.#cascade & bit) !== 0;
        return nested && (wanted & bit) !== 0 ? line : -1;
      }
      if ((wanted & bit) !== 0) return line;
    }
    return -1;
  }

  #update(): void {
    this.#output(this.requesting);
  }
}
