/**
 * The intermediate representation (IR): what one instruction *form* does, as a short list of typed operations. This
 * file is the language and nothing else: no definition of an instruction, no builder, no consumer.
 *
 * An {@link Ir} belongs to a form ("add r32, m32 with 64-bit addresses"), not to one instruction: the registers,
 * immediates, displacement, segment and length of an instruction appear as references to its fields. Three consumers
 * read it: `../evaluator/binding.ts` resolves the references of one instruction and lays the operations out for the
 * evaluator; the WebAssembly compiler emits a handler per form that finds the fields in a decoded record; the printer.
 *
 * Rules that every Ir obeys (`verifyIr` in `verification.ts` holds the builder to them):
 * 1. A value is named by the index of the operation that makes it; it is made before it is used, once.
 * 2. Types: i1 i8 i16 i32 i64 v128. A value of a narrow type is always zero-extended: bits above its type are zero
 *    wherever a consumer keeps it in something wider.
 * 3. Every `setRegister`, `setFlag` and `flags` stands after the last operation that can stop the instruction
 *    (`load`, `loadIf`, `store`, `in`, `out`, `probe`, `faultIf`, `checkBranch`, `call`). So an instruction that
 *    stops has changed no register and no flag, with no roll-back; and every `register` and `flag` reads the state
 *    from before the instruction (except what a `call` changed, which its table says).
 * 4. A value made between `if` and `endIf` is used only there. No register or flag is written there.
 * 5. 256 and 512 bits are two and four v128.
 */
import type { Helper } from "../machine/helper.ts";
import type { Segment } from "../machine/register-file.ts";
import type { Form } from "./form.ts";

/** The type of a value. Floating-point numbers are bit patterns. @public */
export type Type = "i1" | "i8" | "i16" | "i32" | "i64" | "v128";

/** The integer types that registers and memory hold. @public */
export type IntegerType = "i8" | "i16" | "i32" | "i64";

/** Index of the operation that makes a value. @public */
export type ValueIndex = number;

/**
 * A register of the register file: one that the instruction's meaning fixes (a byte offset), the one that operand
 * number `operand` of the instruction names, or the opmask of an EVEX instruction that has one. `delta` is added to the
 * offset of an operand's register (the second 16 bytes of a YMM register: 16).
 *
 * @public
 */
export type RegisterReference =
  | { readonly from: "fixed"; readonly offset: number; readonly size: number }
  | { readonly from: "operand"; readonly operand: number; readonly delta: number; readonly size: number }
  | { readonly from: "opmask"; readonly size: number };

/** A fixed segment, or the one that the instruction's memory or source operand uses after overrides. @public */
export type SegmentReference = Segment | "memory";

/** Operations on two values of the type of the result. @public */
export type BinaryOperator =
  /** i8 to i64, modulo the width. */
  | "add"
  | "sub"
  | "mul"
  /** i64 only: the upper half of the 128-bit product. */
  | "mulHighUnsigned"
  | "mulHighSigned"
  /** All types. */
  | "and"
  | "or"
  | "xor"
  /** i32 and i64, unsigned. The divisor is not zero (the definition has excluded it with `faultIf`). */
  | "divide"
  | "remainder";

/** i32 and i64; the count is an i32 and counts modulo the width, as in WebAssembly. @public */
export type ShiftOperator = "shl" | "shr" | "sar" | "rotl" | "rotr";

/** i1 from two values of one integer type. @public */
export type CompareOperator = "eq" | "ult" | "slt";

/** Operators on one integer. @public */
export type UnaryOperator =
  /** All types: every bit inverted (i1: logical not). */
  | "not"
  /** i16, i32, i64: bytes in reverse order. */
  | "bswap"
  /** i32, i64: zeros above the highest one (width for zero). */
  | "clz"
  /** i32, i64: zeros below the lowest one (width for zero). */
  | "ctz"
  /** i32, i64: number of ones. */
  | "popcnt";

