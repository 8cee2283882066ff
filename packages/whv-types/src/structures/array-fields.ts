/**
 * Array fields of native structures. Native offsets need not be aligned for a typed array, so wider elements go
 * through the DataView; bytes are a plain `Uint8Array` over the same memory.
 */
import { requireUnsigned, requireUnsignedBigint } from "./field-checks.ts";
import type { WhvInit } from "./object-form.ts";

function requireIndex(index: number, length: number, field: string): void {
  if (!(index >= 0 && index < length && Math.floor(index) === index)) {
    throw new RangeError(`${field} has the entries 0 to ${length - 1}; asked for ${String(index)}`);
  }
}

function requireLength(given: number, length: number, field: string): void {
  if (given !== length) throw new RangeError(`${field} holds ${length} entries; ${given} were given`);
}

/**
 * An array of `UINT16` in native memory, little-endian; it need not be aligned.
 *
 * @example
 * ```ts
 * import { Uint16ArrayView } from "@whvkit/whv-types";
 * const memory = new DataView(new ArrayBuffer(8));
 * const entries = new Uint16ArrayView(memory, 2, 3, "entries"); // three entries from byte 2 on
 * entries.set(1, 0x1234);
 * memory.getUint16(4, true); // 0x1234
 * entries.get(3); // RangeError: entries has the entries 0 to 2; asked for 3
 * ```
 *
 * @public
 */
export class Uint16ArrayView {
  /** The memory that is read and written. */
  readonly view: DataView;
  /** Where in `view` the first entry starts. */
  readonly byteOffset: number;
  /** Entries. */
  readonly length: number;
  private readonly field: string;

  /** `field` names the array in a RangeError. */
  constructor(view: DataView, byteOffset: number, length: number, field: string) {
    this.view = view;
    this.byteOffset = byteOffset;
    this.length = length;
    this.field = field;
  }

  /** Entry `index`, 0 to 65535. A RangeError where there is none. */
  get(index: number): number {
    requireIndex(index, this.length, this.field);
    return this.view.getUint16(this.byteOffset + index * 2, true);
  }

  /** Writes entry `index`. A RangeError names the field where index or value do not fit. */
  set(index: number, value: number): void {
    requireIndex(index, this.length, this.field);
    requireUnsigned(value, 0xffff, this.field);
    this.view.setUint16(this.byteOffset + index * 2, value, true);
  }

  /** A copy. */
  toArray(): number[] {
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }

  /** Writes all entries. A RangeError where the length differs. */
  assign(values: readonly number[]): void {
    requireLength(values.length, this.length, this.field);
    for (const [index, value] of values.entries()) this.set(index, value);
  }
}

/**
 * An array of `UINT32` in native memory, little-endian; it need not be aligned.
 *
 * @example
 * ```ts
 * import { Uint32ArrayView } from "@whvkit/whv-types";
 * const memory = new DataView(new ArrayBuffer(16));
 * const entries = new Uint32ArrayView(memory, 4, 3, "entries"); // three entries from byte 4 on
 * entries.set(1, 0x1234_5678);
 * memory.getUint32(8, true); // 0x1234_5678
 * entries.get(3); // RangeError: entries has the entries 0 to 2; asked for 3
 * ```
 *
 * @public
 */
export class Uint32ArrayView {
  /** The memory that is read and written. */
  readonly view: DataView;
  /** Where in `view` the first entry starts. */
  readonly byteOffset: number;
  /** Entries. */
  readonly length: number;
  private readonly field: string;

  /** `field` names the array in a RangeError. */
  constructor(view: DataView, byteOffset: number, length: number, field: string) {
    this.view = view;
    this.byteOffset = byteOffset;
    this.length = length;
    this.field = field;
  }

  /** Entry `index`, 0 to 2^32-1. A RangeError where there is none. */
  get(index: number): number {
    requireIndex(index, this.length, this.field);
    return this.view.getUint32(this.byteOffset + index * 4, true);
  }

  /** Writes entry `index`. A RangeError names the field where index or value do not fit. */
  set(index: number, value: number): void {
    requireIndex(index, this.length, this.field);
    requireUnsigned(value, 0xffffffff, this.field);
    this.view.setUint32(this.byteOffset + index * 4, value, true);
  }

  /** A copy. */
  toArray(): number[] {
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }

  /** Writes all entries. A RangeError where the length differs. */
  assign(values: readonly number[]): void {
    requireLength(values.length, this.length, this.field);
    for (const [index, value] of values.entries()) this.set(index, value);
  }
}

/**
 * An array of `UINT64` in native memory, little-endian; it need not be aligned.
 *
 * @example
 * ```ts
 * import { Uint64ArrayView } from "@whvkit/whv-types";
 * const memory = new DataView(new ArrayBuffer(32));
 * const entries = new Uint64ArrayView(memory, 8, 3, "entries"); // three entries from byte 8 on
 * entries.set(1, 0x1234_5678_9abc_def0n);
 * memory.getBigUint64(16, true); // 0x1234_5678_9abc_def0n
 * entries.get(3); // RangeError: entries has the entries 0 to 2; asked for 3
 * ```
 *
 * @public
 */
export class Uint64ArrayView {
  /** The memory that is read and written. */
  readonly view: DataView;
  /** Where in `view` the first entry starts. */
  readonly byteOffset: number;
  /** Entries. */
  readonly length: number;
  private readonly field: string;

  /** `field` names the array in a RangeError. */
  constructor(view: DataView, byteOffset: number, length: number, field: string) {
    this.view = view;
    this.byteOffset = byteOffset;
    this.length = length;
    this.field = field;
  }

  /** Entry `index`, 0 to 2^64-1. A RangeError where there is none. */
  get(index: number): bigint {
    requireIndex(index, this.length, this.field);
    return this.view.getBigUint64(this.byteOffset + index * 8, true);
  }

  /** Writes entry `index`. A RangeError names the field where index or value do not fit. */
  set(index: number, value: bigint): void {
    requireIndex(index, this.length, this.field);
    requireUnsignedBigint(value, 64, this.field);
    this.view.setBigUint64(this.byteOffset + index * 8, value, true);
  }

  /** A copy. */
  toArray(): bigint[] {
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }

  /** Writes all entries. A RangeError where the length differs. */
  assign(values: readonly bigint[]): void {
    requireLength(values.length, this.length, this.field);
    for (const [index, value] of values.entries()) this.set(index, value);
  }
}

/** Copies bytes into a field of the same length. */
export function assignBytes(field: Uint8Array, values: Uint8Array, name: string): void {
  requireLength(values.length, field.length, name);
  field.set(values);
}

/** Assigns each entry of an array of structures. */
export function assignStructures<T>(
  views: readonly { assign(object: WhvInit<T>): unknown }[],
  objects: readonly WhvInit<T>[],
  name: string,
): void {
  requireLength(objects.length, views.length, name);
  for (const [index, object] of objects.entries()) views[index]?.assign(object);
}

/** UTF-16 text up to the first NUL. */
export function readText(view: DataView, byteOffset: number, length: number): string {
  let text = "";
  for (let index = 0; index < length; index++) {
    const unit = view.getUint16(byteOffset + index * 2, true);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return text;
}

/** Writes UTF-16 text and fills what is left with NUL. Text that fills the field has none behind it. */
export function writeText(view: DataView, byteOffset: number, length: number, text: string, field: string): void {
  if (text.length > length) throw new RangeError(`${field} holds ${length} UTF-16 units; ${text.length} were given`);
  for (let index = 0; index < length; index++) {
    view.setUint16(byteOffset + index * 2, index < text.length ? text.charCodeAt(index) : 0, true);
  }
}
