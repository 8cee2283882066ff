// Where memory operands go: addresses worth trying, and the register values that make an instruction's address one of them.
import { OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { memorySegment } from "@whvkit/x86-semantics";
import {
  CODE,
  CODE_OFFSET,
  CS,
  DATA,
  DATA_SIZE,
  EDGE,
  FS,
  PAGE,
  segmentBase,
  UNMAPPED,
  UNMAPPED_SIZE,
  WINDOW,
  WINDOW_SIZE,
} from "./state.js";

/** @typedef {import("@whvkit/x86-decoder").Instruction} Instruction */
/** @typedef {import("./random.js").Random} Random */

/** Around operands in the window. */
const MARGIN = 0x60;
/** Larger ones are whole areas of state. */
export const LARGEST_OPERAND = 64;
const LAST_CANONICAL = 0x7fff_ffff_ffff;

/** Kinds of place. "fault" is one that nothing may access. @typedef {"usual" | "aligned" | "any" | "edge" | "fault" | "unmapped"} Place */

/** Size of the memory operand; 0 where it has none. @param {Instruction} instruction */
export function memorySize(instruction) {
  for (let i = 0; i < instruction.operandCount; i++) {
    if (instruction.operandKind(i) === OperandKind.memory)
      return Math.max(instruction.operandSizeAt(i), instruction.operandSizeAt(i) * instruction.broadcast, 1);
  }
  return 0;
}

/** A linear address for an operand. @param {Instruction} instruction @param {number} size @param {Place} place @param {Random} random @param {number} [segment] */
export function chooseAddress(instruction, size, place, random, segment = memorySegment(instruction)) {
  const { mode, addressSize } = instruction;
  // 16-bit addresses with a segment at 0 reach nothing.
  if (mode === 32 && addressSize === 2 && segment < FS) return random.below(0xff00);
  if (mode === 16 && segment === CS) return CODE + random.below(0x700);
  switch (place) {
    case "edge":
      // Zen wraps the addresses of an area at the end of 64 KiB.
      if (size > LARGEST_OPERAND && (mode === 16 || addressSize === 2)) return WINDOW + 64;
      return atEdge(mode, size, random);
    case "fault":
      if (size > LARGEST_OPERAND && (mode === 16 || addressSize === 2)) return WINDOW + 128;
      return outOfReach(mode, addressSize, segment, size, random);
    case "unmapped":
      return UNMAPPED + random.below(UNMAPPED_SIZE - PAGE);
    case "any":
      if (size > LARGEST_OPERAND) return WINDOW + 64 + random.below(WINDOW_SIZE - 64 - size);
      return WINDOW + MARGIN + random.below(WINDOW_SIZE - 2 * MARGIN - size);
    case "aligned":
      return WINDOW + 64 * (1 + random.below((WINDOW_SIZE - 64 - size) >> 6));
    default: {
      if (size > LARGEST_OPERAND) return WINDOW + 64 + random.below(WINDOW_SIZE - 64 - size);
      // On a multiple of the operand's size, often.
      const unit = random.pick([1, Math.min(64, Math.max(1, size & -size)), 64]);
      const at = MARGIN + random.below(WINDOW_SIZE - 2 * MARGIN - size);
      return WINDOW + Math.max(64, at & ~(unit - 1));
    }
  }
}

/** Around the end of what may be written, and of what may be read. @param {number} mode @param {number} size @param {Random} random */
function atEdge(mode, size, random) {
  const end = mode !== 16 && random.oneIn(4) ? DATA + DATA_SIZE + PAGE : DATA + DATA_SIZE;
  const near = Math.max(8, 2 * size);
  return Math.max(EDGE, end - random.below(near) + random.pick([0, 0, 0, 4]));
}

/** @param {number} mode @param {number} addressSize @param {number} segment @param {number} size @param {Random} random */
function outOfReach(mode, addressSize, segment, size, random) {
  if (mode === 16) {
    // Beyond the limit, where the address can be that large.
    return DATA + (addressSize === 2 ? 0x1_0000 - random.below(size + 1) : 0x1_0000 + random.below(0x8000));
  }
  if (mode === 64 && addressSize === 8 && random.oneIn(2)) {
    // Zen also wants the offset in FS and GS canonical, which no machine here knows: then both are far from it.
    if (segment >= FS || size > LARGEST_OPERAND) return LAST_CANONICAL + 0x1_0001 + 64 * random.below(0x400_0000);
    const beyond = random.pick([0, 0, random.below(0x1_0000_0000)]);
    return LAST_CANONICAL + 1 - random.below(Math.max(2, size)) + beyond;
  }
  if (mode === 32 && segment >= FS) return DATA + random.below(0x1_8000);
  return UNMAPPED + random.below(UNMAPPED_SIZE - PAGE);
}

/** The displacement that makes an address without registers this one. @param {Instruction} instruction @param {number} linear */
export function displacementFor(instruction, linear) {
  const base = segmentBase(instruction.mode, memorySegment(instruction));
  const relative = instruction.memoryBase >> 5 === RegisterClass.ip;
  const start = relative ? CODE + CODE_OFFSET + instruction.length : 0;
  return BigInt(linear) - BigInt(base) - BigInt(start);
}

/** Inverse of an odd number modulo 2^64. @param {bigint} odd */
function inverse(odd) {
  let result = odd;
  for (let i = 0; i < 6; i++) result = BigInt.asUintN(64, result * (2n - odd * result));
  return result;
}
const INVERSE_3 = inverse(3n),
  INVERSE_5 = inverse(5n),
  INVERSE_9 = inverse(9n);

/**
 * Sets the address registers of an instruction so that its memory operand lies at a linear address, or near it where its
 * scale does not let it; answers where. An address without registers stays what it is.
 *
 * @param {Instruction} instruction @param {import("./state.js").State} state @param {number} linear @param {Random} random
 * @param {boolean} [smallIndex]
 */
export function placeOperand(instruction, state, linear, random, smallIndex = false) {
  const { mode, addressSize, memoryBase, memoryIndex } = instruction;
  const segmentStart = BigInt(segmentBase(mode, memorySegment(instruction)));
  const displacement = instruction.displacement;
  const scale = BigInt(instruction.memoryScale);
  if (memoryBase >> 5 === RegisterClass.ip || (memoryBase === 0 && memoryIndex === 0)) {
    const start = memoryBase === 0 ? 0n : BigInt(CODE + CODE_OFFSET + instruction.length);
    return Number(BigInt.asUintN(64, start + displacement + segmentStart));
  }
  let rest = BigInt(linear) - segmentStart - displacement;
  const base = memoryBase & 31;
  const index = memoryIndex & 31;
  if (memoryIndex === 0) {
    state.setLow(base, addressSize, rest);
  } else if (memoryBase === 0) {
    const value = rest / scale;
    state.setLow(index, addressSize, value);
    rest = value * scale;
  } else if (base === index) {
    if (scale === 1n) {
      rest -= rest & 1n;
      state.setLow(base, addressSize, rest >> 1n);
    } else {
      state.setLow(base, addressSize, rest * (scale === 2n ? INVERSE_3 : scale === 4n ? INVERSE_5 : INVERSE_9));
    }
  } else {
    if (smallIndex || random.oneIn(2)) state.setLow(index, addressSize, BigInt(random.below(8)));
    const bits = 8 * addressSize;
    const offset = BigInt.asUintN(bits, state.get(index)) * scale;
    state.setLow(base, addressSize, rest - offset);
  }
  return Number(BigInt.asUintN(64, rest + displacement + segmentStart));
}

/** A place for the stack: now and then at the end of what is mapped. @param {number} mode @param {Random} random */
export function chooseStack(mode, random) {
  if (!random.oneIn(8)) return WINDOW + 0x200 + (random.oneIn(2) ? random.below(0x80) : 8 * random.below(16));
  return random.pick([
    DATA + random.below(24),
    DATA + DATA_SIZE - 8 + random.below(16),
    mode === 16 ? DATA + 0xffff : UNMAPPED + 0x1000 + random.below(0x1000),
  ]);
}

/** Offset in a segment of a linear address. @param {import("./forms.js").Mode} mode @param {number} segment @param {number} linear */
export const offsetIn = (mode, segment, linear) => linear - segmentBase(mode, segment);
