/**
 * IN, OUT, INS and OUTS before anything of them happens: the processor checks the right to the port, then the exit
 * takes the whole instruction to the host. No port is served inside of the simulator, so their data flow is never run
 * here (Intel SDM volume 3, 25.1.3: the exit comes before the memory operand of INS and OUTS is looked at).
 */

import { type Instruction, Mnemonic, OperandKind } from "@whvkit/x86-decoder";
import { Abort, RegisterOffset } from "@whvkit/x86-semantics";
import type { GuestMachine } from "../memory/guest-machine.ts";

const rcxWord = (RegisterOffset.general + 8) >> 2;
const rdxWord = (RegisterOffset.general + 16) >> 2;

export class PortInstruction {
  private readonly size: number;
  private readonly isWrite: boolean;
  private readonly stringOperation: boolean;
  private readonly repeat: boolean;
  /** Width of the counter: 2, 4 or 8. */
  private readonly addressSize: number;
  /** Port number, or -1 for DX. */
  private readonly port: number;

  private constructor(
    size: number,
    isWrite: boolean,
    stringOperation: boolean,
    repeat: boolean,
    addressSize: number,
    port: number,
  ) {
    this.size = size;
    this.isWrite = isWrite;
    this.stringOperation = stringOperation;
    this.repeat = repeat;
    this.addressSize = addressSize;
    this.port = port;
  }

  /** The port instruction that was decoded, or null when it is another. */
  static from(instruction: Instruction): PortInstruction | null {
    const { mnemonic, addressSize } = instruction;
    const repeat = instruction.repeat !== 0;
    const string = (size: number, isWrite: boolean): PortInstruction =>
      new PortInstruction(size, isWrite, true, repeat, addressSize, -1);
    switch (mnemonic) {
      case Mnemonic.in:
        return PortInstruction.plain(instruction, false, 0, 1);
      case Mnemonic.out:
        return PortInstruction.plain(instruction, true, 1, 0);
      case Mnemonic.insb:
        return string(1, false);
      case Mnemonic.insw:
        return string(2, false);
      case Mnemonic.insd:
        return string(4, false);
      case Mnemonic.outsb:
        return string(1, true);
      case Mnemonic.outsw:
        return string(2, true);
      case Mnemonic.outsd:
        return string(4, true);
      default:
        return null;
    }
  }

  private static plain(instruction: Instruction, isWrite: boolean, value: number, port: number): PortInstruction {
    const immediate = instruction.operandKind(port) === OperandKind.immediate;
    const number = immediate ? instruction.immediateLow & 0xff : -1;
    return new PortInstruction(instruction.operandSizeAt(value), isWrite, false, false, 8, number);
  }

  /** `Abort.none` only for a repeated one whose counter is zero: it has nothing to do. */
  execute(machine: GuestMachine): number {
    const { words } = machine.registers;
    const { addressSize } = this;
    const counter = addressSize === 2 ? words[rcxWord] & 0xffff : words[rcxWord];
    if (this.repeat && counter === 0 && (addressSize !== 8 || words[rcxWord + 1] === 0)) return Abort.none;
    const port = this.port < 0 ? words[rdxWord] & 0xffff : this.port;
    return machine.portAccess(port, this.size, this.isWrite, this.stringOperation, this.repeat);
  }
}
