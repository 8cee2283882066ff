export interface State {
  registers: BigUint64Array;
  flags: number;
  /** XMM0 to XMM15, 16 bytes each, then MM0 to MM7, 8 bytes each. */
  vectors: Uint8Array;
  window: Uint8Array;
}
export interface Input {
  mode: 16 | 32 | 64;
  code: number[];
  state: State;
}
/** What the processor did. */
export interface Outcome {
  /** Vector of the exception that it raised, or null for an instruction that finished. */
  vector: number | null;
  errorCode: number;
  /** Faulting address of a page fault. */
  cr2: bigint;
  registers: BigUint64Array;
  /** How far RIP is from the next instruction (finished) or from this one (fault). */
  ipStep: number;
  /** Status flags and DF. */
  flags: number;
  vectors: Uint8Array;
  window: Uint8Array;
}
export interface Vector extends Input {
  outcome: Outcome;
}
export const familyNames: readonly string[];
/** Offset of the instruction in the code page. */
export const CODE_OFFSET: number;
export function inputsOf(family: string, seed?: number): Generator<Input>;
export function encodeOutcomes(inputs: readonly Input[], outcomes: readonly Outcome[]): Uint8Array;
export function readVectors(family: string, bytes: Uint8Array, seed?: number): Generator<Vector>;