/**
 * Which formula gives the status flags; see `flag.ts` for the formulas. x, y and r have the type `type`, except that y
 * of the shift and rotate kinds is the count as i32, already masked to 5 or 6 bits.
 *
 * @public
 */
export type FlagsKind = "add" | "sub" | "logic" | "shl" | "shr" | "sar" | "rol" | "ror";

/** An operation that makes a value. @public */
export type ValueOperation =
  | { readonly op: "const"; readonly type: IntegerType | "i1"; readonly low: number; readonly high: number }
  /** Four words, lowest first. */
  | { readonly op: "const128"; readonly type: "v128"; readonly words: readonly [number, number, number, number] }
  /**
   * A field of the instruction cut to `type`: its immediate (relative branches: the displacement, sign-extended), its
   * second immediate, or its length in bytes.
   */
  | { readonly op: "field"; readonly type: IntegerType; readonly field: "immediate" | "immediate2" | "length" }
  /** The number, in its class, of the register that an operand names: a segment, control or debug register's. */
  | { readonly op: "registerNumber"; readonly type: "i32"; readonly operand: number }
  | { readonly op: "register"; readonly type: Type; readonly register: RegisterReference }
  /** One bit of RFLAGS. */
  | { readonly op: "flag"; readonly type: "i1"; readonly bit: number }
  /**
   * Offset of the memory operand: base + index * scale + displacement, RIP-relative included, modulo the address size
   * and zero-extended. Where the base is rSP, `stackStep` is added: POP computes its address with rSP already moved.
   */
  | { readonly op: "effectiveAddress"; readonly type: "i64"; readonly stackStep: number }
  /**
   * Offset plus segment base. In 64-bit mode only FS and GS have a base and the sum is modulo 2^64, else modulo 2^32.
   */
  | {
      readonly op: "linearAddress";
      readonly type: "i64";
      readonly segment: SegmentReference;
      readonly offset: ValueIndex;
    }
  /** Reads memory at a linear address. `intent` is made of the bits of `Intent`. Can stop the instruction. */
  | {
      readonly op: "load";
      readonly type: IntegerType | "v128";
      readonly segment: SegmentReference;
      readonly address: ValueIndex;
      readonly intent: number;
    }
  /** Like `load` when the condition (i1) is 1; else nothing happens and the value is 0. Can stop the instruction. */
  | {
      readonly op: "loadIf";
      readonly type: IntegerType | "v128";
      readonly segment: SegmentReference;
      readonly address: ValueIndex;
      readonly intent: number;
      readonly condition: ValueIndex;
    }
  /** Reads an I/O port; the port is an i16. Can stop the instruction. */
  | { readonly op: "in"; readonly type: "i8" | "i16" | "i32"; readonly port: ValueIndex }
  | { readonly op: BinaryOperator; readonly type: Type; readonly a: ValueIndex; readonly b: ValueIndex }
  | { readonly op: ShiftOperator; readonly type: "i32" | "i64"; readonly a: ValueIndex; readonly count: ValueIndex }
  | { readonly op: CompareOperator; readonly type: "i1"; readonly a: ValueIndex; readonly b: ValueIndex }
  | { readonly op: UnaryOperator; readonly type: Type; readonly a: ValueIndex }
  /**
   * i64 only: quotient and remainder of the 128-bit number upper:lower by b. upper < b (unsigned), so that the quotient fits.
   */
  | {
      readonly op: "divideWide" | "remainderWide";
      readonly type: "i64";
      readonly upper: ValueIndex;
      readonly lower: ValueIndex;
      readonly b: ValueIndex;
    }
  /** i1 from i8: 1 when the number of ones is even (the parity flag of a byte). */
  | { readonly op: "parity"; readonly type: "i1"; readonly a: ValueIndex }
  /** To a wider integer type (zext also from i1); to a narrower one, i1 being bit 0. */
  | { readonly op: "zext" | "trunc"; readonly type: Type; readonly a: ValueIndex }
  | { readonly op: "sext"; readonly type: IntegerType; readonly a: ValueIndex }
  /** a when the condition (i1) is 1, else b. Both have been computed. */
  | {
      readonly op: "select";
      readonly type: Type;
      readonly condition: ValueIndex;
      readonly a: ValueIndex;
      readonly b: ValueIndex;
    }
  /** Lane `lane` of a v128, counted in units of `type` from the low end. */
  | { readonly op: "lane"; readonly type: IntegerType; readonly a: ValueIndex; readonly lane: number }
  /** A v128 with one lane replaced; the lane's size is the type of `value`. */
  | {
      readonly op: "withLane";
      readonly type: "v128";
      readonly a: ValueIndex;
      readonly lane: number;
      readonly value: ValueIndex;
    }
  /** Byte i of the result is byte bytes[i] of the 32 bytes b:a (0 to 15 from a, 16 to 31 from b). */
  | {
      readonly op: "shuffle";
      readonly type: "v128";
      readonly a: ValueIndex;
      readonly b: ValueIndex;
      readonly bytes: readonly number[];
    }
  /**
   * A named operation of the machine. a and b are i64 values or absent (zero); c (i64), where present, is put into
   * words 2 and 3 of `machine.data` before the call; where it is absent they hold the operand size in bytes and the
   * instruction's length. The value is words 0 and 1 of `machine.data` after the call. Can stop the instruction.
   */
  | {
      readonly op: "call";
      readonly type: "i64";
      readonly helper: Helper;
      readonly a: ValueIndex | null;
      readonly b: ValueIndex | null;
      readonly c: ValueIndex | null;
    }
  /** Words 2 and 3 of `machine.data` as the call left them. */
  | { readonly op: "callSecond"; readonly type: "i64"; readonly call: ValueIndex };

