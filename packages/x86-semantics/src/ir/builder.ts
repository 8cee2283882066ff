/**
 * The builder: what a definition of an instruction is written against. It hands out typed values, keeps queued register
 * and flag writes until the last operation that can stop the instruction, reuses equal values, drops unused ones, and
 * refuses ill-typed code at once. It knows addresses, segments and the stack; it knows no instruction.
 */
import type { Helper } from "../machine/helper.ts";
import { Intent } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import { canStop, removeUnused } from "./dataflow.ts";
import { FlagBit, STATUS_FLAGS } from "./flag.ts";
import type { Form } from "./form.ts";
import {
  type BinaryOperator,
  bitsOf,
  bytesOf,
  type CompareOperator,
  type EffectOperation,
  type FlagsKind,
  type IntegerType,
  type Ir,
  integerOfSize,
  type Operation,
  type RegisterReference,
  type RequiredState,
  type SegmentReference,
  type ShiftOperator,
  type StringElement,
  type Type,
  typeOfSize,
  type UnaryOperator,
  type ValueOperation,
} from "./operation.ts";

/** A value in a definition. */
export interface Value {
  readonly index: number;
  readonly type: Type;
}

/** A general register by its encoding number. */
export const General = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7 } as const;
export type General = (typeof General)[keyof typeof General];

/** An operand as a definition sees it: its number, its type, whether it is memory; never its encoding. */
export interface Operand {
  readonly index: number;
  readonly shape: Form["operands"][number]["shape"];
  /** Bytes. */
  readonly size: number;
}

export type FlagName = "CF" | "PF" | "AF" | "ZF" | "SF" | "OF" | "DF" | "IF" | "AC";

/** A definition: states what an instruction form does by calling the builder. */
export type Definition = (b: Builder) => void;

/** Thrown by {@link Builder.unsupported}: this form of a supported mnemonic has no meaning here. */
export class UnsupportedForm extends Error {
  override readonly name = "UnsupportedForm";
}

/** Where an operand lives, once its address is computed: read it, write it, or read it to write it. */
export class Place {
  readonly #builder: Builder;
  readonly #operand: Operand;
  readonly #address: Value | null;
  readonly #type: IntegerType | "v128";
  readonly #locked: number;

  constructor(builder: Builder, operand: Operand, address: Value | null, type: IntegerType | "v128", locked: number) {
    this.#builder = builder;
    this.#operand = operand;
    this.#address = address;
    this.#type = type;
    this.#locked = locked;
  }

  read(): Value {
    return this.#address === null
      ? this.#builder.operandRegister(this.#operand, this.#type)
      : this.#builder.load("memory", this.#address, this.#type, Intent.read | this.#locked);
  }

  /** Reads what is going to be written: write permission is asked for first. */
  modify(): Value {
    return this.#address === null
      ? this.#builder.operandRegister(this.#operand, this.#type)
      : this.#builder.load("memory", this.#address, this.#type, Intent.modify | this.#locked);
  }

  write(value: Value): void {
    if (this.#address === null) this.#builder.setOperandRegister(this.#operand, value);
    else this.#builder.store("memory", this.#address, value, Intent.write | this.#locked);
  }
}

export class Builder {
  readonly form: Form;
  readonly operands: readonly Operand[];
  readonly #operations: Operation[] = [];
  readonly #queued: EffectOperation[] = [];
  readonly #known = new Map<string, Value>();
  #depth = 0;
  #string: StringElement | null = null;
  #writesIp = false;

  constructor(form: Form) {
    this.form = form;
    this.operands = form.operands.map(({ shape, size }, index) => ({ index, shape, size }));
  }

  // ---- the instruction -------------------------------------------------------------------------------------------

  /** 64-bit mode? */
  get long(): boolean {
    return this.form.long;
  }

  /** The type of the effective operand size. */
  get operandType(): IntegerType {
    return integerOfSize(this.form.operandSize);
  }

  /** The type of the effective address size. */
  get addressType(): IntegerType {
    return integerOfSize(this.form.addressSize);
  }

