/**
 * The expansion of a group of status flags into WebAssembly: the formulas of `../ir/flag.ts`, one by one, so that only
 * the flags that somebody reads cost anything. Used at once where an instruction's flags are written, and by the
 * `statusFlags` routine where a group was kept as (kind, x, y, r) and is asked for later.
 */
import { FlagBit, STATUS_FLAGS } from "../ir/flag.ts";
import { bitsOf, type FlagsKind, type IntegerType } from "../ir/operation.ts";
import type { Code, Local } from "./module/code.ts";

/**
 * The values of a group; i32 locals for types up to i32. y of the shift and rotate kinds is the count, an i32.
 *
 * @public
 */
export interface FlagGroup {
  /** By which rule the flags follow. */
  readonly kind: FlagsKind;
  /** Width of the operation. */
  readonly type: IntegerType;
  /** The first operand. */
  readonly x: Local;
  /** The second operand, or the count. */
  readonly y: Local;
  /** The result. */
  readonly r: Local;
}

/** All that rotates write. */
const ROTATE_FLAGS: number = (1 << FlagBit.CF) | (1 << FlagBit.OF);

/**
 * The flags that a kind writes (when its count, where it has one, is not 0).
 *
 * @returns bits of RFLAGS
 *
 * @example
 * ```ts
 * import { flagNames, writtenFlags } from "@whvkit/x86-semantics";
 * flagNames(writtenFlags("add")); // "CF PF AF ZF SF OF"
 * flagNames(writtenFlags("rol")); // "CF OF"
 * ```
 *
 * @public
 */
export function writtenFlags(kind: FlagsKind): number {
  return kind === "rol" || kind === "ror" ? ROTATE_FLAGS : STATUS_FLAGS;
}

/**
 * Does the kind write nothing when y, the count, is 0?
 *
 * @example
 * ```ts
 * import { hasCount } from "@whvkit/x86-semantics";
 * hasCount("shl"); // true
 * hasCount("add"); // false
 * ```
 *
 * @public
 */
export function hasCount(kind: FlagsKind): boolean {
  return kind !== "add" && kind !== "sub" && kind !== "logic";
}

/**
 * Pushes an i32 that holds the group's flags at their places in RFLAGS, and zeros elsewhere: those of `mask` that the
 * kind writes. The count of a shift or rotate is taken to be other than 0.
 *
 * @example
 * ```ts
 * import { expandFlags, Flag, ModuleWriter } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const { code, reference } = module.function("zeroFlag", { parameters: ["i32", "i32"], result: "i32" });
 * const r = code.local("i32");
 * code.get(code.parameter(0));
 * code.get(code.parameter(1));
 * code.op("i32.add");
 * code.set(r);
 * expandFlags(code, { kind: "add", type: "i32", x: code.parameter(0), y: code.parameter(1), r }, Flag.ZF);
 * module.export("zeroFlag", reference);
 * const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()));
 * (instance.exports.zeroFlag as (x: number, y: number) => number)(5, -5) === Flag.ZF; // true
 * ```
 *
 * @public
 */
export function expandFlags(code: Code, group: FlagGroup, mask: number): void {
  new Expansion(code, group).push(mask & writtenFlags(group.kind));
}

class Expansion {
  readonly #code: Code;
  readonly #group: FlagGroup;
  readonly #wide: boolean;
  /** Width in bits. */
  readonly #bits: number;

  constructor(code: Code, group: FlagGroup) {
    this.#code = code;
    this.#group = group;
    this.#wide = group.type === "i64";
    this.#bits = bitsOf(group.type);
  }

