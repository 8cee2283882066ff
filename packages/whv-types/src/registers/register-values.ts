/**
 * Register values in the native layout: an array of `WHV_REGISTER_VALUE`, 16 bytes each, with accessors that allocate
 * nothing (halves, cached sub-views) beside convenient ones (bigint, objects).
 */
import { shortRegisterName } from "../names/register-name.ts";
import { requireUnsignedBigint } from "../structures/field-checks.ts";
import {
  FpControlStatusRegisterView,
  type WHV_X64_FP_CONTROL_STATUS_REGISTER,
  type WHV_X64_XMM_CONTROL_STATUS_REGISTER,
  XmmControlStatusRegisterView,
} from "../structures/generated/floating-point-registers.ts";
import {
  SegmentRegisterView,
  TableRegisterView,
  type WHV_X64_SEGMENT_REGISTER,
  type WHV_X64_TABLE_REGISTER,
} from "../structures/generated/segment-registers.ts";
import type { WhvInit } from "../structures/object-form.ts";
import { registerForm } from "./register-form.ts";

/** Bytes of one `WHV_REGISTER_VALUE`. @public */
export const REGISTER_VALUE_SIZE = 16;

/**
 * A register's value as {@link RegisterValues.toValue} gives it: an integer, or the object form of a segment, a
 * descriptor table or a control-and-status register.
 *
 * @public
 */
export type RegisterObject =
  | bigint
  | WHV_X64_SEGMENT_REGISTER
  | WHV_X64_TABLE_REGISTER
  | WHV_X64_FP_CONTROL_STATUS_REGISTER
  | WHV_X64_XMM_CONTROL_STATUS_REGISTER;

/**
 * What {@link RegisterValues.setValue} takes: an integer for integer registers, else an object form of which members
 * may be left out (they become 0).
 *
 * @public
 */
export type RegisterObjectInit =
  | bigint
  | number
  | WhvInit<WHV_X64_SEGMENT_REGISTER>
  | WhvInit<WHV_X64_TABLE_REGISTER>
  | WhvInit<WHV_X64_FP_CONTROL_STATUS_REGISTER>
  | WhvInit<WHV_X64_XMM_CONTROL_STATUS_REGISTER>;

/**
 * An array of `WHV_REGISTER_VALUE` in native memory.
 *
 * Indices are not checked in the halves accessors (`low`, `high`, `setHalves`): reading past the end gives 0, writing
 * past it does nothing. All others throw a RangeError.
 *
 * @example
 * ```ts
 * import { RegisterValues, WHV_REGISTER_NAME } from "@whvkit/whv-types";
 * const values = new RegisterValues(2); // 32 bytes
 * values.set64(0, 0xfee0_0020n);
 * values.low(0); // 0xfee00020
 * values.segment(1).assign({ base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xa09b });
 * values.toValue(WHV_REGISTER_NAME.WHvX64RegisterCs, 1); // { base: 0n, limit: 0xffffffff, selector: 8, attributes: 0xa09b }
 * ```
 *
 * @public
 */
export class RegisterValues {
  /** Entries. */
  readonly capacity: number;
  /** All entries as words, four an entry, lowest first. */
  readonly words: Uint32Array;
  /** All entries. */
  readonly view: DataView;
  /** All entries. */
  readonly bytes: Uint8Array;
  private readonly segments: (SegmentRegisterView | undefined)[];
  private readonly tables: (TableRegisterView | undefined)[];

  /**
   * @param source - how many entries to make, all 0; or memory to use in place, for instance a `SharedArrayBuffer`.
   * @param byteOffset - where in that memory the first entry starts; a multiple of 4.
   * @param capacity - how many entries; as many as fit, where it is left out. A RangeError where they do not fit.
   */
  constructor(source: number | ArrayBufferLike, byteOffset = 0, capacity?: number) {
    const buffer = typeof source === "number" ? new ArrayBuffer(source * REGISTER_VALUE_SIZE) : source;
    this.capacity = capacity ?? Math.floor((buffer.byteLength - byteOffset) / REGISTER_VALUE_SIZE);
    this.words = new Uint32Array(buffer, byteOffset, this.capacity * 4);
    this.view = new DataView(buffer, byteOffset, this.capacity * REGISTER_VALUE_SIZE);
    this.bytes = new Uint8Array(buffer, byteOffset, this.capacity * REGISTER_VALUE_SIZE);
    this.segments = new Array<SegmentRegisterView | undefined>(this.capacity).fill(undefined);
    this.tables = new Array<TableRegisterView | undefined>(this.capacity).fill(undefined);
  }

  /** Bits 31..0 of entry `index`, unsigned. */
  low(index: number): number {
    return this.words[index * 4] as number;
  }

  /** Bits 63..32 of entry `index`, unsigned. */
  high(index: number): number {
    return this.words[index * 4 + 1] as number;
  }

