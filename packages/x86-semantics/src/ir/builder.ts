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

/** A value in a definition. @public */
export interface Value {
  /** Index of the operation that made it. */
  readonly index: number;
  /** Its type. */
  readonly type: Type;
}

/** A general register by its encoding number. @public */
export const General = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7 } as const;
/** A value of {@link General}: 0 to 7. @public */
export type General = (typeof General)[keyof typeof General];

/** An operand as a definition sees it: its number, its type, whether it is memory; never its encoding. @public */
export interface Operand {
  /** Its number, from 0. */
  readonly index: number;
  /** What it is. */
  readonly shape: Form["operands"][number]["shape"];
  /** Bytes. */
  readonly size: number;
}

/** The flags of RFLAGS that definitions name. @public */
export type FlagName = "CF" | "PF" | "AF" | "ZF" | "SF" | "OF" | "DF" | "IF" | "AC";

/** A definition: states what an instruction form does by calling the builder. @public */
export type Definition = (b: Builder) => void;

/**
 * Thrown by {@link Builder.unsupported}: this form of a supported mnemonic has no meaning here.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Builder, formOf, UnsupportedForm } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0xf7, 0xd0), 0, instruction); // not eax
 * const builder = new Builder(formOf(instruction, "none"));
 * try {
 *   builder.unsupported("only an example");
 * } catch (error) {
 *   if (!(error instanceof UnsupportedForm)) throw error;
 *   error.message; // "only an example"
 * }
 * ```
 *
 * @public
 */
export class UnsupportedForm extends Error {
  /** Name of the class. */
  override readonly name = "UnsupportedForm";
}

/**
 * Where an operand lives, once its address is computed: read it, write it, or read it to write it.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Builder, formOf } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0xf7, 0x17), 0, instruction); // not dword ptr [rdi]
 * const builder = new Builder(formOf(instruction, "none"));
 * const place = builder.place(builder.operand(0)); // the address is computed and checked once
 * place.write(builder.not(place.modify()));
 * builder.finish().operations.map(({ op }) => op); // ["effectiveAddress", "linearAddress", "load", "not", "store"]
 * ```
 *
 * @public
 */
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

  /** Its value. */
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

  /** Writes it. */
  write(value: Value): void {
    if (this.#address === null) this.#builder.setOperandRegister(this.#operand, value);
    else this.#builder.store("memory", this.#address, value, Intent.write | this.#locked);
  }
}

/**
 * What a definition states the meaning of a form with: each method appends an operation. Register and flag writes are
 * queued behind the last operation that can stop the instruction.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Builder, formOf } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0xf7, 0xd0), 0, instruction); // a form with one operand: not eax
 * const builder = new Builder(formOf(instruction, "none"));
 * const operand = builder.operand(0);
 * builder.write(operand, builder.add(builder.read(operand), builder.constant("i32", 1)));
 * builder.finish().operations.map(({ op }) => op); // ["register", "const", "add", "setRegister"]
 * ```
 *
 * @public
 */
export class Builder {
  /** The form whose meaning is being stated. */
  readonly form: Form;
  /** The operands of the form, in the order of the manuals. */
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

  /**
   * An operand.
   *
   * @param index - from 0
   * @throws Error for one that the form lacks: the definition is wrong
   */
  operand(index: number): Operand {
    const operand = this.operands[index];
    if (operand === undefined) throw new Error(`${this.form.mnemonic} has no operand ${index}`);
    return operand;
  }

  /**
   * Ends the definition: this form has no meaning here.
   *
   * @param reason - what `supportOf` and programs tell
   * @throws UnsupportedForm always
   */
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

  /** A constant of 128 bits; four 32-bit words, the lowest first. */
  constant128(words: readonly [number, number, number, number]): Value {
    return this.#value({ op: "const128", type: "v128", words });
  }

