// Sizes, offsets, bit positions and values of everything whose name starts with WHV_, from debugging information.
import { numberOf, parseDebugInfo, typeOf } from "./dwarf.js";

/** @typedef {import("./dwarf.js").Entry} Entry */
/**
 * @typedef {object} Field
 * @property {string} name members of a named anonymous struct are `Outer.Inner`
 * @property {number} offset in bytes; of a bit-field, of the word that holds it
 * @property {number} size in bytes; of a bit-field, of that word
 * @property {string} type as the header spells it
 * @property {number} [bitOffset] of a bit-field, from the word's lowest bit
 * @property {number} [bitSize]
 */
/** @typedef {{ kind: "struct" | "union", size: number, align: number, fields: Field[] }} Layout */
/** @typedef {{ size: number, values: Record<string, number> }} EnumFacts */

/**
 * @param {string} debugInfo what `objdump --dwarf=info` printed
 * @returns {{ types: Record<string, Layout>, enums: Record<string, EnumFacts> }} alignments are 0: debugging information has none
 */
export function layoutsOf(debugInfo) {
  const { roots, byOffset } = parseDebugInfo(debugInfo);
  /** @type {Record<string, Layout>} */
  const types = {};
  /** @type {Record<string, EnumFacts>} */
  const enums = {};
  for (const entry of roots.flatMap((root) => root.children)) {
    const name = entry.attributes.get("name");
    const target = entry.tag === "typedef" && name?.startsWith("WHV_") ? typeOf(entry, byOffset) : undefined;
    if (name === undefined || target === undefined) continue;
    if (target.tag === "structure_type" || target.tag === "union_type") {
      types[name] = {
        kind: target.tag === "union_type" ? "union" : "struct",
        size: required(target, "byte_size"),
        align: 0,
        fields: fieldsOf(target, byOffset, 0, ""),
      };
    } else if (target.tag === "enumeration_type") {
      const values = target.children.map((child) => [
        child.attributes.get("name"),
        required(child, "const_value") >>> 0,
      ]);
      enums[name] = { size: required(target, "byte_size"), values: Object.fromEntries(values) };
    }
  }
  return { types, enums };
}

/**
 * @param {Entry} structure
 * @param {Map<number, Entry>} byOffset
 * @param {number} base
 * @param {string} prefix
 * @returns {Field[]}
 */
function fieldsOf(structure, byOffset, base, prefix) {
  return structure.children
    .filter((child) => child.tag === "member")
    .flatMap((member) => {
      const type = typeOf(member, byOffset);
      if (!type) throw new Error(`a member of ${structure.attributes.get("name")} has no type`);
      const offset = base + (numberOf(member, "data_member_location") ?? 0);
      const name = member.attributes.get("name");
      const anonymous = type.attributes.get("name") === undefined && /^(structure|union)_type$/.test(type.tag);
      if (name === undefined) return fieldsOf(type, byOffset, offset, prefix);
      const field = { name: prefix + name, offset, size: sizeOf(type, byOffset), type: typeName(type, byOffset) };
      if (anonymous) return [field, ...fieldsOf(type, byOffset, offset, `${prefix}${name}.`)];
      const bitSize = numberOf(member, "bit_size");
      if (bitSize === undefined) return [field];
      // DWARF 4 counts from the most significant bit of the word.
      const bitOffset = field.size * 8 - required(member, "bit_offset") - bitSize;
      return [{ ...field, bitOffset, bitSize }];
    });
}

/** @param {Entry} entry @param {string} name @returns {number} */
function required(entry, name) {
  const value = numberOf(entry, name);
  if (value === undefined || Number.isNaN(value)) throw new Error(`${entry.tag} at ${entry.offset} has no ${name}`);
  return value;
}

/** @param {Entry} type @param {Map<number, Entry>} byOffset @returns {number} */
function sizeOf(type, byOffset) {
  const size = numberOf(type, "byte_size");
  if (size !== undefined) return size;
  const target = typeOf(type, byOffset);
  if (!target) throw new Error(`${type.tag} at ${type.offset} has no size`);
  return type.tag === "array_type" ? sizeOf(target, byOffset) * lengthOf(type) : sizeOf(target, byOffset);
}

/** @param {Entry} array */
function lengthOf(array) {
  const range = array.children.find((child) => child.tag === "subrange_type");
  if (!range) throw new Error(`the array at ${array.offset} has no length`);
  return required(range, "upper_bound") + 1;
}

/** The type as the header spells it. @param {Entry} type @param {Map<number, Entry>} byOffset @returns {string} */
function typeName(type, byOffset) {
  const target = typeOf(type, byOffset);
  if (type.tag === "array_type" && target) return `${typeName(target, byOffset)}[${lengthOf(type)}]`;
  if (type.tag === "pointer_type") return target ? `${typeName(target, byOffset)} *` : "VOID *";
  const name = type.attributes.get("name");
  if (name !== undefined) return name;
  return type.tag === "union_type" ? "(anonymous union)" : "(anonymous struct)";
}
