// Held to the PC16550D data sheet (National Semiconductor, June 1995); section numbers are its own.
import { beforeEach, describe, expect, it } from "vitest";
import { Bus, Uart16550, VirtualClock } from "../../src/index.ts";

const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7];
const FCR = IIR;
const OUT2 = 0x08;
const LOOP = 0x10;

let clock: VirtualClock;
let level: boolean;
let sent: number[];
let uart: Uart16550;
let bus: Bus;

beforeEach(() => {
  clock = new VirtualClock();
  level = false;
  sent = [];
  uart = new Uart16550({ clock, line: { set: (to) => (level = to) }, output: (byte) => sent.push(byte) });
  bus = new Bus();
  bus.attachPorts(0, 8, uart);
});

const read = (register: number): number => bus.readPort(register, 1);
const write = (register: number, value: number): void => bus.writePort(register, 1, value);
const type = (text: string): void => uart.receive(new TextEncoder().encode(text));
const take = (count: number): string => String.fromCharCode(...Array.from({ length: count }, () => read(DATA)));

describe("registers", () => {
  it("comes out of reset as table I says", () => {
    expect([read(IER), read(IIR), read(LCR), read(MCR), read(LSR)]).toEqual([0, 0x01, 0, 0, 0x60]);
    expect(level).toBe(false);
  });

  it("keeps the writable bits of IER and MCR and all of SCR", () => {
    for (const register of [IER, MCR, SCR]) write(register, 0xff);
    expect([read(IER), read(MCR), read(SCR)]).toEqual([0x0f, 0x1f, 0xff]);
  });

  it("shows the divisor latch at offsets 0 and 1 while DLAB is set, and leaves the other registers alone", () => {
    write(LCR, 0x83);
    write(DATA, 0x34);
    write(IER, 0x12);
    expect([read(DATA), read(IER)]).toEqual([0x34, 0x12]);
    write(LCR, 0x03);
    expect(read(IER)).toBe(0);
    expect(sent).toEqual([]);
  });

  it("sends what is written to THR, cut to the word length", () => {
    write(LCR, 0x03);
    write(DATA, 0xc1);
    write(LCR, 0x02);
    write(DATA, 0xc1);
    expect(sent).toEqual([0xc1, 0x41]);
    expect(read(LSR)).toBe(0x60);
  });

  it("ignores writes to LSR and MSR", () => {
    write(LSR, 0xff);
    write(MSR, 0xff);
    expect([read(LSR), read(MSR)]).toEqual([0x60, 0xb0]);
  });
});

describe("receiver", () => {
  beforeEach(() => write(LCR, 3));

  it("holds one byte without FIFOs and lets the rest wait", () => {
    type("abc");
    expect(read(LSR) & 1).toBe(1);
    expect(take(3)).toBe("abc");
    expect(read(LSR) & 1).toBe(0);
    expect(uart.unreadInput).toBe(0);
  });

  it("never loses input that comes faster than it is read", () => {
    write(FCR, 0x01);
    const text = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(33 + (i % 90))).join("");
    type(text);
    expect(uart.unreadInput).toBe(1000);
    expect(take(1000)).toBe(text);
    expect(read(LSR)).toBe(0x60);
  });

  it("keeps what was typed ahead when a driver resets the FIFOs or tries loopback", () => {
    type("hello");
    write(FCR, 0x07);
    write(MCR, LOOP);
    write(DATA, 0xae);
    expect(read(DATA)).toBe(0xae);
    write(MCR, 0);
    write(FCR, 0x00);
    expect(take(5)).toBe("hello");
  });

  it("answers the last byte again when nothing has come", () => {
    type("x");
    expect(take(2)).toBe("xx");
  });
});

