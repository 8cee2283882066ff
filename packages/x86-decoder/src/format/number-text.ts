// Numbers as text, and unsigned 64-bit values from two halves without `bigint` where they are small.

/** Hexadecimal with `0x`, but 0 to 9 as they are. `value` is not negative. */
export function numberText(value: number | bigint): string {
  return value < 10 ? String(value) : `0x${value.toString(16)}`;
}

/** The value of two signed halves, cut to `size` bytes, unsigned. */
export function unsignedText(low: number, high: number, size: number): string {
  switch (size) {
    case 1:
      return numberText(low & 0xff);
    case 2:
      return numberText(low & 0xffff);
    case 4:
      return numberText(low >>> 0);
    default:
      return high === 0 ? numberText(low >>> 0) : numberText((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  }
}
