// @ts-check
// What an operand token of forms/*.txt means: kind, register class, size, where the register number comes from, access.

/** Register classes, as in packages/x86-decoder/src/register.ts. */
export const CLASS = {
  gpr8: 1,
  gpr8High: 2,
  gpr16: 3,
  gpr32: 4,
  gpr64: 5,
  segment: 6,
  control: 7,
  debug: 8,
  test: 9,
  st: 10,
  mm: 11,
  xmm: 12,
  ymm: 13,
  zmm: 14,
  mask: 15,
  tile: 16,
  bound: 17,
  ip: 18,
};
/** Operand kinds, as in packages/x86-decoder/src/operand.ts. */
export const KIND = {
  none: 0,
  register: 1,
  memory: 2,
  immediate: 3,
  branch: 4,
  farPointer: 5,
  stringSource: 6,
  stringDestination: 7,
  immediate2: 8,
  maskDestination: 9,
};
/** Where the register number comes from, as in packages/x86-decoder/src/form-table.ts. */
export const SOURCE = { fixed: 0, reg: 1, rm: 2, vvvv: 3, base: 4, is4: 5, regLow: 6, rmLow: 7 };
/** How the immediate bytes are read. */
export const IMMEDIATE = {
  none: 0,
  byte: 1,
  byteSigned: 2,
  branch8: 3,
  dword: 4,
  dwordSigned: 5,
  branch32: 6,
  word: 7,
  branch16: 8,
  qword: 9,
  wordByte: 10,
  far16: 11,
  far32: 12,
  byteByte: 13,
  is4: 14,
  one: 15,
};
/** What kind of memory operand a form has. */
export const MEMORY = { none: 0, modrm: 1, moffs: 2, string: 4, vsib: 5, xlat: 6 };
/** Accesses, in the order of packages/x86-decoder/src/information. */
export const ACCESS = [
  "none",
  "read",
  "write",
  "readwrite",
  "conditional-read",
  "conditional-write",
  "read-conditional-write",
];

/**
 * @typedef {object} Operand
 * @property {number} kind @property {number} cls @property {number} number @property {number} size
 * @property {number} source @property {boolean} byteRegister a legacy 8-bit register (AH to BH without REX)
 * @property {number} access index into ACCESS
 * @property {number} memorySize size where the r/m operand is memory @property {boolean} allowsMemory @property {boolean} allowsRegister
 * @property {number} immediate @property {number} memory
 * @property {number} broadcast element size in bytes, 0 none
 * @property {string} decorators
 * @property {number} vsibClass @property {number} disp8
 */

const LETTER_SIZE = /** @type {Record<string, number>} */ ({
  b: 1,
  w: 2,
  d: 4,
  q: 8,
  dq: 16,
  qq: 32,
  oo: 64,
  n: 0,
  t: 10,
});
const GPR_CLASS = /** @type {Record<number, number>} */ ({
  1: CLASS.gpr8,
  2: CLASS.gpr16,
  4: CLASS.gpr32,
  8: CLASS.gpr64,
});
const FIXED = /** @type {Record<string, [number, number, number]>} */ ({
  AL: [CLASS.gpr8, 0, 1],
  CL: [CLASS.gpr8, 1, 1],
  AX: [CLASS.gpr16, 0, 2],
  DX: [CLASS.gpr16, 2, 2],
  EAX: [CLASS.gpr32, 0, 4],
  RAX: [CLASS.gpr64, 0, 8],
  ECX: [CLASS.gpr32, 1, 4],
  EDX: [CLASS.gpr32, 2, 4],
  ES: [CLASS.segment, 0, 2],
  CS: [CLASS.segment, 1, 2],
  SS: [CLASS.segment, 2, 2],
  DS: [CLASS.segment, 3, 2],
  FS: [CLASS.segment, 4, 2],
  GS: [CLASS.segment, 5, 2],
  ST0: [CLASS.st, 0, 10],
  XMM0: [CLASS.xmm, 0, 16],
});

