/**
 * String instructions, one element each: what REP makes of it is the driver's (`../repeat/`). Intel SDM volume 1, 7.3.9;
 * each instruction's page in volume 2.
 */
import { type Builder, type Definition, General, type Value } from "../ir/builder.ts";
import { type IntegerType, integerOfSize, type StringKind } from "../ir/operation.ts";
import { Intent } from "../machine/machine.ts";
import { Segment } from "../machine/register-file.ts";
import type { Family } from "./family.ts";
import { moveScalar } from "./vector-moves.ts";

type Size = 1 | 2 | 4 | 8;

/** [rSI] in DS or the overriding segment, [rDI] in ES, and how each moves on. */
class Element {
  readonly #b: Builder;
  readonly type: IntegerType;
  readonly #size: Size;

  constructor(b: Builder, kind: StringKind, size: Size) {
    this.#b = b;
    this.#size = size;
    this.type = integerOfSize(size);
    b.stringElement({ kind, size, addressSize: b.form.addressSize });
  }

  #index(register: General): Value {
    return this.#b.register(register, this.#b.addressType);
  }

  sourceAddress(): Value {
    return this.#b.linearAddress("memory", this.#index(General.rsi));
  }
  targetAddress(): Value {
    return this.#b.linearAddress(Segment.es, this.#index(General.rdi));
  }
  loadSource(): Value {
    return this.#b.load("memory", this.sourceAddress(), this.type);
  }
  loadTarget(): Value {
    return this.#b.load(Segment.es, this.targetAddress(), this.type);
  }
  storeTarget(value: Value): void {
    this.#b.store(Segment.es, this.targetAddress(), value);
  }

  /** Moves an index register by one element, up or down by DF, modulo the address size. */
  advance(register: General): void {
    const b = this.#b;
    const type = b.addressType;
    const step = b.select(b.flag("DF"), b.constant(type, -this.#size), b.constant(type, this.#size));
    b.setRegister(register, b.add(this.#index(register), step));
  }
}

/** Both sides are checked before anything moves: a device's byte is not read for a store that then faults. */
const movs =
  (size: Size): Definition =>
  (b) => {
    const element = new Element(b, "movs", size);
    b.probe("memory", element.sourceAddress(), size, Intent.read);
    b.probe(Segment.es, element.targetAddress(), size, Intent.write);
    element.storeTarget(element.loadSource());
    element.advance(General.rsi);
    element.advance(General.rdi);
  };

const stos =
  (size: Size): Definition =>
  (b) => {
    const element = new Element(b, "stos", size);
    element.storeTarget(b.register(General.rax, element.type));
    element.advance(General.rdi);
  };

const lods =
  (size: Size): Definition =>
  (b) => {
    const element = new Element(b, "lods", size);
    b.setRegister(General.rax, element.loadSource());
    element.advance(General.rsi);
  };

/**
 * The source minus the target (volume 2, CMPS). The source comes first, as Zen 5 shows when both fault (and as MOVS has it), and
 * both are checked before either is read.
 */
const cmps =
  (size: Size): Definition =>
  (b) => {
    const element = new Element(b, "cmps", size);
    b.probe("memory", element.sourceAddress(), size, Intent.read);
    b.probe(Segment.es, element.targetAddress(), size, Intent.read);
    const x = element.loadSource();
    const y = element.loadTarget();
    b.flags("sub", x, y, b.sub(x, y));
    element.advance(General.rsi);
    element.advance(General.rdi);
  };

const scas =
  (size: Size): Definition =>
  (b) => {
    const element = new Element(b, "scas", size);
    const x = b.register(General.rax, element.type);
    const y = element.loadTarget();
    b.flags("sub", x, y, b.sub(x, y));
    element.advance(General.rdi);
  };

const port = (b: Builder): Value => b.register(General.rdx, "i16");

/** The target is checked before the port is read, so that a fault loses no input. */
const ins =
  (size: 1 | 2 | 4): Definition =>
  (b) => {
    const element = new Element(b, "ins", size);
    b.probe(Segment.es, element.targetAddress(), size, Intent.write);
    element.storeTarget(b.in(port(b), element.type as "i8" | "i16" | "i32"));
    element.advance(General.rdi);
  };

const outs =
  (size: 1 | 2 | 4): Definition =>
  (b) => {
    const element = new Element(b, "outs", size);
    b.out(port(b), element.loadSource());
    element.advance(General.rsi);
  };

export const strings: Family = {
  name: "strings",
  requires: (form) => (form.operands.some(({ shape }) => shape === "vector") ? "sse" : null),
  meanings: {
    movsb: movs(1),
    movsw: movs(2),
    // Two instructions have each of these names: a string one and a floating-point one.
    movsd: (b) => (b.operand(0).shape === "stringDestination" ? movs(4) : moveScalar(8))(b),
    movsq: movs(8),
    stosb: stos(1),
    stosw: stos(2),
    stosd: stos(4),
    stosq: stos(8),
    lodsb: lods(1),
    lodsw: lods(2),
    lodsd: lods(4),
    lodsq: lods(8),
    cmpsb: cmps(1),
    cmpsw: cmps(2),
    cmpsd: (b) => {
      if (b.operand(0).shape !== "stringSource") b.unsupported("floating-point comparison has no meaning yet");
      cmps(4)(b);
    },
    cmpsq: cmps(8),
    scasb: scas(1),
    scasw: scas(2),
    scasd: scas(4),
    scasq: scas(8),
    insb: ins(1),
    insw: ins(2),
    insd: ins(4),
    outsb: outs(1),
    outsw: outs(2),
    outsd: outs(4),
  },
};
