/**
 * The real-time clock and CMOS memory of a PC: an MC146818A (Motorola data sheet ADI-856R2) behind ports 0x70 (index)
 * and 0x71 (data), with 128 bytes of memory.
 *
 * The time is not counted: it is the guest clock plus an offset, put into register form when somebody looks. Not
 * modelled: daylight saving (DSE is kept and ignored) and the square-wave pin.
 */

import type { Bus } from "../bus/bus.ts";
import type { Attachment, BusDevice } from "../bus/bus-device.ts";
import { type InterruptLine, unconnectedLine } from "../interrupts/interrupt-line.ts";
import { registersToTime, timeToRegister } from "./calendar-registers.ts";
import type { ClockTimer, VirtualClock } from "./virtual-clock.ts";

const Register = {
  secondsAlarm: 1,
  minutesAlarm: 3,
  hoursAlarm: 5,
  year: 9,
  a: 10,
  b: 11,
  c: 12,
  d: 13,
  century: 0x32,
} as const;
const A = { updateInProgress: 0x80, divider: 0x70, running: 0x20, rate: 0x0f } as const;
const B = { set: 0x80, periodic: 0x40, alarm: 0x20, update: 0x10 } as const;
/** Register C; bits 6 to 4 stand where register B enables them. */
const C = { request: 0x80, periodic: 0x40, alarm: 0x20, update: 0x10 } as const;
/** Register D: valid RAM and time (the battery is good). */
const VALID = 0x80;

const SECOND = 1e9;
/** UIP goes high 244 microseconds before the update (data sheet, "update cycle"). */
const UPDATE_WARNING = 244_000;
const INDEX_MASK = 0x7f;

/** What a {@link CmosRtc} is made of. @public */
export interface CmosRtcOptions {
  /** Guest time. */
  readonly clock: VirtualClock;
  /** IRQ 8 on a PC. */
  readonly line?: InterruptLine;
  /** Time at guest time 0, milliseconds since 1970-01-01T00:00:00Z, which the registers then show as UTC. */
  readonly wallClock: number;
}

/**
 * The real-time clock.
 *
 * @example
 * ```ts
 * import { Bus, CmosRtc, VirtualClock } from "@whvkit/devices";
 * const bus = new Bus();
 * const rtc = new CmosRtc({ clock: new VirtualClock(), wallClock: Date.UTC(2000, 1, 29) });
 * rtc.attach(bus);
 * bus.writePort(0x70, 1, 0x07); // day of the month
 * bus.readPort(0x71, 1); // 0x29
 * ```
 *
 * @public
 */
export class CmosRtc implements BusDevice {
  readonly width = 1;

  readonly #clock: VirtualClock;
  readonly #line: InterruptLine;
  readonly #timer: ClockTimer;
  readonly #memory = new Uint8Array(128);
  #index = 0;
  /** Seconds since 1970 at guest time 0 (not an integer where the wall clock was not). */
  #epoch: number;
  #flags = 0;
  /** Guest time up to which the flags of register C are known. */
  #seen = 0;

  constructor(options: CmosRtcOptions) {
    this.#clock = options.clock;
    this.#line = options.line ?? unconnectedLine;
    this.#epoch = options.wallClock / 1000;
    this.#timer = options.clock.createTimer(() => this.#update());
    this.#memory[Register.a] = 0x26; // 32.768 kHz, 1024 Hz: what firmware leaves
    this.#memory[Register.b] = 0x02; // 24 hours, BCD
  }

  /** Attaches the clock at ports 0x70 and 0x71. */
  attach(bus: Bus): Attachment {
    return bus.attachPorts(0x70, 2, this);
  }

  /**
   * Puts a byte into the CMOS memory, as firmware does with its configuration.
   *
   * @param index - 0x0e to 0x7f
   * @param value - its low eight bits are kept
   * @throws RangeError for another index
   */
  setByte(index: number, value: number): void {
    if (!Number.isInteger(index) || index < 14 || index > INDEX_MASK)
      throw new RangeError(`CMOS byte ${index}: 14 to 127 are memory`);
    this.#memory[index] = value;
  }

