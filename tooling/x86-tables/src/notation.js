// @ts-check
// Reads the lines of forms/*.txt: comments, zipped lists `<a b c>`, the four columns, and the tokens of the encoding
// column. What the operand tokens mean is in operands.js; how a family becomes single forms is in expansion.js.

/**
 * @typedef {object} Line
 * @property {string} mnemonic
 * @property {string[]} operands
 * @property {string[]} encoding
 * @property {string[]} attributes
 * @property {string} place file:line
 */

/**
 * Expands `<a b c>`: all lists of a line have the same length and advance together.
 * @param {string} text @param {string} place @returns {string[]}
 */
function zip(text, place) {
  const lists = [...text.matchAll(/<([^<>]*)>/g)].map((match) => (match[1] ?? "").trim().split(/\s+/));
  if (lists.length === 0) return [text];
  const count = Math.max(...lists.map((list) => list.length));
  for (const list of lists) {
    if (list.length !== count) throw new Error(`${place}: lists of ${count} and ${list.length} elements in one line`);
  }
  return Array.from({ length: count }, (_, i) => {
    let n = 0;
    return text.replace(/<[^<>]*>/g, () => /** @type {string[]} */ (lists[n++])[i] ?? "");
  });
}

/** @param {string} text @param {string} file @returns {Line[]} */
export function readLines(text, file) {
  /** @type {Line[]} */
  const lines = [];
  text.split("\n").forEach((raw, index) => {
    const place = `${file}:${index + 1}`;
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    for (const one of zip(line, place)) {
      const columns = one.split("|").map((column) => column.trim());
      if (columns.length !== 4) throw new Error(`${place}: expected 4 columns, found ${columns.length}`);
      const [mnemonic = "", operands = "", encoding = "", attributes = ""] = columns;
      lines.push({
        mnemonic,
        operands: operands === "-" ? [] : operands.split(",").map((operand) => operand.trim()),
        encoding: encoding.split(/\s+/),
        attributes: attributes.split(/\s+/).filter((word) => word !== ""),
        place,
      });
    }
  });
  return lines;
}

/**
 * Where the opcode stands. `space` names the encoding, `map` the opcode map in it.
 * @typedef {object} Encoding
 * @property {"legacy"|"3dnow"|"vex"|"xop"|"evex"} space
 * @property {number} map
 * @property {number[]} opcodes one opcode, or eight for +r
 * @property {boolean} opcodeRegister
 * @property {number[]|null} prefix allowed values of the mandatory-prefix selector: 0 none, 1 66, 2 F3, 3 F2
 * @property {number[]|null} w
 * @property {boolean} wSize W selects the y operand size
 * @property {string|null} l length token of VEX and EVEX
 * @property {number[]|null} operandSizes effective operand sizes in bytes, as tokens o16, o32, o64, o32+
 * @property {number[]|null} addressSizes
 * @property {number|null} reg
 * @property {number|null} rm
 * @property {number|null} mod 1 register, 0 memory
 * @property {boolean} modrm
 */

const PREFIX = /** @type {Record<string, number[]>} */ ({ NP: [0], 66: [1], F3: [2], F2: [3], NFx: [0, 1] });
const VECTOR_MAP = /** @type {Record<string, number>} */ ({
  "0F": 1,
  "0F38": 2,
  "0F3A": 3,
  MAP4: 4,
  MAP5: 5,
  MAP6: 6,
  MAP7: 7,
  X8: 8,
  X9: 9,
  XA: 10,
});

/** @param {Line} line @returns {Encoding} */
export function readEncoding(line) {
  /** @type {Encoding} */
  const result = {
    space: "legacy",
    map: 0,
    opcodes: [],
    opcodeRegister: false,
    prefix: null,
    w: null,
    wSize: false,
    l: null,
    operandSizes: null,
    addressSizes: null,
    reg: null,
    rm: null,
    mod: null,
    modrm: false,
  };
  const fail = (/** @type {string} */ why) => new Error(`${line.place}: ${why} in "${line.encoding.join(" ")}"`);
  const tokens = [...line.encoding];
  const isHex = (/** @type {string|undefined} */ token) => token !== undefined && /^[0-9A-F]{2}(\+r)?$/.test(token);
  let opcodeSeen = false;
  for (let i = 0; i < tokens.length; i++) {
    const token = /** @type {string} */ (tokens[i]);
    const next = tokens[i + 1];
    const vector = /^(VEX|EVEX|XOP)\./.exec(token);
    if (vector) {
      const [space, l, pp, map, w] = token.split(".");
      result.space = /** @type {"vex"|"evex"|"xop"} */ (/** @type {string} */ (space).toLowerCase());
      result.l = l ?? null;
      result.prefix = PREFIX[pp ?? ""] ?? null;
      result.map = VECTOR_MAP[map ?? ""] ?? -1;
      if (result.map < 0 || result.prefix === null) throw fail("unknown map or prefix");
      if (w === "W0") result.w = [0];
      else if (w === "W1") result.w = [1];
      else if (w === "WY") result.wSize = true;
      else if (w !== "WIG") throw fail(`unknown W field ${w}`);
    } else if (!opcodeSeen && PREFIX[token] && next !== undefined && !next.startsWith("/"))
      result.prefix = PREFIX[token] ?? null;
    else if (token === "W0" || token === "W1") result.w = [token === "W1" ? 1 : 0];
    else if (/^o\d\d\+?$/.test(token)) result.operandSizes = token === "o32+" ? [4, 8] : [Number(token.slice(1)) / 8];
    else if (/^a\d\d$/.test(token)) result.addressSizes = [Number(token.slice(1)) / 8];
    else if (!opcodeSeen && result.space === "legacy" && result.map === 0 && token === "0F" && next !== undefined)
      result.map = 1;
    else if (token === "0F38") result.map = 2;
    else if (token === "0F3A") result.map = 3;
    else if (token === "0F0F") {
      result.space = "3dnow";
      result.modrm = true;
    } else if (!opcodeSeen && isHex(token)) {
      opcodeSeen = true;
      const base = Number.parseInt(token.slice(0, 2), 16);
      result.opcodeRegister = token.endsWith("+r");
      result.opcodes = result.opcodeRegister ? Array.from({ length: 8 }, (_, n) => base + n) : [base];
    } else if (opcodeSeen && isHex(token)) {
      const modrm = Number.parseInt(token, 16);
      if (modrm < 0xc0) throw fail("a fixed ModRM byte names a register");
      result.modrm = true;
      result.mod = 1;
      result.reg = (modrm >> 3) & 7;
      result.rm = modrm & 7;
    } else if (token === "/r") result.modrm = true;
    else if (/^\/[0-7]$/.test(token)) {
      result.modrm = true;
      result.reg = Number(token.slice(1));
    } else if (token === "mod3") result.mod = 1;
    else if (token === "mem") result.mod = 0;
    else if (/^rm[0-7]$/.test(token)) result.rm = Number(token.slice(2));
    else if (token === "riprel" || token === "nomod" || token === "/is4") {
      // Read as attributes by expansion.js.
      line.attributes.push(token);
    } else throw fail(`unknown token ${token}`);
  }
  if (!opcodeSeen) throw fail("no opcode");
  return result;
}
