// Cases of integer arithmetic, moves, shifts and bits.
import {
  always,
  byteOrWord,
  bytes,
  LONG,
  LONG_WORDS,
  MODES,
  modrm,
  operandAt,
  plain,
  prefixes,
  WORDS,
} from "./encoding.js";
import { base, RAX, RBX, RCX, RDI, RDX, RSI } from "./state.js";

/** @typedef {import("./encoding.js").Case} Case */
/** @typedef {import("./encoding.js").Prepare} Prepare */

const immediates = [0, 1, 0x7f, -128, -1, 0x12345678, -0x12345678];

/** @returns {Case[]} */
export function arithmetic() {
  /** @type {Case[]} */
  const cases = [];
  for (let k = 0; k < 8; k++) {
    const lock = k !== 7;
    cases.push(...modrm(MODES, byteOrWord(8 * k), { lock }));
    cases.push(...modrm(MODES, byteOrWord(8 * k + 2)));
    for (const value of [immediates[k % 7], immediates[(k + 3) % 7]]) {
      const word = /** @type {number} */ (value);
      cases.push(
        ...modrm(LONG, byteOrWord(0x80), { reg: k, immediate: (size) => bytes(word, Math.min(size, 4)), lock }),
      );
      cases.push(...modrm(WORDS, always(0x83), { reg: k, immediate: () => bytes(word, 1) }));
      for (const [mode, size] of MODES) {
        const code = [...prefixes(mode, size), 8 * k + (size > 1 ? 5 : 4), ...bytes(word, Math.min(size, 4))];
        cases.push({ mode, code, memory: false, count: 8 });
      }
    }
  }
  // Operands that are one register, AH to BH.
  cases.push(
    ...modrm(
      [
        [64, 1],
        [32, 1],
      ],
      always(0x00),
      { reg: 4, rm: 7, only: "registers" },
    ),
  );
  cases.push(...modrm([[64, 1]], always(0x28), { reg: 5, rm: 1, only: "registers" }));
  cases.push(...modrm(LONG_WORDS, always(0x11), { reg: 1, rm: 1, only: "registers" }));
  cases.push(
    ...modrm(MODES, byteOrWord(0x84)),
    ...modrm(LONG, byteOrWord(0xf6), { reg: 0, immediate: (size) => bytes(-0x5a5a5a, Math.min(size, 4)) }),
  );
  for (const reg of [0, 1]) cases.push(...modrm(MODES, byteOrWord(0xfe), { reg, lock: true }));
  for (const reg of [2, 3]) cases.push(...modrm(MODES, byteOrWord(0xf6), { reg, lock: true }));
  for (const [mode, size] of WORDS.filter(([mode]) => mode !== 64)) {
    cases.push(
      { mode, code: [...prefixes(mode, size), 0x41], memory: false },
      { mode, code: [...prefixes(mode, size), 0x4a], memory: false },
    );
  }
  cases.push(
    ...modrm(MODES, byteOrWord(0x0f, 0xc0), { lock: true }),
    ...modrm(LONG, byteOrWord(0x0f, 0xc0), { reg: 1, rm: 1, only: "registers" }),
  );
  cases.push(...compareExchange());
  for (const prefix of [0x66, 0xf3])
    cases.push(
      ...modrm(
        [
          [64, 4],
          [64, 8],
        ],
        always(0x0f, 0x38, 0xf6),
        { prefix: [prefix] },
      ),
    );
  cases.push(
    ...modrm(
      [
        [64, 1],
        [64, 4],
        [64, 8],
      ],
      (size) => [0x0f, 0x38, size === 1 ? 0xf0 : 0xf1],
      { prefix: [0xf2] },
    ),
  );
  cases.push({ mode: 64, code: [0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xd1], memory: false });
  return cases;
}

