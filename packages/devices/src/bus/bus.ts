/**
 * The bus of a machine: which device answers to which port and which guest-physical address, and how accesses that
 * are wider than a device, or that straddle two, are cut. Knows no device; RAM is not on it.
 *
 * Nothing here allocates per access.
 */
import type { Attachment, BusDevice } from "./bus-device.ts";
import { MemoryMap } from "./memory-map.ts";
import { PortMap } from "./port-map.ts";

/** An access that no device claimed: reads give all ones, writes are lost, as on an ISA or PCI bus. @public */
export interface UnclaimedAccess {
  /** Which address space was accessed. */
  readonly space: "port" | "memory";
  /** Port number or guest-physical address. */
  readonly address: number;
  /** Bytes: accesses that nobody claims are told byte by byte. */
  readonly size: number;
  /** `false` for a read. */
  readonly write: boolean;
}

/**
 * Port space (0 to 0xffff) and memory space (guest-physical, 0 to 2^52-1) with their devices.
 *
 * @example
 * ```ts
 * import { Bus } from "@whvkit/devices";
 * const bus = new Bus();
 * bus.attachPorts(0x3f8, 1, { width: 1, read: (offset) => 0x60 + offset, write() {} });
 * bus.readPort(0x3f8, 1); // 0x60
 * bus.readPort(0x3f9, 1); // 0xff
 * ```
 *
 * @public
 */
export class Bus {
  /** Bits 63 to 32 of what the last {@link Bus.readMemory} read; 0 for accesses of up to four bytes. */
  high = 0;
  /** Told of every access that no device claims, for tracing. */
  onUnclaimed: ((access: UnclaimedAccess) => void) | null = null;

  readonly #ports = new PortMap();
  readonly #memory = new MemoryMap();

  /**
   * Lets `device` answer to `count` ports from `first` on.
   *
   * @throws RangeError when the range leaves port space or overlaps another device's
   */
  attachPorts(first: number, count: number, device: BusDevice): Attachment {
    return this.#ports.attach(first, count, device);
  }

  /**
   * Lets `device` answer to `size` bytes of guest-physical memory from `address` on.
   *
   * @throws RangeError when the range leaves memory space or overlaps another device's
   */
  attachMemory(address: number, size: number, device: BusDevice): Attachment {
    return this.#memory.attach(address, size, device);
  }

  /** Reads 1, 2 or 4 bytes from port space; a port past 0xffff wraps to 0, as the processor's 16-bit port bus does. */
  readPort(port: number, size: number): number {
    const range = this.#ports.find(port);
    if (range !== null && size <= range.device.width && port + size <= range.end) {
      return cut(range.device.read(port - range.start, size), size);
    }
    let value = 0;
    for (let done = 0; done < size; ) {
      const at = (port + done) & 0xffff;
      const piece = this.#ports.find(at);
      const length = piece === null ? 1 : pieceSize(at, size - done, piece.end - at, piece.device.width);
      value |=
        cut(
          piece === null ? this.#floating("port", at, length) : piece.device.read(at - piece.start, length),
          length,
        ) <<
        (8 * done);
      done += length;
    }
    return value >>> 0;
  }

  /** Writes 1, 2 or 4 bytes to port space. */
  writePort(port: number, size: number, value: number): void {
    const range = this.#ports.find(port);
    if (range !== null && size <= range.device.width && port + size <= range.end) {
      range.device.write(port - range.start, size, cut(value, size));
      return;
    }
    for (let done = 0; done < size; ) {
      const at = (port + done) & 0xffff;
      const piece = this.#ports.find(at);
      const length = piece === null ? 1 : pieceSize(at, size - done, piece.end - at, piece.device.width);
      if (piece === null) this.#lost("port", at, length);
      else piece.device.write(at - piece.start, length, cut(value >>> (8 * done), length));
      done += length;
    }
  }

  /**
   * Reads 1 to 8 bytes of device memory. Accesses of 1, 2 and 4 bytes that the device can take go to it whole; all
   * others are cut into ascending, naturally aligned pieces of at most the device's width.
   *
   * @returns bits 31 to 0, unsigned; bits 63 to 32 are left in {@link Bus.high}
   */
  readMemory(address: number, size: number): number {
    this.high = 0;
    const range = this.#memory.find(address);
    if (range !== null && size <= range.device.width && size !== 3 && address + size <= range.end) {
      return cut(range.device.read(address - range.start, size), size);
    }
    let low = 0;
    let high = 0;
    for (let done = 0; done < size; ) {
      const at = address + done;
      const piece = this.#memory.find(at);
      const room = Math.min(size - done, 4 - (done & 3));
      const length = piece === null ? 1 : pieceSize(at, room, piece.end - at, piece.device.width);
      const value = cut(
        piece === null ? this.#floating("memory", at, length) : piece.device.read(at - piece.start, length),
        length,
      );
      if (done < 4) low |= value << (8 * done);
      else high |= value << (8 * (done - 4));
      done += length;
    }
    this.high = high >>> 0;
    return low >>> 0;
  }

  /** Writes 1 to 8 bytes of device memory: bits 31 to 0 and 63 to 32 of the value. Cut as {@link Bus.readMemory} cuts. */
  writeMemory(address: number, size: number, low: number, high: number): void {
    const range = this.#memory.find(address);
    if (range !== null && size <= range.device.width && size !== 3 && address + size <= range.end) {
      range.device.write(address - range.start, size, cut(low, size));
      return;
    }
    for (let done = 0; done < size; ) {
      const at = address + done;
      const piece = this.#memory.find(at);
      const room = Math.min(size - done, 4 - (done & 3));
      const length = piece === null ? 1 : pieceSize(at, room, piece.end - at, piece.device.width);
      const value = done < 4 ? low >>> (8 * done) : high >>> (8 * (done - 4));
      if (piece === null) this.#lost("memory", at, length);
      else piece.device.write(at - piece.start, length, cut(value, length));
      done += length;
    }
  }

  /** Whether a device answers to this guest-physical address. */
  claimsMemory(address: number): boolean {
    return this.#memory.find(address) !== null;
  }

  #floating(space: "port" | "memory", address: number, size: number): number {
    this.onUnclaimed?.({ space, address, size, write: false });
    return 0xffffffff;
  }

  #lost(space: "port" | "memory", address: number, size: number): void {
    this.onUnclaimed?.({ space, address, size, write: true });
  }
}

/** `value` as an unsigned integer of `size` bytes. */
function cut(value: number, size: number): number {
  return size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0;
}

/** The largest naturally aligned power of two at `address` within the room, the device's range and its width. */
function pieceSize(address: number, room: number, range: number, width: number): number {
  const most = Math.min(room, range, width);
  if (most >= 4 && address % 4 === 0) return 4;
  if (most >= 2 && address % 2 === 0) return 2;
  return 1;
}
