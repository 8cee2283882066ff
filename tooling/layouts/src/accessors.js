// Prints the accessors of a view's fields: constant offsets, little-endian, a check in front of every write.
import { memberDoc, placement, scalarType } from "./member-docs.js";
import { hex } from "./names.js";
import { comment } from "./text.js";

/** @typedef {import("./model.js").Member} Member */
/** @typedef {import("./model.js").Model} Model */

const READ = { 1: "getUint8", 2: "getUint16", 4: "getUint32" };
const WRITE = { 1: "setUint8", 2: "setUint16", 4: "setUint32" };

const at = (offset) => (offset === 0 ? "this.byteOffset" : `this.byteOffset + ${offset}`);
const read = (bytes, offset) =>
  bytes === 1 ? `this.view.getUint8(${at(offset)})` : `this.view.${READ[bytes]}(${at(offset)}, true)`;
const write = (bytes, offset, value) =>
  bytes === 1
    ? `this.view.setUint8(${at(offset)}, ${value});`
    : `this.view.${WRITE[bytes]}(${at(offset)}, ${value}, true);`;

/** Accessors of a bit-field. */
export function bitAccessors(model, member) {
  const field = `${model.name}.${member.cName}`;
  let { storage, bitOffset, offset } = member;
  const { bitSize, name } = member;
  // A 64-bit word is read as the 32-bit half that holds the bits, where one does.
  if (storage === 8 && bitOffset + bitSize <= 32) storage = 4;
  else if (storage === 8 && bitOffset >= 32) {
    storage = 4;
    bitOffset -= 32;
    offset += 4;
  }
  const out = [memberDoc(member, "  ")];
  if (storage === 8 || bitSize > 32) {
    const mask = hex((1n << BigInt(bitSize)) - 1n);
    const clear = hex(((1n << 64n) - 1n) ^ (((1n << BigInt(bitSize)) - 1n) << BigInt(bitOffset)));
    const whole = `this.view.getBigUint64(${at(offset)}, true)`;
    const shifted = bitOffset ? `(${whole} >> ${bitOffset}n)` : whole;
    const top = bitOffset + bitSize === 64;
    const value = top ? shifted.replace(/^\((.*)\)$/, "$1") : `${shifted} & ${mask}n`;
    const asNumber = bitSize <= 32;
    out.push(`  get ${name}(): ${asNumber ? "number" : "bigint"} {`);
    out.push(`    return ${asNumber ? `Number(${value})` : value};`, "  }");
    out.push(`  set ${name}(value: ${asNumber ? "number" : "bigint"}) {`);
    out.push(
      asNumber
        ? `    requireUnsigned(value, ${2 ** bitSize - 1}, "${field}");`
        : `    requireUnsignedBigint(value, ${bitSize}, "${field}");`,
    );
    out.push(`    const others = ${whole} & ${clear}n;`);
    const bits = asNumber ? "BigInt(value)" : "value";
    out.push(`    this.view.setBigUint64(${at(offset)}, others | (${bits} << ${bitOffset}n), true);`, "  }");
    return out.join("\n");
  }
  const mask = bitSize === 32 ? 0xffffffff : 2 ** bitSize - 1;
  const place = (mask * 2 ** bitOffset) >>> 0;
  const word = read(storage, offset);
  const keep = storage === 4 ? `${word} & ${hex(~place >>> 0)}` : `${word} & ${hex((2 ** (storage * 8) - 1) ^ place)}`;
  if (bitSize === 1) {
    out.push(`  get ${name}(): boolean {`, `    return (${word} & ${hex(place)}) !== 0;`, "  }");
    out.push(`  set ${name}(value: boolean) {`, `    const others = ${keep};`);
    out.push(`    ${write(storage, offset, `value ? others | ${hex(place)} : others`)}`, "  }");
    return out.join("\n");
  }
  const top = bitOffset + bitSize === storage * 8;
  const shifted = bitOffset ? `${word} >>> ${bitOffset}` : word;
  out.push(`  get ${name}(): number {`);
  if (top) out.push(`    return ${shifted};`);
  else out.push(`    return ${bitOffset ? `(${shifted})` : shifted} & ${hex(mask)};`);
  out.push("  }", `  set ${name}(value: number) {`, `    requireUnsigned(value, ${hex(mask)}, "${field}");`);
  out.push(`    const others = ${keep};`);
  out.push(`    ${write(storage, offset, bitOffset ? `others | (value << ${bitOffset})` : "others | value")}`, "  }");
  return out.join("\n");
}

