// From a row of the form table to bytes: prefixes, REX, VEX, XOP or EVEX, opcode, ModRM, SIB, displacement. Registers, prefixes
// and addressing come from a random generator; what is not the wanted form after all, the decoder says.

const PREFIXES = ["NP", "66", "F3", "F2"];
const MANDATORY = [0, 0x66, 0xf3, 0xf2];
const MAPS = ["", "0F", "0F38", "0F3A", "MAP4", "MAP5", "MAP6", "MAP7", "X8", "X9", "XA"];
const ESCAPES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** Ways to form an address. */
export const addressings = /** @type {const} */ ([
  "base",
  "index",
  "base8",
  "sib",
  "absolute",
  "relative",
  "base32",
  "sib8",
  "scaled",
  "sib32",
]);

/**
 * @typedef {object} Template what the table's text says
 * @property {"legacy" | "VEX" | "XOP" | "EVEX"} space
 * @property {number} map
 * @property {number} opcode
 * @property {boolean} opcodeRegister the opcode's low bits are a register
 * @property {number | null} digit ModRM.reg
 * @property {number | null} fixed the whole ModRM byte
 * @property {boolean} modrm
 * @property {"register" | "memory" | null} mod
 * @property {number | null} prefix index of the mandatory prefix; null where none is required
 * @property {boolean} noRepeat F2 and F3 make another instruction of it
 * @property {0 | 2 | 4 | 8} operandSize @property {0 | 2 | 4 | 8} addressSize
 * @property {number | null} w @property {number | null} length null: any
 * @property {boolean} usesVvvv
 * @property {boolean} directOffset MOV with the address behind the opcode
 */

/** @param {import("@whvkit/x86-decoder").FormInformation} info @returns {Template} */
export function templateOf(info) {
  /** @type {Template} */
  const template = {
    space: "legacy",
    map: 0,
    opcode: -1,
    opcodeRegister: false,
    digit: null,
    fixed: null,
    modrm: false,
    mod: null,
    prefix: null,
    noRepeat: false,
    operandSize: 0,
    addressSize: 0,
    w: null,
    length: null,
    usesVvvv: info.operands.some(({ encoding }) => encoding === "vvvv"),
    directOffset: false,
  };
  const tokens = info.opcode.split(" ");
  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    const vector = /^(VEX|EVEX|XOP)\.([^.]+)\.([^.]+)\.([^.]+)\.([^.]+)$/.exec(token);
    if (vector) {
      const [, space, length, prefix, map, w] = vector;
      template.space = /** @type {"VEX" | "EVEX" | "XOP"} */ (space);
      template.prefix = PREFIXES.indexOf(prefix);
      template.map = MAPS.indexOf(map);
      template.length = { 128: 0, LZ: 0, L0: 0, 256: 1, L1: 1, 512: 2 }[length] ?? null;
      if (w === "W0" || w === "W1") template.w = Number(w[1]);
    } else if (token === "W0" || token === "W1") template.w = Number(token[1]);
    else if (/^[oa]\d\d$/.test(token)) {
      const size = /** @type {2 | 4 | 8} */ (Number(token.slice(1)) / 8);
      if (token[0] === "o") template.operandSize = size;
      else template.addressSize = size;
    } else if (token === "NFx") template.noRepeat = true;
    else if (template.opcode < 0 && PREFIXES.includes(token) && next !== undefined && !next.startsWith("/"))
      template.prefix = PREFIXES.indexOf(token);
    else if (template.opcode < 0 && template.map === 0 && MAPS.includes(token) && next !== undefined)
      template.map = MAPS.indexOf(token);
    else if (/^[0-9A-F]{2}(\+r)?$/.test(token)) {
      const value = Number.parseInt(token, 16);
      if (template.opcode >= 0) template.fixed = value;
      else {
        template.opcode = value;
        template.opcodeRegister = token.endsWith("+r");
      }
    } else if (/^\/[0-7]$/.test(token)) template.digit = Number(token[1]);
    else if (token === "mod3" || token === "nomod") template.mod = "register";
    else if (token === "mem") template.mod = "memory";
    else if (token !== "/r") throw new Error(`${info.name}: "${token}" of "${info.opcode}" is unknown here`);
    if (token.startsWith("/")) template.modrm = true;
  });
  template.modrm ||= template.fixed !== null;
  template.directOffset = template.space === "legacy" && template.map === 0 && (template.opcode & 0xfc) === 0xa0;
  if (template.modrm && template.fixed === null) {
    const memory = info.operands.some(({ encoding, allowsMemory }) => allowsMemory && encoding === "modrm.rm");
    const register = info.operands.some(({ encoding, kind }) => encoding === "modrm.rm" && kind === REGISTER_KIND);
    if (!memory) template.mod = "register";
    else if (!register) template.mod = "memory";
  }
  return template;
}

