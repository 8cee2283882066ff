/**
 * The x87 unit as state: control and status words, initialisation, FXSAVE and FXRSTOR. Its arithmetic is not here. Intel SDM
 * volume 1, 8.1 and 10.5; each instruction's page in volume 2. The register file holds the registers in physical order
 * and the tags abridged, one bit each; ST(i) is physical register TOP + i.
 */
import type { Builder, Definition, Value } from "../ir/builder.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import type { Family } from "./family.ts";

const { fpuControl, fpuStatus, fpuTag, fpuOpcode, fpuInstructionPointer, fpuDataPointer } = RegisterOffset;

const fninit: Definition = (b) => {
  b.setRegisterAt(fpuControl, 2, b.constant("i16", 0x37f));
  b.setRegisterAt(fpuStatus, 2, b.constant("i16", 0));
  b.setRegisterAt(fpuTag, 1, b.constant("i8", 0));
  b.setRegisterAt(fpuOpcode, 2, b.constant("i16", 0));
  b.setRegisterAt(fpuInstructionPointer, 8, b.constant("i64", 0));
  b.setRegisterAt(fpuDataPointer, 8, b.constant("i64", 0));
};

/** FNCLEX clears the exception flags, their summary and busy. */
const fnclex: Definition = (b) =>
  b.setRegisterAt(fpuStatus, 2, b.and(b.registerAt(fpuStatus, "i16"), b.constant("i16", 0x7f00)));

/** The summary bit (ES) and busy follow from unmasked exception flags. */
export function withSummary(b: Builder, status: Value, control: Value): Value {
  const pending = b.and(b.and(status, b.not(control)), b.constant("i16", 0x3f));
  const cleared = b.and(status, b.constant("i16", 0x7f7f));
  return b.select(b.isZero(pending), cleared, b.or(cleared, b.constant("i16", 0x8080)));
}

/** FLDCW may unmask a pending exception, or mask one. Bit 6 reads as 1. */
const fldcw: Definition = (b) => {
  const control = b.or(b.and(b.read(b.operand(0), "i16"), b.constant("i16", 0x1f3f)), b.constant("i16", 0x40));
  b.setRegisterAt(fpuControl, 2, control);
  b.setRegisterAt(fpuStatus, 2, withSummary(b, b.registerAt(fpuStatus, "i16"), control));
};

const storeWord =
  (offset: number): Definition =>
  (b) =>
    b.write(b.operand(0), b.registerAt(offset, "i16"));

/** WAIT and FNOP: #MF when an unmasked exception is pending. */
const waitForExceptions: Definition = (b) => {
  b.faultIf(b.bit(b.registerAt(fpuStatus, "i16"), 7), Vector.MF);
};

export const top = (b: Builder, status: Value): Value =>
  b.and(b.shr(b.zeroExtend(status, "i32"), b.constant("i32", 11)), b.constant("i32", 7));

/** One of eight values by an index known only when it runs. */
function pick(b: Builder, index: Value, values: readonly Value[]): Value {
  let round = values;
  for (let bit = 0; round.length > 1; bit++) {
    const odd = b.bit(index, bit);
    round = Array.from({ length: round.length / 2 }, (_, i) =>
      b.select(odd, round[2 * i + 1] as Value, round[2 * i] as Value),
    );
  }
  return round[0] as Value;
}

/** values[(from + i) mod 8] for each i: eight values turned by an index. */
export const turned = (b: Builder, from: Value, values: readonly Value[]): Value[] =>
  values.map((_, i) => pick(b, from, [...values.slice(i), ...values.slice(0, i)]));

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const IMAGE_SIZE = 512;
const XMM_AT = 160;

function checkAligned(b: Builder): void {
  b.faultIf(b.not(b.isZero(b.and(b.memoryAddress(), b.constant("i64", 15)))), Vector.GP, 0);
}

