// Byte strings for differential tests: random ones that look like instructions, and all opcodes with all ModRM bytes.

/** A small generator of numbers that a seed determines (xorshift32). */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }
  /** 0 to `below - 1`. */
  next(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }
}

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** Fills 16 bytes with something that starts like an instruction: prefixes, an escape to some map, random rest. */
export function randomInstruction(random: Random, mode: 16 | 32 | 64, bytes: Uint8Array): void {
  let at = 0;
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.next(256);
  const prefixes = [0, 0, 0, 1, 1, 2, 3][random.next(7)] ?? 0;
  const shape = random.next(16);
  if (shape < 9 || random.next(16) === 0) {
    for (let i = 0; i < prefixes; i++) bytes[at++] = PREFIXES[random.next(PREFIXES.length)] ?? 0;
    if (mode === 64 && random.next(2) === 0) bytes[at++] = 0x40 + random.next(16);
  } else if (random.next(4) === 0) bytes[at++] = [0x67, 0x64, 0x2e][random.next(3)] ?? 0;
  switch (shape) {
    case 0:
    case 1:
    case 2:
      break;
    case 3:
    case 4:
    case 5:
      bytes[at++] = 0x0f;
      break;
    case 6:
      bytes[at++] = 0x0f;
      bytes[at++] = 0x38;
      break;
    case 7:
      bytes[at++] = 0x0f;
      bytes[at++] = 0x3a;
      break;
    case 8:
      bytes[at++] = 0x0f;
      bytes[at++] = 0x0f;
      break;
    case 9:
      bytes[at++] = 0xc5;
      bytes[at] = (bytes[at] ?? 0) | (mode === 64 ? 0 : 0xc0);
      if (random.next(2) === 0) bytes[at] = (bytes[at] ?? 0) | 0x78;
      break;
    case 10:
    case 11:
      bytes[at++] = 0xc4;
      bytes[at] =
        ((bytes[at] ?? 0) & 0xe0) |
        (random.next(8) === 0 ? random.next(32) : 1 + random.next(3)) |
        (mode === 64 ? 0 : 0xc0);
      if (random.next(2) === 0) bytes[at + 1] = (bytes[at + 1] ?? 0) | 0x78;
      break;
    case 12:
      bytes[at++] = 0x8f;
      bytes[at] = ((bytes[at] ?? 0) & 0xe0) | (8 + random.next(3)) | (mode === 64 ? 0 : 0xc0);
      bytes[at + 1] = (bytes[at + 1] ?? 0) & 0xfc;
      if (random.next(2) === 0) bytes[at + 1] = (bytes[at + 1] ?? 0) | 0x78;
      break;
    default:
      bytes[at++] = 0x62;
      bytes[at] =
        ((bytes[at] ?? 0) & 0xf0) |
        (random.next(8) === 0 ? random.next(16) : ([1, 2, 3, 5, 6][random.next(5)] ?? 1)) |
        (mode === 64 ? 0 : 0xc0);
      bytes[at + 1] = (bytes[at + 1] ?? 0) | 4;
      if (random.next(2) === 0) bytes[at + 1] = (bytes[at + 1] ?? 0) | 0x78;
      if (random.next(2) === 0) bytes[at + 2] = (bytes[at + 2] ?? 0) | 8;
      if (random.next(2) === 0) bytes[at + 2] = (bytes[at + 2] ?? 0) & 0x78;
  }
}