const REGISTER_KIND = 1;

/**
 * @typedef {object} Wish
 * @property {boolean} memory ModRM names memory
 * @property {(typeof addressings)[number]} addressing
 * @property {boolean} addressPrefix 67
 * @property {number | null} segment number of the segment register of an override
 * @property {boolean} lock
 * @property {0 | 0xf2 | 0xf3} repeat
 */
/**
 * @typedef {object} Encoded
 * @property {number[]} bytes up to and without what follows the displacement
 * @property {number} displacementAt
 * @property {number} displacementSize 0 where there is none
 * @property {boolean} fixedAddress the displacement is all there is to the address
 */

/**
 * Bytes for a form; with random registers, so the decoder may still call them another form.
 *
 * @param {Template} template @param {16 | 32 | 64} mode @param {Wish} wish @param {import("./random.js").Random} random
 * @returns {Encoded}
 */
export function encode(template, mode, wish, random) {
  const long = mode === 64;
  const address = addressSize(template, mode, wish);
  const modrm = template.modrm && template.fixed === null;
  const fields = modrm ? modrmFields(template, mode, address, wish, random) : noFields(template, long, random);
  const prefixes = [];
  if (wish.segment !== null) prefixes.push(SEGMENT_PREFIXES[wish.segment]);
  if (address.prefix) prefixes.push(0x67);
  const bytes =
    template.space === "legacy"
      ? legacyHead(template, mode, wish, fields, prefixes, random)
      : [...prefixes, ...vectorHead(template, long, fields, wish.memory, random)];
  bytes.push(template.opcodeRegister ? template.opcode | fields.rm : template.opcode);
  if (template.fixed !== null) bytes.push(template.fixed);
  if (modrm) bytes.push((fields.mod << 6) | (fields.reg << 3) | fields.rm);
  if (fields.sib !== null) bytes.push(fields.sib);
  const displacementAt = bytes.length;
  const displacementSize = template.directOffset ? address.size : fields.displacementSize;
  for (let i = 0; i < displacementSize; i++) bytes.push(random.below(256));
  return { bytes, displacementAt, displacementSize, fixedAddress: template.directOffset || fields.fixedAddress };
}

/** @param {Template} template @param {16 | 32 | 64} mode @param {Wish} wish */
function addressSize(template, mode, wish) {
  const usual = mode / 8;
  const other = mode === 64 ? 4 : mode === 32 ? 2 : 4;
  const prefix = template.addressSize !== 0 ? template.addressSize !== usual : wish.addressPrefix;
  return { prefix, size: prefix ? other : usual };
}

/** @typedef {{ mod: number, reg: number, rm: number, r: number, x: number, b: number, sib: number | null, displacementSize: number, fixedAddress: boolean }} Fields */

/** @param {Template} template @param {boolean} long @param {import("./random.js").Random} random @returns {Fields} */
function noFields(template, long, random) {
  const extends_ = long && template.opcodeRegister;
  return {
    mod: 0,
    reg: 0,
    rm: random.below(8),
    r: 0,
    x: 0,
    b: extends_ ? random.below(2) : 0,
    sib: null,
    displacementSize: 0,
    fixedAddress: false,
  };
}

/** @param {Template} template @param {16 | 32 | 64} mode @param {{ size: number }} address @param {Wish} wish @param {import("./random.js").Random} random @returns {Fields} */
function modrmFields(template, mode, address, wish, random) {
  const bit = () => (mode === 64 ? random.below(2) : 0);
  const fields = noFields(template, false, random);
  fields.reg = template.digit ?? random.below(8);
  fields.r = template.digit === null ? bit() : 0;
  fields.b = bit();
  if (!wish.memory) {
    fields.mod = 3;
    fields.x = bit();
    return fields;
  }
  const { addressing } = wish;
  const eight = addressing.endsWith("8");
  const full = addressing.endsWith("32");
  if (address.size === 2) {
    fields.mod = eight ? 1 : full ? 2 : 0;
    if (addressing === "absolute" || addressing === "relative") fields.rm = 6;
    else if (fields.mod === 0 && fields.rm === 6) fields.rm = 7;
    fields.fixedAddress = fields.mod === 0 && fields.rm === 6;
    fields.displacementSize = fields.fixedAddress ? 2 : fields.mod;
    return fields;
  }
  fields.mod = eight ? 1 : full ? 2 : 0;
  fields.displacementSize = eight ? 1 : full ? 4 : 0;
  if (addressing === "relative" || (addressing === "absolute" && mode !== 64)) {
    // RIP-relative in 64-bit mode.
    fields.rm = 5;
    fields.displacementSize = 4;
    fields.fixedAddress = true;
  } else if (addressing === "absolute") {
    fields.rm = 4;
    fields.sib = (random.below(4) << 6) | 0x25;
    fields.displacementSize = 4;
    fields.fixedAddress = true;
  } else if (addressing === "index" || addressing === "scaled" || addressing.startsWith("sib")) {
    fields.rm = 4;
    fields.x = bit();
    let index = random.below(8);
    if (index === 4 && fields.x === 0) index = 6;
    let base = random.below(8);
    if (addressing === "index" || addressing === "scaled") {
      base = 5;
      fields.displacementSize = 4;
    } else if (base === 5 && fields.mod === 0) base = 3;
    fields.sib = (random.below(4) << 6) | (index << 3) | base;
  } else {
    if (fields.rm === 4) fields.sib = 0x24;
    if (fields.rm === 5 && fields.mod === 0) fields.rm = 3;
  }
  return fields;
}