/** FXSAVE: the legacy region of volume 1, 10.5.1; bytes 464 to 511 are the program's own. 64: whole pointers. */
const fxsave =
  (wide: boolean): Definition =>
  (b) => {
    checkAligned(b);
    b.probe("memory", b.memoryAddress(), IMAGE_SIZE, Intent.write);
    const status = b.registerAt(fpuStatus, "i16");
    const store = (at: number, value: Value): void => b.store("memory", b.memoryAddress(at), value);
    store(0, b.registerAt(fpuControl, "i16"));
    store(2, status);
    store(4, b.zeroExtend(b.registerAt(fpuTag, "i8"), "i16"));
    store(6, b.registerAt(fpuOpcode, "i16"));
    for (const [at, offset] of [
      [8, fpuInstructionPointer],
      [16, fpuDataPointer],
    ] as const) {
      // The short form keeps a selector in the upper half, which processors without FCS and FDS leave 0.
      const pointer = b.registerAt(offset, "i64");
      store(at, wide ? pointer : b.zeroExtend(b.truncate(pointer, "i32"), "i64"));
    }
    store(24, b.registerAt(RegisterOffset.mxcsr, "i32"));
    const mask = b.registerAt(RegisterOffset.mxcsrMask, "i32");
    store(28, b.select(b.isZero(mask), b.constant("i32", 0xffbf), mask));
    const physical = REGISTERS.map((i) => b.registerAt(RegisterOffset.fpu + 16 * i, "v128"));
    const eightyBits = b.constant128([-1, -1, 0xffff, 0]);
    for (const [i, value] of turned(b, top(b, status), physical).entries())
      store(32 + 16 * i, b.and(value, eightyBits));
    for (let i = 0; i < (b.long ? 16 : 8); i++) {
      store(XMM_AT + 16 * i, b.registerAt(RegisterOffset.vector + 64 * i, "v128"));
    }
  };

/** FXRSTOR: #GP(0) for reserved bits of MXCSR. */
const fxrstor =
  (wide: boolean): Definition =>
  (b) => {
    checkAligned(b);
    b.probe("memory", b.memoryAddress(), IMAGE_SIZE, Intent.read);
    const load = <T extends "i8" | "i16" | "i32" | "i64" | "v128">(at: number, type: T): Value =>
      b.load("memory", b.memoryAddress(at), type);
    const control = load(0, "i16");
    const status = load(2, "i16");
    b.setRegisterAt(fpuControl, 2, b.or(b.and(control, b.constant("i16", 0x1f3f)), b.constant("i16", 0x40)));
    b.setRegisterAt(fpuStatus, 2, withSummary(b, status, control));
    b.setRegisterAt(fpuTag, 1, load(4, "i8"));
    b.setRegisterAt(fpuOpcode, 2, b.and(load(6, "i16"), b.constant("i16", 0x7ff)));
    for (const [at, offset] of [
      [8, fpuInstructionPointer],
      [16, fpuDataPointer],
    ] as const) {
      b.setRegisterAt(offset, 8, wide ? load(at, "i64") : b.zeroExtend(load(at, "i32"), "i64"));
    }
    const mxcsr = load(24, "i32");
    const mask = b.registerAt(RegisterOffset.mxcsrMask, "i32");
    const allowed = b.select(b.isZero(mask), b.constant("i32", 0xffbf), mask);
    b.faultIf(b.not(b.isZero(b.and(mxcsr, b.not(allowed)))), Vector.GP, 0);
    b.setRegisterAt(RegisterOffset.mxcsr, 4, mxcsr);
    // Physical register j is ST(j - TOP).
    const stack = REGISTERS.map((i) => b.and(load(32 + 16 * i, "v128"), b.constant128([-1, -1, 0xffff, 0])));
    const back = b.and(b.sub(b.constant("i32", 8), top(b, status)), b.constant("i32", 7));
    for (const [j, value] of turned(b, back, stack).entries()) b.setRegisterAt(RegisterOffset.fpu + 16 * j, 16, value);
    for (let i = 0; i < (b.long ? 16 : 8); i++) {
      b.setRegisterAt(RegisterOffset.vector + 64 * i, 16, load(XMM_AT + 16 * i, "v128"));
    }
  };

/** EMMS and FEMMS: all registers empty, and the stack top at 0 (SDM volume 3, 13.2; measured on Zen 5). */
const emptyAll: Definition = (b) => {
  const status = b.registerAt(fpuStatus, "i16");
  b.setRegisterAt(fpuStatus, 2, b.and(status, b.constant("i16", ~0x3800)));
  b.setRegisterAt(fpuTag, 1, b.constant("i8", 0));
};

export const x87State: Family = {
  name: "x87-state",
  requires: () => "x87",
  meanings: {
    fninit,
    fnclex,
    fldcw,
    fnstcw: storeWord(fpuControl),
    fnstsw: storeWord(fpuStatus),
    wait: waitForExceptions,
    fnop: waitForExceptions,
    fxsave: fxsave(false),
    fxsave64: fxsave(true),
    fxrstor: fxrstor(false),
    fxrstor64: fxrstor(true),
    emms: emptyAll,
    femms: emptyAll,
  },
};
