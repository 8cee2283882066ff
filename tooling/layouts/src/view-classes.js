// Prints the view of a structure: a class over a DataView at an offset.
import { bitAccessors, scalarAccessors, textAccessors } from "./accessors.js";
import { isGpa, memberDoc, objectType } from "./member-docs.js";
import { viewName } from "./names.js";
import { typeDoc } from "./object-forms.js";
import { comment } from "./text.js";
import { viewExample } from "./view-examples.js";

/** @typedef {import("./model.js").Member} Member */
/** @typedef {import("./model.js").Model} Model */

const ARRAY_VIEW = { 2: "Uint16ArrayView", 4: "Uint32ArrayView", 8: "Uint64ArrayView" };

/** A field of the class that is made once, by the constructor. */
function heldField(member) {
  switch (member.kind) {
    case "structure":
      return { type: viewName(member.element), make: (offset) => `new ${viewName(member.element)}(view, ${offset})` };
    case "structures":
      return {
        type: `readonly ${viewName(member.element)}[]`,
        make: (offset, stride) =>
          `[${Array.from({ length: member.length }, (_, index) => `new ${viewName(member.element)}(view, ${plus(offset, index * stride)})`).join(", ")}]`,
      };
    case "bytes":
      return {
        type: "Uint8Array",
        make: (offset) => `new Uint8Array(view.buffer, view.byteOffset + ${offset}, ${member.length})`,
      };
    case "scalars":
      return {
        type: ARRAY_VIEW[member.bytes],
        make: (offset, _stride, model) =>
          `new ${ARRAY_VIEW[member.bytes]}(view, ${offset}, ${member.length}, "${model.name}.${member.cName}")`,
      };
    default:
      return null;
  }
}

function plus(expression, number) {
  if (number === 0) return expression;
  const match = /^(.*) \+ (\d+)$/.exec(expression);
  return match ? `${match[1]} + ${Number(match[2]) + number}` : `${expression} + ${number}`;
}

function toObjectEntry(member) {
  const value = toObjectValue(member);
  return `${member.name}: ${value}`;
}

function toObjectValue(member) {
  switch (member.kind) {
    case "structure":
      return `this.${member.name}.toObject()`;
    case "structures":
      return `this.${member.name}.map((entry) => entry.toObject())`;
    case "bytes":
      return `this.${member.name}.slice()`;
    case "scalars":
      return `this.${member.name}.toArray()`;
    default:
      return `this.${member.name}`;
  }
}

/** A guest-physical address that no processor can have is kept beside the number, exactly. */
function exactBits(member, source = "this") {
  return `...(${source}.${member.name} > GUEST_PHYSICAL_ADDRESS_MAX ? { ${member.name}Bits: ${source}.${member.name}Bits } : undefined)`;
}

function assignLine(model, member, from) {
  const value = `${from}.${member.name}`;
  const condition = `if (${value} !== undefined)`;
  switch (member.kind) {
    case "structure":
      return [`    ${condition} this.${member.name}.assign(${value});`];
    case "structures":
      return [`    ${condition} assignStructures(this.${member.name}, ${value}, "${model.name}.${member.cName}");`];
    case "bytes":
      return [`    ${condition} assignBytes(this.${member.name}, ${value}, "${model.name}.${member.cName}");`];
    case "scalars":
      return [`    ${condition} this.${member.name}.assign(${value});`];
    default:
      if (isGpa(member)) {
        return [
          `    if (${value}Bits !== undefined) this.${member.name}Bits = ${value}Bits;`,
          `    else ${condition} this.${member.name} = ${value};`,
        ];
      }
      return [`    ${condition} this.${member.name} = ${value};`];
  }
}

