// Values with which an instruction's interesting ways happen: counts within the width, quotients that fit, comparisons that
// succeed, areas of state with valid headers.
import { OperandKind } from "@whvkit/x86-decoder";
import { operandAt, within } from "./operands.js";
import { RAX, RCX, RDX, StateAt } from "./state.js";

/** @typedef {import("./operands.js").Input} Input */
/** @typedef {import("./operands.js").Prepare} Prepare */

/** @param {Input} input @param {number} register @param {number} value */
const setByte = ({ state }, register, value) => state.setLow(register, 1, BigInt(value));

/** @type {Prepare} */
export const shiftCount = (input) =>
  setByte(input, RCX, input.random.oneIn(3) ? input.random.below(256) : input.random.below(40));

/** A small number in the operand that counts. @param {number} index @returns {Prepare} */
export const smallOperand = (index) => (input) => {
  const register = input.instruction.operandRegister(index);
  if (input.random.oneIn(3) || register === 0) return;
  const value = BigInt(input.random.below(72)) | (BigInt(input.random.below(80)) << 8n);
  input.state.setLow(register & 31, 2, value);
};

/** Bit strings that stay in the window. @type {Prepare} */
export const bitOffset = ({ instruction, state, random }) => {
  if (instruction.operandKind(0) !== OperandKind.memory || instruction.operandKind(1) !== OperandKind.register) return;
  const size = instruction.operandSizeAt(1);
  state.setLow(instruction.operandRegister(1) & 31, size, BigInt(random.below(1200)) - 240n);
};

/** Quotients that fit, more often than not. @type {Prepare} */
export const dividend = ({ instruction, state, random }) => {
  const size = instruction.operandSizeAt(0);
  const sign = BigInt.asIntN(8 * size, state.get(RAX)) < 0n && random.oneIn(2) ? -1n : 0n;
  const high = random.pick([0n, 0n, sign, BigInt(random.below(9)), -BigInt(random.below(9)), null]);
  if (high === null) return;
  if (size === 1) state.setLow(RAX, 2, (BigInt.asUintN(8, high) << 8n) | BigInt.asUintN(8, state.get(RAX)));
  else state.setLow(RDX, size, high);
};

/** @type {Prepare} */
export const smallAccumulator = ({ state, random }) => {
  const low = random.pick([random.below(256), random.below(16), 0xfa + random.below(6)]);
  const high = random.pick([random.below(256), 0, 0xff, 0x7f]);
  state.setLow(RAX, 2, BigInt((high << 8) | low));
};

/** @type {Prepare} */
export const smallCounter = ({ state, random }) =>
  state.set(RCX, random.pick([0n, 1n, 2n, 0x1_0000n, 0x1_0001n, 0x1_0000_0000n, 0x1_0000_0001n, random.long()]));

/** Comparands that are equal, half of the time. @type {Prepare} */
export const comparand = (input) => {
  const { instruction, state, random } = input;
  const at = operandAt(input, 0);
  if (at < 0 || random.oneIn(2)) return;
  const size = instruction.operandSizeAt(0);
  if (size <= 8 && instruction.operandCount > 1) {
    state.bytes.copyWithin(8 * RAX, at, at + size);
    return;
  }
  const half = size / 2;
  state.bytes.copyWithin(8 * RAX, at, at + half);
  state.bytes.copyWithin(8 * RDX, at + half, at + size);
};

/** Bounds with the index at one of them. @type {Prepare} */
export const bounds = (input) => {
  const { instruction, state, random } = input;
  const at = operandAt(input, 1);
  const index = operandAt(input, 0);
  if (at < 0 || random.oneIn(3)) return;
  const size = instruction.operandSizeAt(0);
  for (const which of [0, size]) {
    state.bytes.copyWithin(at + which, index, index + size);
    const down = which === 0 ? 1 : -1;
    state.bytes[at + which] += random.pick([0, -down, down, 0]);
  }
};

/** The image has no reserved bits of MXCSR, mostly. @param {number} offset @returns {Prepare} */
export const mxcsrImage = (offset) => (input) => {
  const at = operandAt(input, 0);
  if (!within(at, offset + 4) || input.random.oneIn(4)) return;
  input.state.view.setUint32(at + offset, input.random.below(0x1_0000), true);
};

/** XSAVE and XRSTOR of the first three components, with a header that is valid, mostly. @type {Prepare} */
export const stateComponents = (input) => {
  const { state, random } = input;
  state.set(RAX, (random.long() & ~0xffff_ffffn) | BigInt(random.below(8)));
  state.set(RDX, random.long() & ~0xffff_ffffn);
  const at = operandAt(input, 0);
  if (at < 0) return;
  const header = at + 512;
  if (header + 64 > StateAt.edge) return;
  state.bytes.fill(0, header, header + 64);
  state.bytes[header] = random.below(8);
  if (random.oneIn(2)) state.view.setBigUint64(header + 8, 0x8000_0000_0000_0000n | BigInt(state.bytes[header]), true);
  if (random.oneIn(8)) state.bytes[header + random.below(24)] ^= 1 << random.below(8);
  mxcsrImage(24)(input);
};

/** A small count in the register or memory that a vector shift counts by. @type {Prepare} */
export const vectorCount = (input) => {
  const last = input.instruction.operandCount - 1;
  const at = operandAt(input, last);
  if (!within(at, 8) || input.random.oneIn(2)) return;
  input.state.view.setBigUint64(at, BigInt(input.random.below(70)), true);
};
