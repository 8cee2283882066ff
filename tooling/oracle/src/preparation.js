// What the inputs of an instruction must keep to so that its interesting ways happen: counts within the width, quotients that
// fit, comparisons that succeed, stacks and strings in mapped memory, areas with valid headers.
import { OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { memorySegment } from "@whvkit/x86-semantics";
import { chooseAddress, chooseStack, offsetIn } from "./addressing.js";
import {
  CODE,
  DATA,
  DATA_SIZE,
  DIRECTION_FLAG,
  placeOf,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
  SS,
  STATE_SIZE,
  StateAt,
  UNMAPPED,
  WINDOW,
} from "./state.js";

/**
 * @typedef {object} Input what a preparation may look at and change
 * @property {import("@whvkit/x86-decoder").Instruction} instruction
 * @property {import("./state.js").State} state
 * @property {import("./random.js").Random} random
 * @property {import("./addressing.js").Place} place
 * @property {number} address linear address of the memory operand; -1 before it is placed and where there is none
 */
/** @typedef {(input: Input) => void} Prepare */

const ES = 0;

/** Where an operand's bytes lie in the state, or -1. @param {Input} input @param {number} index */
export function operandAt({ instruction, address }, index) {
  const kind = instruction.operandKind(index);
  if (kind === OperandKind.memory) return address < 0 ? -1 : placeOf(address);
  const register = instruction.operandRegister(index);
  const number = register & 31;
  switch (register >> 5) {
    case RegisterClass.gpr8:
    case RegisterClass.gpr16:
    case RegisterClass.gpr32:
    case RegisterClass.gpr64:
      return 8 * number;
    case RegisterClass.gpr8High:
      return 8 * number + 1;
    case RegisterClass.mm:
      return StateAt.x87 + 16 * number;
    case RegisterClass.xmm:
    case RegisterClass.ymm:
    case RegisterClass.zmm:
      return StateAt.vectors + 64 * number;
    case RegisterClass.mask:
      return StateAt.masks + 8 * number;
    default:
      return -1;
  }
}

/** Whether bytes from here on are all in a state. @param {number} at @param {number} size */
const within = (at, size) => at >= 0 && at + size <= STATE_SIZE;

/** @param {Input} input @param {number} register @param {number} value */
const setByte = ({ state }, register, value) => state.setLow(register, 1, BigInt(value));

/** @type {Prepare} */
const shiftCount = (input) =>
  setByte(input, RCX, input.random.oneIn(3) ? input.random.below(256) : input.random.below(40));

/** A small number in the operand that counts. @param {number} index @returns {Prepare} */
const smallOperand = (index) => (input) => {
  const register = input.instruction.operandRegister(index);
  if (input.random.oneIn(3) || register === 0) return;
  const value = BigInt(input.random.below(72)) | (BigInt(input.random.below(80)) << 8n);
  input.state.setLow(register & 31, 2, value);
};

/** Bit strings that stay in the window. @type {Prepare} */
const bitOffset = ({ instruction, state, random }) => {
  if (instruction.operandKind(0) !== OperandKind.memory || instruction.operandKind(1) !== OperandKind.register) return;
  const size = instruction.operandSizeAt(1);
  state.setLow(instruction.operandRegister(1) & 31, size, BigInt(random.below(1200)) - 240n);
};

/** Quotients that fit, more often than not. @type {Prepare} */
const dividend = ({ instruction, state, random }) => {
  const size = instruction.operandSizeAt(0);
  const sign = BigInt.asIntN(8 * size, state.get(RAX)) < 0n && random.oneIn(2) ? -1n : 0n;
  const high = random.pick([0n, 0n, sign, BigInt(random.below(9)), -BigInt(random.below(9)), null]);
  if (high === null) return;
  if (size === 1) state.setLow(RAX, 2, (BigInt.asUintN(8, high) << 8n) | BigInt.asUintN(8, state.get(RAX)));
  else state.setLow(RDX, size, high);
};

/** @type {Prepare} */
const smallAccumulator = ({ state, random }) => {
  const low = random.pick([random.below(256), random.below(16), 0xfa + random.below(6)]);
  const high = random.pick([random.below(256), 0, 0xff, 0x7f]);
  state.setLow(RAX, 2, BigInt((high << 8) | low));
};

/** @type {Prepare} */
const smallCounter = ({ state, random }) =>
  state.set(RCX, random.pick([0n, 1n, 2n, 0x1_0000n, 0x1_0001n, 0x1_0000_0000n, 0x1_0000_0001n, random.long()]));

/** @type {Prepare} */
const onStack = ({ instruction, state, random }) => {
  const { mode } = instruction;
  state.setLow(RSP, mode / 8, BigInt(offsetIn(mode, SS, chooseStack(mode, random))));
  if (mode !== 16) state.set(RSP, BigInt.asUintN(mode, state.get(RSP)));
};

/** POPA on Zen keeps what it had loaded when it faults: here it faults at once or not at all. @type {Prepare} */
const popAll = (input) => {
  const { instruction, state, random } = input;
  const { mode } = instruction;
  const none = mode === 16 ? DATA + 0xffff : UNMAPPED + random.below(0x1000);
  const linear = random.oneIn(8) ? none : WINDOW + 0x200 + random.below(0x80);
  state.setLow(RSP, mode / 8, BigInt(offsetIn(mode, SS, linear)));
};

/** Which comes first, a stack that is not there or a target that cannot be, vendors answer differently. @type {Prepare} */
const calling = (input) => {
  const { instruction, state, random } = input;
  onStack(input);
  const { mode } = instruction;
  if (mode === 64 && instruction.operandKind(0) === OperandKind.branch) return;
  state.setLow(RSP, mode / 8, BigInt(offsetIn(mode, SS, WINDOW + 0x200 + random.below(0x80))));
};

/** ENTER and LEAVE. @type {Prepare} */
const frame = (input) => {
  const { instruction, state, random } = input;
  onStack(input);
  const linear = random.oneIn(8) ? chooseStack(instruction.mode, random) : WINDOW + 0x100 + random.below(0x200);
  state.set(RBP, offsetIn(instruction.mode, SS, linear));
};

/** Where execution may go: the INT3 of the code page, nowhere, and addresses that cannot be. @param {16 | 32 | 64} mode @param {import("./random.js").Random} random */
export function chooseTarget(mode, random) {
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
const returning = (input) => {
  const { instruction, state, random } = input;
  onStack(input);
  const { mode } = instruction;
  const linear = Number(BigInt.asUintN(mode, state.get(RSP))) + (mode === 16 ? DATA : 0);
  const at = placeOf(linear);
  if (within(at, 8)) state.view.setBigUint64(at, chooseTarget(mode, random), true);
};

/** CALL and JMP to what a register or memory holds. @type {Prepare} */
const target = (input) => {
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
const stringPointers = (input) => {
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
const implicitAddress = (register, size) => (input) => {
  const { instruction, random, state } = input;
  const used = memorySegment(instruction);
  let linear = chooseAddress(instruction, size, input.place, random, used);
  if (size === 1) linear -= Number(BigInt.asUintN(8, state.get(RAX)));
  point(input, register, used, linear);
};

/** Comparands that are equal, half of the time. @type {Prepare} */
const comparand = (input) => {
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
const bounds = (input) => {
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
const mxcsrImage = (offset) => (input) => {
  const at = operandAt(input, 0);
  if (!within(at, offset + 4) || input.random.oneIn(4)) return;
  input.state.view.setUint32(at + offset, input.random.below(0x1_0000), true);
};

/** XSAVE and XRSTOR of the first three components, with a header that is valid, mostly. @type {Prepare} */
const stateComponents = (input) => {
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
const vectorCount = (input) => {
  const last = input.instruction.operandCount - 1;
  const at = operandAt(input, last);
  if (!within(at, 8) || input.random.oneIn(2)) return;
  input.state.view.setBigUint64(at, BigInt(input.random.below(70)), true);
};

/** MOVDIR64B's target, which a register holds. @type {Prepare} */
const lineTarget = (input) => {
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

const SHIFTS = "rol ror rcl rcr shl shr sal sar shld shrd";
const STACK = "push pop pusha pushad pushf pushfd pushfq popf popfd popfq";
const STRINGS =
  "movsb movsw movsd movsq cmpsb cmpsw cmpsd cmpsq stosb stosw stosd stosq lodsb lodsw lodsd lodsq scasb scasw scasd scasq";
const VECTOR_SHIFTS = "psllw pslld psllq psrlw psrld psrlq psraw psrad";

/** @param {[string, Prepare][]} rows @returns {ReadonlyMap<string, Prepare>} */
const byName = (rows) =>
  new Map(rows.flatMap(([names, prepare]) => names.split(" ").map((name) => /** @type {const} */ ([name, prepare]))));

/** What comes before the memory operand is placed. */
export const early = byName([
  [SHIFTS, shiftCount],
  ["shlx sarx shrx bextr bzhi", smallOperand(2)],
  ["bt bts btr btc", bitOffset],
  ["div idiv", dividend],
  ["daa das aaa aas aam aad", smallAccumulator],
  ["loop loope loopne jcxz jecxz jrcxz", smallCounter],
  [STACK, onStack],
  ["popa popad", popAll],
  ["call", calling],
  ["enter leave", frame],
  ["ret", returning],
  [STRINGS, stringPointers],
  ["xlatb", implicitAddress(RBX, 1)],
  ["maskmovq", implicitAddress(RDI, 8)],
  ["maskmovdqu vmaskmovdqu", implicitAddress(RDI, 16)],
  ["clzero", implicitAddress(RAX, 64)],
  ["movdir64b", lineTarget],
]);

/** What comes after it, since it concerns what lies there. */
export const late = byName([
  ["call jmp", target],
  ["cmpxchg cmpxchg8b cmpxchg16b", comparand],
  ["bound", bounds],
  ["ldmxcsr vldmxcsr", mxcsrImage(0)],
  ["fxrstor fxrstor64", mxcsrImage(24)],
  ["xsave xsave64 xsaveopt xsaveopt64 xsavec xsavec64 xrstor xrstor64", stateComponents],
  [
    VECTOR_SHIFTS.split(" ")
      .flatMap((name) => [name, `v${name}`])
      .join(" "),
    vectorCount,
  ],
]);

/** Mnemonics whose operand is an area of state, and bytes of the largest that inputs ask for. */
export const areas = new Set(
  "fxsave fxsave64 fxrstor fxrstor64 xsave xsave64 xsaveopt xsaveopt64 xsavec xsavec64 xrstor xrstor64".split(" "),
);
export const AREA_SIZE = 832;

/** Mnemonics that use the stack by themselves. */
export const stackUsers = new Set([...STACK.split(" "), "popa", "popad", "call", "ret", "enter", "leave"]);
