/**
 * The bytes of an instruction as far as they are known: sixteen of them as four numbers, because they are compared on every
 * emulation, and as an array when they have to be decoded or shown.
 */

export class InstructionBytes {
  /** How many are known, 0 to 16; the others are 0. */
  count = 0;
  /** Little endian; plain fields, which cost less to read than elements of an array. */
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;
  readonly #bytes: Uint8Array = new Uint8Array(16);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  /** `#bytes`, cut after 0 to 16 bytes. */
  readonly #prefixes: readonly Uint8Array[] = Array.from({ length: 17 }, (_, count) => this.#bytes.subarray(0, count));

  clear(): void {
    this.count = 0;
    this.word0 = 0;
    this.word1 = 0;
    this.word2 = 0;
    this.word3 = 0;
  }

  /** The known bytes, in place: they hold until the next change. */
  get known(): Uint8Array {
    this.#view.setInt32(0, this.word0, true);
    this.#view.setInt32(4, this.word1, true);
    this.#view.setInt32(8, this.word2, true);
    this.#view.setInt32(12, this.word3, true);
    return this.#prefixes[this.count];
  }

  /** Appends the first `length` of `more`; together at most 16. */
  append(more: Uint8Array, length: number): void {
    const before = this.known.length;
    for (let i = 0; i < length; i++) this.#bytes[before + i] = more[i];
    this.count = before + length;
    this.word0 = this.#view.getInt32(0, true);
    this.word1 = this.#view.getInt32(4, true);
    this.word2 = this.#view.getInt32(8, true);
    this.word3 = this.#view.getInt32(12, true);
  }
}
