/**
 * The 8254 programmable interval timer of a PC: command port, byte order, latches and read-back for its three counters,
 * and port 0x61, which gates counter 2 and shows its output. How a counter counts is `pit-counter.ts`.
 *
 * Rules: Intel 8254 data sheet (231164-005), "Write operations" and "Read operations".
 */

import type { Bus } from "../bus/bus.ts";
import type { Attachment, BusDevice } from "../bus/bus-device.ts";
import { type InterruptLine, unconnectedLine } from "../interrupts/interrupt-line.ts";
import { PitCounter } from "./pit-counter.ts";
import type { ClockTimer, VirtualClock } from "./virtual-clock.ts";

/** Input clock of a PC's 8254, hertz: a twelfth of 14.31818 MHz. @public */
export const PIT_HZ = 1_193_182;

/** Control word: SC1 SC0 | RW1 RW0 | M2 M1 M0 | BCD. */
const CONTROL_PORT = 3;
const READ_BACK = 3;
const Access = { latch: 0, low: 1, high: 2, lowThenHigh: 3 } as const;
/** Read-back command: these bits are active low. */
const ReadBack = { skipCount: 0x20, skipStatus: 0x10, firstCounter: 0x02 } as const;
/** Status byte of the read-back command. */
const Status = { out: 0x80, nullCount: 0x40, accessShift: 4, modeShift: 1, bcd: 0x01 } as const;
/** Port 0x61. */
const PortB = { gate2: 0x01, writable: 0x0f, refresh: 0x10, out2: 0x20 } as const;
/** The refresh request toggles about every 15 microseconds. */
const REFRESH_NANOSECONDS = 15_085;

/** What a {@link Pit8254} is connected to. @public */
export interface Pit8254Options {
  /** Guest time. */
  readonly clock: VirtualClock;
  /** OUT of counter 0: IRQ 0 on a PC. */
  readonly line?: InterruptLine;
}

/**
 * The interval timer: counter 0 drives IRQ 0, counter 1 is the old memory refresh, counter 2 the speaker.
 *
 * @example
 * ```ts
 * import { Bus, Pit8254, VirtualClock } from "@whvkit/devices";
 * const bus = new Bus();
 * const clock = new VirtualClock();
 * const levels: boolean[] = [];
 * new Pit8254({ clock, line: { set: (level) => levels.push(level) } }).attach(bus);
 * bus.writePort(0x43, 1, 0x30); // counter 0, both bytes, mode 0
 * bus.writePort(0x40, 1, 0x34);
 * bus.writePort(0x40, 1, 0x12);
 * clock.advanceTo(1e9);
 * levels.at(-1); // true
 * ```
 *
 * @public
 */
export class Pit8254 implements BusDevice {
  readonly width = 1;
  /** Port 0x61, to be attached by itself on boards that put it elsewhere. */
  readonly systemControlPortB: BusDevice;

  readonly #clock: VirtualClock;
  readonly #line: InterruptLine;
  readonly #timer: ClockTimer;
  readonly #channels: readonly Channel[];
  #portB = 0;

  constructor(options: Pit8254Options) {
    this.#clock = options.clock;
    this.#line = options.line ?? unconnectedLine;
    this.#channels = [new Channel(true), new Channel(true), new Channel(false)];
    this.#timer = options.clock.createTimer(() => this.#follow());
    this.#line.set(true);
    this.systemControlPortB = {
      width: 1,
      read: () => this.#readPortB(),
      write: (_offset, _size, value) => this.#writePortB(value),
    };
  }

  /** Attaches the timer at ports 0x40 to 0x43 and port 0x61. */
  attach(bus: Bus): Attachment[] {
    return [bus.attachPorts(0x40, 4, this), bus.attachPorts(0x61, 1, this.systemControlPortB)];
  }