  push(mask: number): void {
    let pushed = 0;
    const add = (bit: number, push: () => void): void => {
      if (((mask >> bit) & 1) === 0) return;
      push();
      if (pushed++ > 0) this.#code.op("i32.or");
    };
    add(FlagBit.CF, () => this.#carry());
    add(FlagBit.PF, () => this.#parity());
    add(FlagBit.AF, () => this.#auxiliary());
    add(FlagBit.ZF, () => this.#zero());
    add(FlagBit.SF, () => {
      this.#code.get(this.#group.r);
      this.#topBitTo(FlagBit.SF);
    });
    add(FlagBit.OF, () => this.#overflow());
    if (pushed === 0) this.#code.i32(0);
  }

  // ---- operations at the group's width ---------------------------------------------------------------------------

  #op(name: "and" | "or" | "xor" | "shl" | "shr_u" | "shr_s" | "sub"): void {
    this.#code.op(this.#wide ? `i64.${name}` : `i32.${name}`);
  }
  #constant(value: number): void {
    if (this.#wide) this.#code.i64(value);
    else this.#code.i32(value);
  }
  #invert(): void {
    this.#constant(-1);
    this.#op("xor");
  }
  /** The count as a shift amount of the group's width. */
  #count(): void {
    this.#code.get(this.#group.y);
    if (this.#wide) this.#code.op("i64.extend_i32_u");
  }
  /** From a value to an i32 that holds its highest bit at `bit`; bits above the type may be anything. */
  #topBitTo(bit: number): void {
    const code = this.#code;
    const right = this.#bits - 1 - bit;
    if (right > 0) {
      this.#constant(right);
      this.#op("shr_u");
    }
    if (this.#wide) code.op("i32.wrap_i64");
    if (right < 0) {
      code.i32(-right);
      code.op("i32.shl");
    }
    // The highest bit of 32 or 64, shifted to bit 0, stands alone.
    if (bit > 0 || this.#bits < 32) {
      code.i32(1 << bit);
      code.op("i32.and");
    }
  }
  /** From a value to an i32 that holds its lowest bit at bit 0. */
  #lowBit(): void {
    if (this.#wide) this.#code.op("i32.wrap_i64");
    this.#code.i32(1);
    this.#code.op("i32.and");
  }

  // ---- the flags -------------------------------------------------------------------------------------------------

  #carry(): void {
    const code = this.#code;
    const { kind, x, y, r } = this.#group;
    switch (kind) {
      case "add":
        // (x & y) | ((x | y) & ~r)
        code.get(x);
        code.get(y);
        this.#op("and");
        code.get(x);
        code.get(y);
        this.#op("or");
        code.get(r);
        this.#invert();
        this.#op("and");
        this.#op("or");
        this.#topBitTo(FlagBit.CF);
        return;
      case "sub":
        // (~x & y) | ((~x | y) & r)
        code.get(x);
        this.#invert();
        code.get(y);
        this.#op("and");
        code.get(x);
        this.#invert();
        code.get(y);
        this.#op("or");
        code.get(r);
        this.#op("and");
        this.#op("or");
        this.#topBitTo(FlagBit.CF);
        return;
      case "logic":
        code.i32(0);
        return;
      case "shl":
        this.#shiftedOut();
        return;
      case "shr":
      case "sar":
        // Bit c - 1 of x; above the highest bit of the zero-extended x there are zeros, of the sign-extended x signs.
        code.get(x);
        if (kind === "sar") this.#signExtend();
        this.#count();
        this.#constant(1);
        this.#op("sub");
        this.#op(kind === "sar" ? "shr_s" : "shr_u");
        this.#lowBit();
        return;
      case "rol":
        code.get(r);
        this.#lowBit();
        return;
      case "ror":
        code.get(r);
        this.#topBitTo(FlagBit.CF);
        return;
    }
  }

  /**
   * SHL's carry: bit n - c of x, zero when c is above n. A WebAssembly shift counts modulo 32: n - c below zero becomes a
   * count of at least 9 (n = 8) or 17 (n = 16), which shifts all of x out.
   */
  #shiftedOut(): void {
    this.#code.get(this.#group.x);
    this.#constant(this.#bits);
    this.#count();
    this.#op("sub");
    this.#op("shr_u");
    this.#lowBit();
  }

  #signExtend(): void {
    if (this.#group.type === "i8") this.#code.op("i32.extend8_s");
    if (this.#group.type === "i16") this.#code.op("i32.extend16_s");
  }

  #parity(): void {
    const code = this.#code;
    code.get(this.#group.r);
    if (this.#wide) code.op("i32.wrap_i64");
    if (this.#group.type !== "i8") {
      code.i32(0xff);
      code.op("i32.and");
    }
    // An odd number of ones clears the flag.
    code.op("i32.popcnt");
    code.i32(1);
    code.op("i32.and");
    code.i32(1);
    code.op("i32.xor");
    code.i32(FlagBit.PF);
    code.op("i32.shl");
  }

  #auxiliary(): void {
    const code = this.#code;
    const { kind, x, y, r } = this.#group;
    if (kind === "logic") {
      code.i32(0);
      return;
    }
    if (hasCount(kind)) {
      code.i32(1 << FlagBit.AF);
      return;
    }
    code.get(x);
    code.get(y);
    this.#op("xor");
    code.get(r);
    this.#op("xor");
    if (this.#wide) code.op("i32.wrap_i64");
    // Bit 4 of the sum is the flag's own place.
    code.i32(1 << FlagBit.AF);
    code.op("i32.and");
  }

  #zero(): void {
    const code = this.#code;
    code.get(this.#group.r);
    code.op(this.#wide ? "i64.eqz" : "i32.eqz");
    code.i32(FlagBit.ZF);
    code.op("i32.shl");
  }

  #overflow(): void {
    const code = this.#code;
    const { kind, x, y, r } = this.#group;
    switch (kind) {
      case "add":
      case "sub":
        // add: (x ^ r) & (y ^ r); sub: (x ^ y) & (x ^ r)
        code.get(x);
        code.get(kind === "add" ? r : y);
        this.#op("xor");
        code.get(kind === "add" ? y : x);
        code.get(r);
        this.#op("xor");
        this.#op("and");
        this.#topBitTo(FlagBit.OF);
        return;
      case "logic":
      case "sar":
        code.i32(0);
        return;
      case "shl":
      case "rol":
        code.get(r);
        this.#topBitTo(FlagBit.CF);
        this.#carry();
        code.op("i32.xor");
        code.i32(FlagBit.OF);
        code.op("i32.shl");
        return;
      case "shr":
      case "ror":
        // The two highest bits of r differ.
        code.get(r);
        code.get(r);
        this.#constant(1);
        this.#op("shl");
        this.#op("xor");
        this.#topBitTo(FlagBit.OF);
        return;
    }
  }
}
