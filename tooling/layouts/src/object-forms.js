// Prints the object form of a structure: an interface, or a union by its discriminant.
import { isGpa, memberDoc, objectType } from "./member-docs.js";
import { comment } from "./text.js";

/** @typedef {import("./model.js").Member} Member */
/** @typedef {import("./model.js").Model} Model */

function objectMember(member, indent, optional = false) {
  const lines = [
    memberDoc(member, indent),
    `${indent}readonly ${member.name}${optional ? "?" : ""}: ${objectType(member)};`,
  ];
  if (isGpa(member)) {
    lines.push(
      comment(
        [`Only where the memory holds more than 2^52-1, which no address can be: all 64 bits. Preferred on write.`],
        indent,
      ),
      `${indent}readonly ${member.name}Bits?: bigint;`,
    );
  }
  return lines.join("\n");
}

export function typeDoc(model, opening, extra = []) {
  const { note } = model;
  const lines = [`${opening} ${note.doc}`];
  if (note.since) lines.push("", `Since ${note.since}.`);
  lines.push(...extra, "", "@public");
  return comment(lines, "");
}

export function objectForm(model) {
  const { note, members } = model;
  const size = `${model.size} bytes`;
  const kind = model.anonymous ? "the anonymous struct" : `\`${model.name}\``;
  if (note.oneOf) {
    const doc = typeDoc(model, `Object form of ${kind} (${size}), a union: one member is given.`);
    return `${doc}\nexport interface ${model.name} {\n${members.map((member) => objectMember(member, "  ", true)).join("\n")}\n}`;
  }
  if (note.discriminant) return discriminatedForm(model);
  const inObject = members.filter((member) => member.inObject);
  const doc = typeDoc(model, `Object form of ${kind} (${size}).`);
  return `${doc}\nexport interface ${model.name} {\n${inObject.map((member) => objectMember(member, "  ")).join("\n")}\n}`;
}

function discriminatedForm(model) {
  const { note, members } = model;
  const chosen = Object.values(note.discriminant.members);
  const selector = members.find((member) => member.cName === note.discriminant.field);
  const enumName = selector.enumName;
  const common = members.filter((member) => member.inObject && !chosen.includes(member.cName) && member !== selector);
  const commonName = `${model.name}_COMMON`;
  const out = [
    comment([`What every {@link ${model.name}} has, whatever its \`${selector.name}\`.`, "", "@public"], ""),
    `export interface ${commonName} {\n${common.map((member) => objectMember(member, "  ")).join("\n")}\n}`,
    "",
    typeDoc(model, `Object form of \`${model.name}\` (${model.size} bytes), by \`${selector.name}\`.`),
    `export type ${model.name} = ${commonName} &`,
    "  (",
  ];
  for (const [value, cName] of Object.entries(note.discriminant.members)) {
    const member = members.find((candidate) => candidate.cName === cName);
    out.push(
      `    | { readonly ${selector.name}: typeof ${enumName}.${value}; readonly ${member.name}: ${objectType(member)}${member.kind === "scalar" ? "" : ""} }`,
    );
  }
  for (const value of note.discriminant.bare ?? [])
    out.push(`    | { readonly ${selector.name}: typeof ${enumName}.${value} }`);
  out.push("  );");
  return out.join("\n");
}