  /** Operand number `index`; a definition that asks for one that the form lacks is wrong. */
  operand(index: number): Operand {
    const operand = this.operands[index];
    if (operand === undefined) throw new Error(`${this.form.mnemonic} has no operand ${index}`);
    return operand;
  }

  /** Ends the definition: this form has no meaning here. `reason` is what `supportOf` and programs tell. */
  unsupported(reason: string): never {
    throw new UnsupportedForm(reason);
  }

  /** A field of the instruction, cut to the type. */
  field(field: "immediate" | "immediate2" | "length", type: IntegerType): Value {
    return this.#value({ op: "field", type, field });
  }

  /** Number of the segment, control or debug register that an operand names. */
  registerNumber(operand: Operand): Value {
    return this.#value({ op: "registerNumber", type: "i32", operand: operand.index });
  }

  /** The low byte of the immediate at definition time; only where the family lists the mnemonic in `immediates`. */
  get immediate(): number {
    return this.#carried(this.form.immediate);
  }
  /** The same of the second immediate. */
  get immediate2(): number {
    return this.#carried(this.form.immediate2);
  }
  #carried(value: number | null): number {
    if (value === null) throw new Error(`the form of ${this.form.mnemonic} carries no such immediate`);
    return value;
  }

  // ---- values ----------------------------------------------------------------------------------------------------

  /** A constant: `low` is the low word; `high` extends its sign when left out. */
  constant(type: IntegerType | "i1", low: number, high: number = low < 0 ? -1 : 0): Value {
    const bits = bitsOf(type);
    const word = bits < 32 ? low & ((1 << bits) - 1) : low | 0;
    return this.#value({ op: "const", type, low: word, high: bits === 64 ? high | 0 : 0 });
  }

  constant128(words: readonly [number, number, number, number]): Value {
    return this.#value({ op: "const128", type: "v128", words });
  }

