// The committed facts of the Windows headers, and the views by the name of their structure.
import facts from "../../../../tooling/layouts/data/facts.json" with { type: "json" };
import * as whvTypes from "../../src/index.ts";

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: string;
  readonly bitOffset?: number;
  readonly bitSize?: number;
}

export interface Layout {
  readonly kind: string;
  readonly size: number;
  readonly align: number;
  readonly fields: readonly Field[];
}

/** What all views have in common, for tests that walk through all of them. */
export interface AnyView {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  toObject(member?: string): Record<string, unknown>;
  assign(object: unknown): AnyView;
  // biome-ignore lint/suspicious/noExplicitAny: fields of any structure, by name
  [field: string]: any;
}

export interface AnyViewClass {
  new (view: DataView, byteOffset?: number): AnyView;
  readonly size: number;
  from(object: unknown): AnyView;
}

export const layouts: Readonly<Record<string, Layout>> = facts.types;
export const enums: Readonly<Record<string, { size: number; values: Readonly<Record<string, number>> }>> = facts.enums;
export const constants: Readonly<Record<string, string>> = facts.constants;
export const functions: Readonly<
  Record<string, { library: string; result: string; parameters: readonly { name: string; type: string }[] }>
> = facts.functions;

/** Everything that the package exports, by name. */
export const exported = whvTypes as unknown as Readonly<Record<string, unknown>>;

export function viewOf(structure: string): AnyViewClass {
  const stem = structure
    .replace(/^WHV_(X64_)?/, "")
    .split("_")
    .map((word) => word[0] + word.slice(1).toLowerCase())
    .join("");
  const view = exported[`${stem}View`];
  if (view === undefined) throw new Error(`${structure} has no view`);
  return view as AnyViewClass;
}

export function propertyOf(field: string): string {
  return field[0].toLowerCase() + field.slice(1);
}

/** A view over new memory filled with `byte`. */
export function filled(structure: string, byte: number): AnyView {
  const View = viewOf(structure);
  return new View(new DataView(new Uint8Array(View.size).fill(byte).buffer));
}

/** The bits that are set, counted from the lowest bit of the first byte. */
export function setBits(bytes: Uint8Array): number[] {
  const bits: number[] = [];
  for (const [index, byte] of bytes.entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) bits.push(index * 8 + bit);
  }
  return bits;
}

/** `count` numbers from `first` on. */
export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Members of a union whose object form has one member, picked by name. */
export function membersOf(structure: string): string[] {
  const names = layouts[structure].fields.map((field) => propertyOf(field.name));
  return ["WHV_CAPABILITY", "WHV_PARTITION_PROPERTY", "WHV_REGISTER_VALUE"].includes(structure) ? names : [];
}
