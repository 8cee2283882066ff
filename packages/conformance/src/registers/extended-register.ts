/**
 * Vector registers that the platform has no names for: it keeps the upper parts of YMM and ZMM and the opmasks in the
 * extended state. `whv step` names them after the processor.
 */
import { hexNumber, type JsonFields, unsignedInteger } from "../json/json-fields.ts";

/** Bytes of the register with that name, or 0 where it is none of these. */
export function extendedRegisterSize(name: string): number {
  const match = /^(Ymm|Zmm|K)([0-9]|[12][0-9]|3[01])$/.exec(name);
  if (match === null) return 0;
  const number = Number(match[2]);
  if (match[1] === "K") return number < 8 ? 8 : 0;
  return match[1] === "Ymm" ? 32 : 64;
}

/** The fields of a `registers` object that are vector state beyond the WHv names. */
export function readExtendedRegisters(fields: JsonFields | undefined): Map<string, Uint8Array> {
  const registers = new Map<string, Uint8Array>();
  for (const name of fields?.names() ?? []) {
    const size = extendedRegisterSize(name);
    if (size === 0 || fields === undefined) continue;
    let value = unsignedInteger(fields.value(name), (1n << BigInt(8 * size)) - 1n, fields.at(name));
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++, value >>= 8n) bytes[i] = Number(value & 0xffn);
    registers.set(name, bytes);
  }
  return registers;
}

/** Little-endian bytes as JSON. */
export function extendedRegisterJson(bytes: Uint8Array): string {
  return hexNumber(bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n));
}
