// The instructions that are tried, by family: bytes, mode, and what their inputs must keep to. Families have the names of
// the files in packages/x86-semantics/src/families.
import { base, CODE, CODE_OFFSET, DATA, DATA_SIZE, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from "./state.js";

/**
 * @typedef {object} Case
 * @property {16 | 32 | 64} mode
 * @property {number[]} code
 * @property {boolean} memory the operand is [rbx + rsi - 8]
 * @property {((state: import("./state.js").State, random: import("./random.js").Random) => void)} [prepare]
 * @property {number} [count] vectors of this case, instead of the family's number
 */

/** @typedef {16 | 32 | 64} Mode */
/** @typedef {1 | 2 | 4 | 8} Size */

/** Modes and operand sizes that exist together. @type {readonly [Mode, Size][]} */
const MODES = [
  [64, 1],
  [64, 2],
  [64, 4],
  [64, 8],
  [32, 1],
  [32, 2],
  [32, 4],
  [16, 1],
  [16, 2],
  [16, 4],
];
const WORDS = MODES.filter(([, size]) => size > 1);
const LONG = MODES.filter(([mode]) => mode === 64);
const LONG_WORDS = WORDS.filter(([mode]) => mode === 64);

/** Prefixes that choose the operand size. @param {Mode} mode @param {Size} size */
function prefixes(mode, size) {
  if (size === 8) return [0x48];
  if (size === 2) return mode === 16 ? [] : [0x66];
  if (size === 4) return mode === 16 ? [0x66] : [];
  return [];
}

/** ModRM of a register operand. @param {number} reg @param {number} rm */
const registers = (reg, rm) => [0xc0 | (reg << 3) | rm];
/** ModRM of the memory operand. @param {Mode} mode @param {number} reg */
const memory = (mode, reg) => (mode === 16 ? [0x40 | (reg << 3), 0xf8] : [0x44 | (reg << 3), 0x33, 0xf8]);

/** Little-endian bytes. @param {number} value @param {number} size */
const bytes = (value, size) =>
  Array.from({ length: size }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 0xff : value < 0 ? 0xff : 0));

/**
 * A ModRM instruction on registers and on memory.
 *
 * @param {readonly (readonly [Mode, Size])[]} modes
 * @param {(size: Size) => number[]} opcode
 * @param {{ reg?: number, rm?: number, immediate?: (size: Size) => number[], prepare?: Case["prepare"], lock?: boolean, only?: "registers" | "memory", prefix?: number[], count?: number }} [more]
 * @returns {Case[]}
 */
function modrm(modes, opcode, more = {}) {
  const { reg = RDX, rm = RCX, immediate = () => [], prepare, lock = false, only, prefix = [], count } = more;
  return modes.flatMap(([mode, size]) => {
    const extra = { ...(prepare ? { prepare } : {}), ...(count ? { count } : {}) };
    // A mandatory prefix stands before REX, but after 66.
    const sized = prefixes(mode, size);
    const rex = sized[0] === 0x48;
    const head = rex ? [...prefix, ...sized, ...opcode(size)] : [...sized, ...prefix, ...opcode(size)];
    /** @type {Case[]} */
    const result = [];
    if (only !== "memory")
      result.push({ mode, code: [...head, ...registers(reg, rm), ...immediate(size)], memory: false, ...extra });
    if (only !== "registers") {
      const code = [...head, ...memory(mode, reg), ...immediate(size)];
      result.push({ mode, code, memory: true, ...extra });
      if (lock) result.push({ mode, code: [0xf0, ...code], memory: true, ...extra });
    }
    return result;
  });
}

/** Instructions without ModRM. @param {readonly Mode[]} modes @param {number[]} code @param {Partial<Case>} [more] @returns {Case[]} */
const plain = (modes, code, more = {}) => modes.map((mode) => ({ mode, code, memory: false, ...more }));

/** An opcode whose low bit says byte or word. @param {number[]} opcode @returns {(size: Size) => number[]} */
const byteOrWord =
  (...opcode) =>
  (size) => [...opcode.slice(0, -1), /** @type {number} */ (opcode.at(-1)) | (size > 1 ? 1 : 0)];
