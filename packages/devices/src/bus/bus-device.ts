/** What a device is to the bus: one small interface, the same for port space and memory space. */

/**
 * A block of registers or bytes that answers to a range of ports or guest-physical addresses.
 *
 * Values are unsigned integers of `size` bytes, little endian: the byte at `offset` is the lowest. The bus never asks
 * for more than {@link BusDevice.width} bytes at once, nor for bytes outside the attached range. Neither method may
 * throw for anything a guest can do.
 *
 * @public
 */
export interface BusDevice {
  /** The widest access, in bytes, that the device takes at once; the bus cuts wider ones, ascending. */
  readonly width: 1 | 2 | 4;
  /**
   * Reads, with the side effects that reading this register has.
   *
   * @param offset - bytes from the start of the range that the device was attached to
   * @param size - 1, 2 or 4 bytes, at most `width`; not necessarily aligned
   * @returns the value; bits above `size` bytes are ignored
   */
  read(offset: number, size: number): number;
  /** Writes the unsigned `value` of `size` bytes at `offset`. */
  write(offset: number, size: number, value: number): void;
}

/** A device's place on a bus. @public */
export interface Attachment {
  /** Takes the device off the bus. Doing so twice does nothing. */
  detach(): void;
}
