/**
 * Register values between JSON and the 128-bit entries of `RegisterValues`: integers as `"0x…"`, segment and table
 * registers and the two control words as objects of their WHv fields. Where each field lies is the layout of
 * `WHV_REGISTER_VALUE` (WinHvPlatformDefs.h).
 */
import {
  type RegisterForm,
  type RegisterValues,
  registerByShortName,
  registerForm,
  shortRegisterName,
} from "@whvkit/whv-types";
import { CaseError, hexNumber, JsonFields, shown, unsignedInteger } from "../json/json-fields.ts";

/** A register's value as JSON: an integer, or an object of the fields of its WHv structure. @public */
export type RegisterJson = string | { readonly [field: string]: string | number };

/** Four little-endian 32-bit words: one `WHV_REGISTER_VALUE`. @public */
export type RegisterWords = readonly [number, number, number, number];

interface Field {
  readonly name: string;
  /** Offset in the 128-bit value, in bits. */
  readonly offset: number;
  readonly bits: number;
  /** What an absent field means; a field without must be there. */
  readonly absent?: bigint;
  /** Printed as a plain number rather than as hex digits. */
  readonly plain?: true;
}

const layouts: Readonly<Record<Exclude<RegisterForm, "integer64" | "integer128">, readonly Field[]>> = {
  segment: [
    { name: "base", offset: 0, bits: 64, absent: 0n },
    { name: "limit", offset: 64, bits: 32, absent: 0xffff_ffffn },
    { name: "selector", offset: 96, bits: 16, absent: 0n, plain: true },
    { name: "attributes", offset: 112, bits: 16 },
  ],
  table: [
    { name: "base", offset: 64, bits: 64 },
    { name: "limit", offset: 48, bits: 16 },
  ],
  fpControlStatus: [
    { name: "fpControl", offset: 0, bits: 16, absent: 0x37fn },
    { name: "fpStatus", offset: 16, bits: 16, absent: 0n },
    { name: "fpTag", offset: 32, bits: 8, absent: 0n },
    { name: "lastFpOp", offset: 48, bits: 16, absent: 0n },
    { name: "lastFpRip", offset: 64, bits: 64, absent: 0n },
  ],
  xmmControlStatus: [
    { name: "lastFpRdp", offset: 0, bits: 64, absent: 0n },
    { name: "xmmStatusControl", offset: 64, bits: 32, absent: 0x1f80n },
    { name: "xmmStatusControlMask", offset: 96, bits: 32, absent: 0xffffn },
  ],
};

/** Reads a segment register; `attributes` must be there, the rest defaults to selector 0, base 0, limit 4 GiB. */
export function readSegment(fields: JsonFields): RegisterWords {
  return readFields(fields, layouts.segment);
}

/** Reads the value of register `code`. */
export function readRegister(code: number, value: unknown, where: string): RegisterWords {
  const form = registerForm(code);
  if (form === "integer64") return wordsOf(unsignedInteger(value, (1n << 64n) - 1n, where));
  if (form === "integer128") return wordsOf(unsignedInteger(value, (1n << 128n) - 1n, where));
  return readFields(new JsonFields(value, where), layouts[form]);
}

/**
 * Reads an object of registers by their WHv names without the prefix.
 *
 * @param known - names that somebody else reads
 * @throws {@link CaseError} for a name that is no register's.
 */
export function readRegisters(
  fields: JsonFields | undefined,
  known: ReadonlyMap<string, unknown> = new Map(),
): Map<number, RegisterWords> {
  const registers = new Map<number, RegisterWords>();
  if (fields === undefined) return registers;
  for (const name of fields.names()) {
    if (known.has(name)) continue;
    const code = registerByShortName(name);
    if (code === undefined) throw new CaseError(fields.at(name), `${shown(name)} is not a register's WHv name`);
    registers.set(code, readRegister(code, fields.value(name), fields.at(name)));
  }
  return registers;
}

/** Writes one register's value as JSON. */
export function registerJson(code: number, words: RegisterWords): RegisterJson {
  const form = registerForm(code);
  if (form === "integer64") return hexNumber(BigInt.asUintN(64, integerOf(words)));
  if (form === "integer128") return hexNumber(integerOf(words));
  return writeFields(words, layouts[form]);
}

/** The first `count` entries of a register call as JSON, by short name. */
export function registersJson(names: Uint32Array, count: number, values: RegisterValues): Record<string, RegisterJson> {
  const json: Record<string, RegisterJson> = {};
  for (let i = 0; i < count; i++) {
    const code = names[i] ?? 0;
    json[shortRegisterName(code)] = registerJson(code, wordsAt(values, i));
  }
  return json;
}

/** Entry `index` of a register array. */
export function wordsAt(values: RegisterValues, index: number): RegisterWords {
  const word = (at: number): number => values.words[4 * index + at] ?? 0;
  return [word(0), word(1), word(2), word(3)];
}

/** The unsigned 128-bit integer that the four words make. */
export function integerOf(words: RegisterWords): bigint {
  return words.reduceRight((integer, word) => (integer << 32n) | BigInt(word >>> 0), 0n);
}

/** The four words of an unsigned integer of at most 128 bits. */
export function wordsOf(integer: bigint): RegisterWords {
  const word = (at: number): number => Number(BigInt.asUintN(32, integer >> BigInt(32 * at)));
  return [word(0), word(1), word(2), word(3)];
}

function readFields(fields: JsonFields, layout: readonly Field[]): RegisterWords {
  let integer = 0n;
  for (const field of layout) {
    integer |= fields.wide(field.name, field.bits, field.absent) << BigInt(field.offset);
  }
  fields.finish();
  return wordsOf(integer);
}

function writeFields(words: RegisterWords, layout: readonly Field[]): Record<string, string | number> {
  const integer = integerOf(words);
  const json: Record<string, string | number> = {};
  for (const field of layout) {
    const value = BigInt.asUintN(field.bits, integer >> BigInt(field.offset));
    json[field.name] = field.plain === true ? Number(value) : hexNumber(value);
  }
  return json;
}
