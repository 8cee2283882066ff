/** Operations that fill a buffer and say how much they wrote; and integers that are read through such an operation. */
import { check } from "./argument-checks.ts";

const written = new Uint32Array(1);
const integerBytes = new Uint8Array(8);

/** Calls C with a buffer, its size and where to say how much was written; answers that. */
export function readInto(
  operation: string,
  destination: Uint8Array,
  call: (buffer: Uint8Array, size: number, written: Uint8Array) => number,
): number {
  written[0] = 0;
  check(operation, call(destination, destination.length, new Uint8Array(written.buffer)));
  return Math.min(written[0] as number, destination.length);
}

/** An integer of up to 8 bytes, little-endian. */
export function readInteger(
  operation: string,
  call: (buffer: Uint8Array, size: number, written: Uint8Array) => number,
): bigint {
  integerBytes.fill(0);
  readInto(operation, integerBytes, call);
  return new DataView(integerBytes.buffer).getBigUint64(0, true);
}
