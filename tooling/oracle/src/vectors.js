// The files of vectors, one a family: a section for each form, with what its vectors' instructions changed. What they started
// from follows from the seed. A section says of which inputs it is, so one that has become stale is noticed.
import { exclusionOf } from "./exclusions.js";
import { familyNames, walkForms } from "./forms.js";
import { encodingsOf, statesOf, VECTORS_PER_FORM } from "./inputs.js";
import { OutcomeReader, Writer, writeOutcome } from "./outcome.js";
import { hashText } from "./random.js";
import { State } from "./state.js";

const MAGIC = "WHVKORC3";
/** After the magic: whether all vectors are stored whole. */
const HEAD_SIZE = MAGIC.length + 1;
/** In a section: hash of the form's key, hash of its inputs, bytes of its outcomes; four bytes each. */
const SECTION_HEAD = 12;
/** One vector in so many of a form's is stored whole. */
const WHOLE = 17;

/**
 * @typedef {object} CoveredForm a form with vectors
 * @property {import("./forms.js").FormCase} formCase
 * @property {import("./inputs.js").Encoding[]} encodings
 */

/** Families with forms that a process may run. */
export const recordedFamilies = familyNames.filter((family) =>
  walkForms().some((formCase) => formCase.family === family && formCase.info.privilege === "any"),
);

/** The forms of a family that have vectors. @param {string} family @param {number} [seed] @returns {CoveredForm[]} */
export function coveredForms(family, seed = 0) {
  if (!familyNames.includes(family)) throw new RangeError(`no family ${family}`);
  /** @type {CoveredForm[]} */
  const result = [];
  for (const formCase of walkForms()) {
    if (formCase.family !== family) continue;
    const encodings = encodingsOf(formCase, seed);
    if (exclusionOf(formCase, encodings) === null) result.push({ formCase, encodings });
  }
  return result;
}

/** Changes with the inputs of a form. @param {CoveredForm} form @param {number} seed */
function hashInputs({ formCase, encodings }, seed) {
  let hash = 0;
  const scratch = new State();
  for (const encoding of encodings) {
    for (const byte of encoding.code) hash = Math.imul(hash ^ byte, 0x0100_0193);
    for (const { words } of statesOf(formCase, encoding, seed, scratch)) {
      for (let i = 0; i < words.length; i += 3) hash = Math.imul(hash ^ words[i], 0x0100_0193);
      break;
    }
  }
  return hash >>> 0;
}

/**
 * Has the processor run a family's vectors, and packs the file.
 *
 * @param {string} family @param {import("./record.js").NativeProcessor} processor
 * @param {number} [seed] @param {boolean} [whole] no digests
 */
export function recordFamily(family, processor, seed = 0, whole = false) {
  const file = new Writer();
  file.all(Buffer.from(MAGIC, "latin1"));
  file.byte(whole ? 1 : 0);
  const forms = coveredForms(family, seed);
  /** @type {{ form: CoveredForm, outcomes: Writer }[]} */
  const sections = [];
  for (const form of forms) {
    const outcomes = new Writer();
    sections.push({ form, outcomes });
    let number = 0;
    for (const encoding of form.encodings) {
      for (const state of statesOf(form.formCase, encoding, seed)) {
        const isWhole = number++ % WHOLE === 0 || whole;
        processor.run(encoding, state, (outcome, before) => writeOutcome(outcomes, before, outcome, isWhole));
      }
    }
  }
  processor.flush();
  for (const { form, outcomes } of sections) {
    file.number(hashText(form.formCase.key), 4);
    file.number(hashInputs(form, seed), 4);
    file.number(outcomes.length, 4);
    file.all(outcomes.bytes());
  }
  return { bytes: file.bytes(), forms: forms.length, vectors: forms.length * VECTORS_PER_FORM };
}

/** A family's file. */
export class VectorFile {
  /** @type {Map<number, { inputs: number, outcomes: Uint8Array }>} */
  #sections = new Map();
  #family;
  #seed;
  #whole;

  /** @param {string} family @param {Uint8Array} bytes @param {number} [seed] that the inputs follow from */
  constructor(family, bytes, seed = 0) {
    this.#family = family;
    this.#seed = seed;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (String.fromCharCode(...bytes.subarray(0, MAGIC.length)) !== MAGIC)
      throw new Error(`${family}: not a file of vectors`);
    this.#whole = bytes[MAGIC.length] === 1;
    for (let at = HEAD_SIZE; at < bytes.length; ) {
      if (at + SECTION_HEAD > bytes.length) throw new Error(`${family}: the file ends within a section`);
      const key = view.getUint32(at, true);
      const end = at + SECTION_HEAD + view.getUint32(at + 8, true);
      if (end > bytes.length) throw new Error(`${family}: the file ends within a section`);
      if (this.#sections.has(key)) throw new Error(`${family}: two sections ${key}`);
      this.#sections.set(key, {
        inputs: view.getUint32(at + 4, true),
        outcomes: bytes.subarray(at + SECTION_HEAD, end),
      });
      at = end;
    }
  }

  get sections() {
    return this.#sections.size;
  }

  /** Whether it holds a form's vectors. @param {import("./forms.js").FormCase} formCase */
  has({ key }) {
    return this.#sections.has(hashText(key));
  }

  /**
   * A form's vectors, one after the other in one object.
   *
   * @param {CoveredForm} form
   * @returns {Generator<{ encoding: import("./inputs.js").Encoding, state: State, outcome: import("./outcome.js").Outcome }>}
   */
  *vectorsOf(form) {
    const { key } = form.formCase;
    const section = this.#sections.get(hashText(key));
    if (section === undefined) throw new Error(`${this.#family}: no vectors of "${key}"; record the family again`);
    if (section.inputs !== hashInputs(form, this.#seed))
      throw new Error(`${this.#family}: the inputs of "${key}" have changed; record the family again`);
    const reader = new OutcomeReader(section.outcomes);
    const state = new State();
    let number = 0;
    for (const encoding of form.encodings) {
      for (const _ of statesOf(form.formCase, encoding, this.#seed, state)) {
        yield { encoding, state, outcome: reader.next(state.bytes, number++ % WHOLE === 0 || this.#whole) };
      }
    }
    if (!reader.atEnd) throw new Error(`${this.#family}: more outcomes than inputs of "${key}"`);
  }
}

export { digestOf } from "./outcome.js";
export {
  CODE,
  CODE_OFFSET,
  DATA,
  DATA_SIZE,
  EDGE,
  EDGE_SIZE,
  FLAGS_MASK,
  LEGACY_GS_BASE,
  LEGACY_GS_LIMIT,
  PAGE,
  STATE_SIZE,
  StateAt,
  WINDOW,
  WINDOW_SIZE,
} from "./state.js";
export { VECTORS_PER_FORM };
