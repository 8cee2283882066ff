/**
 * The state of one virtual processor in linear memory, as compiled code finds it: the register file, a quarter of a
 * cache line of zeros, and the scratch words through which loads and helpers answer (`Machine.data`).
 */
import { REGISTER_FILE_SIZE, RegisterFile } from "../machine/register-file.ts";

/**
 * The type of addresses in compiled code. With `"i64"` the same emitter writes code for a 64-bit memory (memory64), which
 * Node 20 does not run; in 4 GiB there is room for all tables and up to 3.9 GiB of guest memory.
 * @public
 */
export const ADDRESS_TYPE: "i32" | "i64" = "i32";

/** Byte offsets from the start of the state. @public */
export const StateOffset = {
  registers: 0,
  /** 16 bytes that are always zero: the base, index or segment base that an address lacks. */
  zero: REGISTER_FILE_SIZE,
  /** 16 bytes, `Machine.data`. */
  data: REGISTER_FILE_SIZE + 16,
} as const;

/** Bytes of the state, a multiple of 64. @public */
export const STATE_SIZE: number = (REGISTER_FILE_SIZE + 32 + 63) & ~63;

/**
 * Views over the state of one processor: what a `Machine` that runs compiled code has as its `registers` and `data`.
 *
 * @example
 * ```ts
 * import { ProcessorState, RegisterOffset, StateOffset } from "@whvkit/x86-semantics";
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const state = new ProcessorState(memory.buffer, 0);
 * state.registers.set64(RegisterOffset.rip, 0x7c00n);
 * new DataView(memory.buffer).getUint16(StateOffset.registers + RegisterOffset.rip, true); // 0x7c00
 * ```
 *
 * @public
 */
export class ProcessorState {
  /** Where it starts; a multiple of 64. */
  readonly address: number;
  /** What a machine over this state has as {@link Machine.registers}. */
  readonly registers: RegisterFile;
  /** What a machine over this state has as {@link Machine.data}. */
  readonly data: Int32Array;

  /**
   * @param buffer - the linear memory. Views do not survive `memory.grow`: make a new one after it.
   * @param address - a multiple of 64; {@link STATE_SIZE} bytes from there belong to the state.
   * @throws RangeError where the address is no multiple of 64
   */
  constructor(buffer: ArrayBufferLike, address: number) {
    if (address % 64 !== 0) throw new RangeError(`a processor state starts at a multiple of 64, not at ${address}`);
    this.address = address;
    this.registers = new RegisterFile(buffer, address);
    this.data = new Int32Array(buffer, address + StateOffset.data, 4);
  }
}
