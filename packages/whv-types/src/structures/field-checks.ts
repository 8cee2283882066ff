/**
 * The checks in front of every write to native memory. A value that does not fit is a RangeError that names the field,
 * never a silently truncated one. Reserved bits are not checked: they are kept as the memory holds them.
 */

/** The largest guest-physical address: x86 has at most 52 physical address bits (SDM volume 3, 4.1.4). @public */
export const GUEST_PHYSICAL_ADDRESS_MAX = 0xf_ffff_ffff_ffff;

/** `value` must be an integer from 0 to `max`. */
export function requireUnsigned(value: number, max: number, field: string): void {
  // Comparisons with NaN are false, so this form refuses it too.
  if (!(value >= 0 && value <= max && Math.floor(value) === value)) {
    throw new RangeError(`${field} must be an integer from 0 to ${max}; it is ${String(value)}`);
  }
}

/** `value` must be an integer of `bits` bits. */
export function requireUnsignedBigint(value: bigint, bits: number, field: string): void {
  if (typeof value !== "bigint" || BigInt.asUintN(bits, value) !== value) {
    throw new RangeError(`${field} must be a bigint from 0 to 2^${bits}-1; it is ${String(value)}`);
  }
}

/** `value` must be an address that an x86 processor can put on its bus. */
export function requireGuestPhysicalAddress(value: number, field: string): void {
  requireUnsigned(value, GUEST_PHYSICAL_ADDRESS_MAX, field);
}

/** `view` must hold `size` bytes from `byteOffset` on. */
export function requireRoom(view: DataView, byteOffset: number, size: number, structure: string): void {
  if (!(byteOffset >= 0 && Math.floor(byteOffset) === byteOffset && byteOffset + size <= view.byteLength)) {
    throw new RangeError(`${structure} needs ${size} bytes at offset ${byteOffset}; the buffer has ${view.byteLength}`);
  }
}