function halves(model, member) {
  const { name, offset } = member;
  const field = `${model.name}.${member.cName}`;
  const half = (suffix, start, bits) =>
    [
      comment([`Bits ${bits} of \`${name}\`, unsigned; allocates nothing.`], "  "),
      `  get ${name}${suffix}(): number {`,
      `    return ${read(4, start)};`,
      "  }",
      `  set ${name}${suffix}(value: number) {`,
      `    requireUnsigned(value, 0xffffffff, "${field}, bits ${bits}");`,
      `    ${write(4, start, "value")}`,
      "  }",
    ].join("\n");
  return [half("Low", offset, "31..0"), half("High", offset + 4, "63..32")];
}

function bigintAccessor(model, member, name, doc) {
  return [
    doc,
    `  get ${name}(): bigint {`,
    `    return this.view.getBigUint64(${at(member.offset)}, true);`,
    "  }",
    `  set ${name}(value: bigint) {`,
    `    requireUnsignedBigint(value, 64, "${model.name}.${member.cName}");`,
    `    this.view.setBigUint64(${at(member.offset)}, value, true);`,
    "  }",
  ].join("\n");
}

export function scalarAccessors(model, member) {
  const field = `${model.name}.${member.cName}`;
  const { name, offset, bytes } = member;
  if (member.holds === "bigint")
    return [bigintAccessor(model, member, name, memberDoc(member, "  ")), ...halves(model, member)].join("\n\n");
  if (member.holds === "gpa") {
    const doc = comment(
      [
        `${member.doc ?? `\`${member.cName}\`.`} ${placement(member)} Exact below 2^53; \`${name}Bits\` is exact for whatever the memory holds.`,
      ],
      "  ",
    );
    const main = [
      doc,
      `  get ${name}(): number {`,
      `    return ${read(4, offset + 4)} * 0x100000000 + ${read(4, offset)};`,
      "  }",
      `  set ${name}(value: number) {`,
      `    requireGuestPhysicalAddress(value, "${field}");`,
      `    ${write(4, offset, "value >>> 0")}`,
      `    ${write(4, offset + 4, "Math.floor(value / 0x100000000)")}`,
      "  }",
    ].join("\n");
    return [
      main,
      bigintAccessor(model, member, `${name}Bits`, comment([`All 64 bits of \`${name}\`, exact.`], "  ")),
      ...halves(model, member),
    ].join("\n\n");
  }
  const type = scalarType(member);
  const out = [memberDoc(member, "  "), `  get ${name}(): ${type} {`];
  if (member.holds === "boolean") out.push(`    return ${read(bytes, offset)} !== 0;`);
  else if (member.holds === "enum" && type !== "number") out.push(`    return ${read(bytes, offset)} as ${type};`);
  else out.push(`    return ${read(bytes, offset)};`);
  out.push("  }", `  set ${name}(value: ${type}) {`);
  if (member.holds === "boolean") out.push(`    ${write(bytes, offset, "value ? 1 : 0")}`);
  else {
    out.push(`    requireUnsigned(value, ${hex(2 ** (bytes * 8) - 1)}, "${field}");`);
    out.push(`    ${write(bytes, offset, "value")}`);
  }
  out.push("  }");
  return out.join("\n");
}

export function textAccessors(model, member) {
  return [
    memberDoc(member, "  "),
    `  get ${member.name}(): string {`,
    `    return readText(this.view, ${at(member.offset)}, ${member.length});`,
    "  }",
    `  set ${member.name}(value: string) {`,
    `    writeText(this.view, ${at(member.offset)}, ${member.length}, value, "${model.name}.${member.cName}");`,
    "  }",
  ].join("\n");
}
