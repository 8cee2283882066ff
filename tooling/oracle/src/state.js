// The state of the processor around an instruction, in the layout of native.c's `struct state`: general registers, flags,
// opmasks, MXCSR, x87, vector registers, and two pieces of memory.

/** Addresses that native.c maps. */
export const CODE = 0x1000_0000;
export const CODE_OFFSET = 0x800;
export const DATA = 0x2000_0000;
export const DATA_SIZE = 0x1_0000;
export const PAGE = 0x1000;
/** Nothing is mapped from here to {@link UNMAPPED_SIZE} bytes further. */
export const UNMAPPED = 0x6000_0000;
export const UNMAPPED_SIZE = 0x1000_0000;
/** The two pieces of memory that a state holds: one across the end of a page, one at the end of what may be written. */
export const WINDOW = DATA + 0x7f00;
export const WINDOW_SIZE = 0x400;
export const EDGE_SIZE = 0x100;
export const EDGE = DATA + DATA_SIZE - EDGE_SIZE;
/** Bases of FS and GS in 64-bit code; in other code both have descriptors, see {@link segmentBase}. */
export const FS_BASE = 0x1000;
export const GS_BASE = -0x2000;
export const LEGACY_GS_BASE = DATA + 0x4000;
export const LEGACY_GS_LIMIT = 0x407f;

/** Byte offsets in a state. */
export const StateAt = {
  registers: 0,
  flags: 128,
  masks: 136,
  mxcsr: 200,
  x87Control: 204,
  x87Status: 206,
  x87Tags: 208,
  /** Physical registers R0 to R7, 16 bytes each of which 10 count. */
  x87: 224,
  /** ZMM0 to ZMM31. */
  vectors: 352,
  window: 2400,
  edge: 2400 + WINDOW_SIZE,
  /** Bases of FS and GS, in 64-bit code. */
  bases: 2400 + WINDOW_SIZE + EDGE_SIZE,
};
export const STATE_SIZE = StateAt.bases + 16;

/** Numbers of the general registers. */
export const RAX = 0,
  RCX = 1,
  RDX = 2,
  RBX = 3,
  RSP = 4,
  RBP = 5,
  RSI = 6,
  RDI = 7;

/** Numbers of segment registers. */
export const CS = 1,
  SS = 2,
  FS = 4,
  GS = 5;

export const STATUS_FLAGS = 0x8d5;
export const DIRECTION_FLAG = 0x400;
export const INTERRUPT_FLAG = 0x200;
export const ALIGNMENT_FLAG = 0x4_0000;
/** The flags that are compared: status flags, DF, NT, AC, ID. The system has a say in the others. */
export const FLAGS_MASK = 0x24_4cd5;

export class State {
  bytes = new Uint8Array(STATE_SIZE);
  words = new Int32Array(this.bytes.buffer);
  longs = new BigUint64Array(this.bytes.buffer);
  view = new DataView(this.bytes.buffer);

  get flags() {
    return this.words[StateAt.flags >> 2];
  }
  set flags(value) {
    this.words[StateAt.flags >> 2] = value;
  }

  /** A general register. @param {number} register */
  get(register) {
    return this.longs[register];
  }
  /** @param {number} register @param {number | bigint} value */
  set(register, value) {
    this.longs[register] = BigInt.asUintN(64, BigInt(value));
  }
  /** Sets the low `size` bytes of a general register. @param {number} register @param {number} size @param {bigint} value */
  setLow(register, size, value) {
    const mask = (1n << BigInt(8 * size)) - 1n;
    this.longs[register] = (this.longs[register] & ~mask) | (value & mask);
  }
}

/** Base of a segment as native.c sets it up. @param {16 | 32 | 64} mode @param {number} segment */
export function segmentBase(mode, segment) {
  if (mode === 64) return segment === FS ? FS_BASE : segment === GS ? GS_BASE : 0;
  if (segment === GS) return LEGACY_GS_BASE;
  if (segment === FS) return DATA;
  return mode === 32 ? 0 : segment === CS ? CODE : DATA;
}

/** Where a linear address lies in a state, or -1 where its bytes are not part of one. @param {number} linear */
export function placeOf(linear) {
  if (linear >= WINDOW && linear < WINDOW + WINDOW_SIZE) return StateAt.window + linear - WINDOW;
  if (linear >= EDGE && linear < EDGE + EDGE_SIZE) return StateAt.edge + linear - EDGE;
  return -1;
}