describe("interrupts", () => {
  beforeEach(() => {
    write(LCR, 3);
    write(MCR, OUT2);
  });

  it("reach the line only through OUT2", () => {
    write(MCR, 0);
    write(IER, 0x01);
    type("a");
    expect(read(IIR)).toBe(0x04);
    expect(level).toBe(false);
    write(MCR, OUT2);
    expect(level).toBe(true);
    read(DATA);
    expect(level).toBe(false);
  });

  it.each([
    [0x00, 1],
    [0x40, 4],
    [0x80, 8],
    [0xc0, 14],
  ])("with trigger bits 0x%s come at %i bytes in the FIFO (8.5)", (bits, count) => {
    write(FCR, 0x01 | bits);
    write(IER, 0x01);
    for (let i = 1; i < count; i++) {
      type("a");
      expect(read(IIR)).toBe(0xc1);
    }
    type("a");
    expect([read(IIR), level]).toEqual([0xc4, true]);
    read(DATA);
    expect(read(IIR)).toBe(0xc1);
  });

  it("report bytes below the trigger level after four character times (8.8)", () => {
    write(LCR, 0x83);
    write(DATA, 1); // 115200 baud
    write(IER, 0);
    write(LCR, 0x03); // 8 data bits, no parity, 1 stop bit: 10 bits, 4 characters are 347,222 ns
    write(FCR, 0xc1);
    write(IER, 0x01);
    type("ab");
    clock.advanceTo(347_221);
    expect(read(IIR)).toBe(0xc1);
    clock.advanceTo(347_223);
    expect([read(IIR), level]).toEqual([0xcc, true]);
    read(DATA);
    expect(read(IIR)).toBe(0xc1);
    clock.advanceTo(1_000_000);
    expect(read(IIR)).toBe(0xcc);
    read(DATA);
    expect([read(IIR), level]).toEqual([0xc1, false]);
  });

  it("of the transmitter come when enabled, with every byte sent, and go when IIR reports them (8.6)", () => {
    write(IER, 0x02);
    expect(level).toBe(true);
    expect(read(IIR)).toBe(0x02);
    expect([read(IIR), level]).toEqual([0x01, false]);
    write(DATA, 65);
    expect(level).toBe(true);
    expect([read(IIR), read(IIR)]).toEqual([0x02, 0x01]);
  });

  it("are reported by priority: line status, data, transmitter, modem (table III)", () => {
    write(MCR, LOOP);
    read(MSR);
    write(IER, 0x0f);
    write(DATA, 1); // into the receiver, and the transmitter is empty again
    write(DATA, 2); // overrun
    write(MCR, LOOP | 0x01); // DTR looped to DSR
    expect(read(IIR)).toBe(0x06);
    expect(read(LSR)).toBe(0x63);
    expect(read(IIR)).toBe(0x04);
    expect(read(DATA)).toBe(2);
    expect(read(IIR)).toBe(0x02);
    expect(read(IIR)).toBe(0x00);
    expect(read(MSR)).toBe(0x22);
    expect(read(IIR)).toBe(0x01);
  });
});

describe("loopback (8.4.5)", () => {
  it.each([
    ["DTR to DSR", 0x01, 0x20],
    ["RTS to CTS", 0x02, 0x10],
    ["OUT1 to RI", 0x04, 0x40],
    ["OUT2 to DCD", 0x08, 0x80],
  ])("connects %s", (_name, output, input) => {
    write(MCR, LOOP);
    read(MSR);
    write(MCR, LOOP | output);
    expect(read(MSR) & 0xf0).toBe(input);
  });

  it("notes changes of the modem inputs once, and of RI only the end", () => {
    write(MCR, LOOP);
    expect(read(MSR)).toBe(0x0b); // CTS, DSR and DCD of the peer went away
    write(MCR, LOOP | 0x04);
    expect(read(MSR)).toBe(0x40);
    write(MCR, LOOP);
    expect(read(MSR)).toBe(0x04);
    expect(read(MSR)).toBe(0x00);
  });

  it("brings sent bytes back and sends nothing out; a full FIFO keeps its bytes and loses the new one", () => {
    write(LCR, 3);
    write(FCR, 0x01);
    write(MCR, LOOP);
    for (let i = 0; i < 17; i++) write(DATA, i);
    expect(sent).toEqual([]);
    expect(read(LSR)).toBe(0x63);
    expect(read(LSR)).toBe(0x61);
    expect(Array.from({ length: 16 }, () => read(DATA))).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(read(LSR)).toBe(0x60);
  });

  it("receives a break as a zero with BI and FE, which the FIFO error bit announces", () => {
    write(FCR, 0x01);
    write(MCR, LOOP);
    write(LCR, 0x43);
    expect(read(LSR)).toBe(0x60 | 0x80 | 0x10 | 0x08 | 0x01);
    expect(read(LSR)).toBe(0x61);
    expect(read(DATA)).toBe(0);
  });

  it("keeps the interrupt line low", () => {
    write(IER, 0x02);
    write(MCR, LOOP | OUT2);
    expect(level).toBe(false);
  });
});
