/** What a port exit says of its access, unpacked for the I/O executor; and the registers that the exit holds. */
import type { PortExit } from "@whvkit/io-executor";
import type { IoPortAccessContextView } from "@whvkit/whv-types";
import { RegisterOffset, type RegisterFile, Segment } from "@whvkit/x86-semantics";
import { copyWords } from "./exit-context.ts";

/** Offsets in WHV_X64_IO_PORT_ACCESS_CONTEXT. */
const ACCESS_INFO = 20;
const PORT_NUMBER = 24;
const RAX = 32;
const RCX = 40;
const RSI = 48;
const RDI = 56;
const DS = 64;
const ES = 80;

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
  read(context: IoPortAccessContextView): boolean {
    const { view, byteOffset } = context;
    const info = view.getUint32(byteOffset + ACCESS_INFO, true);
    const size = (info >>> 1) & 7;
    if (size !== 1 && size !== 2 && size !== 4) return false;
    this.accessSize = size;
    this.isWrite = (info & 1) !== 0;
    this.stringOp = (info & 0x10) !== 0;
    this.repPrefix = (info & 0x20) !== 0;
    this.port = view.getUint16(byteOffset + PORT_NUMBER, true);
    return true;
  }

  /** RAX alone: all that IN and OUT touch. */
  static loadAccumulator(context: IoPortAccessContextView, registers: RegisterFile): void {
    copyWords(context.view, context.byteOffset + RAX, registers.words, general(0), 2);
  }

  /** Every register that the exit holds; DX is the port number, and nothing reads the rest of RDX. */
  loadRegisters(context: IoPortAccessContextView, registers: RegisterFile): void {
    const { view, byteOffset } = context;
    const { words } = registers;
    copyWords(view, byteOffset + RAX, words, general(0), 2);
    copyWords(view, byteOffset + RCX, words, general(1), 2);
    copyWords(view, byteOffset + RSI, words, general(6), 2);
    copyWords(view, byteOffset + RDI, words, general(7), 2);
    copyWords(view, byteOffset + DS, words, segment(Segment.ds), 4);
    copyWords(view, byteOffset + ES, words, segment(Segment.es), 4);
    words[general(2) >> 2] = this.port;
    words[(general(2) >> 2) + 1] = 0;
  }
}