/** An operation that acts and makes no value. @public */
export type EffectOperation =
  /** Writes memory at a linear address. Can stop the instruction. */
  | {
      readonly op: "store";
      readonly segment: SegmentReference;
      readonly address: ValueIndex;
      readonly value: ValueIndex;
      readonly intent: number;
    }
  /** Writes an I/O port. Can stop the instruction. */
  | { readonly op: "out"; readonly port: ValueIndex; readonly value: ValueIndex }
  /** All the checks of an access, without the access. Can stop the instruction. */
  | {
      readonly op: "probe";
      readonly segment: SegmentReference;
      readonly address: ValueIndex;
      readonly size: number;
      readonly intent: number;
    }
  /** Raises an exception when the condition (i1) is 1. `errorCode` -1: the vector has none. */
  | { readonly op: "faultIf"; readonly condition: ValueIndex; readonly vector: number; readonly errorCode: number }
  /**
   * Raises #GP(0) when the i64 is no place to continue: above the limit of CS (16- and 32-bit modes) or not canonical
   * (64-bit mode; 57 bits count where CR4.LA57 is set, else 48).
   */
  | { readonly op: "checkBranch"; readonly target: ValueIndex }
  /** The operations up to the matching `endIf` happen only when the condition (i1) is 1. */
  | { readonly op: "if"; readonly condition: ValueIndex }
  | { readonly op: "endIf" }
  /** Writes the register's `size` bytes; a narrower value is zero-extended to it. */
  | { readonly op: "setRegister"; readonly register: RegisterReference; readonly value: ValueIndex }
  /** Writes one bit of RFLAGS. */
  | { readonly op: "setFlag"; readonly bit: number; readonly value: ValueIndex }
  /** Writes those of the six status flags that are in `mask` (bits of RFLAGS), by the formula of `kind`. */
  | {
      readonly op: "flags";
      readonly kind: FlagsKind;
      readonly type: IntegerType;
      readonly x: ValueIndex;
      readonly y: ValueIndex;
      readonly r: ValueIndex;
      readonly mask: number;
    };