/** @returns {Case[]} */
function compareExchange() {
  /** Half of the time the comparison succeeds. @type {Prepare} */
  const match = (state, random) => {
    const at = operandAt(state);
    if (random.below(2) === 0) {
      state.set(RAX, state.registers[RCX] ?? 0n);
      if (at !== null) new DataView(state.window.buffer).setBigUint64(at, state.registers[RAX] ?? 0n, true);
    }
  };
  /** @type {Prepare} */
  const pair = (state, random) => {
    const at = operandAt(state) ?? 0;
    const view = new DataView(state.window.buffer);
    if (random.below(2) === 0) {
      view.setUint32(at, Number(BigInt.asUintN(32, state.registers[RAX] ?? 0n)), true);
      view.setUint32(at + 4, Number(BigInt.asUintN(32, state.registers[RDX] ?? 0n)), true);
    }
  };
  /** @type {Prepare} */
  const aligned = (state, random) => {
    const offset = random.below(8) === 0 ? 4 : 0;
    state.set(RBX, base(64) + 0x40 + 16 * random.below(4) + 8 + offset);
    state.set(RSI, 0);
    if (random.below(2) === 0) {
      const view = new DataView(state.window.buffer);
      const at = /** @type {number} */ (operandAt(state));
      view.setBigUint64(at, state.registers[RAX] ?? 0n, true);
      view.setBigUint64(at + 8, state.registers[RDX] ?? 0n, true);
    }
  };
  return [
    ...modrm(MODES, byteOrWord(0x0f, 0xb0), { prepare: match, lock: true }),
    ...modrm(
      [
        [64, 4],
        [32, 4],
        [16, 2],
      ],
      always(0x0f, 0xc7),
      { reg: 1, prepare: pair, only: "memory", lock: true },
    ),
    ...modrm([[64, 8]], always(0x0f, 0xc7), { reg: 1, prepare: aligned, only: "memory", lock: true }),
  ];
}

/** @returns {Case[]} */
export function moves() {
  /** @type {Case[]} */
  const cases = [];
  const few = { count: 6 };
  cases.push(...modrm(MODES, byteOrWord(0x88), few), ...modrm(MODES, byteOrWord(0x8a), few));
  cases.push(
    ...modrm(MODES, byteOrWord(0xc6), { reg: 0, immediate: (size) => bytes(-0x76543210, Math.min(size, 4)), ...few }),
  );
  cases.push(...modrm([[64, 1]], always(0x88), { reg: 4, rm: 2, only: "registers", ...few }));
  cases.push(
    { mode: 64, code: [0x40, 0x88, 0xe2], memory: false, ...few },
    { mode: 64, code: [0x49, 0xba, 1, 2, 3, 4, 5, 6, 7, 0x88], memory: false, ...few },
  );
  cases.push(
    { mode: 64, code: [0x41, 0xb9, 1, 2, 3, 0x84], memory: false, ...few },
    { mode: 64, code: [0x66, 0xb9, 1, 0x82], memory: false, ...few },
  );
  for (const low of [0xb6, 0xb7, 0xbe, 0xbf]) cases.push(...modrm(WORDS, always(0x0f, low)));
  cases.push(
    ...modrm(
      [
        [64, 2],
        [64, 4],
        [64, 8],
      ],
      always(0x63),
    ),
  );
  cases.push(
    ...modrm(WORDS, always(0x0f, 0x38, 0xf0), { only: "memory" }),
    ...modrm(WORDS, always(0x0f, 0x38, 0xf1), { only: "memory" }),
  );
  cases.push(
    ...modrm(
      [
        [64, 4],
        [64, 8],
      ],
      always(0x0f, 0xc3),
      { only: "memory" },
    ),
  );
  cases.push(...modrm(MODES, byteOrWord(0x86), { lock: true }), ...modrm(LONG_WORDS, always(0x8d), { only: "memory" }));
  cases.push(
    ...modrm(
      WORDS.filter(([mode]) => mode !== 64),
      always(0x8d),
      { only: "memory" },
    ),
  );
  // LEA with every address shape.
  for (const code of [
    [0x48, 0x8d, 0x05, 0x10, 0, 0, 0x80],
    [0x48, 0x8d, 0x04, 0xcd, 1, 0, 0, 0x80],
    [0x67, 0x48, 0x8d, 0x44, 0xd1, 0x80],
    [0x48, 0x8d, 0x84, 0x91, 0, 0, 0, 0x80],
    [0x67, 0x48, 0x8d, 0x05, 0xf0, 0xff, 0xff, 0xff],
    [0x4b, 0x8d, 0x44, 0xff, 0x7f],
  ]) {
    cases.push({ mode: 64, code, memory: false });
  }
  for (const rm of [0, 1, 2, 3, 4, 5, 6, 7]) {
    cases.push(
      { mode: 16, code: [0x8d, 0x80 | rm, 0xff, 0x7f], memory: false },
      { mode: 32, code: [0x67, 0x8d, 0x40 | rm, 0x80], memory: false },
    );
  }
  for (const [mode, size] of WORDS) {
    cases.push({ mode, code: [...prefixes(mode, size), 0x91], memory: false });
    if (size === 8) cases.push({ mode, code: [0x48, 0x0f, 0xc9], memory: false });
    cases.push(
      { mode, code: [...prefixes(mode, size), 0x98], memory: false },
      { mode, code: [...prefixes(mode, size), 0x99], memory: false },
    );
  }
  cases.push({ mode: 64, code: [0x0f, 0xc9], memory: false }, { mode: 64, code: [0x66, 0x0f, 0xc9], memory: false });
  cases.push(...plain([64, 32, 16], [0x9f]), ...plain([64, 32, 16], [0x9e]), ...plain([32], [0xd6]));
  for (const mode of /** @type {const} */ ([64, 32, 16])) {
    cases.push({ mode, code: [0xd7], memory: false, prepare: (state) => state.set(RBX, base(mode)) });
  }
  for (let condition = 0; condition < 16; condition++) {
    cases.push(
      ...modrm(LONG_WORDS, always(0x0f, 0x40 | condition), { count: 8 }),
      ...modrm([[64, 1]], always(0x0f, 0x90 | condition), { reg: 0, count: 8 }),
    );
    cases.push(
      ...modrm(
        [
          [32, 4],
          [16, 2],
        ],
        always(0x0f, 0x40 | condition),
        { count: 4 },
      ),
    );
  }
  return cases;
}

