/**
 * MMX and vector operands as lists of 128-bit lanes: one for MMX (whose upper half is zero) and XMM, two for YMM, four for
 * ZMM. What is written to a register by a VEX or EVEX instruction clears the rest of it. Intel SDM volume 1, 14.1 and 15.5.
 */
import type { Builder, Operand, Value } from "../ir/builder.ts";
import type { Form } from "../ir/form.ts";
import { bytesOf, type IntegerType, integerOfSize, type RequiredState } from "../ir/operation.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import { laneOf, zeroLane } from "./lane.ts";
import { anyOf, loadChosen, masked, opmaskBits, storeChosen } from "./masked-operand.ts";

/** What a form of the vector families needs: by its encoding's vector length and its operands. */
export function vectorState(form: Form): RequiredState {
  if (form.vectorLength === 64 || form.masking !== "none") return "avx512";
  if (form.vectorLength > 0) return "avx";
  return form.operands.some(({ shape }) => shape === "mmx") ? "mmx" : "sse";
}

const LANE = 16;
const ZMM = 64;

/** Legacy SSE operands of 16 bytes in memory must be aligned, except where an instruction's page says otherwise. */
export type Alignment = "any" | "legacy" | "always";

/** Ends definitions that know no opmask and no broadcast. */
export function requireWhole(b: Builder): void {
  if (b.form.masking !== "none") b.unsupported("masked EVEX forms have no meaning yet");
  if (b.form.broadcast !== 0) b.unsupported("EVEX forms with broadcast have no meaning yet");
}

/** `chosen`: which elements take part; where none does, any address will do (measured on Zen 5). */
function checkAlignment(
  b: Builder,
  operand: Operand,
  alignment: Alignment,
  chosen: readonly Value[] | null = null,
): void {
  if (alignment === "any" || operand.size < LANE || (alignment === "legacy" && b.form.vectorLength !== 0)) return;
  const low = b.and(b.memoryAddress(), b.constant("i64", operand.size - 1));
  const misaligned = b.not(b.isZero(low));
  b.faultIf(chosen === null ? misaligned : b.and(misaligned, anyOf(b, chosen)), Vector.GP, 0);
}

/**
 * The operand's lanes. A memory operand of less than 16 bytes is zero-extended. With the type of the instruction's elements,
 * a broadcast element is repeated, and elements of memory that the opmask leaves out are not accessed and read as 0.
 */
export function readLanes(
  b: Builder,
  operand: Operand,
  alignment: Alignment = "legacy",
  elements: IntegerType | null = null,
): Value[] {
  if (elements === null) requireWhole(b);
  else if (operand.shape === "memory" && b.form.broadcast !== 0)
    return broadcastLanes(b, readUnlessMasked(b, operand, elements, b.form.broadcast));
  else if (operand.shape === "memory" && b.form.masking !== "none" && operand.size >= LANE) {
    const chosen = opmaskBits(b, operand.size / bytesOf(elements));
    checkAlignment(b, operand, alignment, chosen);
    return loadChosen(b, chosen, elements);
  }
  return readWhole(b, operand, alignment);
}

/** One element in all lanes that a broadcast fills. */
function broadcastLanes(b: Builder, value: Value): Value[] {
  const perLane = LANE / bytesOf(value.type);
  const lane = laneOf(
    b,
    Array.from({ length: perLane }, () => value),
  );
  return Array.from({ length: Math.max(1, b.form.broadcast / perLane) }, () => lane);
}

/** An element of memory that `count` elements of the target come from: not accessed when the opmask leaves out all of them. */
export function readUnlessMasked(b: Builder, operand: Operand, type: IntegerType, count: number): Value {
  if (b.form.masking === "none") return b.read(operand, type);
  return b.loadIf(anyOf(b, opmaskBits(b, count)), "memory", b.memoryAddress(), type);
}

