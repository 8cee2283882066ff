/**
 * The 16550A serial port: registers, FIFOs, interrupt priorities, modem lines and loopback. What stands here is the
 * chip; where its bytes come from and go to is handed in.
 *
 * Transmission takes no guest time: a byte written to THR is on its way at once. Reception is paced by the guest:
 * input waits outside and moves into the FIFO as room appears, so real input never overruns (loopback can), and what
 * the guest has not read when it resets the receiver or cuts it off for loopback goes back to wait. Otherwise a driver's
 * start would swallow the beginning of what was typed ahead.
 */
import type { BusDevice } from "../bus/bus-device.ts";
import { type InterruptLine, unconnectedLine } from "../interrupts/interrupt-line.ts";
import type { ClockTimer, VirtualClock } from "../timers/virtual-clock.ts";
import { ByteQueue } from "./byte-queue.ts";
import {
  CRYSTAL_HZ,
  FCR,
  FIFO_SIZE,
  IER,
  IIR,
  LCR,
  LSR,
  MCR,
  MSR,
  Register,
  TRIGGER_LEVELS,
} from "./uart16550-registers.ts";

/** What a {@link Uart16550} is connected to. @public */
export interface Uart16550Options {
  /** Times the character timeout interrupt. */
  readonly clock: VirtualClock;
  /** The interrupt output, as gated by OUT2 on a PC's board. */
  readonly line?: InterruptLine;
  /** Takes each byte sent, cut to the word length. */
  readonly output?: (byte: number) => void;
}

/** Modem inputs while nothing is looped back: a peer that is always there. */
const CONNECTED = MSR.cts | MSR.dsr | MSR.dcd;

/**
 * A 16550A (NS16550AF). Eight byte-wide registers; on a PC at 0x3f8 with IRQ 4 (COM1) and 0x2f8 with IRQ 3 (COM2).
 *
 * @example
 * ```ts
 * import { Bus, Uart16550, VirtualClock } from "@whvkit/devices";
 * const sent: number[] = [];
 * const bus = new Bus();
 * const uart = new Uart16550({ clock: new VirtualClock(), output: (byte) => sent.push(byte) });
 * bus.attachPorts(0x3f8, 8, uart);
 * bus.writePort(0x3fb, 1, 0x03); // LCR: 8 bits
 * bus.writePort(0x3f8, 1, 0x41); // THR
 * sent; // [0x41]
 * uart.receive(new TextEncoder().encode("ok"));
 * uart.unreadInput; // 2
 * ```
 *
 * @public
 */
export class Uart16550 implements BusDevice {
  readonly width = 1;

  readonly #line: InterruptLine;
  readonly #output: (byte: number) => void;
  readonly #clock: VirtualClock;
  readonly #timeout: ClockTimer;
  /** Typed, but not yet in the receiver. */
  readonly #input = new ByteQueue();
  readonly #fifo = new Uint8Array(FIFO_SIZE);
  /** Line errors that came with each FIFO entry. */
  readonly #fifoErrors = new Uint8Array(FIFO_SIZE);
  /** 1 where the FIFO entry came from the line, 0 where it was looped back. */
  readonly #fifoFromLine = new Uint8Array(FIFO_SIZE);
  #fifoStart = 0;
  #fifoCount = 0;

  #divisor = 12;
  #ier = 0;
  #fifosEnabled = false;
  #trigger = 1;
  #lcr = 0;
  #mcr = 0;
  #scratch = 0;
  #msr = CONNECTED;
  #overrun = false;
  /** The receiver's buffer, where the last read left it (RBR read without data). */
  #receiverBuffer = 0;
  #transmitterPending = false;
  #timedOut = false;

