// Addresses that an instruction takes without a memory operand of its own: stacks and frames, branch targets, strings, tables and
// lines that a register names.
import { OperandKind } from "@whvkit/x86-decoder";
import { memorySegment } from "@whvkit/x86-semantics";
import { chooseAddress, chooseStack, offsetIn } from "./addressing.js";
import { operandAt, within } from "./operands.js";
import {
  CODE,
  DATA,
  DATA_SIZE,
  DIRECTION_FLAG,
  placeOf,
  RAX,
  RBP,
  RCX,
  RDI,
  RSI,
  RSP,
  SS,
  StateAt,
  UNMAPPED,
  WINDOW,
} from "./state.js";

/** @typedef {import("./operands.js").Input} Input */
/** @typedef {import("./operands.js").Prepare} Prepare */

const ES = 0;

/** @type {Prepare} */
export const onStack = ({ instruction, state, random }) => {
  const { mode } = instruction;
  state.setLow(RSP, mode / 8, BigInt(offsetIn(mode, SS, chooseStack(mode, random))));
  if (mode !== 16) state.set(RSP, BigInt.asUintN(mode, state.get(RSP)));
};

/** POPA on Zen keeps what it had loaded when it faults: here it faults at once or not at all. @type {Prepare} */
export const popAll = (input) => {
  const { instruction, state, random } = input;
  const { mode } = instruction;
  const none = mode === 16 ? DATA + 0xffff : UNMAPPED + random.below(0x1000);
  const linear = random.oneIn(8) ? none : WINDOW + 0x200 + random.below(0x80);
  state.setLow(RSP, mode / 8, BigInt(offsetIn(mode, SS, linear)));
};

/** Which comes first, a stack that is not there or a target that cannot be, vendors answer differently. @type {Prepare} */
export const calling = (input) => {
  const { instruction, state, random } = input;
  onStack(input);
  const { mode } = instruction;
  if (mode === 64 && instruction.operandKind(0) === OperandKind.branch) return;
  state.setLow(RSP, mode / 8, BigInt(offsetIn(mode, SS, WINDOW + 0x200 + random.below(0x80))));
};

/** ENTER and LEAVE. @type {Prepare} */
export const frame = (input) => {
  const { instruction, state, random } = input;
  onStack(input);
  const linear = random.oneIn(8) ? chooseStack(instruction.mode, random) : WINDOW + 0x100 + random.below(0x200);
  state.set(RBP, offsetIn(instruction.mode, SS, linear));
};

/** Where execution may go: the INT3 of the code page, nowhere, and addresses that cannot be. @param {16 | 32 | 64} mode @param {import("./random.js").Random} random */
function chooseTarget(mode, random) {
  const inPage = BigInt((mode === 16 ? 0 : CODE) + 0x200 + random.below(0x400));
  switch (random.below(6)) {
    case 0:
      return mode === 16 ? BigInt(0x2000 + random.below(0xd000)) : BigInt(UNMAPPED + random.below(0x1000_0000));
    case 1:
      return mode === 64 ? random.pick([0x8000_0000_0000n, 0xffff_7fff_ffff_ffffn]) : mode === 16 ? 0x1_0000n : inPage;
    default:
      return inPage;
  }
}

/** Return addresses on the stack. @type {Prepare} */
export const returning = (input) => {
  const { instruction, state, random } = input;
  onStack(input);
  const { mode } = instruction;
  const linear = Number(BigInt.asUintN(mode, state.get(RSP))) + (mode === 16 ? DATA : 0);
  const at = placeOf(linear);
  if (within(at, 8)) state.view.setBigUint64(at, chooseTarget(mode, random), true);
};

/** CALL and JMP to what a register or memory holds. @type {Prepare} */
export const target = (input) => {
  const { instruction, state, random } = input;
  if (instruction.operandKind(0) === OperandKind.branch) return;
  const size = instruction.operandSizeAt(0);
  const at = operandAt(input, 0);
  if (at < 0) return;
  const to = chooseTarget(instruction.mode, random);
  for (let i = 0; i < size; i++) state.bytes[at + i] = Number(BigInt.asUintN(8, to >> BigInt(8 * i)));
};

/** @param {Input} input @param {number} register @param {number} segment @param {number} linear */
function point({ instruction, state, random }, register, segment, linear) {
  const { mode, addressSize } = instruction;
  if (random.oneIn(2)) state.set(register, 0);
  state.setLow(register, addressSize, BigInt(offsetIn(mode, segment, linear)));
}

/** Sources and targets of strings; runs of equal bytes, so that comparisons go on for a while. @type {Prepare} */
export const stringPointers = (input) => {
  const { instruction, state, random, place } = input;
  const { mode, addressSize } = instruction;
  const source = memorySegment(instruction);
  const reachable = !(mode === 32 && addressSize === 2);
  let [from, to] = [WINDOW + 0x100 + random.below(0x40), WINDOW + 0x220 + random.below(0x40)];
  let count = random.below(8);
  if (place === "edge" || place === "fault") {
    const down = random.oneIn(3);
    const edge = () => (down ? DATA + random.below(64) : DATA + DATA_SIZE - random.below(64));
    if (random.oneIn(3)) to = edge();
    else from = to = edge();
    if (down) state.flags |= DIRECTION_FLAG;
    count = random.below(24);
  } else if (random.oneIn(3)) state.flags |= DIRECTION_FLAG;
  else state.flags &= ~DIRECTION_FLAG;
  if (!reachable) to = random.below(0xff00);
  if (!reachable && source < 4) from = random.below(0xff00);
  point(input, RSI, source, from);
  point(input, RDI, ES, to);
  if (random.oneIn(2)) state.set(RCX, 0);
  state.setLow(RCX, addressSize, BigInt(count));
  const [sourceAt, targetAt] = [placeOf(from), placeOf(to)];
  if (sourceAt < StateAt.window + 0x20 || targetAt < StateAt.window + 0x20) return;
  const content = random.below(4);
  if (content < 2) state.bytes.copyWithin(targetAt - 0x20, sourceAt - 0x20, sourceAt + 0x30);
  else if (content === 2)
    state.bytes.fill(
      state.bytes[8 * RAX],
      targetAt - 0x20,
      Math.min(targetAt + random.below(0x30), state.bytes.length),
    );
};

/** XLAT's table, MASKMOV's target, CLZERO's line. @param {number} register @param {number} size @returns {Prepare} */
export const implicitAddress = (register, size) => (input) => {
  const { instruction, random, state } = input;
  const used = memorySegment(instruction);
  let linear = chooseAddress(instruction, size, input.place, random, used);
  if (size === 1) linear -= Number(BigInt.asUintN(8, state.get(RAX)));
  point(input, register, used, linear);
};

/** MOVDIR64B's target, which a register holds. @type {Prepare} */
export const lineTarget = (input) => {
  const register = input.instruction.operandRegister(0) & 31;
  const linear = chooseAddress(
    input.instruction,
    64,
    input.random.oneIn(6) ? input.place : "aligned",
    input.random,
    ES,
  );
  point(input, register, ES, linear);
};
