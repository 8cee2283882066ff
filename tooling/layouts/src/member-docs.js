// What a member is in TypeScript, and its docstring: where it lies, how wide it is, what it means.
import { isFlagEnum } from "./model.js";
import { comment } from "./text.js";

/** @typedef {import("./model.js").Member} Member */
/** @typedef {import("./model.js").Model} Model */

/** TypeScript's type of a member in the object form. */
export function objectType(member) {
  switch (member.kind) {
    case "bits":
      return member.bitSize === 1 ? "boolean" : member.bitSize > 32 ? "bigint" : "number";
    case "text":
      return "string";
    case "bytes":
      return "Uint8Array";
    case "scalars":
      return member.bytes === 8 ? "readonly bigint[]" : "readonly number[]";
    case "structures":
      return `readonly ${member.element}[]`;
    case "structure":
      return member.element;
    default:
      return scalarType(member);
  }
}

export function scalarType(member) {
  if (member.holds === "enum") return isFlagEnum(member.enumName) ? "number" : member.enumName;
  return member.holds === "gpa" ? "number" : member.holds;
}

function largest(bits) {
  return bits <= 16 ? String(2 ** bits - 1) : `2^${bits}-1`;
}

/** Where and how wide a member is, for its docstring. */
export function placement(member) {
  if (member.kind === "bits") {
    const last = member.bitOffset + member.bitSize - 1;
    const bits = member.bitSize === 1 ? `bit ${member.bitOffset}` : `bits ${last}..${member.bitOffset}`;
    const range = member.bitSize === 1 ? "" : `, 0 to ${largest(member.bitSize)}`;
    return `${capital(bits)} of the ${member.storage * 8}-bit word at offset ${member.offset}${range}.`;
  }
  const where = `\`${member.cType}\` at offset ${member.offset}`;
  if (member.kind === "text") return `${where}: UTF-16, up to ${member.length} units, ends at the first NUL.`;
  if (member.kind === "bytes") return `${where}: ${member.length} bytes in memory order.`;
  if (member.kind === "scalars" || member.kind === "structures")
    return `${where}: ${member.length} ${member.length === 1 ? "entry" : "entries"}.`;
  if (member.kind === "structure") return `${where}.`;
  if (member.holds === "gpa") return `${where}: a guest-physical address, 0 to 2^52-1.`;
  if (member.holds === "enum" && isFlagEnum(member.enumName)) return `${where}: flags of {@link ${member.enumName}}.`;
  if (member.holds === "enum") return `${where}; a newer platform may give a value that the enum lacks.`;
  if (member.holds === "boolean") return `${where}: 0 is false, anything else true; true is written as 1.`;
  return `${where}, 0 to ${largest(member.bytes * 8)}.`;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

export function memberDoc(member, indent) {
  const label =
    member.doc ?? (/^(Reserved|Pad)/.test(member.cName) ? "Reserved; kept as it is." : `\`${member.cName}\`.`);
  return comment([`${label} ${placement(member)}`], indent);
}

export function isGpa(member) {
  return member.kind === "scalar" && member.holds === "gpa";
}
