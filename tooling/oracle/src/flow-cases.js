// Cases of control transfers, strings, the stack, flags, hints, and of accesses that fault.
import { always, byteOrWord, bytes, LONG, LONG_WORDS, MODES, modrm, operandAt, plain, prefixes } from "./encoding.js";
import { base, CODE, DATA, DATA_SIZE, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from "./state.js";

/** @typedef {import("./encoding.js").Case} Case */
/** @typedef {import("./encoding.js").Prepare} Prepare */
/** @typedef {import("./encoding.js").Mode} Mode */
/** @typedef {import("./encoding.js").Size} Size */

/** @returns {Case[]} */
export function control() {
  /** @type {Case[]} */
  const cases = [];
  for (let condition = 0; condition < 16; condition++) {
    cases.push(
      ...plain([64, 32, 16], [0x70 | condition, 0x40], { count: 8 }),
      ...plain([64], [0x0f, 0x80 | condition, 0x80, 0xff, 0xff, 0xff], { count: 4 }),
    );
    cases.push(...plain([16], [0x0f, 0x80 | condition, 0x80, 0xff], { count: 4 }));
  }
  /** @type {Prepare} */
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
    /** @type {Prepare} */
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
  /** @type {Prepare} */
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
export function strings() {
  /** @type {Case[]} */
  const cases = [];
  for (const mode of /** @type {const} */ ([64, 32, 16])) {
    for (const repeat of [[], [0xf3], [0xf2]]) {
      for (const addressPrefix of [[], [0x67]]) {
        if (mode === 16 && addressPrefix.length > 0) continue;
        /** @type {Prepare} */
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
export function stack() {
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
export const flags = () =>
  [0xf5, 0xf8, 0xf9, 0xfc, 0xfd].flatMap((opcode) => plain([64, 32, 16], [opcode], { count: 8 }));

/** Accesses that fault: nothing may have changed. @returns {Case[]} */
export function faults() {
  const edge = DATA + DATA_SIZE;
  /** [rbx + rsi - 8] lies around the end of what may be written. @type {Prepare} */
  const atEdge = (state, random) => {
    state.set(RSI, 0);
    state.set(RBX, BigInt(edge + 8 - random.below(12) + random.pick([0, 0, 0x1000])));
    state.set(RCX, random.below(32));
  };
  /** @type {Prepare} */
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
  /** The stack or a string runs out of memory. @type {Prepare} */
  const stackEdge = (state, random) =>
    state.set(RSP, BigInt(random.pick([DATA + random.below(12), edge - 4 + random.below(8), edge + 0x1000])));
  for (const code of [[0x50], [0x58], [0x9c], [0xc9], [0xe8, 0, 0, 0, 0], [0xc8, 0, 0, 1], [0x66, 0x50]])
    cases.push({ mode: 64, code, memory: false, prepare: stackEdge });
  for (const code of [[0x60], [0x61]]) cases.push({ mode: 32, code, memory: false, prepare: stackEdge });
  /** @type {Prepare} */
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
export function system() {
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