  #binary(op: BinaryOperator, a: Value, b: Value): Value {
    this.#same(a, b);
    return this.#value({ op, type: a.type, a: a.index, b: b.index });
  }
  add(a: Value, b: Value): Value {
    return this.#binary("add", a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.#binary("sub", a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.#binary("mul", a, b);
  }
  /** Upper 64 bits of the product of two i64. */
  mulHigh(a: Value, b: Value, signed: boolean): Value {
    return this.#binary(signed ? "mulHighSigned" : "mulHighUnsigned", a, b);
  }
  and(a: Value, b: Value): Value {
    return this.#binary("and", a, b);
  }
  or(a: Value, b: Value): Value {
    return this.#binary("or", a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.#binary("xor", a, b);
  }
  divide(a: Value, b: Value): Value {
    return this.#binary("divide", a, b);
  }
  remainder(a: Value, b: Value): Value {
    return this.#binary("remainder", a, b);
  }
  divideWide(upper: Value, lower: Value, b: Value): Value {
    return this.#value({ op: "divideWide", type: "i64", upper: upper.index, lower: lower.index, b: b.index });
  }
  remainderWide(upper: Value, lower: Value, b: Value): Value {
    return this.#value({ op: "remainderWide", type: "i64", upper: upper.index, lower: lower.index, b: b.index });
  }

  #shift(op: ShiftOperator, a: Value, count: Value): Value {
    this.#expect(count, "i32");
    if (a.type !== "i32" && a.type !== "i64") throw new TypeError(`${op} of ${a.type}`);
    return this.#value({ op, type: a.type, a: a.index, count: count.index });
  }
  /** Shifts and rotates take i32 and i64 and an i32 count, modulo the width. */
  shl(a: Value, count: Value): Value {
    return this.#shift("shl", a, count);
  }
  shr(a: Value, count: Value): Value {
    return this.#shift("shr", a, count);
  }
  sar(a: Value, count: Value): Value {
    return this.#shift("sar", a, count);
  }
  rotl(a: Value, count: Value): Value {
    return this.#shift("rotl", a, count);
  }
  rotr(a: Value, count: Value): Value {
    return this.#shift("rotr", a, count);
  }

  #compare(op: CompareOperator, a: Value, b: Value): Value {
    this.#same(a, b);
    return this.#value({ op, type: "i1", a: a.index, b: b.index });
  }
  equal(a: Value, b: Value): Value {
    return this.#compare("eq", a, b);
  }
  unsignedLess(a: Value, b: Value): Value {
    return this.#compare("ult", a, b);
  }
  signedLess(a: Value, b: Value): Value {
    return this.#compare("slt", a, b);
  }
  isZero(a: Value): Value {
    return this.equal(a, this.constant(a.type as IntegerType, 0));
  }

  #unary(op: UnaryOperator, a: Value): Value {
    return this.#value({ op, type: a.type, a: a.index });
  }
  not(a: Value): Value {
    return this.#unary("not", a);
  }
  negate(a: Value): Value {
    return this.sub(this.constant(a.type as IntegerType, 0), a);
  }
  byteSwap(a: Value): Value {
    return this.#unary("bswap", a);
  }
  countLeadingZeros(a: Value): Value {
    return this.#unary("clz", a);
  }
  countTrailingZeros(a: Value): Value {
    return this.#unary("ctz", a);
  }
  populationCount(a: Value): Value {
    return this.#unary("popcnt", a);
  }
  /** 1 when the low byte of the value has an even number of ones. */
  parity(a: Value): Value {
    return this.#value({ op: "parity", type: "i1", a: this.truncate(a, "i8").index });
  }

  /** Zero-extends to a type at least as wide. */
  zeroExtend(a: Value, type: Type): Value {
    return this.#resize("zext", a, type);
  }
  signExtend(a: Value, type: Type): Value {
    return this.#resize("sext", a, type);
  }
  /** The low bits, to a type at most as wide. */
  truncate(a: Value, type: Type): Value {
    return this.#resize("trunc", a, type);
  }
  #resize(op: "zext" | "sext" | "trunc", a: Value, type: Type): Value {
    if (a.type === type) return a;
    const wider = bitsOf(type) > bitsOf(a.type);
    if (wider !== (op !== "trunc")) throw new TypeError(`${op} from ${a.type} to ${type}`);
    return this.#value({ op, type, a: a.index } as ValueOperation);
  }
  /** Zero-extends or cuts. */
  resize(a: Value, type: Type): Value {
    return bitsOf(type) > bitsOf(a.type) ? this.zeroExtend(a, type) : this.truncate(a, type);
  }

  select(condition: Value, a: Value, b: Value): Value {
    this.#expect(condition, "i1");
    this.#same(a, b);
    return this.#value({ op: "select", type: a.type, condition: condition.index, a: a.index, b: b.index });
  }

  /** Bit number `bit` (known now) as i1. */
  bit(a: Value, bit: number): Value {
    if (bit === 0) return this.truncate(a, "i1");
    const wide = bitsOf(a.type) < 32 ? this.zeroExtend(a, "i32") : a;
    return this.truncate(this.shr(wide, this.constant("i32", bit)), "i1");
  }
  /** The highest bit as i1. */
  sign(a: Value): Value {
    return this.bit(a, bitsOf(a.type) - 1);
  }

  lane(a: Value, type: IntegerType, lane: number): Value {
    this.#expect(a, "v128");
    return this.#value({ op: "lane", type, a: a.index, lane });
  }
  withLane(a: Value, lane: number, value: Value): Value {
    this.#expect(a, "v128");
    return this.#value({ op: "withLane", type: "v128", a: a.index, lane, value: value.index });
  }
  shuffle(a: Value, b: Value, bytes: readonly number[]): Value {
    this.#expect(a, "v128");
    this.#same(a, b);
    return this.#value({ op: "shuffle", type: "v128", a: a.index, b: b.index, bytes });
  }

  // ---- registers and flags ---------------------------------------------------------------------------------------

  /** The low bytes of a general register. */
  register(number: General, type: IntegerType): Value {
    return this.registerAt(RegisterOffset.general + 8 * number, type);
  }
  setRegister(number: General, value: Value): void {
    // A 32-bit write clears the upper half; narrower ones keep the rest (Intel SDM volume 1, 3.4.1.1).
    const size = bytesOf(value.type) === 4 ? 8 : bytesOf(value.type);
    this.setRegisterAt(RegisterOffset.general + 8 * number, size, value);
  }

  /** A register by its offset in the register file. */
  registerAt(offset: number, type: Type): Value {
    return this.#value({ op: "register", type, register: { from: "fixed", offset, size: bytesOf(type) } });
  }
  setRegisterAt(offset: number, size: number, value: Value): void {
    this.#queue({ op: "setRegister", register: { from: "fixed", offset, size }, value: value.index });
  }

  /** The register that an operand names, from byte `delta` of it. */
  operandRegister(operand: Operand, type: Type, delta = 0): Value {
    const register: RegisterReference = { from: "operand", operand: operand.index, delta, size: bytesOf(type) };
    return this.#value({ op: "register", type, register });
  }
  /** The opmask of the instruction, 64 bits; only where `form.masking` says that it has one. */
  opmask(): Value {
    if (this.form.masking === "none") throw new Error(`the form of ${this.form.mnemonic} has no opmask`);
    return this.#value({ op: "register", type: "i64", register: { from: "opmask", size: 8 } });
  }
  setOperandRegister(operand: Operand, value: Value, delta = 0): void {
    const bytes = bytesOf(value.type);
    const size = operand.shape === "register" && bytes === 4 ? 8 : bytes;
    this.#queue({
      op: "setRegister",
      register: { from: "operand", operand: operand.index, delta, size },
      value: value.index,
    });
  }

  /** A flag as it was before the instruction. */
  flag(name: FlagName): Value {
    return this.#value({ op: "flag", type: "i1", bit: FlagBit[name] });
  }
  setFlags(flags: Partial<Record<FlagName, Value>>): void {
    for (const [name, value] of Object.entries(flags)) {
      this.#expect(value, "i1");
      this.#queue({ op: "setFlag", bit: FlagBit[name as FlagName], value: value.index });
    }
  }
  /** Status flags by formula; see `flag.ts`. */
  flags(kind: FlagsKind, x: Value, y: Value, r: Value, mask: number = STATUS_FLAGS): void {
    this.#same(x, r);
    this.#queue({ op: "flags", kind, type: r.type as IntegerType, x: x.index, y: y.index, r: r.index, mask });
  }

  /** Where execution goes on: checks the target, then writes RIP (zero-extended). */
  jump(target: Value): void {
    const wide = this.zeroExtend(target, "i64");
    this.checkBranch(wide);
    this.setIp(wide);
  }
  /** Goes to the target when the condition holds, else on to the next instruction. */
  jumpIf(condition: Value, target: Value): void {
    const wide = this.zeroExtend(target, "i64");
    this.when(condition, () => this.checkBranch(wide));
    const next = this.zeroExtend(this.nextIp(this.long ? "i64" : "i32"), "i64");
    this.setIp(this.select(condition, wide, next));
  }
  /** Raises #GP(0) for an i64 that is no place to continue. */
  checkBranch(target: Value): void {
    this.#expect(target, "i64");
    this.#effect({ op: "checkBranch", target: target.index });
  }
  /** Writes RIP without a check. */
  setIp(target: Value): void {
    this.#writesIp = true;
    this.setRegisterAt(RegisterOffset.rip, 8, this.zeroExtend(target, "i64"));
  }
  /** A helper that was called decides where execution goes on. */
  helperWritesIp(): void {
    this.#writesIp = true;
  }
  /** Address of the next instruction, cut to the type. */
  nextIp(type: IntegerType): Value {
    const next = this.add(this.registerAt(RegisterOffset.rip, "i64"), this.field("length", "i64"));
    return this.truncate(next, type);
  }

  // ---- memory ----------------------------------------------------------------------------------------------------

  /** Offset of the memory operand, zero-extended to i64; `stackStep` is added where its base is rSP (POP). */
  effectiveAddress(stackStep = 0): Value {
    return this.#value({ op: "effectiveAddress", type: "i64", stackStep });
  }
  linearAddress(segment: SegmentReference, offset: Value): Value {
    return this.#value({ op: "linearAddress", type: "i64", segment, offset: this.zeroExtend(offset, "i64").index });
  }
  load(segment: SegmentReference, address: Value, type: IntegerType | "v128", intent: number = Intent.read): Value {
    this.#expect(address, "i64");
    return this.#value({ op: "load", type, segment, address: address.index, intent });
  }
  /** A load that happens only when the condition holds; 0 otherwise. Unlike in {@link Builder.when} the value may be used after. */
  loadIf(condition: Value, segment: SegmentReference, address: Value, type: IntegerType | "v128"): Value {
    this.#expect(address, "i64");
    this.#expect(condition, "i1");
    const [at, chosen] = [address.index, condition.index];
    return this.#value({ op: "loadIf", type, segment, address: at, intent: Intent.read, condition: chosen });
  }
  store(segment: SegmentReference, address: Value, value: Value, intent: number = Intent.write): void {
    this.#expect(address, "i64");
    this.#effect({ op: "store", segment, address: address.index, value: value.index, intent });
  }
  probe(segment: SegmentReference, address: Value, size: number, intent: number): void {
    this.#expect(address, "i64");
    this.#effect({ op: "probe", segment, address: address.index, size, intent });
  }

  /** Linear address of the memory operand, `bytes` further on (an address-size sum, or a constant). */
  memoryAddress(bytes: Value | number = 0): Value {
    let offset = this.effectiveAddress();
    if (bytes !== 0) {
      const step = typeof bytes === "number" ? this.constant("i64", bytes) : bytes;
      offset = this.zeroExtend(this.truncate(this.add(offset, step), this.addressType), "i64");
    }
    return this.linearAddress("memory", offset);
  }

  /**
   * The operand's place; a memory operand is moved by `byteOffset` (i64) where given. Accesses are locked when the form is
   * or when `locked` says so.
   */
  place(operand: Operand, byteOffset: Value | null = null, locked: boolean = this.form.lock): Place {
    const type = typeOfSize(operand.size);
    const address = operand.shape === "memory" ? this.memoryAddress(byteOffset ?? 0) : null;
    return new Place(this, operand, address, type, locked ? Intent.locked : 0);
  }

  /** The value of an operand: register, memory (at its size), or immediate (cut to `type`, by default its own size). */
  read(operand: Operand, type: IntegerType | "v128" = typeOfSize(operand.size)): Value {
    switch (operand.shape) {
      case "immediate":
      case "branch":
        return this.field("immediate", type as IntegerType);
      case "immediate2":
        return this.field("immediate2", type as IntegerType);
      case "memory":
        return this.load("memory", this.memoryAddress(), type);
      default:
        return this.operandRegister(operand, type);
    }
  }
  write(operand: Operand, value: Value): void {
    this.place(operand).write(value);
  }

  // ---- the stack -------------------------------------------------------------------------------------------------

  /**
   * The stack pointer moved by `bytes`. Its width is 64 bits in 64-bit mode, else the B bit of SS decides between 16 and
   * 32 bits, and the bits of RSP above it stay (Intel SDM volume 1, 6.2.3).
   */
  stackPointer(bytes: number | Value): StackPointer {
    const rsp = this.register(General.rsp, "i64");
    return this.stackAt(typeof bytes === "number" && bytes === 0 ? rsp : this.add(rsp, this.#bytes(bytes)));
  }
  /** A place in the stack segment: `pointer` (i64) cut to the stack's width. */
  stackAt(pointer: Value): StackPointer {
    if (this.long) return { rsp: pointer, offset: pointer };
    const mask = this.stackMask();
    const offset = this.and(pointer, mask);
    const rsp = this.or(this.and(this.register(General.rsp, "i64"), this.not(mask)), offset);
    return { rsp, offset };
  }
  /** Mask of the stack pointer's width outside 64-bit mode, as i64. */
  stackMask(): Value {
    const attributes = this.registerAt(RegisterOffset.segments + 16 * Segment.ss + 14, "i16");
    const wide = this.bit(attributes, 14);
    return this.select(wide, this.constant("i64", -1, 0), this.constant("i64", 0xffff));
  }
  #bytes(bytes: number | Value): Value {
    return typeof bytes === "number" ? this.constant("i64", bytes) : bytes;
  }

  // ---- ports, faults, helpers ------------------------------------------------------------------------------------

  in(port: Value, type: "i8" | "i16" | "i32"): Value {
    this.#expect(port, "i16");
    return this.#value({ op: "in", type, port: port.index });
  }
  out(port: Value, value: Value): void {
    this.#expect(port, "i16");
    this.#effect({ op: "out", port: port.index, value: value.index });
  }

  faultIf(condition: Value, vector: number, errorCode = -1): void {
    this.#expect(condition, "i1");
    this.#effect({ op: "faultIf", condition: condition.index, vector, errorCode });
  }

  /** Operations that happen only when the condition holds; no register or flag write among them. */
  when(condition: Value, body: () => void): void {
    this.#expect(condition, "i1");
    this.#effect({ op: "if", condition: condition.index });
    this.#depth++;
    body();
    this.#depth--;
    this.#effect({ op: "endIf" });
  }

  /** Calls a helper; the value is words 0 and 1 of its result. */
  call(helper: Helper, a?: Value, b?: Value, c?: Value): Value {
    const argument = (value: Value | undefined): number | null =>
      value === undefined ? null : this.zeroExtend(value, "i64").index;
    return this.#value({ op: "call", type: "i64", helper, a: argument(a), b: argument(b), c: argument(c) });
  }
  /** Words 2 and 3 of a helper's result. */
  callSecond(call: Value): Value {
    return this.#value({ op: "callSecond", type: "i64", call: call.index });
  }

  /** States that this is one element of a string instruction. */
  stringElement(element: StringElement): void {
    this.#string = element;
  }

  // ---- the result ------------------------------------------------------------------------------------------------

  /** The finished Ir: queued writes at the end, unused values gone. */
  finish(requires: RequiredState | null = null): Ir {
    if (this.#depth !== 0) throw new Error("a condition is still open");
    const operations = removeUnused([...this.#operations, ...this.#queued]);
    return { form: this.form, operations, string: this.#string, writesIp: this.#writesIp, requires };
  }

  #value(operation: ValueOperation): Value {
    const stops = canStop(operation);
    const key = stops || operation.op === "callSecond" ? "" : JSON.stringify(operation);
    if (key !== "") {
      const known = this.#known.get(key);
      if (known !== undefined) return known;
    }
    const value: Value = { index: this.#operations.length, type: operation.type };
    this.#operations.push(operation);
    // A value made inside a condition may not be used after it.
    if (key !== "" && this.#depth === 0) this.#known.set(key, value);
    return value;
  }

  #effect(operation: EffectOperation): void {
    this.#operations.push(operation);
  }

  #queue(operation: EffectOperation): void {
    if (this.#depth !== 0) throw new Error("a register or flag write inside a condition");
    this.#queued.push(operation);
  }

  #same(a: Value, b: Value): void {
    if (a.type !== b.type) throw new TypeError(`${this.form.mnemonic}: ${a.type} and ${b.type} do not mix`);
  }
  #expect(a: Value, type: Type): void {
    if (a.type !== type) throw new TypeError(`${this.form.mnemonic}: ${a.type} where ${type} belongs`);
  }
}

/** A stack pointer: what RSP becomes, and the offset in the stack segment that it stands for. */
export interface StackPointer {
  readonly rsp: Value;
  readonly offset: Value;
}