/** @param {Template} template @param {16 | 32 | 64} mode @param {Wish} wish @param {Fields} fields @param {number[]} prefixes @param {import("./random.js").Random} random */
function legacyHead(template, mode, wish, fields, prefixes, random) {
  const { operandSize, prefix } = template;
  const mandatory = prefix === null ? 0 : MANDATORY[prefix];
  // 66 chooses the size, is part of the opcode, or is one that does nothing.
  const sized = operandSize === 2 ? mode !== 16 : operandSize === 4 ? mode === 16 : false;
  const idle = operandSize === 0 && prefix === null && random.oneIn(8);
  if (sized || idle) prefixes.push(0x66);
  if (mandatory !== 0) prefixes.push(mandatory);
  if (wish.repeat !== 0 && prefix === null && !template.noRepeat) prefixes.push(wish.repeat);
  if (wish.lock) prefixes.push(0xf0);
  for (let i = prefixes.length; i > 1; i--) {
    const j = random.below(i);
    [prefixes[i - 1], prefixes[j]] = [prefixes[j], prefixes[i - 1]];
  }
  if (mode === 64) {
    const w = operandSize === 8 ? random.below(2) : operandSize !== 0 ? 0 : (template.w ?? (random.oneIn(8) ? 1 : 0));
    const rex = (w << 3) | (fields.r << 2) | (fields.x << 1) | fields.b;
    if (rex !== 0 || random.oneIn(4)) prefixes.push(0x40 | rex);
  }
  return [...prefixes, ...ESCAPES[template.map]];
}

/** VEX, XOP or EVEX. @param {Template} template @param {boolean} long @param {Fields} fields @param {boolean} memory @param {import("./random.js").Random} random */
function vectorHead(template, long, fields, memory, random) {
  const { space, map } = template;
  const prefix = template.prefix ?? 0;
  // Outside 64-bit mode a W that chooses between 32 and 64 bits does not count.
  const w = template.w ?? random.below(2);
  const vvvv = template.usesVvvv ? random.below(long ? 16 : 8) : 0;
  const inverted = (~vvvv & 15) << 3;
  if (space !== "EVEX") {
    const length = template.length ?? random.below(2);
    const last = inverted | (length << 2) | prefix;
    const short = map === 1 && w === 0 && fields.b === 0 && (fields.x === 0 || !memory);
    if (space === "VEX" && short && random.below(2) === 0) return [0xc5, ((fields.r ^ 1) << 7) | last];
    const extension = ((fields.r ^ 1) << 7) | ((fields.x ^ 1) << 6) | ((fields.b ^ 1) << 5);
    return [space === "VEX" ? 0xc4 : 0x8f, extension | map, (w << 7) | last];
  }
  const length = template.length ?? random.below(3);
  const mask = random.below(3) === 0 ? 0 : random.below(8);
  const zeroing = mask !== 0 ? random.below(2) : 0;
  const broadcast = memory && random.oneIn(3) ? 1 : 0;
  const r2 = long && template.digit === null ? random.below(2) : 0;
  const v2 = long && template.usesVvvv ? random.below(2) : 0;
  return [
    0x62,
    ((fields.r ^ 1) << 7) | ((fields.x ^ 1) << 6) | ((fields.b ^ 1) << 5) | ((r2 ^ 1) << 4) | map,
    (w << 7) | inverted | 4 | prefix,
    (zeroing << 7) | (length << 5) | (broadcast << 4) | ((v2 ^ 1) << 3) | mask,
  ];
}
