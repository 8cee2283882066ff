/** What a port exit says of its access, for the I/O executor; and the registers that the exit holds. */
import type { PortExit } from "@whvkit/io-executor";
import { type RegisterFile, RegisterOffset, Segment } from "@whvkit/x86-semantics";
import { copyWords } from "./exit-context.ts";

/** Words of WHV_X64_IO_PORT_ACCESS_CONTEXT. */
const ACCESS_INFO = 5;
const PORT_NUMBER = 6;
const RAX = 8;
const RCX = 10;
const RSI = 12;
const RDI = 14;
const DS = 16;
const ES = 20;

const general = (number: number): number => RegisterOffset.general + number * 8;
const segment = (index: number): number => RegisterOffset.segments + index * 16;

/** Reused for every exit. */
export class PortAccess implements PortExit {
  port = 0;
  accessSize: 1 | 2 | 4 = 1;
  isWrite = false;
  stringOp = false;
  repPrefix = false;

  /** False: the access size is none that a port has. */
  read(context: Int32Array): boolean {
    const info = context[ACCESS_INFO];
    const size = (info >>> 1) & 7;
    if (size !== 1 && size !== 2 && size !== 4) return false;
    this.accessSize = size;
    this.isWrite = (info & 1) !== 0;
    this.stringOp = (info & 0x10) !== 0;
    this.repPrefix = (info & 0x20) !== 0;
    this.port = context[PORT_NUMBER] & 0xffff;
    return true;
  }

  /** Every register that the exit holds; DX is the port number, and nothing reads the rest of RDX. */
  loadRegisters(context: Int32Array, { words }: RegisterFile): void {
    copyWords(context, RAX, words, general(0), 2);
    copyWords(context, RCX, words, general(1), 2);
    copyWords(context, RSI, words, general(6), 2);
    copyWords(context, RDI, words, general(7), 2);
    copyWords(context, DS, words, segment(Segment.ds), 4);
    copyWords(context, ES, words, segment(Segment.es), 4);
    words[general(2) >> 2] = this.port;
    words[(general(2) >> 2) + 1] = 0;
  }
}

/** RAX alone: all that IN and OUT touch. */
export function loadAccumulator(context: Int32Array, { words }: RegisterFile): void {
  words[RegisterOffset.general >> 2] = context[RAX];
  words[(RegisterOffset.general >> 2) + 1] = context[RAX + 1];
}