/** {@link readLanes} of an instruction that reads all of its memory operand whatever the opmask says. */
export function readWhole(
  b: Builder,
  operand: Operand,
  alignment: Alignment = "legacy",
  elements: IntegerType | null = null,
): Value[] {
  if (b.form.broadcast !== 0 && operand.shape === "memory") {
    if (elements === null) b.unsupported("EVEX forms with broadcast have no meaning yet");
    return broadcastLanes(b, b.read(operand, elements));
  }
  if (operand.shape === "mmx") return [b.zeroExtend(readMmx(b, operand), "v128")];
  if (operand.shape !== "memory") {
    return Array.from({ length: Math.max(1, operand.size / LANE) }, (_, i) =>
      b.operandRegister(operand, "v128", LANE * i),
    );
  }
  checkAlignment(b, operand, alignment);
  if (operand.size < LANE) return [b.zeroExtend(b.read(operand, integerOfSize(operand.size)), "v128")];
  const count = operand.size / LANE;
  if (count > 1) b.probe("memory", b.memoryAddress(), operand.size, Intent.read);
  return Array.from({ length: count }, (_, i) => b.load("memory", b.memoryAddress(LANE * i), "v128"));
}

/**
 * Writes lanes to an operand of as many; of a memory operand below 16 bytes the low part. An opmask needs the type of the
 * instruction's elements.
 */
export function writeLanes(
  b: Builder,
  operand: Operand,
  lanes: readonly Value[],
  alignment: Alignment = "legacy",
  elements: IntegerType | null = null,
): void {
  if (elements === null) requireWhole(b);
  if (elements !== null && b.form.masking !== "none") {
    writeMasked(b, operand, lanes, alignment, elements);
    return;
  }
  if (operand.shape === "mmx") {
    writeMmx(b, operand, b.lane(lanes[0] as Value, "i64", 0));
    return;
  }
  if (operand.shape !== "memory") {
    writeWholeRegister(b, operand, lanes);
    return;
  }
  checkAlignment(b, operand, alignment);
  if (operand.size < LANE) {
    b.write(operand, b.lane(lanes[0] as Value, integerOfSize(operand.size), 0));
    return;
  }
  if (lanes.length > 1) b.probe("memory", b.memoryAddress(), operand.size, Intent.write);
  for (const [i, lane] of lanes.entries()) b.store("memory", b.memoryAddress(LANE * i), lane);
}

/** Lanes to a register, whatever the opmask says; VEX and EVEX clear the rest of it. */
export function writeWholeRegister(b: Builder, operand: Operand, lanes: readonly Value[]): void {
  for (const [i, lane] of lanes.entries()) b.setOperandRegister(operand, lane, LANE * i);
  if (b.form.vectorLength === 0) return;
  for (let at = LANE * lanes.length; at < ZMM; at += LANE) b.setOperandRegister(operand, zeroLane(b), at);
}

function writeMasked(
  b: Builder,
  operand: Operand,
  lanes: readonly Value[],
  alignment: Alignment,
  type: IntegerType,
): void {
  if (operand.shape === "memory") {
    const chosen = opmaskBits(b, operand.size / bytesOf(type));
    checkAlignment(b, operand, alignment, chosen);
    storeChosen(b, chosen, lanes, type);
  } else {
    writeWholeRegister(b, operand, masked(b, operand, lanes, type));
  }
}

/** An MMX instruction leaves all x87 registers valid and the stack top at 0 (volume 1, 9.5.1). */
function enterMmx(b: Builder): void {
  const status = b.registerAt(RegisterOffset.fpuStatus, "i16");
  b.setRegisterAt(RegisterOffset.fpuStatus, 2, b.and(status, b.constant("i16", ~0x3800)));
  b.setRegisterAt(RegisterOffset.fpuTag, 1, b.constant("i8", 0xff));
}

export function readMmx(b: Builder, operand: Operand): Value {
  enterMmx(b);
  return b.operandRegister(operand, "i64");
}

/** Bits 79 to 64 of the x87 register become ones. */
export function writeMmx(b: Builder, operand: Operand, value: Value): void {
  enterMmx(b);
  b.setOperandRegister(operand, value);
  b.setOperandRegister(operand, b.constant("i16", 0xffff), 8);
}
