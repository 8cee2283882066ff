// What the inputs of an instruction must keep to so that its interesting ways happen, by mnemonic.
import {
  calling,
  frame,
  implicitAddress,
  lineTarget,
  onStack,
  popAll,
  returning,
  stringPointers,
  target,
} from "./address-preparation.js";
import { RAX, RBX, RDI } from "./state.js";
import {
  bitOffset,
  bounds,
  comparand,
  dividend,
  mxcsrImage,
  shiftCount,
  smallAccumulator,
  smallCounter,
  smallOperand,
  stateComponents,
  vectorCount,
} from "./value-preparation.js";

/** @typedef {import("./operands.js").Prepare} Prepare */

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