/** @param {number[]} opcode */
const always =
  (...opcode) =>
  () =>
    opcode;

const immediates = [0, 1, 0x7f, -128, -1, 0x12345678, -0x12345678];

/** @returns {Case[]} */
function arithmetic() {
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
  /** Half of the time the comparison succeeds. @type {Case["prepare"]} */
  const match = (state, random) => {
    const at = operandAt(state);
    if (random.below(2) === 0) {
      state.set(RAX, state.registers[RCX] ?? 0n);
      if (at !== null) new DataView(state.window.buffer).setBigUint64(at, state.registers[RAX] ?? 0n, true);
    }
  };
  /** @type {Case["prepare"]} */
  const pair = (state, random) => {
    const at = operandAt(state) ?? 0;
    const view = new DataView(state.window.buffer);
    if (random.below(2) === 0) {
      view.setUint32(at, Number(BigInt.asUintN(32, state.registers[RAX] ?? 0n)), true);
      view.setUint32(at + 4, Number(BigInt.asUintN(32, state.registers[RDX] ?? 0n)), true);
    }
  };
  /** @type {Case["prepare"]} */
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

/** Where in the window the memory operand lies. @param {import("./state.js").State} state */
function operandAt(state) {
  const offset =
    Number(BigInt.asUintN(32, state.registers[RBX] ?? 0n)) + Number(BigInt.asUintN(16, state.registers[RSI] ?? 0n)) - 8;
  for (const mode of [64, 16]) {
    const at = offset - base(mode);
    if (at >= 0 && at < 0x180) return at;
  }
  return null;
}

/** @returns {Case[]} */
function moves() {
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
function multiplication() {
  /** @type {Case[]} */
  const cases = [];
  for (const reg of [4, 5]) cases.push(...modrm(MODES, byteOrWord(0xf6), { reg }));
  cases.push(...modrm(WORDS, always(0x0f, 0xaf)), ...modrm(LONG_WORDS, always(0x6b), { immediate: () => [0x9d] }));
  cases.push(...modrm(LONG_WORDS, always(0x69), { immediate: (size) => bytes(-0x12345678, Math.min(size, 4)) }));
  for (const [mode, size] of MODES) {
    /** Dividends whose quotient fits, most of the time. @type {Case["prepare"]} */
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
const decimal = () =>
  [0x27, 0x2f, 0x37, 0x3f]
    .flatMap((opcode) => plain([32, 16], [opcode], { count: 200, prepare: smallAccumulator }))
    .concat(
      [10, 0, 16, 7, 255].flatMap((immediate) =>
        [0xd4, 0xd5].flatMap((opcode) =>
          plain([32, 16], [opcode, immediate], { count: 60, prepare: smallAccumulator }),
        ),
      ),
    );

/** @type {Case["prepare"]} */
const smallAccumulator = (state, random) => {
  const low = random.pick([random.below(256), random.below(16), 0xfa + random.below(6)]);
  const high = random.pick([random.below(256), 0, 0xff, 0x7f]);
  state.set(RAX, ((state.registers[RAX] ?? 0n) & ~0xffffn) | BigInt((high << 8) | low));
};

/** @returns {Case[]} */
function shifts() {
  /** @type {Case["prepare"]} */
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
function bits() {
  /** @type {Case[]} */
  const cases = [];
  for (const [index, opcode] of [0xa3, 0xab, 0xb3, 0xbb].entries()) {
    cases.push(...modrm(WORDS, always(0x0f, opcode), { only: "registers" }));
    /** Bit strings that stay in the window. @type {Case["prepare"]} */
    const near = (state, random) => state.set(RDX, BigInt(random.below(1200)) - 240n);
    cases.push(...modrm(WORDS, always(0x0f, opcode), { only: "memory", prepare: near, lock: index > 0, count: 40 }));
    for (const immediate of [0, 15, 31, 45, 0xff])
      cases.push(...modrm(WORDS, always(0x0f, 0xba), { reg: 4 + index, immediate: () => [immediate], count: 4 }));
  }
  for (const opcode of [0xbc, 0xbd])
    cases.push(...modrm(WORDS, always(0x0f, opcode)), ...modrm(WORDS, always(0x0f, opcode), { prefix: [0xf3] }));
  cases.push(...modrm(WORDS, always(0x0f, 0xb8), { prefix: [0xf3] }));
  /** @type {Case["prepare"]} */
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

/** @returns {Case[]} */
function control() {
  /** @type {Case[]} */
  const cases = [];
  for (let condition = 0; condition < 16; condition++) {
    cases.push(
      ...plain([64, 32, 16], [0x70 | condition, 0x40], { count: 8 }),
      ...plain([64], [0x0f, 0x80 | condition, 0x80, 0xff, 0xff, 0xff], { count: 4 }),
    );
    cases.push(...plain([16], [0x0f, 0x80 | condition, 0x80, 0xff], { count: 4 }));
  }
  /** @type {Case["prepare"]} */
  const smallCount = (state, random) =>
    state.set(RCX, random.pick([0n, 1n, 2n, 0x1_0000n, 0x1_0001n, 0x1_0000_0000n, 0x1_0000_0001n, random.long()]));
  for (const opcode of [0xe0, 0xe1, 0xe2, 0xe3])
    cases.push(
      ...plain([64, 32, 16], [opcode, 0x20], { prepare: smallCount }),
      ...plain([64, 32, 16], [0x67, opcode, 0xe0], { prepare: smallCount }),
    );
  cases.push(
    ...plain([64, 32, 16], [0xeb, 0x7f], { count: 2 }),
    ...plain([64, 32], [0xe9, 0x80, 0xfe, 0xff, 0xff], { count: 2 }),
    ...plain([16], [0xe9, 0x80, 0xfe], { count: 2 }),
  );
  cases.push(...plain([64, 32], [0xe8, 0x80, 0xfe, 0xff, 0xff]), ...plain([16], [0xe8, 0x80, 0xfe]));
  for (const mode of /** @type {const} */ ([64, 32, 16])) {
    const target = (mode === 16 ? 0 : CODE) + 0x200;
    /** @type {Case["prepare"]} */
    const pointers = (state, random) => {
      const to = BigInt(target + random.below(256));
      state.set(RCX, to);
      const view = new DataView(state.window.buffer);
      const at = operandAt(state);
      if (at !== null) view.setBigUint64(at, to, true);
      // Return addresses on the stack.
      view.setBigUint64(0x100, mode === 16 ? to | (random.long() & ~0xffffn) : to, true);
    };
    const size = mode === 64 ? 4 : mode === 32 ? 4 : 2;
    cases.push(
      ...modrm([[mode, size]], always(0xff), { reg: 2, prepare: pointers }),
      ...modrm([[mode, size]], always(0xff), { reg: 4, prepare: pointers }),
    );
    cases.push(
      { mode, code: [0xc3], memory: false, prepare: pointers },
      { mode, code: [0xc2, 0x10, 0], memory: false, prepare: pointers },
    );
  }
  // Targets that are not canonical.
  cases.push({
    mode: 64,
    code: [0xff, 0xe1],
    memory: false,
    count: 4,
    prepare: (state) => state.set(RCX, 0x8000_0000_0000n),
  });
  cases.push({
    mode: 64,
    code: [0xff, 0xd1],
    memory: false,
    count: 4,
    prepare: (state) => state.set(RCX, 0xffff_7fff_ffff_ffffn),
  });
  // Beyond the limit of CS.
  cases.push({
    mode: 16,
    code: [0x66, 0xff, 0xe1],
    memory: false,
    count: 4,
    prepare: (state) => state.set(RCX, 0x1_0000),
  });
  /** @type {Case["prepare"]} */
  const bounds = (state, random) => {
    const at = /** @type {number} */ (operandAt(state));
    const view = new DataView(state.window.buffer);
    for (let i = 0; i < 8; i++) view.setUint8(at + i, random.pick([0, 0xff, 0x7f, 0x80, 1]));
    state.set(RDX, random.value());
  };
  cases.push(
    ...modrm(
      [
        [32, 2],
        [32, 4],
        [16, 2],
        [16, 4],
      ],
      always(0x62),
      { only: "memory", prepare: bounds },
    ),
  );
  cases.push(
    ...plain([64, 32, 16], [0x0f, 0x0b], { count: 2 }),
    ...plain([64], [0x0f, 0xff, 0xc1], { count: 2 }),
    ...plain([64], [0x0f, 0xb9, 0xc1], { count: 2 }),
  );
  return cases;
}

/** @returns {Case[]} */
function strings() {
  /** @type {Case[]} */
  const cases = [];
  for (const mode of /** @type {const} */ ([64, 32, 16])) {
    for (const repeat of [[], [0xf3], [0xf2]]) {
      for (const addressPrefix of [[], [0x67]]) {
        if (mode === 16 && addressPrefix.length > 0) continue;
        /** @type {Case["prepare"]} */
        const pointers = (state, random) => {
          const [source, target] = [0x60 + random.below(0x40), 0x110 + random.below(0x40)];
          state.set(RSI, BigInt(base(mode) + source));
          state.set(RDI, BigInt(base(mode) + target));
          state.set(
            RCX,
            BigInt(random.below(8)) | (mode === 64 && addressPrefix.length > 0 ? random.long() & ~0xffff_ffffn : 0n),
          );
          if (mode === 64 && addressPrefix.length > 0 && random.below(2) === 0) {
            state.set(RSI, (state.registers[RSI] ?? 0n) | 0xabcd_0000_0000n);
          }
          if (random.below(3) === 0) state.flags |= 0x400;
          // Runs of equal bytes, so that comparisons go on for a while.
          const content = random.below(4);
          if (content < 2) state.window.copyWithin(target - 0x20, source - 0x20, source + 0x30);
          else if (content === 2)
            state.window.fill(
              Number(BigInt.asUintN(8, state.registers[RAX] ?? 0n)),
              target - 0x20,
              target + random.below(0x30),
            );
        };
        // Addresses of 16 bits reach the window only in 16-bit mode.
        if (mode === 32 && addressPrefix.length > 0) continue;
        for (const opcode of [0xa4, 0xa6, 0xaa, 0xac, 0xae]) {
          for (const [, size] of MODES.filter(([m]) => m === mode)) {
            const code = [...repeat, ...addressPrefix, ...prefixes(mode, size), opcode | (size > 1 ? 1 : 0)];
            cases.push({ mode, code, memory: false, prepare: pointers, count: repeat.length > 0 ? 20 : 8 });
          }
        }
      }
    }
  }
  return cases;
}

/** @returns {Case[]} */
function stack() {
  /** @type {Case[]} */
  const cases = [];
  const few = { count: 6 };
  for (const [mode, size] of [
    [64, 4],
    [64, 2],
    [32, 4],
    [32, 2],
    [16, 2],
    [16, 4],
  ]) {
    const sized = /** @type {readonly [Mode, Size][]} */ ([[mode, size]]);
    const head = prefixes(/** @type {Mode} */ (mode), /** @type {Size} */ (size));
    /** @param {number[]} code @param {Partial<Case>} [more] */
    const add = (code, more = {}) =>
      cases.push({ mode: /** @type {Mode} */ (mode), code: [...head, ...code], memory: false, ...few, ...more });
    for (const register of [RAX, RDX, RSP, RBP]) {
      add([0x50 | register]);
      add([0x58 | register]);
    }
    cases.push(...modrm(sized, always(0xff), { reg: 6, ...few }), ...modrm(sized, always(0x8f), { reg: 0, ...few }));
    add([0x6a, 0x85]);
    add([0x68, ...bytes(-0x7654321, Math.min(/** @type {number} */ (size), 4))]);
    add([0x9c]);
    add([0x9d]);
    add([0xc9], {
      prepare: (state, random) => state.set(RBP, BigInt(base(/** @type {Mode} */ (mode)) + 0x40 + random.below(0x100))),
    });
    for (const level of [0, 1, 2, 5]) {
      add([0xc8, 0x10, 0, level], {
        prepare: (state, random) =>
          state.set(RBP, BigInt(base(/** @type {Mode} */ (mode)) + 0x140 + random.below(0x80))),
      });
    }
    if (mode !== 64) {
      add([0x60]);
      add([0x61]);
      for (const segment of [0x06, 0x0e, 0x16, 0x1e]) add([segment]);
    }
    if (mode !== 16) add([0x0f, 0xa0]);
  }
  // POP to memory addressed by the stack pointer.
  cases.push(
    { mode: 64, code: [0x8f, 0x04, 0x24], memory: false },
    { mode: 64, code: [0x8f, 0x44, 0x24, 0x10], memory: false },
    { mode: 32, code: [0x8f, 0x44, 0xe4, 0xf0], memory: false },
  );
  cases.push(
    { mode: 64, code: [0x66, 0x8f, 0x44, 0x24, 0x10], memory: false },
    { mode: 64, code: [0xff, 0x74, 0x24, 0x08], memory: false },
  );
  return cases;
}

/** @returns {Case[]} */
const flags = () => [0xf5, 0xf8, 0xf9, 0xfc, 0xfd].flatMap((opcode) => plain([64, 32, 16], [opcode], { count: 8 }));

/** Accesses that fault: nothing may have changed. @returns {Case[]} */
function faults() {
  const edge = DATA + DATA_SIZE;
  /** [rbx + rsi - 8] lies around the end of what may be written. @type {Case["prepare"]} */
  const atEdge = (state, random) => {
    state.set(RSI, 0);
    state.set(RBX, BigInt(edge + 8 - random.below(12) + random.pick([0, 0, 0x1000])));
    state.set(RCX, random.below(32));
  };
  /** @type {Case["prepare"]} */
  const notCanonical = (state, random) => {
    state.set(RSI, 0);
    state.set(RBX, 0x8000_0000_0000n + BigInt(random.below(0x1000)));
  };
  /** @type {Case[]} */
  const cases = [];
  for (const prepare of [atEdge, notCanonical]) {
    for (const [, size] of LONG) {
      const sized = /** @type {readonly [Mode, Size][]} */ ([[64, size]]);
      const only = /** @type {const} */ ("memory");
      for (const opcode of [0x00, 0x10, 0x28, 0x38, 0x02, 0x84, 0x86, 0x88, 0x8a])
        cases.push(...modrm(sized, byteOrWord(opcode), { only, prepare, count: 6 }));
      for (const [opcode, reg] of [
        [0xfe, 0],
        [0xf6, 2],
        [0xf6, 3],
        [0xf6, 4],
        [0xd2, 4],
        [0xd2, 2],
      ]) {
        cases.push(
          ...modrm(sized, byteOrWord(/** @type {number} */ (opcode)), {
            only,
            prepare,
            reg: /** @type {number} */ (reg),
            count: 6,
          }),
        );
      }
      cases.push(
        ...modrm(sized, byteOrWord(0x0f, 0xb0), { only, prepare, count: 6 }),
        ...modrm(sized, byteOrWord(0x0f, 0xc0), { only, prepare, count: 6 }),
      );
    }
    cases.push(
      ...modrm([[64, 4]], always(0xff), { reg: 6, only: "memory", prepare, count: 6 }),
      ...modrm([[64, 4]], always(0x8f), { reg: 0, only: "memory", prepare, count: 6 }),
    );
    cases.push(
      ...modrm([[64, 4]], always(0x0f, 0x44), { only: "memory", prepare, count: 6 }),
      ...modrm([[64, 4]], always(0x0f, 0xab), {
        only: "memory",
        prepare: (s, r) => {
          prepare(s, r);
          s.set(RDX, 0);
        },
        count: 6,
      }),
    );
  }
  /** The stack or a string runs out of memory. @type {Case["prepare"]} */
  const stackEdge = (state, random) =>
    state.set(RSP, BigInt(random.pick([DATA + random.below(12), edge - 4 + random.below(8), edge + 0x1000])));
  for (const code of [[0x50], [0x58], [0x9c], [0xc9], [0xe8, 0, 0, 0, 0], [0xc8, 0, 0, 1], [0x66, 0x50]])
    cases.push({ mode: 64, code, memory: false, prepare: stackEdge });
  for (const code of [[0x60], [0x61]]) cases.push({ mode: 32, code, memory: false, prepare: stackEdge });
  /** @type {Case["prepare"]} */
  const stringEdge = (state, random) => {
    const size = 64;
    state.set(RSI, BigInt(edge - random.below(size)));
    state.set(RDI, BigInt(edge - random.below(size)));
    state.set(RCX, random.below(24));
    if (random.below(3) === 0) {
      state.flags |= 0x400;
      state.set(RDI, BigInt(DATA + random.below(size)));
      state.set(RSI, BigInt(DATA + random.below(size)));
    }
  };
  for (const opcode of [0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xae, 0xaf]) {
    for (const head of [[], [0xf3], [0xf2], [0xf3, 0x48], [0xf3, 0x66]])
      cases.push({ mode: 64, code: [...head, opcode], memory: false, prepare: stringEdge, count: 10 });
  }
  return cases;
}

/** @returns {Case[]} */
function system() {
  const few = { count: 3 };
  return [
    ...plain([64, 32, 16], [0x90], few),
    ...modrm(LONG_WORDS, always(0x0f, 0x1f), { reg: 0, ...few }),
    ...plain([64], [0xf3, 0x90], few),
    ...plain([64], [0x0f, 0xae, 0xe8], few),
    ...plain([64], [0x0f, 0xae, 0xf0], few),
    ...plain([64], [0x0f, 0xae, 0xf8], few),
    ...plain([64], [0xf3, 0x0f, 0x1e, 0xfa], few),
    ...modrm([[64, 4]], always(0x0f, 0x18), { reg: 1, only: "memory", ...few }),
    ...modrm([[64, 4]], always(0x0f, 0x0d), { reg: 1, only: "memory", ...few }),
    ...modrm([[64, 4]], always(0x0f, 0xae), { reg: 7, only: "memory", ...few }),
  ];
}

/** [rbx + rsi - 8] on 16 bytes, now and then not. Shift counts and small bytes turn up often. @type {Case["prepare"]} */
const vectorInputs = (state, random) => {
  state.set(RSI, 0);
  state.set(RBX, BigInt(base(64) + 0x28 + 16 * random.below(4) + (random.below(8) === 0 ? 3 : 0)));
  if (random.below(2) === 0) {
    // A small count, or controls with the sign set, in the second source.
    const small = random.below(70);
    const view = new DataView(state.vectors.buffer);
    view.setBigUint64(16, BigInt(small), true);
    new DataView(state.window.buffer).setBigUint64(/** @type {number} */ (operandAt(state)), BigInt(small), true);
  }
  if (random.below(3) === 0)
    for (let i = 0; i < 48; i++) state.vectors[i] = random.pick([0, 0xff, 0x7f, 0x80, 1, state.vectors[i] ?? 0]);
  if (random.below(6) === 0) state.vectors.copyWithin(32, 16, 32);
};

/**
 * A vector instruction of the legacy and the VEX encoding, on registers (xmm2, [xmm2,] xmm1) and memory.
 *
 * @param {number} prefix 0, 0x66, 0xf3 or 0xf2
 * @param {number} map 1, 2 or 3
 * @param {number} opcode
 * @param {{ reg?: number, immediates?: readonly number[], only?: "registers" | "memory", w?: number, vex?: "two" | "three" | "none", wide?: boolean, count?: number }} [more]
 * @returns {Case[]}
 */
function vector(prefix, map, opcode, more = {}) {
  const { reg = 2, immediates: tails = [null], only, w = 0, vex = "three", wide = true, count = 8 } = more;
  const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][map] ?? [];
  const pp = [0, 0x66, 0xf3, 0xf2].indexOf(prefix);
  const heads = [[...(prefix ? [prefix] : []), ...(w ? [0x48] : []), ...escapes, opcode]];
  const vvvv = vex === "three" ? 0x68 : 0x78;
  if (vex !== "none") heads.push([0xc4, 0xe0 | map, (w ? 0x80 : 0) | vvvv | pp, opcode]);
  if (vex !== "none" && wide) heads.push([0xc4, 0xe0 | map, (w ? 0x80 : 0) | vvvv | pp | 4, opcode]);
  /** @type {Case[]} */
  const cases = [];
  for (const tail of tails) {
    const end = tail === null ? [] : [tail];
    for (const head of heads) {
      if (only !== "memory")
        cases.push({
          mode: 64,
          code: [...head, ...registers(reg, 1), ...end],
          memory: false,
          prepare: vectorInputs,
          count,
        });
      if (only !== "registers")
        cases.push({
          mode: 64,
          code: [...head, ...memory(64, reg), ...end],
          memory: true,
          prepare: vectorInputs,
          count,
        });
    }
  }
  return cases;
}

/** @returns {Case[]} */
function vectorMoves() {
  const two = /** @type {const} */ ("two");
  const memoryOnly = { only: /** @type {const} */ ("memory"), vex: two };
  const narrow = { wide: false };
  /** @type {Case[]} */
  const cases = [];
  for (const [prefix, opcodes] of [
    [0, [0x10, 0x11, 0x28, 0x29]],
    [0x66, [0x10, 0x11, 0x28, 0x29, 0x6f, 0x7f]],
    [0xf3, [0x6f, 0x7f]],
  ]) {
    for (const opcode of /** @type {number[]} */ (opcodes))
      cases.push(...vector(/** @type {number} */ (prefix), 1, opcode, { vex: two }));
  }
  for (const prefix of [0xf2, 0xf3]) {
    for (const opcode of [0x10, 0x11]) {
      cases.push(
        ...vector(prefix, 1, opcode, { only: "registers", ...narrow }),
        ...vector(prefix, 1, opcode, { ...memoryOnly, ...narrow }),
      );
    }
  }
  cases.push(
    ...vector(0, 1, 0x2b, memoryOnly),
    ...vector(0x66, 1, 0x2b, memoryOnly),
    ...vector(0x66, 1, 0xe7, memoryOnly),
    ...vector(0x66, 2, 0x2a, memoryOnly),
    ...vector(0xf2, 1, 0xf0, memoryOnly),
  );
  for (const w of [0, 1])
    for (const opcode of [0x6e, 0x7e]) cases.push(...vector(0x66, 1, opcode, { w, vex: two, ...narrow }));
  cases.push(...vector(0xf3, 1, 0x7e, { vex: two, ...narrow }), ...vector(0x66, 1, 0xd6, { vex: two, ...narrow }));
  for (const opcode of [0x12, 0x16]) {
    cases.push(...vector(0, 1, opcode, narrow), ...vector(0x66, 1, opcode, { only: "memory", ...narrow }));
    cases.push(...vector(0xf3, 1, opcode, { vex: two }));
  }
  for (const opcode of [0x13, 0x17])
    for (const prefix of [0, 0x66]) cases.push(...vector(prefix, 1, opcode, { ...memoryOnly, ...narrow }));
  cases.push(...vector(0xf2, 1, 0x12, { vex: two }));
  const places = { immediates: [0, 1, 3, 9, 0xff], ...narrow };
  cases.push(
    ...vector(0x66, 3, 0x20, places),
    ...vector(0x66, 1, 0xc4, places),
    ...vector(0x66, 3, 0x22, places),
    ...vector(0x66, 3, 0x22, { ...places, w: 1 }),
  );
  for (const opcode of [0x14, 0x15, 0x16, 0x17]) cases.push(...vector(0x66, 3, opcode, { ...places, vex: two }));
  cases.push(
    ...vector(0x66, 3, 0x16, { ...places, vex: two, w: 1 }),
    ...vector(0x66, 1, 0xc5, { ...places, vex: two, only: "registers" }),
  );
  cases.push(...vector(0x66, 3, 0x21, { immediates: [0, 0x4d, 0x9a, 0xe1], ...narrow }));
  for (const [prefix, opcode] of [
    [0, 0x50],
    [0x66, 0x50],
    [0x66, 0xd7],
  ])
    cases.push(
      ...vector(/** @type {number} */ (prefix), 1, /** @type {number} */ (opcode), { only: "registers", vex: two }),
    );
  cases.push({
    mode: 64,
    code: [0x66, 0x0f, 0xf7, 0xd1],
    memory: false,
    prepare: (state) => state.set(RDI, BigInt(base(64) + 0x40)),
  });
  // The AVX-only ones: broadcasts, lanes, permutations.
  for (const opcode of [0x18, 0x58, 0x59, 0x78, 0x79])
    cases.push(...vector(0x66, 2, opcode, { vex: two }).filter(({ code }) => code[0] === 0xc4));
  for (const [opcode, w] of [
    [0x00, 1],
    [0x01, 1],
  ])
    cases.push(
      ...vector(0x66, 3, /** @type {number} */ (opcode), {
        w: /** @type {number} */ (w),
        vex: two,
        immediates: [0x1b, 0x4e, 0xe4],
      }).filter(({ code }) => code[0] === 0xc4 && ((code[2] ?? 0) & 4) !== 0),
    );
  for (const opcode of [0x18, 0x38, 0x06, 0x46])
    cases.push(
      ...vector(0x66, 3, opcode, { immediates: [0, 1, 0x20, 0x83] }).filter(
        ({ code }) => code[0] === 0xc4 && ((code[2] ?? 0) & 4) !== 0,
      ),
    );
  cases.push(...plain([64], [0xc5, 0xfc, 0x77], { count: 2 }));
  return cases;
}

/** @returns {Case[]} */
function vectorIntegers() {
  /** @type {Case[]} */
  const cases = [];
  const few = { count: 6 };
  const opcodes = [
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x74, 0x75, 0x76, 0xd4, 0xd5,
    0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee,
    0xef, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xd1, 0xd2, 0xd3, 0xe1, 0xe2, 0xf1, 0xf2, 0xf3,
  ];
  for (const opcode of opcodes) cases.push(...vector(0x66, 1, opcode, few));
  for (const opcode of [0x14, 0x15, 0x54, 0x55, 0x56, 0x57])
    cases.push(...vector(0, 1, opcode, few), ...vector(0x66, 1, opcode, few));
  const tails = { immediates: [0x1b, 0x4e, 0xf5], ...few };
  for (const prefix of [0x66, 0xf2, 0xf3]) cases.push(...vector(prefix, 1, 0x70, { ...tails, vex: "two" }));
  cases.push(...vector(0, 1, 0xc6, tails), ...vector(0x66, 1, 0xc6, tails));
  const newer = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x28, 0x29, 0x2b, 0x37, 0x38, 0x39, 0x3a,
    0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40,
  ];
  for (const opcode of newer) cases.push(...vector(0x66, 2, opcode, few));
  for (const opcode of [0x1c, 0x1d, 0x1e, 0x17, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35])
    cases.push(...vector(0x66, 2, opcode, { vex: "two", ...few }));
  for (const opcode of [0x10, 0x14, 0x15]) cases.push(...vector(0x66, 2, opcode, { vex: "none", ...few }));
  for (const opcode of [0x0c, 0x0d, 0x0e, 0x0f])
    cases.push(...vector(0x66, 3, opcode, { immediates: [0, 5, 0xa6, 0x13, 0x25], ...few }));
  for (const [opcode, regs] of [
    [0x71, [2, 4, 6]],
    [0x72, [2, 4, 6]],
    [0x73, [2, 3, 6, 7]],
  ]) {
    for (const reg of /** @type {number[]} */ (regs))
      cases.push(
        ...vector(0x66, 1, /** @type {number} */ (opcode), {
          reg,
          only: "registers",
          immediates: [0, 1, 7, 15, 17, 40, 200],
          ...few,
        }),
      );
  }
  // VPBLENDD and VPBLENDVB.
  cases.push(
    { mode: 64, code: [0xc4, 0xe3, 0x69, 0x02, 0xd1, 0x05], memory: false },
    { mode: 64, code: [0xc4, 0xe3, 0x69, 0x4c, 0xd1, 0x40], memory: false },
  );
  return cases;
}

/** Cases by family. @type {Readonly<Record<string, () => Case[]>>} */
export const families = {
  moves,
  arithmetic,
  multiplication,
  decimal,
  shifts,
  bits,
  control,
  strings,
  stack,
  flags,
  system,
  faults,
  "vector-moves": vectorMoves,
  "vector-integers": vectorIntegers,
};

/** Vectors of a case where it names no number. */
export const DEFAULT_COUNT = 16;

export { CODE_OFFSET };
