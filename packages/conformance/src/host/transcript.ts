/** What the emulator asked of its host, call by call, as the result of a case prints it. */

/** The failure of a call, on every kind of record; absent where the callback answered `S_OK`. @public */
export interface FailableCall {
  /** What the callback answered when it failed. */
  readonly hresult?: string;
}

/** Registers were read or written. @public */
export interface RegistersCall extends FailableCall {
  /** Which of the two. */
  readonly callback: "getRegisters" | "setRegisters";
  /** WHv register names without the prefix, in the order of the call. */
  readonly names: readonly string[];
}

/** A page was translated. @public */
export interface TranslateCall extends FailableCall {
  /** Always `"translate"`. */
  readonly callback: "translate";
  /** The page asked for, `"0x…"`. */
  readonly gvaPage: string;
  /** `WHV_TRANSLATE_GVA_FLAGS`. */
  readonly flags: number;
  /** `WHV_TRANSLATE_GVA_RESULT_CODE`. */
  readonly result: number;
  /** The page answered, `"0x…"`. */
  readonly gpaPage: string;
}

/** Guest-physical memory was read or written. @public */
export interface MemoryCall extends FailableCall {
  /** Always `"memory"`. */
  readonly callback: "memory";
  /** As the emulator sees it. */
  readonly direction: "read" | "write";
  /** Guest-physical address, `"0x…"`. */
  readonly gpa: string;
  /** Bytes, 1 to 8. */
  readonly size: number;
  /** The bytes in memory order; empty for a read that failed. */
  readonly data: string;
}

/** A port was read or written. @public */
export interface IoPortCall extends FailableCall {
  /** Always `"ioPort"`. */
  readonly callback: "ioPort";
  /** IN or OUT. */
  readonly direction: "in" | "out";
  /** 0 to 0xffff. */
  readonly port: number;
  /** Bytes: 1, 2 or 4. */
  readonly size: number;
  /** The value, `"0x…"`; empty for an IN that failed. */
  readonly data: string;
}

/** One callback that the emulator called. @public */
export type CallbackCall = RegistersCall | TranslateCall | MemoryCall | IoPortCall;