/** @returns {Case[]} */
export function multiplication() {
  /** @type {Case[]} */
  const cases = [];
  for (const reg of [4, 5]) cases.push(...modrm(MODES, byteOrWord(0xf6), { reg }));
  cases.push(...modrm(WORDS, always(0x0f, 0xaf)), ...modrm(LONG_WORDS, always(0x6b), { immediate: () => [0x9d] }));
  cases.push(...modrm(LONG_WORDS, always(0x69), { immediate: (size) => bytes(-0x12345678, Math.min(size, 4)) }));
  for (const [mode, size] of MODES) {
    /** Dividends whose quotient fits, most of the time. @type {Prepare} */
    const fitting = (state, random) => {
      if (random.below(6) === 0) return;
      const at = operandAt(state);
      if (at !== null && state.window[at] === 0) state.window[at] = 3;
      const shift = BigInt(random.below(size * 8));
      const mask = (1n << BigInt(size * 8)) - 1n;
      const negative = random.below(3) === 0;
      const high = ((state.registers[RDX] ?? 0n) & mask) >> shift;
      if (size === 1) state.set(RAX, BigInt(random.below(256)) | (((negative ? ~high : high) & 0xffn) << 8n));
      else state.set(RDX, negative ? ~high : high);
    };
    cases.push(...modrm([[mode, size]], byteOrWord(0xf6), { reg: 6, prepare: fitting, count: 48 }));
    cases.push(...modrm([[mode, size]], byteOrWord(0xf6), { reg: 7, prepare: fitting, count: 48 }));
  }
  // MULX r32/r64: VEX.LZ.F2.0F38 F6; targets RDI:RSI and one register twice.
  for (const w of [0, 0x80]) {
    cases.push(
      { mode: 64, code: [0xc4, 0xe2, w | 0x4b, 0xf6, 0xf9], memory: false },
      { mode: 64, code: [0xc4, 0xe2, w | 0x43, 0xf6, 0xf9], memory: false },
    );
  }
  return cases;
}

/** @returns {Case[]} */
export const decimal = () =>
  [0x27, 0x2f, 0x37, 0x3f]
    .flatMap((opcode) => plain([32, 16], [opcode], { count: 200, prepare: smallAccumulator }))
    .concat(
      [10, 0, 16, 7, 255].flatMap((immediate) =>
        [0xd4, 0xd5].flatMap((opcode) =>
          plain([32, 16], [opcode, immediate], { count: 60, prepare: smallAccumulator }),
        ),
      ),
    );

/** @type {Prepare} */
const smallAccumulator = (state, random) => {
  const low = random.pick([random.below(256), random.below(16), 0xfa + random.below(6)]);
  const high = random.pick([random.below(256), 0, 0xff, 0x7f]);
  state.set(RAX, ((state.registers[RAX] ?? 0n) & ~0xffffn) | BigInt((high << 8) | low));
};