  constructor(options: Uart16550Options) {
    this.#clock = options.clock;
    this.#line = options.line ?? unconnectedLine;
    this.#output = options.output ?? (() => undefined);
    this.#timeout = options.clock.createTimer(() => {
      this.#timedOut = this.#fifosEnabled && this.#fifoCount > 0;
      this.#update();
    });
  }

  /** Bytes that were given to {@link Uart16550.receive} and that the guest has not read yet. */
  get unreadInput(): number {
    return this.#input.length + (this.#looped ? 0 : this.#fifoCount);
  }

  /** Lets bytes arrive on the line. */
  receive(bytes: Uint8Array): void {
    this.#input.push(bytes);
    this.#refill();
    this.#update();
  }

  read(offset: number): number {
    switch (offset) {
      case Register.RBR_THR_DLL:
        return this.#latchAccess ? this.#divisor & 0xff : this.#readReceiver();
      case Register.IER_DLM:
        return this.#latchAccess ? this.#divisor >> 8 : this.#ier;
      case Register.IIR_FCR:
        return this.#readIdentification();
      case Register.LCR:
        return this.#lcr;
      case Register.MCR:
        return this.#mcr;
      case Register.LSR:
        return this.#readLineStatus();
      case Register.MSR: {
        const status = this.#msr;
        this.#msr &= ~MSR.deltas;
        this.#update();
        return status;
      }
      default:
        return this.#scratch;
    }
  }

  write(offset: number, _size: number, value: number): void {
    switch (offset) {
      case Register.RBR_THR_DLL:
        if (this.#latchAccess) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#transmit(value);
        break;
      case Register.IER_DLM:
        if (this.#latchAccess) this.#divisor = (this.#divisor & 0x00ff) | (value << 8);
        else this.#enableInterrupts(value & IER.writable);
        break;
      case Register.IIR_FCR:
        this.#controlFifos(value);
        break;
      case Register.LCR:
        this.#controlLine(value);
        break;
      case Register.MCR:
        this.#controlModem(value & MCR.writable);
        break;
      case Register.SCR:
        this.#scratch = value;
        break;
      default: // LSR and MSR: "intended for read operations only" (data sheet, 8.5); writes are factory tests.
        return;
    }
    this.#update();
  }

  get #latchAccess(): boolean {
    return (this.#lcr & LCR.divisorLatchAccess) !== 0;
  }

  get #looped(): boolean {
    return (this.#mcr & MCR.loop) !== 0;
  }

  get #capacity(): number {
    return this.#fifosEnabled ? FIFO_SIZE : 1;
  }

  /** Words of five to eight bits. */
  get #wordMask(): number {
    return (0x20 << (this.#lcr & LCR.wordLength)) - 1;
  }

  #readReceiver(): number {
    if (this.#fifoCount > 0) {
      this.#receiverBuffer = (this.#fifo[this.#fifoStart] as number) & this.#wordMask;
      this.#fifoStart = (this.#fifoStart + 1) % FIFO_SIZE;
      this.#fifoCount -= 1;
      this.#restartTimeout();
      this.#refill();
      this.#update();
    }
    return this.#receiverBuffer;
  }

  #readIdentification(): number {
    const source = this.#source();
    // Reading IIR clears the transmitter interrupt, when it is the one reported (data sheet, table III).
    if (source === IIR.transmitterEmpty) {
      this.#transmitterPending = false;
      this.#update();
    }
    return source | (this.#fifosEnabled ? IIR.fifosEnabled : 0);
  }

  #readLineStatus(): number {
    const status = this.#lineStatus();
    this.#overrun = false;
    if (this.#fifoCount > 0) this.#fifoErrors[this.#fifoStart] = 0;
    this.#update();
    return status;
  }

  #lineStatus(): number {
    let status: number = LSR.holdingEmpty | LSR.transmitterEmpty;
    if (this.#overrun) status |= LSR.overrun;
    if (this.#fifoCount === 0) return status;
    status |= LSR.dataReady | (this.#fifoErrors[this.#fifoStart] as number);
    if (this.#fifosEnabled) {
      for (let i = 0; i < this.#fifoCount; i++) {
        if (this.#fifoErrors[(this.#fifoStart + i) % FIFO_SIZE] !== 0) status |= LSR.fifoError;
      }
    }
    return status;
  }

  #transmit(value: number): void {
    const character = value & this.#wordMask;
    if (this.#looped) this.#arrive(character, 0, 0);
    else this.#output(character);
    // The byte has left by now: the holding register went full and empty again, which is an event of its own.
    this.#transmitterPending = true;
  }

  #enableInterrupts(value: number): void {
    // Enabling the transmitter interrupt while THR is empty raises it at once (data sheet, 8.6, with THRE set).
    if ((value & ~this.#ier & IER.transmitterEmpty) !== 0) this.#transmitterPending = true;
    this.#ier = value;
  }

  #controlFifos(value: number): void {
    const enable = (value & FCR.enable) !== 0;
    // Changing FCR0 either way empties the FIFOs (8.5).
    if (enable !== this.#fifosEnabled || (enable && (value & FCR.resetReceiver) !== 0)) this.#clearReceiver();
    this.#fifosEnabled = enable;
    // The other bits are programmed only when FCR0 is written as 1.
    this.#trigger = enable ? (TRIGGER_LEVELS[value >> FCR.triggerShift] as number) : 1;
    this.#refill();
  }

  #clearReceiver(): void {
    this.#returnInput();
    this.#fifoCount = 0;
    this.#timedOut = false;
    this.#timeout.cancel();
  }

  /** Puts received bytes that nobody read back in front of the waiting ones. */
  #returnInput(): void {
    for (let i = this.#fifoCount - 1; i >= 0; i--) {
      const entry = (this.#fifoStart + i) % FIFO_SIZE;
      if (this.#fifoFromLine[entry] === 1) this.#input.unshift(this.#fifo[entry] as number);
    }
  }

  #controlLine(value: number): void {
    const startsBreak = (value & ~this.#lcr & LCR.setBreak) !== 0;
    this.#lcr = value;
    // In loopback the break reaches the receiver: one zero character with the break bit (8.4.5).
    if (startsBreak && this.#looped) this.#arrive(0, LSR.break | LSR.framing, 0);
  }

  #controlModem(value: number): void {
    if ((value & ~this.#mcr & MCR.loop) !== 0) this.#clearReceiver();
    this.#mcr = value;
    const levels = this.#looped ? loopedLevels(value) : CONNECTED;
    const changed = levels ^ this.#msr;
    let deltas = this.#msr & MSR.deltas;
    if ((changed & MSR.cts) !== 0) deltas |= MSR.deltaCts;
    if ((changed & MSR.dsr) !== 0) deltas |= MSR.deltaDsr;
    if ((changed & MSR.dcd) !== 0) deltas |= MSR.deltaDcd;
    // Only the end of a ring is an event: RI going from active to inactive.
    if ((changed & this.#msr & MSR.ri) !== 0) deltas |= MSR.trailingRi;
    this.#msr = levels | deltas;
    this.#refill();
  }

  /** Moves waiting input into the receiver as far as there is room; in loopback the line is cut off. */
  #refill(): void {
    if (this.#looped) return;
    while (this.#fifoCount < this.#capacity && this.#input.length > 0) {
      this.#arrive(this.#input.shift(), 0, 1);
    }
  }

  /** A character reaches the receiver. */
  #arrive(character: number, errors: number, fromLine: 0 | 1): void {
    if (this.#fifoCount === this.#capacity) {
      // A full FIFO keeps its bytes and loses the new one; the single buffer is overwritten (8.4.3, OE).
      this.#overrun = true;
      if (!this.#fifosEnabled) this.#fifo[this.#fifoStart] = character;
      return;
    }
    const end = (this.#fifoStart + this.#fifoCount) % FIFO_SIZE;
    this.#fifo[end] = character;
    this.#fifoErrors[end] = errors;
    this.#fifoFromLine[end] = fromLine;
    this.#fifoCount += 1;
    this.#restartTimeout();
  }

  /** Four character times without a byte in or out while some wait: the timeout interrupt (8.8, FIFO interrupt mode). */
  #restartTimeout(): void {
    this.#timedOut = false;
    if (!this.#fifosEnabled || this.#fifoCount === 0) {
      this.#timeout.cancel();
      return;
    }
    const bits =
      1 + // start
      5 +
      (this.#lcr & LCR.wordLength) +
      ((this.#lcr & LCR.parityEnable) !== 0 ? 1 : 0) +
      ((this.#lcr & LCR.twoStopBits) !== 0 ? 2 : 1);
    const nanosecondsPerBit = (16e9 * Math.max(1, this.#divisor)) / CRYSTAL_HZ;
    this.#timeout.schedule(this.#clock.now + Math.round(4 * bits * nanosecondsPerBit));
  }

  /** The pending enabled interrupt of highest priority, as IIR bits 3 to 0. */
  #source(): number {
    if ((this.#ier & IER.lineStatus) !== 0 && (this.#lineStatus() & LSR.errors) !== 0) return IIR.lineStatus;
    if ((this.#ier & IER.receivedData) !== 0) {
      if (this.#fifoCount >= (this.#fifosEnabled ? this.#trigger : 1)) return IIR.receivedData;
      if (this.#timedOut) return IIR.characterTimeout;
    }
    if ((this.#ier & IER.transmitterEmpty) !== 0 && this.#transmitterPending) return IIR.transmitterEmpty;
    if ((this.#ier & IER.modemStatus) !== 0 && (this.#msr & MSR.deltas) !== 0) return IIR.modemStatus;
    return IIR.none;
  }

  /**
   * A PC wires the interrupt through OUT2, and loopback holds the modem outputs inactive (8.4.5), so a looped port
   * interrupts nobody.
   */
  #update(): void {
    const connected = (this.#mcr & MCR.out2) !== 0 && !this.#looped;
    this.#line.set(connected && this.#source() !== IIR.none);
  }
}

/** Loopback connects RTS to CTS, DTR to DSR, OUT1 to RI and OUT2 to DCD (data sheet, 8.4.5). */
function loopedLevels(mcr: number): number {
  return (
    ((mcr & MCR.rts) !== 0 ? MSR.cts : 0) |
    ((mcr & MCR.dtr) !== 0 ? MSR.dsr : 0) |
    ((mcr & MCR.out1) !== 0 ? MSR.ri : 0) |
    ((mcr & MCR.out2) !== 0 ? MSR.dcd : 0)
  );
}