  /** The level of a counter's OUT pin now, counters 0 to 2. */
  output(counter: 0 | 1 | 2): boolean {
    const channel = this.#channels[counter] as Channel;
    channel.counter.advance(this.#tick);
    return channel.counter.out;
  }

  read(offset: number): number {
    if (offset === CONTROL_PORT) return 0xff; // "No-operation (3-state)"
    const channel = this.#channels[offset] as Channel;
    channel.counter.advance(this.#tick);
    return channel.read(this.#tick);
  }

  write(offset: number, _size: number, value: number): void {
    const tick = this.#tick;
    for (const channel of this.#channels) channel.counter.advance(tick);
    if (offset !== CONTROL_PORT) (this.#channels[offset] as Channel).write(value, tick);
    else if (value >> 6 === READ_BACK) this.#readBack(value, tick);
    else (this.#channels[value >> 6] as Channel).control(value, tick);
    this.#follow();
  }

  get #tick(): number {
    return ticksAt(this.#clock.now);
  }

  #readBack(command: number, tick: number): void {
    for (let i = 0; i < 3; i++) {
      if ((command & (ReadBack.firstCounter << i)) === 0) continue;
      const channel = this.#channels[i] as Channel;
      if ((command & ReadBack.skipCount) === 0) channel.latchCount(tick);
      if ((command & ReadBack.skipStatus) === 0) channel.latchStatus();
    }
  }

  /** Drives the interrupt line with counter 0's OUT and comes back when it changes next. */
  #follow(): void {
    const counter = (this.#channels[0] as Channel).counter;
    counter.advance(this.#tick);
    this.#line.set(counter.out);
    const next = counter.nextEvent;
    if (next === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.schedule(nanosecondsAt(next));
  }

  #readPortB(): number {
    const refresh = Math.floor(this.#clock.now / REFRESH_NANOSECONDS) % 2 === 1;
    return this.#portB | (refresh ? PortB.refresh : 0) | (this.output(2) ? PortB.out2 : 0);
  }

  #writePortB(value: number): void {
    this.#portB = value & PortB.writable;
    const { counter } = this.#channels[2] as Channel;
    counter.advance(this.#tick);
    counter.setGate((value & PortB.gate2) !== 0, this.#tick);
  }
}

/** A counter behind its port: byte order, latches and status. */
class Channel {
  readonly counter: PitCounter;
  #access: number = Access.lowThenHigh;
  #writtenLow = -1;
  #readHighNext = false;
  /** A latched count, -1 when none is. */
  #latchedCount = -1;
  #latchedStatus = -1;

  constructor(gate: boolean) {
    this.counter = new PitCounter(gate);
  }

  control(word: number, tick: number): void {
    const access = (word >> 4) & 3;
    if (access === Access.latch) {
      this.latchCount(tick);
      return;
    }
    this.#access = access;
    this.#writtenLow = -1;
    this.#readHighNext = false;
    this.#latchedCount = -1;
    this.#latchedStatus = -1;
    this.counter.setMode((word >> 1) & 7, (word & 1) !== 0);
  }

  /** A count stays latched until it is read; latching again meanwhile does nothing. */
  latchCount(tick: number): void {
    if (this.#latchedCount < 0) this.#latchedCount = this.counter.count(tick);
  }

  latchStatus(): void {
    if (this.#latchedStatus >= 0) return;
    const { counter } = this;
    this.#latchedStatus =
      (counter.out ? Status.out : 0) |
      (counter.nullCount ? Status.nullCount : 0) |
      (this.#access << Status.accessShift) |
      (counter.mode << Status.modeShift) |
      (counter.bcd ? Status.bcd : 0);
  }

  write(value: number, tick: number): void {
    switch (this.#access) {
      case Access.low:
        this.counter.setCount(value, tick);
        break;
      case Access.high:
        this.counter.setCount(value << 8, tick);
        break;
      default:
        if (this.#writtenLow < 0) {
          this.#writtenLow = value;
          this.counter.beginWrite(tick);
        } else {
          this.counter.setCount(this.#writtenLow | (value << 8), tick);
          this.#writtenLow = -1;
        }
    }
  }

  /** Status first where one is latched, then the latched count, else the count as it runs. */
  read(tick: number): number {
    if (this.#latchedStatus >= 0) {
      const status = this.#latchedStatus;
      this.#latchedStatus = -1;
      return status;
    }
    const count = this.#latchedCount >= 0 ? this.#latchedCount : this.counter.count(tick);
    if (this.#access === Access.lowThenHigh && !this.#readHighNext) {
      this.#readHighNext = true;
      return count & 0xff;
    }
    this.#readHighNext = false;
    this.#latchedCount = -1;
    return this.#access === Access.low ? count & 0xff : count >> 8;
  }
}

/** Ticks of the input clock in `nanoseconds`; whole seconds apart, so that every product is exact. */
function ticksAt(nanoseconds: number): number {
  const seconds = Math.floor(nanoseconds / 1e9);
  return seconds * PIT_HZ + Math.floor(((nanoseconds - seconds * 1e9) * PIT_HZ) / 1e9);
}

/** The first nanosecond at which {@link ticksAt} answers `tick`. */
function nanosecondsAt(tick: number): number {
  const seconds = Math.floor(tick / PIT_HZ);
  return seconds * 1e9 + Math.ceil(((tick - seconds * PIT_HZ) * 1e9) / PIT_HZ);
}