/**
 * @typedef {object} Sizes the sizes that the letters v, y, a, m and x stand for in one form
 * @property {number} operand @property {number} y @property {number} address @property {number} machine @property {number} vector
 */

/** @param {string} letters @param {Sizes} sizes @returns {number} */
function size(letters, sizes) {
  switch (letters) {
    case "v":
      return sizes.operand;
    case "z":
      return Math.min(sizes.operand, 4);
    case "y":
      return sizes.y;
    case "a":
      return sizes.address;
    case "m":
      return sizes.machine;
    case "p":
      return sizes.operand + 2;
    case "va":
      return sizes.operand * 2;
    case "x":
      return sizes.vector;
    case "h":
      return sizes.vector / 2;
    case "f":
      return sizes.vector / 4;
    case "e":
      return sizes.vector / 8;
    default: {
      const known = LETTER_SIZE[letters];
      if (known !== undefined) return known;
      if (/^\d+$/.test(letters)) return Number(letters);
      throw new Error(`unknown operand size "${letters}"`);
    }
  }
}

/** @param {number} bytes */
const vectorClass = (bytes) => (bytes > 32 ? CLASS.zmm : bytes > 16 ? CLASS.ymm : CLASS.xmm);

/** @param {string} text @param {Sizes} sizes @param {number} index @returns {Operand} */
export function readOperand(text, sizes, index) {
  /** @type {Operand} */
  const operand = {
    kind: KIND.register,
    cls: 0,
    number: 0,
    size: 0,
    source: SOURCE.fixed,
    byteRegister: false,
    access: 1,
    memorySize: 0,
    allowsMemory: false,
    allowsRegister: false,
    immediate: 0,
    memory: 0,
    broadcast: 0,
    decorators: "",
    vsibClass: 0,
    disp8: 0,
  };
  const match = /^(\+\?|[+=~?])?([^{/]+(?:\/M[a-z0-9]+)?)(?:\/b(\d+))?((?:\{\w+\})*)(?:\/n(\d+))?$/.exec(text);
  if (!match) throw new Error(`unreadable operand "${text}"`);
  const [, mark = "", token = "", broadcast = "", decorators = "", disp8 = ""] = match;
  operand.access = { "": 1, "=": 2, "+": 3, "~": 0, "?": 5, "+?": 6 }[mark] ?? 1;
  operand.broadcast = broadcast === "" ? 0 : Number(broadcast);
  operand.decorators = decorators;
  operand.disp8 = disp8 === "" ? 0 : Number(disp8);
  const general = (/** @type {number} */ bytes, /** @type {number} */ source) => {
    operand.cls = /** @type {number} */ (GPR_CLASS[bytes]);
    if (operand.cls === undefined) throw new Error(`no ${bytes}-byte general register for "${text}"`);
    operand.size = bytes;
    operand.source = source;
    operand.byteRegister = bytes === 1;
    return operand;
  };
  const memory = (/** @type {number} */ bytes) => {
    operand.allowsMemory = true;
    operand.memorySize = bytes;
    operand.memory = MEMORY.modrm;
    return operand;
  };
  const rm = () => {
    operand.allowsRegister = true;
    return operand;
  };
  const register = (/** @type {number} */ cls, /** @type {number} */ bytes, /** @type {number} */ source) => {
    operand.cls = cls;
    operand.size = bytes;
    operand.source = source;
    return operand;
  };

  const fixed = FIXED[token];
  if (fixed) {
    [operand.cls, operand.number, operand.size] = fixed;
    return operand;
  }
  switch (token) {
    case "rAX":
      general(sizes.operand, SOURCE.fixed);
      operand.byteRegister = false;
      return operand;
    case "rAXa":
      general(sizes.address, SOURCE.fixed);
      operand.byteRegister = false;
      return operand;
    case "I1":
      operand.kind = KIND.immediate;
      operand.immediate = IMMEDIATE.one;
      operand.size = 1;
      return operand;
    case "Ib":
      operand.kind = KIND.immediate;
      operand.immediate = IMMEDIATE.byte;
      operand.size = 1;
      return operand;
    case "I4":
      operand.kind = KIND.immediate;
      operand.immediate = IMMEDIATE.is4;
      operand.size = 1;
      return operand;
    case "Ib2":
      operand.kind = KIND.immediate2;
      operand.size = 1;
      return operand;
    case "Ibs":
      operand.kind = KIND.immediate;
      operand.immediate = IMMEDIATE.byteSigned;
      operand.size = sizes.operand;
      return operand;
    case "Iw":
      operand.kind = KIND.immediate;
      operand.immediate = IMMEDIATE.word;
      operand.size = 2;
      return operand;
    case "Id":
      operand.kind = KIND.immediate;
      operand.immediate = IMMEDIATE.dword;
      operand.size = 4;
      return operand;
    case "Iz":
      operand.kind = KIND.immediate;
      operand.immediate =
        sizes.operand === 2 ? IMMEDIATE.word : sizes.operand === 4 ? IMMEDIATE.dword : IMMEDIATE.dwordSigned;
      operand.size = sizes.operand;
      return operand;
    case "Iv":
      operand.kind = KIND.immediate;
      operand.immediate =
        sizes.operand === 2 ? IMMEDIATE.word : sizes.operand === 4 ? IMMEDIATE.dword : IMMEDIATE.qword;
      operand.size = sizes.operand;
      return operand;
    case "Jb":
      operand.kind = KIND.branch;
      operand.immediate = IMMEDIATE.branch8;
      operand.size = sizes.operand;
      return operand;
    case "Jz":
      operand.kind = KIND.branch;
      operand.immediate = sizes.operand === 2 ? IMMEDIATE.branch16 : IMMEDIATE.branch32;
      operand.size = sizes.operand;
      return operand;
    case "JWm":
    case "JDm":
      // XBEGIN's target is not cut to the operand size; SDM volume 2, XBEGIN.
      operand.kind = KIND.branch;
      operand.immediate = token === "JWm" ? IMMEDIATE.branch16 : IMMEDIATE.branch32;
      operand.size = sizes.machine;
      return operand;
    case "Ap":
      operand.kind = KIND.farPointer;
      operand.immediate = sizes.operand === 2 ? IMMEDIATE.far16 : IMMEDIATE.far32;
      operand.size = sizes.operand + 2;
      return operand;
    case "XLAT":
      operand.kind = KIND.memory;
      operand.memory = MEMORY.xlat;
      operand.size = 1;
      operand.memorySize = 1;
      return operand;
    case "Ydi":
      operand.kind = KIND.maskDestination;
      operand.memory = MEMORY.string;
      operand.size = 16;
      return operand;
    case "Ydi8":
      operand.kind = KIND.maskDestination;
      operand.memory = MEMORY.string;
      operand.size = 8;
      return operand;
    case "STi":
      return register(CLASS.st, 10, SOURCE.rmLow) && rm();
    case "Gcrc":
      return general(sizes.operand === 8 || sizes.y === 8 ? 8 : 4, SOURCE.reg);
    case "Kg":
      return register(CLASS.mask, 8, SOURCE.reg);
    case "Kh":
      return register(CLASS.mask, 8, SOURCE.vvvv);
    case "Kr":
      return register(CLASS.mask, 8, SOURCE.rmLow) && rm();
    case "Td":
      return register(CLASS.test, 4, SOURCE.regLow);
    case "Tg":
      return register(CLASS.tile, 0, SOURCE.reg);
    case "Th":
      return register(CLASS.tile, 0, SOURCE.vvvv);
    case "Tr":
      return register(CLASS.tile, 0, SOURCE.rm) && rm();
    case "BNDr":
      return register(CLASS.bound, 16, SOURCE.rm) && rm();
    case "BNDg":
      return register(CLASS.bound, 16, SOURCE.reg);
    case "Sw":
      return register(CLASS.segment, 2, SOURCE.regLow);
    case "Lx":
      return register(vectorClass(sizes.vector), sizes.vector, SOURCE.is4);
    case "Ldq":
      return register(CLASS.xmm, 16, SOURCE.is4);
    case "Lqq":
      return register(CLASS.ymm, 32, SOURCE.is4);
    default:
  }
  const composite = /^(\w+)\/M([a-z0-9]+)$/.exec(token);
  if (composite) {
    const [, first = "", letters = ""] = composite;
    readInto(operand, readOperand(first, sizes, index));
    operand.access = { "": 1, "=": 2, "+": 3, "~": 0, "?": 5, "+?": 6 }[mark] ?? 1;
    rm();
    return memory(size(letters, sizes));
  }
  const vsib = /^VS([dq])([xyz])$/.exec(token);
  if (vsib) {
    memory(vsib[1] === "d" ? 4 : 8);
    operand.memory = MEMORY.vsib;
    operand.vsibClass = { x: CLASS.xmm, y: CLASS.ymm, z: CLASS.zmm }[vsib[2] ?? "x"] ?? 0;
    operand.kind = KIND.memory;
    return operand;
  }
  const head = token[0] ?? "";
  const letters = token.slice(1);
  switch (head) {
    case "E":
      general(size(letters, sizes), SOURCE.base);
      rm();
      return memory(size(letters, sizes));
    case "G":
      return general(size(letters, sizes), SOURCE.reg);
    case "R":
      general(size(letters, sizes), SOURCE.base);
      return rm();
    case "B":
      return general(size(letters, sizes), SOURCE.vvvv);
    case "Z":
      return general(size(letters, sizes), SOURCE.base);
    case "M":
      operand.kind = KIND.memory;
      return memory(size(letters, sizes));
    case "O":
      operand.kind = KIND.memory;
      operand.memory = MEMORY.moffs;
      operand.size = operand.memorySize = size(letters, sizes);
      return operand;
    case "X":
      operand.kind = KIND.stringSource;
      operand.memory = MEMORY.string;
      operand.size = size(letters, sizes);
      return operand;
    case "Y":
      operand.kind = KIND.stringDestination;
      operand.memory = MEMORY.string;
      operand.size = size(letters, sizes);
      return operand;
    case "C":
      return register(CLASS.control, sizes.machine, SOURCE.reg);
    case "D":
      return register(CLASS.debug, sizes.machine, SOURCE.reg);
    case "P":
      return register(CLASS.mm, 8, SOURCE.regLow);
    case "N":
      return register(CLASS.mm, 8, SOURCE.rmLow) && rm();
    case "Q":
      register(CLASS.mm, 8, SOURCE.rmLow);
      rm();
      return memory(letters === "" ? 8 : size(letters, sizes));
    case "K":
      register(CLASS.mask, 8, SOURCE.rmLow);
      rm();
      return memory(size(letters, sizes));
    case "V":
    case "H":
    case "U":
    case "W": {
      const bytes = size(letters, sizes);
      const width = Math.max(16, bytes);
      register(vectorClass(width), width, head === "V" ? SOURCE.reg : head === "H" ? SOURCE.vvvv : SOURCE.rm);
      if (head === "U" || head === "W") rm();
      return head === "W" ? memory(bytes) : operand;
    }
    default:
      throw new Error(`unknown operand "${text}"`);
  }
}

/** @param {Operand} target @param {Operand} from */
function readInto(target, from) {
  Object.assign(target, {
    ...from,
    access: target.access,
    broadcast: target.broadcast,
    decorators: target.decorators,
    disp8: target.disp8,
  });
}