function toObjectMethod(model) {
  const { note, members } = model;
  const typed = model.name;
  if (note.oneOf) {
    const out = [
      comment(
        [
          "Copies one member out of the union. `member` is the property's name in the object form; another is a RangeError.",
        ],
        "  ",
      ),
      `  toObject(member: keyof ${typed}): ${typed} {`,
      "    switch (member) {",
    ];
    for (const member of members)
      out.push(`      case "${member.name}":`, `        return { ${toObjectEntry(member)} };`);
    out.push(
      "      default:",
      `        throw new RangeError(\`${model.name} has no member \${String(member)}\`);`,
      "    }",
      "  }",
    );
    return out.join("\n");
  }
  if (note.discriminant) {
    const chosen = Object.values(note.discriminant.members);
    const selector = members.find((member) => member.cName === note.discriminant.field);
    const common = members.filter((member) => member.inObject && !chosen.includes(member.cName) && member !== selector);
    const out = [
      comment(
        [
          `Copies the structure out: what \`${selector.name}\` selects. Where it selects nothing known, only the common members.`,
        ],
        "  ",
      ),
      `  toObject(): ${typed} {`,
      `    const common = { ${common.map(toObjectEntry).join(", ")} };`,
      `    const ${selector.name} = this.${selector.name};`,
      `    switch (${selector.name}) {`,
    ];
    for (const [value, cName] of Object.entries(note.discriminant.members)) {
      const member = members.find((candidate) => candidate.cName === cName);
      out.push(
        `      case ${selector.enumName}.${value}:`,
        `        return { ...common, ${selector.name}, ${toObjectEntry(member)} };`,
      );
    }
    const bare = note.discriminant.bare?.length;
    out.push(
      "      default:",
      `        return { ...common, ${selector.name} }${bare ? "" : ` as unknown as ${typed}`};`,
      "    }",
      "  }",
    );
    return out.join("\n");
  }
  const inObject = members.filter((member) => member.inObject);
  const entries = inObject.flatMap((member) =>
    isGpa(member) ? [toObjectEntry(member), exactBits(member)] : [toObjectEntry(member)],
  );
  return [
    comment(["Copies the structure out into its object form."], "  "),
    `  toObject(): ${typed} {`,
    "    return {",
    ...entries.map((entry) => `      ${entry},`),
    "    };",
    "  }",
  ].join("\n");
}

function assignMethod(model) {
  const { note, members } = model;
  const inObject = members.filter((member) => member.inObject);
  const out = [
    comment(
      ["Writes what the object holds and leaves the rest. A RangeError names the field that is out of range."],
      "  ",
    ),
  ];
  out.push(`  assign(object: WhvInit<${model.name}>): this {`);
  let from = "object";
  if (note.discriminant) {
    from = "given";
    const flat = inObject.map((member) => `${member.name}?: WhvInit<${objectType(member)}>`);
    out.push(`    const given: { ${flat.join("; ")} } = object;`);
  }
  for (const member of inObject) out.push(...assignLine(model, member, from));
  out.push("    return this;", "  }");
  return out.join("\n");
}

export function viewClass(model, models) {
  const { members } = model;
  const name = viewName(model.name);
  const kind = model.anonymous ? `the anonymous struct \`${model.name}\`` : `\`${model.name}\``;
  const out = [
    typeDoc(model, `${kind} (${model.size} bytes) in place, at an offset of a DataView.`.replace(/^the/, "The"), [
      ...(model.note.remarks ? ["", model.note.remarks] : []),
      "",
      ...viewExample(model, models),
    ]),
    `export class ${name} {`,
    `  /** Bytes that \`${model.name}\` takes. */`,
    `  static readonly size = ${model.size};`,
    "  /** The memory that is read and written. */",
    "  readonly view: DataView;",
    "  /** Where in `view` the structure starts. */",
    "  readonly byteOffset: number;",
  ];
  const held = members.map((member) => [member, heldField(member)]).filter(([, field]) => field);
  for (const [member, field] of held) out.push(memberDoc(member, "  "), `  readonly ${member.name}: ${field.type};`);
  out.push(
    "",
    comment(
      [`Over \`view\`, which must hold ${model.size} bytes from \`byteOffset\` on; a shorter one is a RangeError.`],
      "  ",
    ),
    "  constructor(view: DataView, byteOffset = 0) {",
    `    requireRoom(view, byteOffset, ${model.size}, "${model.name}");`,
    "    this.view = view;",
    "    this.byteOffset = byteOffset;",
  );
  for (const [member, field] of held) {
    const stride = member.kind === "structures" ? models.get(member.element).size : 0;
    out.push(`    this.${member.name} = ${field.make(plus("byteOffset", member.offset), stride, model)};`);
  }
  out.push(
    "  }",
    "",
    comment(["A view over new memory that holds `object`; what it leaves out is 0."], "  "),
    `  static from(object: WhvInit<${model.name}>): ${name} {`,
    `    return new ${name}(new DataView(new ArrayBuffer(${model.size}))).assign(object);`,
    "  }",
  );
  for (const member of members) {
    if (member.kind === "bits") out.push("", bitAccessors(model, member));
    else if (member.kind === "scalar") out.push("", scalarAccessors(model, member));
    else if (member.kind === "text") out.push("", textAccessors(model, member));
  }
  out.push(
    "",
    "  /** The structure's bytes, not copied. */",
    "  get bytes(): Uint8Array {",
    `    return new Uint8Array(this.view.buffer, this.view.byteOffset + this.byteOffset, ${model.size});`,
    "  }",
    "",
    toObjectMethod(model),
    "",
    assignMethod(model),
    "}",
  );
  return out.join("\n");
}
