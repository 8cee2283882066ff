// Cases of SSE and AVX: data movement and packed integers, legacy and VEX encodings.
import { memory, operandAt, plain, registers } from "./encoding.js";
import { base, RBX, RDI, RSI } from "./state.js";

/** @typedef {import("./encoding.js").Case} Case */
/** @typedef {import("./encoding.js").Prepare} Prepare */

/** [rbx + rsi - 8] on 16 bytes, now and then not. Shift counts and small bytes turn up often. @type {Prepare} */
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
export function vectorMoves() {
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
export function vectorIntegers() {
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
  cases.push(...mmx(opcodes));
  // VPBLENDD and VPBLENDVB.
  cases.push(
    { mode: 64, code: [0xc4, 0xe3, 0x69, 0x02, 0xd1, 0x05], memory: false },
    { mode: 64, code: [0xc4, 0xe3, 0x69, 0x4c, 0xd1, 0x40], memory: false },
  );
  return cases;
}

/** Those of the two-byte opcodes that only XMM registers have. */
const NOT_MMX = [0x6c, 0x6d];

/** The MMX forms: mm2 and mm1 or memory. @param {readonly number[]} opcodes @returns {Case[]} */
function mmx(opcodes) {
  /** @type {import("./encoding.js").Prepare} */
  const prepare = (state, random) => {
    vectorInputs(state, random);
    // A small shift count in MM1, now and then; equal registers, too.
    const view = new DataView(state.vectors.buffer);
    if (random.below(2) === 0) view.setBigUint64(256 + 8, BigInt(random.below(70)), true);
    if (random.below(6) === 0) state.vectors.copyWithin(256 + 16, 256 + 8, 256 + 16);
  };
  const count = 6;
  /** @type {Case[]} */
  const cases = [];
  /** @param {number[]} head @param {number[]} [tail] @param {number} [reg] @param {boolean} [hasMemory] */
  const add = (head, tail = [], reg = 2, hasMemory = true) => {
    cases.push({ mode: 64, code: [...head, ...registers(reg, 1), ...tail], memory: false, prepare, count });
    if (hasMemory) cases.push({ mode: 64, code: [...head, ...memory(64, reg), ...tail], memory: true, prepare, count });
  };
  for (const opcode of opcodes) if (!NOT_MMX.includes(opcode)) add([0x0f, opcode]);
  for (const opcode of [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x1c, 0x1d, 0x1e])
    add([0x0f, 0x38, opcode]);
  for (const shift of [0, 3, 8, 11, 20]) add([0x0f, 0x3a, 0x0f], [shift]);
  for (const control of [0x1b, 0xf5]) add([0x0f, 0x70], [control]);
  for (const opcode of [0x6e, 0x6f, 0x7e, 0x7f]) add([0x0f, opcode]);
  for (const opcode of [0x6e, 0x7e]) add([0x48, 0x0f, opcode]);
  for (const place of [0, 2, 7]) {
    add([0x0f, 0xc4], [place]);
    add([0x0f, 0xc5], [place], 2, false);
  }
  add([0x0f, 0xd7], [], 2, false);
  add([0xf3, 0x0f, 0xd6], [], 2, false);
  add([0xf2, 0x0f, 0xd6], [], 2, false);
  for (const [opcode, regs] of /** @type {const} */ ([
    [0x71, [2, 4, 6]],
    [0x72, [2, 4, 6]],
    [0x73, [2, 6]],
  ])) {
    for (const reg of regs) for (const by of [0, 5, 17, 70]) add([0x0f, opcode], [by], reg, false);
  }
  return cases;
}