  #binary(op: BinaryOperator, a: Value, b: Value): Value {
    this.#same(a, b);
    return this.#value({ op, type: a.type, a: a.index, b: b.index });
  }
  /** Sum modulo 2^width; operands of one integer type, as everywhere below. */
  add(a: Value, b: Value): Value {
    return this.#binary("add", a, b);
  }
  /** Difference modulo 2^width. */
  sub(a: Value, b: Value): Value {
    return this.#binary("sub", a, b);
  }
  /** Product modulo 2^width. */
  mul(a: Value, b: Value): Value {
    return this.#binary("mul", a, b);
  }
  /** Upper 64 bits of the product of two i64. */
  mulHigh(a: Value, b: Value, signed: boolean): Value {
    return this.#binary(signed ? "mulHighSigned" : "mulHighUnsigned", a, b);
  }
  /** Bitwise AND. */
  and(a: Value, b: Value): Value {
    return this.#binary("and", a, b);
  }
  /** Bitwise OR. */
  or(a: Value, b: Value): Value {
    return this.#binary("or", a, b);
  }
  /** Bitwise exclusive OR. */
  xor(a: Value, b: Value): Value {
    return this.#binary("xor", a, b);
  }
  /** Unsigned quotient; the definition has made sure that `b` is not 0. */
  divide(a: Value, b: Value): Value {
    return this.#binary("divide", a, b);
  }
  /** Unsigned remainder; the definition has made sure that `b` is not 0. */
  remainder(a: Value, b: Value): Value {
    return this.#binary("remainder", a, b);
  }
  /** Unsigned quotient of `upper`:`lower` by `b`, which the definition has made sure to fit. */
  divideWide(upper: Value, lower: Value, b: Value): Value {
    return this.#value({ op: "divideWide", type: "i64", upper: upper.index, lower: lower.index, b: b.index });
  }
  /** Unsigned remainder of `upper`:`lower` by `b`; the quotient must fit. */
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
  /** Shifts right, with zeros. */
  shr(a: Value, count: Value): Value {
    return this.#shift("shr", a, count);
  }
  /** Shifts right, keeping the sign. */
  sar(a: Value, count: Value): Value {
    return this.#shift("sar", a, count);
  }
  /** Rotates left. */
  rotl(a: Value, count: Value): Value {
    return this.#shift("rotl", a, count);
  }
  /** Rotates right. */
  rotr(a: Value, count: Value): Value {
    return this.#shift("rotr", a, count);
  }

  #compare(op: CompareOperator, a: Value, b: Value): Value {
    this.#same(a, b);
    return this.#value({ op, type: "i1", a: a.index, b: b.index });
  }
  /** Whether both are equal, as i1. */
  equal(a: Value, b: Value): Value {
    return this.#compare("eq", a, b);
  }
  /** Whether `a` is less than `b`, both unsigned, as i1. */
  unsignedLess(a: Value, b: Value): Value {
    return this.#compare("ult", a, b);
  }
  /** Whether `a` is less than `b`, both signed, as i1. */
  signedLess(a: Value, b: Value): Value {
    return this.#compare("slt", a, b);
  }
  /** Whether all bits are zero, as i1. */
  isZero(a: Value): Value {
    return this.equal(a, this.constant(a.type as IntegerType, 0));
  }

  #unary(op: UnaryOperator, a: Value): Value {
    return this.#value({ op, type: a.type, a: a.index });
  }
  /** Bitwise complement. */
  not(a: Value): Value {
    return this.#unary("not", a);
  }
  /** Two's complement. */
  negate(a: Value): Value {
    return this.sub(this.constant(a.type as IntegerType, 0), a);
  }
  /** Bytes in reverse order. */
  byteSwap(a: Value): Value {
    return this.#unary("bswap", a);
  }
  /** Zeros above the highest one; the width for 0. */
  countLeadingZeros(a: Value): Value {
    return this.#unary("clz", a);
  }
  /** Zeros below the lowest one; the width for 0. */
  countTrailingZeros(a: Value): Value {
    return this.#unary("ctz", a);
  }
  /** How many bits are one. */
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
  /** Sign-extends to a type at least as wide. */
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

  /** `a` where the condition (i1) holds, else `b`. */
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

  /** One lane of a v128, lane 0 being the lowest. */
  lane(a: Value, type: IntegerType, lane: number): Value {
    this.#expect(a, "v128");
    return this.#value({ op: "lane", type, a: a.index, lane });
  }
  /** The v128 with one lane replaced. */
  withLane(a: Value, lane: number, value: Value): Value {
    this.#expect(a, "v128");
    return this.#value({ op: "withLane", type: "v128", a: a.index, lane, value: value.index });
  }
  /** A v128 whose byte i is byte `bytes[i]` of the two, 0 to 15 of `a` and 16 to 31 of `b`. */
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
  /** Writes the low bytes of a general register; an i32 clears the upper half, as in 64-bit mode. */
  setRegister(number: General, value: Value): void {
    // A 32-bit write clears the upper half; narrower ones keep the rest (Intel SDM volume 1, 3.4.1.1).
    const size = bytesOf(value.type) === 4 ? 8 : bytesOf(value.type);
    this.setRegisterAt(RegisterOffset.general + 8 * number, size, value);
  }

  /** A register by its offset in the register file. */
  registerAt(offset: number, type: Type): Value {
    return this.#value({ op: "register", type, register: { from: "fixed", offset, size: bytesOf(type) } });
  }
  /** Writes `size` bytes of the register file at an offset. */
  setRegisterAt(offset: number, size: number, value: Value): void {
    this.#queue({ op: "setRegister", register: { from: "fixed", offset, size }, value: value.index });
  }

  /** The register that an operand names, from byte `delta` of it. */
  operandRegister(operand: Operand, type: Type, delta = 0): Value {
    const register: RegisterReference = { from: "operand", operand: operand.index, delta, size: bytesOf(type) };
    return this.#value({ op: "register", type, register });
  }
  /**
   * The opmask of the instruction, 64 bits.
   *
   * @throws Error where `form.masking` says that it has none
   */
  opmask(): Value {
    if (this.form.masking === "none") throw new Error(`the form of ${this.form.mnemonic} has no opmask`);
    return this.#value({ op: "register", type: "i64", register: { from: "opmask", size: 8 } });
  }
  /** Writes the register that an operand names, from byte `delta` of it. */
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
  /** Writes flags, each an i1; the others stay. */
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
  /** Linear address of an offset in a segment, as i64. */
  linearAddress(segment: SegmentReference, offset: Value): Value {
    return this.#value({ op: "linearAddress", type: "i64", segment, offset: this.zeroExtend(offset, "i64").index });
  }
  /** Reads memory at an offset in a segment. `intent` is of {@link Intent}. */
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
  /** Writes memory at an offset in a segment. `intent` is of {@link Intent}. */
  store(segment: SegmentReference, address: Value, value: Value, intent: number = Intent.write): void {
    this.#expect(address, "i64");
    this.#effect({ op: "store", segment, address: address.index, value: value.index, intent });
  }
  /** Makes all checks of an access of `size` bytes, 1 to 4096, without making it. */
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
  /** Writes an operand: a register, or memory at its size. */
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

  /** Reads a port. */
  in(port: Value, type: "i8" | "i16" | "i32"): Value {
    this.#expect(port, "i16");
    return this.#value({ op: "in", type, port: port.index });
  }
  /** Writes a port. */
  out(port: Value, value: Value): void {
    this.#expect(port, "i16");
    this.#effect({ op: "out", port: port.index, value: value.index });
  }

  /** Raises an exception when the condition holds, and stops the instruction. Without an error code for -1. */
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

  /**
   * The finished Ir: queued writes at the end, unused values gone.
   *
   * @throws Error where a condition is still open
   */
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

/** A stack pointer: what RSP becomes, and the offset in the stack segment that it stands for. @public */
export interface StackPointer {
  /** What RSP becomes, i64. */
  readonly rsp: Value;
  /** The place in the stack segment that it names, i64. */
  readonly offset: Value;
}