  /** Writes 64 bits as two halves (signed or unsigned) and clears bits 127..64. */
  setHalves(index: number, low: number, high: number): void {
    const word = index * 4;
    this.words[word] = low;
    this.words[word + 1] = high;
    this.words[word + 2] = 0;
    this.words[word + 3] = 0;
  }

  /** Bits 63..0 of entry `index`. */
  get64(index: number): bigint {
    return this.view.getBigUint64(index * REGISTER_VALUE_SIZE, true);
  }

  /** Writes 64 bits and clears bits 127..64. A RangeError where `value` does not fit. */
  set64(index: number, value: bigint): void {
    requireUnsignedBigint(value, 64, "WHV_REGISTER_VALUE.Reg64");
    this.view.setBigUint64(index * REGISTER_VALUE_SIZE, value, true);
    this.view.setBigUint64(index * REGISTER_VALUE_SIZE + 8, 0n, true);
  }

  /** All bits of entry `index`. */
  get128(index: number): bigint {
    const offset = index * REGISTER_VALUE_SIZE;
    return (this.view.getBigUint64(offset + 8, true) << 64n) | this.view.getBigUint64(offset, true);
  }

  /** Writes all bits. A RangeError where `value` does not fit. */
  set128(index: number, value: bigint): void {
    requireUnsignedBigint(value, 128, "WHV_REGISTER_VALUE.Reg128");
    const offset = index * REGISTER_VALUE_SIZE;
    this.view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    this.view.setBigUint64(offset + 8, value >> 64n, true);
  }

  /** Entry `index` as a segment register; the same view each time. */
  segment(index: number): SegmentRegisterView {
    let segment = this.segments[index];
    if (segment === undefined) {
      segment = new SegmentRegisterView(this.view, index * REGISTER_VALUE_SIZE);
      this.segments[index] = segment;
    }
    return segment;
  }

  /** Entry `index` as GDTR or IDTR; the same view each time. */
  table(index: number): TableRegisterView {
    let table = this.tables[index];
    if (table === undefined) {
      table = new TableRegisterView(this.view, index * REGISTER_VALUE_SIZE);
      this.tables[index] = table;
    }
    return table;
  }

  /** Makes all bits of entry `index` 0. */
  clear(index: number): void {
    this.words.fill(0, index * 4, index * 4 + 4);
  }

  /** Copies an entry of `source` to entry `index`. */
  copy(index: number, source: RegisterValues, sourceIndex: number): void {
    const to = index * 4;
    const from = sourceIndex * 4;
    this.words[to] = source.words[from] as number;
    this.words[to + 1] = source.words[from + 1] as number;
    this.words[to + 2] = source.words[from + 2] as number;
    this.words[to + 3] = source.words[from + 3] as number;
  }

  /**
   * Entry `index` in the form that register `name` has: a bigint, or the object form of a segment, a descriptor table
   * or a control-and-status register.
   */
  toValue(name: number, index: number): RegisterObject {
    switch (registerForm(name)) {
      case "segment":
        return this.segment(index).toObject();
      case "table":
        return this.table(index).toObject();
      case "fpControlStatus":
        return new FpControlStatusRegisterView(this.view, index * REGISTER_VALUE_SIZE).toObject();
      case "xmmControlStatus":
        return new XmmControlStatusRegisterView(this.view, index * REGISTER_VALUE_SIZE).toObject();
      case "integer128":
        return this.get128(index);
      case "integer64":
        return this.get64(index);
    }
  }

  /**
   * Writes entry `index` in the form that register `name` has, and clears what the value leaves out. A TypeError names
   * the register where the value has another form, a RangeError the field that does not fit.
   */
  setValue(name: number, index: number, value: RegisterObjectInit): void {
    const form = registerForm(name);
    const isInteger = form === "integer64" || form === "integer128";
    if (isInteger !== (typeof value !== "object")) {
      throw new TypeError(
        `${shortRegisterName(name)} takes ${isInteger ? "an integer" : "an object"}, not ${typeof value}`,
      );
    }
    if (typeof value !== "object") {
      const integer = BigInt(value);
      if (form === "integer64") this.set64(index, integer);
      else this.set128(index, integer);
      return;
    }
    const offset = index * REGISTER_VALUE_SIZE;
    this.clear(index);
    // The register's form chooses among the object forms, which the compiler cannot see.
    if (form === "segment") this.segment(index).assign(value as WhvInit<WHV_X64_SEGMENT_REGISTER>);
    else if (form === "table") this.table(index).assign(value as WhvInit<WHV_X64_TABLE_REGISTER>);
    else if (form === "fpControlStatus") {
      new FpControlStatusRegisterView(this.view, offset).assign(value as WhvInit<WHV_X64_FP_CONTROL_STATUS_REGISTER>);
    } else {
      new XmmControlStatusRegisterView(this.view, offset).assign(value as WhvInit<WHV_X64_XMM_CONTROL_STATUS_REGISTER>);
    }
  }
}
