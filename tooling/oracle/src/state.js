// The state of the processor before an instruction: registers, flags, XMM registers and a window of memory.

/** Addresses that native.c maps. */
export const CODE = 0x1000_0000;
export const CODE_OFFSET = 0x800;
export const DATA = 0x2000_0000;
export const DATA_SIZE = 0x1_0000;
export const WINDOW = DATA + 0x7f00;
export const WINDOW_SIZE = 0x200;

/** Numbers of the general registers. */
export const RAX = 0,
  RCX = 1,
  RDX = 2,
  RBX = 3,
  RSP = 4,
  RBP = 5,
  RSI = 6,
  RDI = 7;

/** The status flags and DF. */
export const FLAGS_MASK = 0xcd5;

export class State {
  registers = new BigUint64Array(16);
  /** RFLAGS without what the system sets. */
  flags = 2;
  /** XMM0 to XMM15, then MM0 to MM7. */
  vectors = new Uint8Array(320);
  window = new Uint8Array(WINDOW_SIZE);

  /** @param {number} register @param {number | bigint} value */
  set(register, value) {
    this.registers[register] = BigInt.asUintN(64, BigInt(value));
  }
}

/**
 * Fills a state: everything random, the stack pointer in the middle of the window, then what the case wants.
 *
 * @param {import("./encoding.js").Case} testCase
 * @param {import("./random.js").Random} random
 */
export function stateFor(testCase, random) {
  const state = new State();
  const { mode } = testCase;
  for (let i = 0; i < 16; i++) state.registers[i] = mode === 64 || i < 8 ? random.value() : 0n;
  for (const bytes of [state.window, state.vectors]) {
    const words = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 4) words.setUint32(at, random.word(), true);
  }
  // Operands in memory are as interesting as registers.
  const view = new DataView(state.window.buffer);
  for (let at = 0; at < WINDOW_SIZE; at += 16) view.setBigUint64(at, random.value(), true);
  state.flags = 2 | (random.below(4) === 0 ? 0x8d5 * random.below(2) : random.word() & 0x8d5);
  state.set(RSP, base(mode) + 0x100);
  if (testCase.memory) {
    // [rbx + rsi - 8], or [bx + si - 8] in 16-bit code.
    const index = random.below(8);
    state.set(RSI, index);
    state.set(RBX, base(mode) + 0x28 + random.below(0x60));
  }
  testCase.prepare?.(state, random);
  if (mode !== 64) for (let i = 0; i < 8; i++) state.registers[i] &= 0xffff_ffffn;
  return state;
}

/** Offset of the window as the mode's data segments see it. @param {number} mode */
export function base(mode) {
  return mode === 16 ? WINDOW - DATA : WINDOW;
}
