/**
 * The ACPI fixed power management registers that a guest needs to switch the machine off and to tell time: the PM1
 * event and control blocks and the PM timer (ACPI specification 6.5, sections 4.8.3.1 to 4.8.3.3).
 *
 * Not modelled: sleep states other than S5, and general-purpose events. The power button is a method, not a pin.
 */

import type { Bus } from "../bus/bus.ts";
import type { Attachment, BusDevice } from "../bus/bus-device.ts";
import { type InterruptLine, unconnectedLine } from "../interrupts/interrupt-line.ts";
import type { VirtualClock } from "../timers/virtual-clock.ts";

/** Offsets from the base port. */
const Offset = { status: 0, enable: 2, control: 4, timer: 8 } as const;
/** Ports that the block takes. */
const BLOCK_SIZE = 12;
/** PM1 status and enable registers. */
const Event = { timer: 0x0001, globalLock: 0x0020, powerButton: 0x0100, wake: 0x8000 } as const;
const EVENTS = Event.timer | Event.globalLock | Event.powerButton;
/** PM1 control register: SLP_TYPx in bits 12 to 10, SLP_EN in bit 13 (write-only). */
const Control = { acpiEnabled: 0x0001, sleepTypeShift: 10, sleepType: 0x1c00, sleepEnable: 0x2000 } as const;
/** The value of SLP_TYPx that this board's \_S5 object names. @public */
export const SLEEP_TYPE_SOFT_OFF = 0;
/** The PM timer counts at 3.579545 MHz, 24 bits wide. */
const PM_TIMER_HZ = 3_579_545;
const PM_TIMER_MASK = 0xffffff;
/** TMR_STS is set when the timer's highest bit changes. */
const PM_TIMER_HALF = 0x800000;

/** What an {@link AcpiPowerManagement} is connected to. @public */
export interface AcpiPowerManagementOptions {
  /** Guest time. */
  readonly clock: VirtualClock;
  /** SCI: IRQ 9 on a PC. */
  readonly line?: InterruptLine;
  /** The guest entered S5: it wants to be switched off. */
  readonly powerOff: () => void;
}

/**
 * PM1a event block (status, enable), PM1a control block and PM timer in twelve ports; customarily from 0x600 on, so
 * that writing 0x2000 to port 0x604 switches the machine off.
 *
 * @example
 * ```ts
 * import { AcpiPowerManagement, Bus, VirtualClock } from "@whvkit/devices";
 * let on = true;
 * const bus = new Bus();
 * const power = new AcpiPowerManagement({ clock: new VirtualClock(), powerOff: () => (on = false) });
 * power.attach(bus); // ports 0x600 to 0x60b
 * bus.writePort(0x604, 2, 0x2000); // SLP_EN
 * on; // false
 * ```
 *
 * @public
 */
export class AcpiPowerManagement implements BusDevice {
  readonly width = 4;

  readonly #clock: VirtualClock;
  readonly #line: InterruptLine;
  readonly #powerOff: () => void;
  readonly #timer: { schedule(deadline: number): void; cancel(): void };
  #status = 0;
  #enable = 0;
  /** SCI_EN is always set: there is no system management firmware to hand over from. */
  #control: number = Control.acpiEnabled;
  /** Halves of the timer's cycle that TMR_STS has taken note of. */
  #halvesSeen = 0;

  constructor(options: AcpiPowerManagementOptions) {
    this.#clock = options.clock;
    this.#line = options.line ?? unconnectedLine;
    this.#powerOff = options.powerOff;
    this.#timer = options.clock.createTimer(() => this.#update());
  }

  /** Attaches the block at `base`, a multiple of 4. */
  attach(bus: Bus, base = 0x600): Attachment {
    return bus.attachPorts(base, BLOCK_SIZE, this);
  }

  /** Someone presses the power button: the guest is told, if it listens. */
  pressPowerButton(): void {
    this.#status |= Event.powerButton;
    this.#update();
  }

  read(offset: number, size: number): number {
    // Registers are 2 bytes, the timer 4; wider and narrower reads see the bytes where they lie.
    let value = 0;
    this.#noticeTimer();
    for (let i = 0; i < size; i++) value |= this.#byte(offset + i) << (8 * i);
    return value >>> 0;
  }

  write(offset: number, size: number, value: number): void {
    this.#noticeTimer();
    for (let i = 0; i < size; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff);
    this.#update();
  }

  #byte(offset: number): number {
    if (offset >= Offset.timer) return (this.#timerValue >>> (8 * (offset - Offset.timer))) & 0xff;
    const register = offset & ~1;
    const value =
      register === Offset.status
        ? this.#status
        : register === Offset.enable
          ? this.#enable
          : register === Offset.control
            ? this.#control
            : 0;
    return (value >> (8 * (offset & 1))) & 0xff;
  }

  #writeByte(offset: number, byte: number): void {
    const shift = 8 * (offset & 1);
    const bits = byte << shift;
    const kept = ~(0xff << shift);
    switch (offset & ~1) {
      case Offset.status: // write 1 to clear
        this.#status &= ~(bits & (EVENTS | Event.wake));
        break;
      case Offset.enable:
        this.#enable = ((this.#enable & kept) | bits) & EVENTS;
        break;
      case Offset.control:
        this.#control = ((this.#control & kept) | bits | Control.acpiEnabled) & ~Control.sleepEnable & 0xffff;
        if ((bits & Control.sleepEnable) !== 0) this.#sleep();
        break;
      default: // The timer is read-only.
    }
  }

  #sleep(): void {
    const type = (this.#control & Control.sleepType) >> Control.sleepTypeShift;
    if (type === SLEEP_TYPE_SOFT_OFF) this.#powerOff();
  }

  get #ticks(): number {
    const seconds = Math.floor(this.#clock.now / 1e9);
    return seconds * PM_TIMER_HZ + Math.floor(((this.#clock.now - seconds * 1e9) * PM_TIMER_HZ) / 1e9);
  }

  get #timerValue(): number {
    return this.#ticks % (PM_TIMER_MASK + 1);
  }

  #noticeTimer(): void {
    const halves = Math.floor(this.#ticks / PM_TIMER_HALF);
    if (halves > this.#halvesSeen) this.#status |= Event.timer;
    this.#halvesSeen = halves;
  }

  /** Drives SCI and comes back when the timer's highest bit changes, if anybody wants to know. */
  #update(): void {
    this.#noticeTimer();
    this.#line.set((this.#status & this.#enable) !== 0);
    if ((this.#enable & Event.timer) === 0) {
      this.#timer.cancel();
      return;
    }
    const ticks = (this.#halvesSeen + 1) * PM_TIMER_HALF;
    const seconds = Math.floor(ticks / PM_TIMER_HZ);
    this.#timer.schedule(seconds * 1e9 + Math.ceil(((ticks - seconds * PM_TIMER_HZ) * 1e9) / PM_TIMER_HZ));
  }
}
