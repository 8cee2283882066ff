// The example in a view's docstring: one field, written or read, and where its bytes lie in memory. What the comments
// promise is computed from the facts and not by the accessors; tooling/consumers runs every example.
import { valueText } from "./enums.js";
import { hex, viewName } from "./names.js";

/** @typedef {import("./model.js").Member} Member */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {{ path: string, offset: number, member: Member }} Field `path` and `offset` from the start of the view */

const BITS = { 1: "Uint8", 2: "Uint16", 4: "Uint32", 8: "BigUint64" };

/** Which kinds of members show most, best first. */
const PREFERENCE = [
  (member) => member.kind === "scalar" && member.holds !== "enum",
  (member) => member.kind === "bits",
  (member) => member.kind === "text",
  (member) => member.kind === "scalars" || member.kind === "bytes",
  (member) => member.kind === "scalar",
];

/** The lines of the docstring from the tag on. */
export function viewExample(model, models) {
  const name = viewName(model.name);
  const lines = exampleOf(fieldOf(model, models));
  return [
    "@example",
    "```ts",
    `import { ${name} } from "@whvkit/whv-types";`,
    `const memory = new DataView(new ArrayBuffer(${name}.size));`,
    `const view = new ${name}(memory);`,
    ...lines,
    "```",
  ];
}

/** @returns {Field} */
function fieldOf(model, models) {
  const named = model.members.filter(({ cName }) => !/^(Reserved|Pad|Size$|As(UINT|BYTE))/.test(cName));
  const candidates = named.length > 0 ? named : model.members;
  for (const preferred of PREFERENCE) {
    const member = candidates.find(preferred);
    if (member) return { path: member.name, offset: member.offset, member };
  }
  const outer = candidates.find(({ kind }) => kind === "structure");
  if (!outer) throw new Error(`${model.name} has no field that an example could show`);
  const inner = fieldOf(models.get(outer.element), models);
  return { path: `${outer.name}.${inner.path}`, offset: outer.offset + inner.offset, member: inner.member };
}

/** The statements for a field, in the lines that the example ends with. */
function exampleOf({ path, offset, member }) {
  const written = (value, bytes, promise) => [`view.${path} = ${value};`, `${get(bytes, offset)}; // ${promise}`];
  switch (member.kind) {
    case "bits": {
      const one = member.bitSize === 1;
      const value = one ? 1n : BigInt(Math.min(5, 2 ** member.bitSize - 1));
      const word = valueText(value << BigInt(member.bitOffset)) + (member.storage === 8 ? "n" : "");
      return written(one ? "true" : member.bitSize > 32 ? `${value}n` : value, member.storage, word);
    }
    case "text":
      return [`view.${path} = "VP";`, `memory.getUint16(${offset}, true); // ${hex("V".charCodeAt(0))}`];
    case "bytes":
      return [`view.${path}.set([0x0f, 0x0b]);`, `${get(1, offset + 1)}; // 0x0b`];
    case "scalars": {
      const value = member.bytes === 8 ? "0x12n" : "0x12";
      const last = member.length - 1;
      return [
        `view.${path}.set(${last}, ${value});`,
        `${get(member.bytes, offset + last * member.bytes)}; // ${value}`,
      ];
    }
    default:
      if (member.holds === "boolean") return written("true", member.bytes, "1");
      if (member.holds === "gpa") return written("0xfee0_0000", 8, "0xfee0_0000n");
      if (member.holds === "bigint") return written("0x1000n", 8, "0x1000n");
      // Not every number is a value of an enum, so its example reads.
      if (member.holds === "enum") return [`${set(member.bytes, offset, "1")};`, `view.${path}; // 1`];
      return member.bytes === 1 ? written("1", 1, "1") : written("0x12", member.bytes, "0x12");
  }
}

const get = (bytes, offset) => `memory.get${BITS[bytes]}(${offset}${bytes === 1 ? "" : ", true"})`;
const set = (bytes, offset, value) => `memory.set${BITS[bytes]}(${offset}, ${value}${bytes === 1 ? "" : ", true"})`;
