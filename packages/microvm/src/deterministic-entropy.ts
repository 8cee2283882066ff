/** The bytes that the entropy device gives when the host names no source: a fixed sequence, so that runs repeat. */

/** A generator of the sequence xorshift32 (Marsaglia, "Xorshift RNGs", 2003), a byte from each state. */
export function deterministicEntropy(): (bytes: Uint8Array) => void {
  let state = 0x9e3779b9;
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[i] = state >>> 24;
    }
  };
}
