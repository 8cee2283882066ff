/** What the emulator asked of its host, call by call, as the result of a case prints it. */

/** The failure of a call, on every kind of record; absent where the callback answered `S_OK`. */
interface Failable {
  /** What the callback answered when it failed. */
  readonly hresult?: string;
}

export interface RegistersCall extends Failable {
  readonly callback: "getRegisters" | "setRegisters";
  /** WHv register names without the prefix, in the order of the call. */
  readonly names: readonly string[];
}

export interface TranslateCall extends Failable {
  readonly callback: "translate";
  readonly gvaPage: string;
  /** `WHV_TRANSLATE_GVA_FLAGS`. */
  readonly flags: number;
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  readonly result: number;
  readonly gpaPage: string;
}

export interface MemoryCall extends Failable {
  readonly callback: "memory";
  readonly direction: "read" | "write";
  readonly gpa: string;
  readonly size: number;
  /** The bytes in memory order; empty for a read that failed. */
  readonly data: string;
}

export interface IoPortCall extends Failable {
  readonly callback: "ioPort";
  readonly direction: "in" | "out";
  readonly port: number;
  readonly size: number;
  readonly data: string;
}

/** One callback that the emulator called. */
export type CallbackCall = RegistersCall | TranslateCall | MemoryCall | IoPortCall;
