/** What the emulator asked of its host, call by call, as the result of a case prints it. */

/** The failure of a call, on every kind of record; absent where the callback answered `S_OK`. @public */
export interface FailableCall {
  /** What the callback answered when it failed. */
  readonly hresult?: string;
}

/** Registers were read or written. @public */
export interface RegistersCall extends FailableCall {
  readonly callback: "getRegisters" | "setRegisters";
  /** WHv register names without the prefix, in the order of the call. */
  readonly names: readonly string[];
}

/** A page was translated. @public */
export interface TranslateCall extends FailableCall {
  readonly callback: "translate";
  readonly gvaPage: string;
  /** `WHV_TRANSLATE_GVA_FLAGS`. */
  readonly flags: number;
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  readonly result: number;
  readonly gpaPage: string;
}

/** Guest-physical memory was read or written. @public */
export interface MemoryCall extends FailableCall {
  readonly callback: "memory";
  readonly direction: "read" | "write";
  readonly gpa: string;
  readonly size: number;
  /** The bytes in memory order; empty for a read that failed. */
  readonly data: string;
}

/** A port was read or written. @public */
export interface IoPortCall extends FailableCall {
  readonly callback: "ioPort";
  readonly direction: "in" | "out";
  readonly port: number;
  readonly size: number;
  readonly data: string;
}

/** One callback that the emulator called. @public */
export type CallbackCall = RegistersCall | TranslateCall | MemoryCall | IoPortCall;