  read(offset: number): number {
    if (offset === 0) return 0xff; // the index is write-only
    const index = this.#index;
    switch (index) {
      case Register.a:
        return (this.#memory[Register.a] as number) | (this.#updateInProgress ? A.updateInProgress : 0);
      case Register.c: {
        this.#catchUp();
        const flags = this.#flags | (this.#requesting ? C.request : 0);
        this.#flags = 0;
        this.#update();
        return flags;
      }
      case Register.d:
        return VALID;
      default:
        return this.#showsTime(index) ? timeToRegister(this.#seconds, index, this.#b) : (this.#memory[index] as number);
    }
  }

  write(offset: number, _size: number, value: number): void {
    // Bit 7 of the index port switches NMI off; nothing here raises one.
    if (offset === 0) this.#index = value & INDEX_MASK;
    else this.#writeRegister(this.#index, value);
  }

  #writeRegister(index: number, value: number): void {
    this.#catchUp();
    if (index === Register.a) {
      this.#memory[Register.a] = value & ~A.updateInProgress;
    } else if (index === Register.b) {
      this.#writeB(value);
    } else if (isTime(index)) {
      if (!this.#stopped) this.#stopTime();
      this.#memory[index] = value;
      if (!this.#stopped) this.#startTime();
    } else if (index !== Register.c && index !== Register.d) {
      this.#memory[index] = value;
    }
    this.#update();
  }

  #writeB(value: number): void {
    const wasStopped = this.#stopped;
    if ((value & B.set) !== 0 && !wasStopped) this.#stopTime();
    // "SET clears UIE" (data sheet, register B).
    this.#memory[Register.b] = (value & B.set) !== 0 ? value & ~B.update : value;
    if (wasStopped && !this.#stopped) this.#startTime();
  }

  get #b(): number {
    return this.#memory[Register.b] as number;
  }

  /** SET holds the time registers still for writing. */
  get #stopped(): boolean {
    return (this.#b & B.set) !== 0;
  }

  /** The divider chain runs with a 32.768 kHz crystal only; every other choice holds it or drives it wrongly. */
  get #running(): boolean {
    return !this.#stopped && ((this.#memory[Register.a] as number) & A.divider) === A.running;
  }

  #showsTime(index: number): boolean {
    return isTime(index) && !this.#stopped;
  }

  /** Whole seconds since 1970 that the registers show. */
  get #seconds(): number {
    return Math.floor(this.#epoch + this.#clock.now / SECOND);
  }

  #stopTime(): void {
    const seconds = this.#seconds;
    for (const index of TIME_REGISTERS) this.#memory[index] = timeToRegister(seconds, index, this.#b);
  }

  /** The time goes on from what the registers hold. */
  #startTime(): void {
    const fraction = (this.#epoch + this.#clock.now / SECOND) % 1;
    this.#epoch = registersToTime(this.#memory, this.#b) + fraction - this.#clock.now / SECOND;
  }

  get #updateInProgress(): boolean {
    return this.#running && this.#nextSecond() - this.#clock.now <= UPDATE_WARNING;
  }

  /** Guest time of the next change of the seconds. */
  #nextSecond(): number {
    return Math.max(this.#clock.now + 1, Math.ceil((this.#seconds + 1 - this.#epoch) * SECOND));
  }

  /** Nanoseconds between periodic events, `Infinity` for rate 0 (data sheet, table 5). */
  get #period(): number {
    const rate = (this.#memory[Register.a] as number) & A.rate;
    if (rate === 0 || !this.#running) return Number.POSITIVE_INFINITY;
    return (SECOND * 2 ** ((rate < 3 ? rate + 7 : rate) - 1)) / 32768;
  }

  /** Sets the flags of register C for everything that happened since the last look. */
  #catchUp(): void {
    const now = this.#clock.now;
    const then = this.#seen;
    this.#seen = now;
    if (now === then || !this.#running) return;
    if (Math.floor(now / this.#period) > Math.floor(then / this.#period)) this.#flags |= C.periodic;
    const last = this.#seconds;
    let second = Math.floor(this.#epoch + then / SECOND);
    if (last === second) return;
    this.#flags |= C.update;
    // An alarm comes once a day at the latest, so no more than a day need be searched.
    for (second = Math.max(second, last - 86_400); second < last && (this.#flags & C.alarm) === 0; ) {
      second += 1;
      if (this.#alarmMatches(second)) this.#flags |= C.alarm;
    }
  }

  /** Alarm registers of 0xc0 to 0xff are "don't care" (data sheet, "time, calendar, and alarm locations"). */
  #alarmMatches(seconds: number): boolean {
    for (const alarm of ALARM_REGISTERS) {
      const wanted = this.#memory[alarm] as number;
      if (wanted < 0xc0 && wanted !== timeToRegister(seconds, alarm - 1, this.#b)) return false;
    }
    return true;
  }

  get #requesting(): boolean {
    return (this.#flags & this.#b & (C.periodic | C.alarm | C.update)) !== 0;
  }

  /** Drives the line and comes back when an enabled interrupt may be due. */
  #update(): void {
    this.#catchUp();
    this.#line.set(this.#requesting);
    const now = this.#clock.now;
    let next = Number.POSITIVE_INFINITY;
    if (this.#running && (this.#b & (B.alarm | B.update)) !== 0) next = this.#nextSecond();
    if ((this.#b & B.periodic) !== 0 && this.#period !== Number.POSITIVE_INFINITY) {
      next = Math.min(next, Math.max(now + 1, Math.ceil((Math.floor(now / this.#period) + 1) * this.#period)));
    }
    if (next === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.schedule(next);
  }
}

/** Seconds, minutes, hours, day of the week, day, month, year, century. */
const TIME_REGISTERS: readonly number[] = [0, 2, 4, 6, 7, 8, 9, Register.century];
const ALARM_REGISTERS: readonly number[] = [Register.secondsAlarm, Register.minutesAlarm, Register.hoursAlarm];

function isTime(index: number): boolean {
  return TIME_REGISTERS.includes(index);
}
