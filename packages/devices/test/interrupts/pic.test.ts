// Held to Intel's 8259A data sheet (231468-003); the pair to a PC's wiring.
import { beforeEach, describe, expect, it } from "vitest";
import { Bus, type InterruptLine, PicPair } from "../../src/index.ts";

let bus: Bus;
let pic: PicPair;
let lines: (InterruptLine | null)[];

beforeEach(() => {
  bus = new Bus();
  pic = new PicPair();
  pic.attach(bus);
  lines = Array.from({ length: 16 }, (_, irq) => (irq === 2 ? null : pic.line(irq)));
});

const out = (port: number, value: number): void => bus.writePort(port, 1, value);
const inb = (port: number): number => bus.readPort(port, 1);
const raise = (irq: number): void => lines[irq]?.set(true);
const lower = (irq: number): void => lines[irq]?.set(false);

/** The initialization that every PC operating system does; `icw4` and `icw1` vary. */
function initialize(icw4 = 0x01, icw1 = 0x11): void {
  for (const [base, vector, cascade] of [
    [0x20, 0x20, 0x04],
    [0xa0, 0x28, 0x02],
  ]) {
    out(base, icw1);
    out(base + 1, vector);
    out(base + 1, cascade);
    out(base + 1, icw4);
  }
}

describe("initialization", () => {
  it("asks for nothing before it is complete", () => {
    raise(1);
    expect(pic.requesting).toBe(false);
    out(0x20, 0x11);
    raise(0);
    expect(pic.requesting).toBe(false);
  });

  it("clears the mask and sets the vectors", () => {
    out(0x21, 0xff);
    initialize();
    expect(inb(0x21)).toBe(0);
    raise(1);
    expect([pic.requesting, pic.acknowledge()]).toEqual([true, 0x21]);
    out(0x20, 0x20);
    raise(12);
    expect(pic.acknowledge()).toBe(0x2c);
  });

  it("keeps only the upper five bits of ICW2", () => {
    out(0x20, 0x11);
    for (const word of [0x77, 0x04, 0x01]) out(0x21, word);
    raise(0);
    expect(pic.acknowledge()).toBe(0x70);
  });

  it("takes no ICW3 when single and no ICW4 when not announced", () => {
    out(0x20, 0x12);
    out(0x21, 0x40);
    out(0x21, 0xfe); // this is the mask already
    expect(inb(0x21)).toBe(0xfe);
    raise(0);
    expect(pic.acknowledge()).toBe(0x40);
  });
});

describe("requests", () => {
  beforeEach(() => initialize());

  it("go by priority: IR0 first, the slave's lines between IR1 and IR3", () => {
    for (const irq of [7, 3, 8, 15, 1, 0]) raise(irq);
    const order: number[] = [];
    while (pic.requesting) {
      const vector = pic.acknowledge();
      order.push(vector);
      if (vector >= 0x28) out(0xa0, 0x20);
      out(0x20, 0x20);
    }
    expect(order).toEqual([0x20, 0x21, 0x28, 0x2f, 0x23, 0x27]);
  });

  it("wait while something of equal or higher priority is in service", () => {
    raise(4);
    expect(pic.acknowledge()).toBe(0x24);
    raise(5);
    lower(4);
    raise(4);
    expect(pic.requesting).toBe(false);
    raise(3);
    expect([pic.requesting, pic.acknowledge()]).toEqual([true, 0x23]);
    out(0x20, 0x20); // non-specific: IR3 ends, IR4 stays
    out(0x20, 0x0b);
    expect(inb(0x20)).toBe(0x10);
    out(0x20, 0x64); // specific EOI of IR4
    expect(inb(0x20)).toBe(0x00);
    expect(pic.acknowledge()).toBe(0x24);
  });

  it("need an edge: a line that stays high asks once", () => {
    raise(4);
    pic.acknowledge();
    out(0x20, 0x20);
    expect(pic.requesting).toBe(false);
    lower(4);
    raise(4);
    expect(pic.requesting).toBe(true);
  });

  it("that fall before the acknowledge are spurious: line 7, and nothing in service", () => {
    raise(4);
    lower(4);
    expect(pic.requesting).toBe(false);
    expect(pic.acknowledge()).toBe(0x27);
    out(0x20, 0x0b);
    expect(inb(0x20)).toBe(0);
  });

  it("are hidden by the mask and come when it is lifted", () => {
    out(0x21, 0x10);
    raise(4);
    expect(pic.requesting).toBe(false);
    out(0x20, 0x0a);
    expect(inb(0x20)).toBe(0x10); // IRR shows it all the same
    out(0x21, 0x00);
    expect(pic.requesting).toBe(true);
  });

  it("of the slave come one after the other, each with its own edge to the master", () => {
    raise(9);
    raise(10);
    expect(pic.acknowledge()).toBe(0x29);
    expect(pic.requesting).toBe(false);
    out(0xa0, 0x20);
    expect(pic.requesting).toBe(false); // the master still has IR2 in service
    out(0x20, 0x20);
    expect([pic.requesting, pic.acknowledge()]).toEqual([true, 0x2a]);
  });

  it("stay as long as the level where ELCR or ICW1 says so", () => {
    out(0x4d1, 0x02);
    out(0x4d0, 0xff);
    expect([inb(0x4d0), inb(0x4d1)]).toEqual([0xf8, 0x02]);
    raise(9);
    pic.acknowledge();
    out(0xa0, 0x20);
    out(0x20, 0x20);
    expect(pic.requesting).toBe(true);
    lower(9);
    expect(pic.requesting).toBe(false);
  });
});

