/** The end of what the guest has printed, for `limits.until`: bytes read as Latin-1. */

/** Characters that a pattern can reach back. */
const TAIL = 4096;

export class ConsoleText {
  #text = "";
  #changed = false;
  readonly #pattern: RegExp | null;

  constructor(pattern: RegExp | null) {
    // Without the g and y flags `test` starts from the beginning each time.
    this.#pattern = pattern === null ? null : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  }

  add(byte: number): void {
    if (this.#pattern === null) return;
    this.#text += String.fromCharCode(byte);
    if (this.#text.length > 2 * TAIL) this.#text = this.#text.slice(-TAIL);
    this.#changed = true;
  }

  /** Whether the pattern matches what has been printed since it was last asked, and up to a tail before it. */
  matches(): boolean {
    if (!this.#changed || this.#pattern === null) return false;
    this.#changed = false;
    return this.#pattern.test(this.#text.slice(-TAIL));
  }
}
