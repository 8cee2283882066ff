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

/** Random instructions, one buffer that is filled again and again. */
export function* randomInstructions(seed: number, mode: 16 | 32 | 64, count: number): Generator<Uint8Array> {
  const random = new Random(seed);
  const bytes = new Uint8Array(16);
  for (let i = 0; i < count; i++) {
    randomInstruction(random, mode, bytes);
    yield bytes;
  }
}

const TAIL = [0x45, 0x93, 0x27, 0x11, 0xe8, 0x5a, 0x3c, 0x71, 0x06, 0x90, 0x90];
const SEGMENTS_AND_SIZES = [0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

/** How much of an enumeration is made: every value, or enough of them to meet each row of the table in each mode. */
export type Density = "all" | "some";

/** Every opcode of the legacy maps with prefixes and ModRM bytes. */
export function* legacyOpcodes(mode: 16 | 32 | 64, density: Density): Generator<Uint8Array> {
  const all = density === "all";
  const prefixes = all
    ? [
        [],
        [0x66],
        [0xf2],
        [0xf3],
        [0x66, 0xf2],
        [0x66, 0xf3],
        [0xf3, 0x66],
        [0x67],
        [0xf0],
        [0xf2, 0xf3],
        [0xf3, 0xf2],
        [0x2e],
        [0x64, 0x67],
        [0xf0, 0x66],
        [0xf0, 0xf3],
      ]
    : [[], [0x66], [0xf2], [0xf3], [0xf0], [0x67]];
  const rexes = mode !== 64 ? [[]] : all ? [[], [0x40], [0x41], [0x44], [0x48], [0x4f]] : [[], [0x4f]];
  const maps = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a], [0x0f, 0x0f]];
  const bytes = new Uint8Array(16);
  for (const map of maps)
    for (const prefix of prefixes)
      for (const rex of rexes)
        for (let opcode = 0; opcode < 256; opcode++) {
          if (map.length === 0 && (SEGMENTS_AND_SIZES.includes(opcode) || (mode === 64 && (opcode & 0xf0) === 0x40)))
            continue;
          if (map[1] === 0x0f) {
            for (const modrm of [0x44, 0xc1]) {
              bytes.set(
                [...prefix, ...rex, 0x0f, 0x0f, modrm, ...(modrm === 0xc1 ? [] : [0x24, 7]), opcode, ...TAIL].slice(
                  0,
                  16,
                ),
              );
              yield bytes;
            }
            continue;
          }
          const head = [...prefix, ...rex, ...map, opcode];
          for (let modrm = 0; modrm < 256; modrm += all ? 1 : modrm >= 0xc0 && map.length === 1 ? 1 : 7) {
            bytes.set([...head, modrm, ...TAIL].slice(0, 16));
            yield bytes;
          }
        }
}

/** Every opcode of the VEX and XOP maps with all pp, L and W, some vvvv and ModRM bytes. */
export function* vexOpcodes(mode: 16 | 32 | 64, density: Density): Generator<Uint8Array> {
  const all = density === "all";
  const bytes = new Uint8Array(16);
  for (const [lead, maps] of [
    [0xc4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 31]],
    [0x8f, [8, 9, 10, 11]],
  ] as const)
    for (const map of maps)
      for (const inverted of mode === 64 ? [0xe0, 0x00, 0x60, 0xa0] : [0xe0, 0xc0])
        for (let second = 0; second < 256; second++) {
          const vvvv = (second >> 3) & 15;
          if (all ? ![15, 0, 7, 8, 13].includes(vvvv) : vvvv !== 15 && vvvv !== 7) continue;
          if (inverted !== 0xe0 && vvvv !== 15 && (!all || vvvv !== 8)) continue;
          const step = !all ? 29 : map > 3 && lead === 0xc4 ? 37 : inverted === 0xe0 && vvvv === 15 ? 1 : 13;
          for (let opcode = 0; opcode < 256; opcode++)
            for (let modrm = all ? 0 : opcode % 29; modrm < 256; modrm += step) {
              bytes.set([lead, inverted | map, second, opcode, modrm, ...TAIL]);
              yield bytes;
            }
        }
  for (let payload = mode === 64 ? 0 : 0xc0; payload < 256; payload += all ? 1 : 5)
    for (let opcode = 0; opcode < 256; opcode++)
      for (let modrm = 0; modrm < 256; modrm += all ? 17 : 51) {
        bytes.set([0xc5, payload, opcode, modrm, ...TAIL]);
        yield bytes;
      }
}

/** Every opcode of the EVEX maps with all pp, W, L'L, b, z, an opmask or none, and some ModRM bytes. */
export function* evexOpcodes(mode: 16 | 32 | 64, density: Density): Generator<Uint8Array> {
  const all = density === "all";
  const bytes = new Uint8Array(16);
  const modrms = all ? [0xc0, 0xca, 0xf5, 0x14, 0x45, 0x8d, 0x5d, 0x05, 0xe1, 0xd8, 0x34, 0x6c] : [0xca, 0x4c];
  const inverted = mode !== 64 ? [0xf0, 0xe0, 0xd0] : all ? [0xf0, 0x00, 0xe0, 0xb0, 0xd0] : [0xf0];
  for (const map of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [1, 2, 3, 5, 6])
    for (const high of all ? inverted : [0xf0])
      for (const w of [0, 0x80])
        for (const vvvv of all ? [15, 7] : [15])
          for (let pp = 0; pp < 4; pp++)
            for (let third = 0; third < 256; third++) {
              if ((third & 7) > 1 || (!all && (third & 0x88) === 0x80)) continue;
              for (let opcode = 0; opcode < 256; opcode++)
                for (const modrm of modrms) {
                  bytes.set(
                    [0x62, high | map, w | (vvvv << 3) | 4 | pp, third, opcode, modrm, 0x21, ...TAIL].slice(0, 16),
                  );
                  yield bytes;
                }
            }
}