/** @returns {Case[]} */
export function shifts() {
  /** @type {Prepare} */
  const count = (state, random) =>
    state.set(
      RCX,
      ((state.registers[RCX] ?? 0n) & ~0xffn) | BigInt(random.below(3) === 0 ? random.below(256) : random.below(40)),
    );
  /** @type {Case[]} */
  const cases = [];
  for (let reg = 0; reg < 8; reg++) {
    cases.push(
      ...modrm(MODES, byteOrWord(0xd0), { reg, rm: RDX, count: 8 }),
      ...modrm(MODES, byteOrWord(0xd2), { reg, rm: RDX, prepare: count, count: 40 }),
    );
    for (const immediate of [0, 1, 3, 8, 9, 17, 31, 63])
      cases.push(...modrm(LONG, byteOrWord(0xc0), { reg, rm: RDX, immediate: () => [immediate], count: 4 }));
  }
  for (const opcode of [0xa5, 0xad])
    cases.push(...modrm(WORDS, always(0x0f, opcode), { reg: RDI, rm: RDX, prepare: count, count: 60 }));
  for (const opcode of [0xa4, 0xac]) {
    for (const immediate of [0, 1, 5, 16, 20, 31, 33])
      cases.push(
        ...modrm(LONG_WORDS, always(0x0f, opcode), { reg: RDI, rm: RDX, immediate: () => [immediate], count: 6 }),
      );
  }
  // SHLX, SARX, SHRX rax, rdx, rcx and RORX rax, rdx, imm8.
  for (const w of [0, 0x80]) {
    for (const pp of [1, 2, 3])
      cases.push({ mode: 64, code: [0xc4, 0xe2, w | 0x70 | pp, 0xf7, 0xc2], memory: false, prepare: count });
    for (const immediate of [0, 1, 31, 45])
      cases.push({ mode: 64, code: [0xc4, 0xe3, w | 0x7b, 0xf0, 0xc2, immediate], memory: false, count: 6 });
  }
  return cases;
}

/** @returns {Case[]} */
export function bits() {
  /** @type {Case[]} */
  const cases = [];
  for (const [index, opcode] of [0xa3, 0xab, 0xb3, 0xbb].entries()) {
    cases.push(...modrm(WORDS, always(0x0f, opcode), { only: "registers" }));
    /** Bit strings that stay in the window. @type {Prepare} */
    const near = (state, random) => state.set(RDX, BigInt(random.below(1200)) - 240n);
    cases.push(...modrm(WORDS, always(0x0f, opcode), { only: "memory", prepare: near, lock: index > 0, count: 40 }));
    for (const immediate of [0, 15, 31, 45, 0xff])
      cases.push(...modrm(WORDS, always(0x0f, 0xba), { reg: 4 + index, immediate: () => [immediate], count: 4 }));
  }
  for (const opcode of [0xbc, 0xbd])
    cases.push(...modrm(WORDS, always(0x0f, opcode)), ...modrm(WORDS, always(0x0f, opcode), { prefix: [0xf3] }));
  cases.push(...modrm(WORDS, always(0x0f, 0xb8), { prefix: [0xf3] }));
  /** @type {Prepare} */
  const fields = (state, random) => {
    if (random.below(3) > 0)
      state.set(RDX, (random.long() & ~0xffffn) | BigInt(random.below(72)) | (BigInt(random.below(80)) << 8n));
  };
  for (const w of [0, 0x80]) {
    // rax, rcx, with rdx in VEX.vvvv or as the source.
    cases.push({ mode: 64, code: [0xc4, 0xe2, w | 0x68, 0xf2, 0xc1], memory: false });
    cases.push({ mode: 64, code: [0xc4, 0xe2, w | 0x68, 0xf7, 0xc1], memory: false, prepare: fields, count: 80 });
    cases.push({ mode: 64, code: [0xc4, 0xe2, w | 0x68, 0xf5, 0xc1], memory: false, prepare: fields, count: 80 });
    for (const reg of [1, 2, 3])
      cases.push({ mode: 64, code: [0xc4, 0xe2, w | 0x78, 0xf3, 0xc0 | (reg << 3) | 1], memory: false, count: 40 });
    // PEXT and PDEP rax, rcx, rdx.
    cases.push(
      { mode: 64, code: [0xc4, 0xe2, w | 0x72, 0xf5, 0xc2], memory: false, count: 40 },
      { mode: 64, code: [0xc4, 0xe2, w | 0x73, 0xf5, 0xc2], memory: false, count: 40 },
    );
  }
  return cases;
}
