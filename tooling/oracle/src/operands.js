// Where an instruction's operands lie in a state, for what prepares inputs.
import { OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { placeOf, STATE_SIZE, StateAt } from "./state.js";

/**
 * @typedef {object} Input what a preparation may look at and change
 * @property {import("@whvkit/x86-decoder").Instruction} instruction
 * @property {import("./state.js").State} state
 * @property {import("./random.js").Random} random
 * @property {import("./addressing.js").Place} place
 * @property {number} address linear address of the memory operand; -1 before it is placed and where there is none
 */
/** @typedef {(input: Input) => void} Prepare */

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
export const within = (at, size) => at >= 0 && at + size <= STATE_SIZE;
