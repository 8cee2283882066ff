/** A stream of instructions of every kind, by seed: random bytes behind prefixes and escapes, decoded in all modes. */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";

const HEADS: readonly (readonly number[])[] = [
  [],
  [],
  [0x66],
  [0x67],
  [0xf0],
  [0xf2],
  [0xf3],
  [0x0f],
  [0x66, 0x0f],
  [0xf2, 0x0f],
  [0xf3, 0x0f],
  [0x0f, 0x38],
  [0x66, 0x0f, 0x38],
  [0x66, 0x0f, 0x3a],
  [0x48],
  [0x48, 0x0f],
  [0x4c],
  [0xc5],
  [0xc4, 0xe1],
  [0xc4, 0xe2],
  [0xc4, 0xe3],
  [0x64],
  [0x65, 0x48],
  [0xf3, 0x48, 0x0f],
];

/** A small random generator (xorshift). */
export function randomWords(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Calls back for `count` valid instructions of each mode; the instruction is reused. */
export function forEachInstruction(
  seed: number,
  count: number,
  use: (instruction: Instruction, bytes: Uint8Array) => void,
): void {
  const random = randomWords(seed);
  const instruction = new Instruction();
  for (const mode of [16, 32, 64] as const) {
    const decoder = new Decoder(mode);
    for (let valid = 0; valid < count; ) {
      const head = HEADS[random() % HEADS.length] as readonly number[];
      const bytes = Uint8Array.from({ length: 15 }, (_, i) => head[i] ?? random());
      if (decoder.decode(bytes, 0, instruction) !== DecodeStatus.ok) continue;
      valid++;
      use(instruction, bytes.subarray(0, instruction.length));
    }
  }
}