/** One operation of an {@link Ir}: it makes a value, or has an effect. @public */
export type Operation = ValueOperation | EffectOperation;

/** Which string instruction a form is, for the REP driver. @public */
export type StringKind = "movs" | "stos" | "lods" | "cmps" | "scas" | "ins" | "outs";

/** What the REP driver must know of a string instruction; the Ir itself is one element. @public */
export interface StringElement {
  /** Which string instruction. */
  readonly kind: StringKind;
  /** Bytes of one element: 1, 2, 4 or 8. */
  readonly size: 1 | 2 | 4 | 8;
  /** Bytes of rSI, rDI and rCX: 2, 4 or 8. */
  readonly addressSize: 2 | 4 | 8;
}

/**
 * Processor state that the system must have enabled (CR0.EM and TS, CR4.OSFXSR and OSXSAVE, XCR0) for an instruction to
 * run. The Ir does not check it: an emulator of exits need not, since the processor has; a simulator does, before it runs
 * the program (#UD or #NM; Intel SDM volume 3, 2.5 and 14.1).
 *
 * @public
 */
export type RequiredState = "x87" | "mmx" | "sse" | "avx" | "avx512";

/** The meaning of one instruction form. @public */
export interface Ir {
  /** The form that it is the meaning of. */
  readonly form: Form;
  /** The operations in order; each value is the index of the operation that made it. */
  readonly operations: readonly Operation[];
  /** What REP repeats; null for all but string instructions. */
  readonly string: StringElement | null;
  /** The instruction decides where execution goes on: it writes RIP, or a helper that it calls does. */
  readonly writesIp: boolean;
  /** Null for instructions on general registers alone. */
  readonly requires: RequiredState | null;
}

const BITS: Readonly<Record<Type, number>> = { i1: 1, i8: 8, i16: 16, i32: 32, i64: 64, v128: 128 };

/**
 * Width of a type in bits.
 *
 * @example
 * ```ts
 * import { bitsOf } from "@whvkit/x86-semantics";
 * bitsOf("i32"); // 32
 * bitsOf("i1"); // 1
 * bitsOf("v128"); // 128
 * ```
 *
 * @public
 */
export function bitsOf(type: Type): number {
  return BITS[type];
}

/**
 * Bytes that a value of the type takes in memory; 1 for i1.
 *
 * @example
 * ```ts
 * import { bytesOf } from "@whvkit/x86-semantics";
 * bytesOf("i32"); // 4
 * bytesOf("v128"); // 16
 * ```
 *
 * @public
 */
export function bytesOf(type: Type): number {
  return Math.max(1, BITS[type] >> 3);
}

/**
 * The integer type of 1, 2, 4 or 8 bytes, or v128 for 16.
 *
 * @throws RangeError for any other size
 *
 * @example
 * ```ts
 * import { typeOfSize } from "@whvkit/x86-semantics";
 * typeOfSize(4); // "i32"
 * typeOfSize(16); // "v128"
 * ```
 *
 * @public
 */
export function typeOfSize(size: number): IntegerType | "v128" {
  switch (size) {
    case 1:
      return "i8";
    case 2:
      return "i16";
    case 4:
      return "i32";
    case 8:
      return "i64";
    case 16:
      return "v128";
    default:
      throw new RangeError(`no type has ${size} bytes`);
  }
}

/**
 * The integer type of 1, 2, 4 or 8 bytes.
 *
 * @throws RangeError for any other size
 *
 * @example
 * ```ts
 * import { integerOfSize } from "@whvkit/x86-semantics";
 * integerOfSize(8); // "i64"
 * integerOfSize(16); // RangeError: no integer type has 16 bytes
 * ```
 *
 * @public
 */
export function integerOfSize(size: number): IntegerType {
  const type = typeOfSize(size);
  if (type === "v128") throw new RangeError("no integer type has 16 bytes");
  return type;
}
