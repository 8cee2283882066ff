/**
 * Layout of what the interpreter walks through: a record an instruction, and a block of slots a page of code. Offsets are
 * bytes.
 */

import { RECORD_SIZE } from "@whvkit/x86-semantics";
import { PAGE_SIZE } from "../memory/memory-arena.ts";

/** Bytes from one record to the next. */
export const ENGINE_RECORD_SIZE = 40;

/** Fields that the engine adds to a record. */
export const RecordPlace = {
  /** 16 bits: offset in its page; 4096 in the record behind an instruction that ends there. */
  inPage: RECORD_SIZE,
  /** 16 bits: number of the form, also while the record names {@link Special.evaluate} because the form has no code yet. */
  form: RECORD_SIZE + 2,
} as const;

/** What a record names in place of a form. */
export const Special = {
  /** The evaluator runs the instruction. */
  evaluate: 0,
  /** The bytes are others now. */
  absent: 1,
  /** No instruction: the line ends, and the next record is found by RIP. */
  end: 2,
} as const;

/** The first number of a form. */
export const FIRST_FORM = 3;

/** A slot holds the address of a record, or below this how often the engine came by without one. */
export const FIRST_RECORD = PAGE_SIZE;

/** A block: slots, the bytes that its records were made of, and the generation in which those were last compared. */
export const BlockPlace = { slots: 0, bytes: PAGE_SIZE * 4, generation: PAGE_SIZE * 5 } as const;
