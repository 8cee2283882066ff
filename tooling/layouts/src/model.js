// The model that the emitters print: facts (from the headers) joined with annotations (written by hand).
import { classStem, propertyName } from "./names.js";

/** @typedef {import("./facts.js").Facts} Facts */
/**
 * @typedef {object} Note what is written by hand about a structure
 * @property {string} file the generated file that it goes to
 * @property {string} doc
 * @property {string} [remarks]
 * @property {string} [since]
 * @property {Record<string, string>} [fields] what each field means
 * @property {string[]} [guestPhysical] `UINT64` fields that are guest-physical addresses
 * @property {string[]} [prefer] members that stand for the bytes they share in the object form
 * @property {boolean} [oneOf] a union without a discriminant: its object form has one member
 * @property {{ field: string, members: Record<string, string>, bare?: string[] }} [discriminant] which member counts
 *   for which value of `field`; `bare` are values without one
 */
/**
 * @typedef {object} Member
 * @property {string} cName
 * @property {string} name
 * @property {string} cType
 * @property {number} offset
 * @property {number} size
 * @property {string | undefined} doc
 * @property {[number, number]} range bits from the start of the structure, end excluded
 * @property {"bits" | "scalar" | "structure" | "structures" | "bytes" | "scalars" | "text"} kind
 * @property {boolean} [inObject]
 * @property {number} [storage] bit-fields: bytes of the word
 * @property {number} [bitOffset]
 * @property {number} [bitSize]
 * @property {number} [bytes] scalars: bytes of one
 * @property {"number" | "bigint" | "boolean" | "gpa" | "enum"} [holds]
 * @property {string} [enumName]
 * @property {string} [element] structures: their type
 * @property {number} [length] arrays
 */
/** @typedef {{ name: string, kind: string, size: number, anonymous: boolean, stem: string, note: Note, members: Member[] }} Model */

/** C scalar types of the headers: bytes, and how TypeScript holds them. */
const SCALARS = {
  UINT8: { bytes: 1, holds: "number" },
  UINT16: { bytes: 2, holds: "number" },
  USHORT: { bytes: 2, holds: "number" },
  UINT32: { bytes: 4, holds: "number" },
  UINT64: { bytes: 8, holds: "bigint" },
  LUID: { bytes: 8, holds: "bigint" },
  PVOID: { bytes: 8, holds: "bigint" },
  WHV_GUEST_PHYSICAL_ADDRESS: { bytes: 8, holds: "gpa" },
  WHV_GUEST_VIRTUAL_ADDRESS: { bytes: 8, holds: "bigint" },
  WINBOOL: { bytes: 4, holds: "boolean" },
};

/** Enums whose values are combined with `|`: their fields and parameters are plain numbers. */
export function isFlagEnum(name) {
  return name.endsWith("_FLAGS");
}

/** Splits `UINT32[6]` into element and length. */
function splitArray(type) {
  const match = /^(.*)\[(\d+)\]$/.exec(type);
  return match ? { element: match[1], length: Number(match[2]) } : null;
}

/** The bits that a member covers, for finding out which members overlap. */
function bitRange(field) {
  if (field.bitSize !== undefined) {
    const start = field.offset * 8 + field.bitOffset;
    return [start, start + field.bitSize];
  }
  return [field.offset * 8, (field.offset + field.size) * 8];
}

function memberOf(facts, type, note, field) {
  const base = {
    cName: field.name,
    name: propertyName(field.name),
    cType: field.type,
    offset: field.offset,
    size: field.size,
    doc: note.fields?.[field.name],
    range: bitRange(field),
  };
  if (field.bitSize !== undefined) {
    return { ...base, kind: "bits", storage: field.size, bitOffset: field.bitOffset, bitSize: field.bitSize };
  }
  const array = splitArray(field.type);
  if (array) {
    if (array.element === "WCHAR") return { ...base, kind: "text", length: array.length };
    if (array.element === "UINT8") return { ...base, kind: "bytes", length: array.length };
    if (facts.types[array.element])
      return { ...base, kind: "structures", element: array.element, length: array.length };
    return { ...base, kind: "scalars", bytes: SCALARS[array.element].bytes, length: array.length };
  }
  if (field.type === "(anonymous struct)") {
    return {
      ...base,
      kind: "structure",
      element: `${type}_${field.name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}`,
    };
  }
  if (facts.types[field.type]) return { ...base, kind: "structure", element: field.type };
  if (facts.enums[field.type])
    return { ...base, kind: "scalar", bytes: field.size, holds: "enum", enumName: field.type };
  const scalar = SCALARS[field.type] ?? (/_CALLBACK$/.test(field.type) ? SCALARS.PVOID : undefined);
  if (!scalar) throw new Error(`${type}.${field.name}: no rule for the type ${field.type}`);
  const holds = note.guestPhysical?.includes(field.name) ? "gpa" : scalar.holds;
  return { ...base, kind: "scalar", bytes: scalar.bytes, holds };
}

/** Anonymous structs inside a union become named structures of their own. */
function withNamedAnonymous(facts) {
  const types = {};
  for (const [name, type] of Object.entries(facts.types)) {
    const fields = type.fields.filter((field) => !field.name.includes("."));
    for (const outer of fields.filter((field) => field.type === "(anonymous struct)")) {
      const inner = type.fields.filter((field) => field.name.startsWith(`${outer.name}.`));
      const innerName = `${name}_${outer.name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}`;
      types[innerName] = {
        kind: "struct",
        size: outer.size,
        anonymous: true,
        fields: inner.map((field) => ({
          ...field,
          name: field.name.slice(outer.name.length + 1),
          offset: field.offset - outer.offset,
        })),
      };
    }
    types[name] = { ...type, fields };
  }
  return { ...facts, types };
}

/**
 * The members that the object form holds: in the order of the header, each that overlaps none before it. `AsUINT64`
 * and its like stand for the whole and are left to the view; an annotation can prefer a member (`Attributes`).
 */
function markObjectForm(members, note) {
  const taken = [];
  const overlaps = ([start, end]) => taken.some(([from, to]) => start < to && from < end);
  const preferred = members.filter((member) => note.prefer?.includes(member.cName));
  for (const member of preferred) {
    member.inObject = true;
    taken.push(member.range);
  }
  for (const member of members) {
    if (member.inObject || /^As(UINT|BYTE)/.test(member.cName) || overlaps(member.range)) continue;
    member.inObject = true;
    taken.push(member.range);
  }
}

/** All structures by name, in the order of the facts. */
export function structureModels(rawFacts, annotations) {
  const facts = withNamedAnonymous(rawFacts);
  const models = new Map();
  for (const [name, type] of Object.entries(facts.types)) {
    const note = annotations[name];
    if (!note) throw new Error(`${name} has no annotation: add one in tooling/layouts/annotations`);
    for (const field of Object.keys(note.fields ?? {})) {
      if (!type.fields.some((known) => known.name === field))
        throw new Error(`${name}.${field} is annotated but not in the facts`);
    }
    const members = type.fields.map((field) => memberOf(facts, name, note, field));
    const discriminated = note.discriminant ? new Set(Object.values(note.discriminant.members)) : new Set();
    if (note.oneOf) for (const member of members) member.inObject = true;
    else {
      markObjectForm(
        members.filter((member) => !discriminated.has(member.cName)),
        note,
      );
      for (const member of members) if (discriminated.has(member.cName)) member.inObject = true;
    }
    models.set(name, {
      name,
      kind: type.kind,
      size: type.size,
      anonymous: type.anonymous ?? false,
      stem: classStem(name),
      note,
      members,
    });
  }
  return models;
}