describe("modes", () => {
  it("automatic EOI leaves nothing in service", () => {
    initialize(0x03);
    raise(0);
    pic.acknowledge();
    out(0x20, 0x0b);
    expect(inb(0x20)).toBe(0);
    raise(7);
    expect(pic.acknowledge()).toBe(0x27);
  });

  it("automatic EOI in the slave: each of its requests reaches the master as an edge", () => {
    initialize(0x03);
    raise(9);
    raise(10);
    expect([pic.acknowledge(), pic.requesting, pic.acknowledge(), pic.requesting]).toEqual([0x29, true, 0x2a, false]);
  });

  it("rotation on non-specific EOI makes the served line the lowest", () => {
    initialize();
    raise(4);
    pic.acknowledge();
    out(0x20, 0xa0);
    lower(4);
    raise(4);
    raise(5);
    raise(3);
    expect(pic.acknowledge()).toBe(0x25);
  });

  it("rotation in automatic EOI mode is switched by 100 and 000", () => {
    initialize(0x03);
    out(0x20, 0x80);
    raise(0);
    pic.acknowledge();
    lower(0);
    raise(0);
    raise(1);
    expect(pic.acknowledge()).toBe(0x21);
    out(0x20, 0x00);
  });

  it("set priority names the lowest line", () => {
    initialize();
    out(0x20, 0xc5);
    raise(5);
    raise(6);
    expect(pic.acknowledge()).toBe(0x26);
  });

  it("special mask mode lets lower lines through, but not the one in service", () => {
    initialize();
    raise(3);
    pic.acknowledge();
    out(0x21, 0x08);
    out(0x20, 0x68);
    raise(6);
    expect(pic.acknowledge()).toBe(0x26);
    out(0x20, 0x48);
    raise(7);
    expect(pic.requesting).toBe(false);
  });

  it("special fully nested mode lets a slave interrupt its own service", () => {
    initialize(0x11);
    raise(12);
    expect(pic.acknowledge()).toBe(0x2c);
    raise(9);
    expect([pic.requesting, pic.acknowledge()]).toEqual([true, 0x29]);
  });

  it("poll acknowledges by reading", () => {
    initialize();
    out(0x20, 0x0c);
    expect(inb(0x20)).toBe(0);
    raise(5);
    out(0x20, 0x0c);
    expect(inb(0x20)).toBe(0x85);
    out(0x20, 0x0b);
    expect(inb(0x20)).toBe(0x20);
  });
});

it("has no line 2 and none beyond 15", () => {
  for (const irq of [2, -1, 16, 1.5]) expect(() => pic.line(irq)).toThrow(RangeError);
});
