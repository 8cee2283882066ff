import type { FormInformation, Instruction } from "@whvkit/x86-decoder";
import type { NativeProcessor } from "./record.js";

export interface FormCase {
  readonly mode: 16 | 32 | 64;
  readonly info: FormInformation;
  readonly family: string;
  /** Names the form: mode, mnemonic, encoding, operands. */
  readonly key: string;
}
export interface Encoding {
  readonly mode: 16 | 32 | 64;
  readonly code: Uint8Array;
  readonly instruction: Instruction;
  readonly number: number;
}
export interface CoveredForm {
  readonly formCase: FormCase;
  readonly encodings: Encoding[];
}
/** The state before an instruction, in the layout that {@link StateAt} names. */
export interface State {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}
/** What the processor did. */
export interface Outcome {
  /** Vector of the exception that it raised, or null for an instruction that finished. */
  readonly vector: number | null;
  readonly errorCode: number;
  /** Faulting address of a page fault. */
  readonly cr2: bigint;
  /** How far RIP is from the next instruction (finished) or from this one (fault). */
  readonly ipStep: bigint;
  /** The state after it; where there is a digest, its wide part is the one from before. */
  readonly state: Uint8Array;
  /** Digest of the wide part, from x87 to the end of memory; see {@link digestOf}. */
  readonly digest: number | null;
}
export interface Vector {
  readonly encoding: Encoding;
  readonly state: State;
  readonly outcome: Outcome;
}
export class VectorFile {
  constructor(family: string, bytes: Uint8Array, seed?: number);
  /** Number of forms in the file. */
  readonly sections: number;
  has(form: Pick<FormCase, "key">): boolean;
  vectorsOf(form: CoveredForm): Generator<Vector>;
}
export const recordedFamilies: readonly string[];
export const VECTORS_PER_FORM: number;
/** The forms of a family that have vectors, in the order of the decoder's table. */
export function coveredForms(family: string, seed?: number): CoveredForm[];
/** Has the processor run a family's vectors, and packs the file. */
export function recordFamily(
  family: string,
  processor: NativeProcessor,
  seed?: number,
  whole?: boolean,
): { bytes: Uint8Array; forms: number; vectors: number };
/** 24 bits that stand for what changed between two states, from x87 to the end of memory. */
export function digestOf(before: Int32Array, after: Int32Array): number;
/** Byte offsets in a state. */
export const StateAt: Readonly<
  Record<
    | "registers"
    | "flags"
    | "masks"
    | "mxcsr"
    | "x87Control"
    | "x87Status"
    | "x87Tags"
    | "x87"
    | "vectors"
    | "window"
    | "edge"
    | "bases",
    number
  >
>;
export const STATE_SIZE: number;
/** Addresses and sizes of what native.c maps; WINDOW and EDGE are the pieces of memory that a state holds. */
export const CODE: number;
export const CODE_OFFSET: number;
export const DATA: number;
export const DATA_SIZE: number;
export const PAGE: number;
export const WINDOW: number;
export const WINDOW_SIZE: number;
export const EDGE: number;
export const EDGE_SIZE: number;
/** Base and limit of GS outside 64-bit mode. */
export const LEGACY_GS_BASE: number;
export const LEGACY_GS_LIMIT: number;
/** The flags that are compared. */
export const FLAGS_MASK: number;
