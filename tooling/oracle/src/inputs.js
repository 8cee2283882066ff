// The inputs of a form: its encodings, and for each of them the states that it starts from. All follow from the seed and the
// form's key, so a new form moves no other one's.
import { Decoder, DecodeStatus, Instruction, Mnemonic, OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { irOf } from "@whvkit/x86-semantics";
import { chooseAddress, displacementFor, LARGEST_OPERAND, memorySize, placeOperand } from "./addressing.js";
import { addressings, encode, templateOf } from "./form-encoding.js";
import { AREA_SIZE, areas, early, late, stackUsers } from "./preparation.js";
import { hashText, POOL_SIZE, pool, Random } from "./random.js";
import {
  ALIGNMENT_FLAG,
  CS,
  DIRECTION_FLAG,
  FS_BASE,
  GS_BASE,
  INTERRUPT_FLAG,
  RSP,
  STATE_SIZE,
  STATUS_FLAGS,
  State,
  StateAt,
} from "./state.js";

/** Encodings of a form, and states of an encoding: their product is the number of a form's vectors. */
export const ENCODINGS = 20;
export const STATES = 10;
export const VECTORS_PER_FORM = ENCODINGS * STATES;

/**
 * @typedef {object} Encoding
 * @property {import("./forms.js").Mode} mode
 * @property {Uint8Array} code
 * @property {Instruction} instruction
 * @property {number} number of the encoding in its form
 */

/** How many tries an encoding has before the form counts as one that cannot be encoded. */
const TRIES = 400;
const TAIL = 10;
/** Stores masked by bytes. */
const BYTE_MASKED = /maskmov(q|dqu)$/;

// AMD's decoding, as the recording processor has it: a 66 prefix cuts near branches to 16 bits.
const decoders = {
  16: new Decoder(16, { amd: true }),
  32: new Decoder(32, { amd: true }),
  64: new Decoder(64, { amd: true }),
};

/**
 * The encodings of a form; none where its bytes never decode to it (the decoder's options rule it out).
 *
 * @param {import("./forms.js").FormCase} formCase @param {number} seed
 * @returns {Encoding[]}
 */
export function encodingsOf(formCase, seed) {
  const random = new Random(hashText(formCase.key) ^ Math.imul(seed, 0x9e37_79b1));
  const template = templateOf(formCase.info);
  /** @type {Encoding[]} */
  const result = [];
  for (let number = 0; number < ENCODINGS; number++) {
    const encoding = oneEncoding(formCase, template, number, random);
    if (encoding === null) return [];
    result.push(encoding);
  }
  return result;
}

/** @param {import("./forms.js").FormCase} formCase @param {import("./form-encoding.js").Template} template @param {number} number @param {Random} random @returns {Encoding | null} */
function oneEncoding({ mode, info }, template, number, random) {
  let instruction = new Instruction();
  /** @type {Encoding | null} */
  let withoutMeaning = null;
  for (let tries = 0; tries < TRIES; tries++) {
    const wish = wishFor(mode, info, template, number, random);
    // Some rows have memory only behind other digits.
    if (tries > TRIES / 2 && template.mod === null) wish.memory = false;
    const encoded = encode(template, mode, wish, random);
    if (encoded.bytes.length > 15) continue;
    const bytes = Uint8Array.from([...encoded.bytes, ...tail(mode, info, random)]);
    /** @returns {boolean} whether it is the wanted form */
    const decodes = () =>
      decoders[mode].decode(bytes, 0, instruction) === DecodeStatus.ok &&
      instruction.form === info.form &&
      acceptable(instruction);
    if (!decodes()) continue;
    if (encoded.fixedAddress && encoded.displacementSize > 0) {
      const place = number % 5 === 4 ? edgeFor(instruction, info.name) : random.oneIn(3) ? "usual" : "aligned";
      const linear = chooseAddress(instruction, accessSize(instruction, info.name), place, random);
      const displacement = displacementFor(instruction, linear);
      for (let i = 0; i < encoded.displacementSize; i++)
        bytes[encoded.displacementAt + i] = Number(BigInt.asUintN(8, displacement >> BigInt(8 * i)));
      if (!decodes()) continue;
    }
    const encoding = { mode, code: bytes.slice(0, instruction.length), instruction, number };
    if (irOf(instruction) !== null) return encoding;
    // Some EVEX forms have a meaning without opmask only.
    withoutMeaning = encoding;
    instruction = new Instruction();
    if (tries > TRIES / 4 && number === 0) break;
  }
  return withoutMeaning;
}

/** What the number-th encoding tries. @param {import("./forms.js").Mode} mode @param {import("./forms.js").FormCase["info"]} info @param {import("./form-encoding.js").Template} template @param {number} number @param {Random} random @returns {import("./form-encoding.js").Wish} */
function wishFor(mode, info, template, number, random) {
  const both = template.modrm && template.mod === null;
  const memory = template.mod === "memory" || (both && number >= 8);
  const { length } = addressings;
  const addressing = addressings[number < 2 * length && memory ? number % length : random.below(length)];
  const byteMasked = BYTE_MASKED.test(info.name);
  const addresses = memory || template.directOffset || (!template.modrm && template.space === "legacy");
  return {
    memory,
    addressing,
    // In 32-bit code a 16-bit address reaches nothing, which these would show whatever their masks.
    addressPrefix: byteMasked && mode === 32 ? false : random.oneIn(addresses ? 5 : 12),
    segment: addresses && random.oneIn(4) ? random.below(6) : null,
    lock: memory && info.lockable && random.oneIn(3),
    // Zen takes the condition of LOOPE and LOOPNE from these prefixes, which no manual says.
    repeat: /^loopn?e$/.test(info.name)
      ? 0
      : info.repeat !== "none"
        ? random.pick([0, 0xf2, 0xf3])
        : random.oneIn(12)
          ? random.pick([0xf2, 0xf3])
          : 0,
  };
}

/** Whether the recorder can run it: not what the kernel does not keep, and no memory that holds the code. @param {Instruction} instruction */
function acceptable(instruction) {
  const { mode, memorySegment } = instruction;
  // CALL through the stack pointer would push onto the code, or onto a stack that is anywhere.
  if (instruction.mnemonic === Mnemonic.call) {
    const through = instruction.operandRegister(0) || instruction.memoryBase;
    if (through !== 0 && (through & 31) === RSP) return false;
  }
  if (mode !== 16) return !overlapsBits(instruction);
  // The upper half of ESP does not come through the kernel to a 16-bit stack.
  for (let i = 0; i < instruction.operandCount; i++) if (instruction.operandRegister(i) === ESP) return false;
  if (instruction.memoryBase === ESP) return false;
  return (memorySegment & 7) !== CS && !overlapsBits(instruction);
}
const ESP = (RegisterClass.gpr32 << 5) | RSP;

/** A bit string whose offset is also in its address. @param {Instruction} instruction */
function overlapsBits(instruction) {
  if (instruction.operandCount !== 2 || instruction.operandKind(0) !== OperandKind.memory) return false;
  const register = instruction.operandRegister(1);
  if (register === 0 || register >> 5 > RegisterClass.gpr64) return false;
  const number = register & 31;
  const same = (/** @type {number} */ other) => other !== 0 && (other & 31) === number;
  return same(instruction.memoryBase) || same(instruction.memoryIndex);
}

/** What follows the displacement: an immediate of any size. @param {import("./forms.js").Mode} mode @param {import("./forms.js").FormCase["info"]} info @param {Random} random */
function tail(mode, info, random) {
  const branch = info.operands.find(({ kind }) => kind === OperandKind.branch);
  if (branch !== undefined) return branchTail(mode, info, random);
  const bytes = new Uint8Array(TAIL);
  const first = random.pick([0, 0xff, 0x7f, 0x80, random.below(40), random.below(256), random.below(256)]);
  const rest = random.pick([0, 0xff, first, random.below(256)]);
  const mixed = random.oneIn(3);
  for (let i = 0; i < TAIL; i++) bytes[i] = mixed ? random.below(256) : i === 0 ? first : rest;
  return bytes;
}

/** Jumps that do not lead into the instruction itself or into the recorder. @param {import("./forms.js").Mode} mode @param {import("./forms.js").FormCase["info"]} info @param {Random} random */
function branchTail(mode, info, random) {
  const near = random.oneIn(2) ? random.below(0x80) : -0x80 + random.below(0x70);
  const far = random.pick([random.below(0x700), -0x10 - random.below(0x6f0), 0x0400_0000 + random.below(0x0100_0000)]);
  const isShort = /\b(7[0-9A-F]|E[0-3]|EB)$/.test(info.opcode) && !/\b0F\b/.test(info.opcode);
  const value = isShort
    ? near
    : mode === 16 && random.oneIn(2)
      ? random.pick([far, 0x2000 + random.below(0x8000)])
      : far;
  return Uint8Array.from({ length: TAIL }, (_, i) => (i < 4 ? value >> (8 * i) : 0));
}

/**
 * The states that an encoding starts from, one after the other in one object: whoever wants to keep one copies it.
 *
 * @param {import("./forms.js").FormCase} formCase @param {Encoding} encoding @param {number} seed
 * @param {State} [state] the object
 */
export function* statesOf(formCase, encoding, seed, state = new State()) {
  const random = new Random(
    (hashText(formCase.key) ^ Math.imul(seed, 0x9e37_79b1)) + Math.imul(encoding.number + 1, 0x85eb_ca6b),
  );
  for (let i = 0; i < STATES; i++) {
    fill(state, formCase, encoding, i, random);
    yield state;
  }
}

/** @param {State} state @param {import("./forms.js").FormCase} formCase @param {Encoding} encoding @param {number} number @param {Random} random */
function fill(state, { info }, { mode, instruction }, number, random) {
  fillRandom(state, random);
  const name = info.name;
  /** @type {import("./addressing.js").Place} */
  const place = placeFor(instruction, number, name);
  const input = { instruction, state, random, place, address: -1 };
  if (info.repeat === "none" || hasString(instruction)) early.get(name)?.(input);
  const size = accessSize(instruction, name);
  if (size > 0 && (instruction.memoryBase !== 0 || instruction.memoryIndex !== 0 || instruction.displacementSize > 0)) {
    const near = stackUsers.has(name) && (instruction.memoryBase & 31) === RSP;
    const linear = chooseAddress(instruction, size, place, random);
    // POP counts an address from RSP behind the pop.
    input.address = placeOperand(instruction, state, linear, random, near);
  }
  late.get(name)?.(input);
  if (random.oneIn(6)) equalSources(instruction, state);
  if (input.address >= 0 && checksAlignment(instruction, name, size) && random.oneIn(16)) state.flags |= ALIGNMENT_FLAG;
  // Last, since what was put at the end of memory may have run over.
  state.longs[StateAt.bases >> 3] = mode === 64 ? BigInt(FS_BASE) : 0n;
  state.longs[(StateAt.bases >> 3) + 1] = mode === 64 ? BigInt.asUintN(64, BigInt(GS_BASE)) : 0n;
  if (mode !== 64) {
    for (let i = 0; i < 8; i++) state.words[2 * i + 1] = 0;
    state.longs.fill(0n, 8, 16);
  }
}

/** @param {Instruction} instruction @param {number} number @param {string} name @returns {import("./addressing.js").Place} */
function placeFor(instruction, number, name) {
  if (number === 7) return edgeFor(instruction, name);
  if (number === 8) {
    // MASKMOVQ and MASKMOVDQU fault on Zen for bytes that their masks leave out, too.
    if (!isMasked(instruction, name)) return "fault";
    return instruction.mode !== 64 || BYTE_MASKED.test(name) ? "usual" : "unmapped";
  }
  return number === 9 ? "any" : number < 3 ? "aligned" : "usual";
}

/** The end of what may be accessed, where it says something about the instruction and not about the vendor. @param {Instruction} instruction @param {string} name @returns {"edge" | "any"} */
function edgeFor(instruction, name) {
  // Zen holds all of a masked operand to the segment's limit, and all of one masked by bytes to the page's rights.
  if (isMasked(instruction, name) && (instruction.mode !== 64 || BYTE_MASKED.test(name))) return "any";
  // Zen reads four bytes for a MOVSXD of two.
  return name === "movsxd" ? "any" : "edge";
}

/** Whether a misaligned operand under RFLAGS.AC says something about the instruction and not about the vendor. @param {Instruction} instruction @param {string} name @param {number} size */
function checksAlignment(instruction, name, size) {
  return size <= LARGEST_OPERAND && !isMasked(instruction, name) && name !== "call" && name !== "movsxd";
}

/** Whether elements of a memory operand may be left out. @param {Instruction} instruction @param {string} name */
const isMasked = (instruction, name) => instruction.opmask !== 0 || /^v?p?maskmov/.test(name);

/** Bytes that the memory operand may take. @param {Instruction} instruction @param {string} name */
function accessSize(instruction, name) {
  return areas.has(name) ? AREA_SIZE : memorySize(instruction);
}

/** @param {State} state @param {Random} random */
function fillRandom(state, random) {
  const { bytes, words } = state;
  const from = random.below(POOL_SIZE >> 3) << 3;
  bytes.set(pool.subarray(from, from + STATE_SIZE));
  // Registers from anywhere in the pool: half of them small.
  for (let i = 0; i < 16; i++) {
    const at = random.word();
    const quad = (at >>> 3) & ((POOL_SIZE >> 3) - 1);
    words[2 * i] = poolWords[2 * quad];
    words[2 * i + 1] = (at & 3) === 0 ? 0 : poolWords[2 * quad + 1];
  }
  words[StateAt.flags >> 2] = 2 | INTERRUPT_FLAG | flagsOf(random);
  words[(StateAt.flags >> 2) + 1] = 0;
  for (let i = 0; i < 8; i++) {
    const at = (StateAt.masks >> 2) + 2 * i;
    const kind = random.below(6);
    words[at] = kind === 0 ? 0 : kind === 1 ? -1 : random.word();
    words[at + 1] = kind === 0 ? 0 : kind === 1 ? -1 : kind === 2 ? 0 : random.word();
  }
  const control = random.word();
  words[StateAt.mxcsr >> 2] = control & 0xffff;
  // All x87 exceptions masked, so that none is pending; any precision, rounding and stack top.
  state.view.setUint16(StateAt.x87Control, 0x7f | ((control >>> 16) & 0xf00), true);
  state.view.setUint16(StateAt.x87Status, random.word() & 0x7f7f, true);
  bytes[StateAt.x87Tags] = random.below(256);
  bytes.fill(0, StateAt.x87Tags + 1, StateAt.x87);
  for (let i = 0; i < 8; i++) bytes.fill(0, StateAt.x87 + 16 * i + 10, StateAt.x87 + 16 * i + 16);
}
const poolWords = new Int32Array(pool.buffer);

/** @param {Random} random */
function flagsOf(random) {
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
      return STATUS_FLAGS;
    default:
      return random.word() & (STATUS_FLAGS | DIRECTION_FLAG);
  }
}

/** @param {Instruction} instruction */
function hasString(instruction) {
  for (let i = 0; i < instruction.operandCount; i++) {
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.stringSource || kind === OperandKind.stringDestination) return true;
  }
  return false;
}

/** The last two vector registers alike, so that comparisons find something. @param {Instruction} instruction @param {State} state */
function equalSources(instruction, state) {
  const vectors = [];
  for (let i = 0; i < instruction.operandCount; i++) {
    const register = instruction.operandRegister(i);
    const registerClass = register >> 5;
    if (registerClass >= RegisterClass.xmm && registerClass <= RegisterClass.zmm) vectors.push(register & 31);
  }
  const [a, b] = vectors.slice(-2);
  if (b === undefined) return;
  const at = StateAt.vectors;
  state.bytes.copyWithin(at + 64 * a, at + 64 * b, at + 64 * b + 32);
}
