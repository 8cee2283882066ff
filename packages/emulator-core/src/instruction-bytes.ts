/**
 * The bytes of an instruction as far as they are known: as `WHV_MEMORY_ACCESS_CONTEXT` and
 * `WHV_X64_IO_PORT_ACCESS_CONTEXT` begin, and as an array when they have to be decoded or shown.
 */

export class InstructionBytes {
  /** A count, 0 to 16, and four words of bytes, of which those beyond the count are 0. */
  readonly words: Int32Array = new Int32Array(5);
  readonly #bytes: Uint8Array = new Uint8Array(this.words.buffer, 4, 16);
  /** `#bytes`, cut after 0 to 16 bytes. */
  readonly #prefixes: readonly Uint8Array[] = Array.from({ length: 17 }, (_, count) => this.#bytes.subarray(0, count));

  /** How many are known, 0 to 16. */
  get count(): number {
    return this.words[0];
  }

  /** The known bytes, in place: they hold until the next change. */
  get known(): Uint8Array {
    return this.#prefixes[this.count];
  }

  /** Takes the first `count` bytes of a context that begins as these words do. */
  take(context: Int32Array, count: number): void {
    const known = Math.min(count, 16);
    this.words[0] = known;
    for (let i = 1; i < 5; i++) this.words[i] = context[i];
    this.#bytes.fill(0, known);
  }

  /** Appends the first `length` of `more`; together at most 16. */
  append(more: Uint8Array, length: number): void {
    const before = this.count;
    for (let i = 0; i < length; i++) this.#bytes[before + i] = more[i];
    this.words[0] = before + length;
  }
}
