/**
 * Decimal adjustment: DAA, DAS, AAA, AAS, AAM, AAD; not in 64-bit mode. Intel SDM volume 1, 5.1.3 and 7.3.2.5. The flags
 * that the manual leaves undefined follow the addition that Zen makes of each (measured).
 */
import { type Builder, type Definition, General, type Value } from "../ir/builder.ts";
import { Flag, STATUS_FLAGS } from "../ir/flag.ts";
import { Vector } from "../machine/machine.ts";
import type { Family } from "./family.ts";

/** Is the low digit above 9, or was there a carry out of it? */
const lowDigitOverflows = (b: Builder, al: Value): Value =>
  b.or(b.unsignedLess(b.constant("i8", 9), b.and(al, b.constant("i8", 15))), b.flag("AF"));

const NOT_CARRIES: number = STATUS_FLAGS & ~(Flag.CF | Flag.AF);

/** DAA and DAS: 6 for the low digit, 60h for the high one, in one addition or subtraction. */
const adjustPacked =
  (kind: "add" | "sub"): Definition =>
  (b) => {
    const al = b.register(General.rax, "i8");
    const low = lowDigitOverflows(b, al);
    const high = b.or(b.unsignedLess(b.constant("i8", 0x99), al), b.flag("CF"));
    const zero = b.constant("i8", 0);
    const correction = b.or(b.select(low, b.constant("i8", 6), zero), b.select(high, b.constant("i8", 0x60), zero));
    const r = kind === "add" ? b.add(al, correction) : b.sub(al, correction);
    b.setRegister(General.rax, r);
    b.flags(kind, al, correction, r, NOT_CARRIES);
    // DAS also borrows when the low digit's correction goes below zero.
    const borrow = b.and(low, b.unsignedLess(al, b.constant("i8", 6)));
    b.setFlags({ AF: low, CF: kind === "add" ? high : b.or(high, borrow) });
  };

/** AAA and AAS: 106h to or from AX when the digit overflows, then AL cut to the digit. */
const adjustUnpacked =
  (kind: "add" | "sub"): Definition =>
  (b) => {
    const ax = b.register(General.rax, "i16");
    const overflows = lowDigitOverflows(b, b.truncate(ax, "i8"));
    const correction = b.select(overflows, b.constant("i16", 0x106), b.constant("i16", 0));
    const r = kind === "add" ? b.add(ax, correction) : b.sub(ax, correction);
    b.setRegister(General.rax, b.and(r, b.constant("i16", 0xff0f)));
    b.flags(kind, ax, correction, r, NOT_CARRIES);
    b.setFlags({ AF: overflows, CF: overflows });
  };

/** AH = AL / base, AL = AL mod base; a base of 0 is #DE. */
const aam: Definition = (b) => {
  const base = b.field("immediate", "i8");
  b.faultIf(b.isZero(base), Vector.DE);
  const wide = (value: Value): Value => b.zeroExtend(value, "i32");
  const al = wide(b.register(General.rax, "i8"));
  const quotient = b.truncate(b.divide(al, wide(base)), "i8");
  const remainder = b.truncate(b.remainder(al, wide(base)), "i8");
  const upper = b.shl(wide(quotient), b.constant("i32", 8));
  b.setRegister(General.rax, b.truncate(b.or(upper, wide(remainder)), "i16"));
  b.flags("logic", remainder, remainder, remainder);
};

/** AL = AL + AH * base, AH = 0; the flags are that addition's. */
const aad: Definition = (b) => {
  const ax = b.register(General.rax, "i16");
  const al = b.truncate(ax, "i8");
  const ah = b.truncate(b.shr(b.zeroExtend(ax, "i32"), b.constant("i32", 8)), "i8");
  const tens = b.mul(ah, b.field("immediate", "i8"));
  const r = b.add(al, tens);
  b.setRegister(General.rax, b.zeroExtend(r, "i16"));
  b.flags("add", al, tens, r);
};

export const decimal: Family = {
  name: "decimal",
  meanings: {
    daa: adjustPacked("add"),
    das: adjustPacked("sub"),
    aaa: adjustUnpacked("add"),
    aas: adjustUnpacked("sub"),
    aam,
    aad,
  },
};
