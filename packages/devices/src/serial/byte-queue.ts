/** Bytes waiting in line: a ring that grows as needed, so that taking one costs the same however many wait. */
export class ByteQueue {
  #ring = new Uint8Array(64);
  #start = 0;
  length = 0;

  push(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#ring.length) this.#grow(this.length + bytes.length);
    const mask = this.#ring.length - 1;
    for (let i = 0; i < bytes.length; i++) {
      this.#ring[(this.#start + this.length + i) & mask] = bytes[i] as number;
    }
    this.length += bytes.length;
  }

  /** Takes the oldest byte. There must be one. */
  shift(): number {
    const byte = this.#ring[this.#start] as number;
    this.#start = (this.#start + 1) & (this.#ring.length - 1);
    this.length -= 1;
    return byte;
  }

  /** Puts a byte in front of all others. */
  unshift(byte: number): void {
    if (this.length === this.#ring.length) this.#grow(this.length + 1);
    this.#start = (this.#start - 1) & (this.#ring.length - 1);
    this.#ring[this.#start] = byte;
    this.length += 1;
  }

  /** Capacities are powers of two, so that positions wrap by a mask. */
  #grow(needed: number): void {
    let capacity = this.#ring.length;
    while (capacity < needed) capacity *= 2;
    const ring = new Uint8Array(capacity);
    for (let i = 0; i < this.length; i++) ring[i] = this.#ring[(this.#start + i) & (this.#ring.length - 1)] as number;
    this.#ring = ring;
    this.#start = 0;
  }
}
