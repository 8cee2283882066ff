// A second opinion: the compiler evaluates every size, alignment, offset, value and bit position as constants in an
// object file, by another way than its debugging information.

/** @typedef {import("./layouts.js").Layout} Layout */
/** @typedef {import("./layouts.js").EnumFacts} EnumFacts */
/** @typedef {{ what: string, expression: string, expected: bigint | undefined }} Probe */

/** Bytes that one bit-field's probe takes; more than any structure with bit-fields. */
const BIT_PROBE_STRIDE = 512;

/**
 * What to evaluate; `expected` is what the facts say, where they do.
 *
 * @param {Record<string, Layout>} types
 * @param {Record<string, EnumFacts>} enums
 * @param {{ name: string, text: string }[]} defines
 * @returns {Probe[]}
 */
export function integerProbes(types, enums, defines) {
  /** @type {Probe[]} */
  const probes = [];
  for (const [name, type] of Object.entries(types)) {
    probes.push({ what: `sizeof ${name}`, expression: `sizeof(${name})`, expected: BigInt(type.size) });
    probes.push({ what: `alignof ${name}`, expression: `_Alignof(${name})`, expected: undefined });
    for (const field of type.fields) {
      if (field.bitSize !== undefined) continue;
      const what = `${name}.${field.name}`;
      probes.push({
        what: `offset of ${what}`,
        expression: `offsetof(${name}, ${field.name})`,
        expected: BigInt(field.offset),
      });
      probes.push({
        what: `size of ${what}`,
        expression: `sizeof(((${name} *)0)->${field.name})`,
        expected: BigInt(field.size),
      });
    }
  }
  for (const [name, { size, values }] of Object.entries(enums)) {
    probes.push({ what: `sizeof ${name}`, expression: `sizeof(${name})`, expected: BigInt(size) });
    for (const [key, value] of Object.entries(values)) {
      probes.push({ what: key, expression: `(unsigned)${key}`, expected: BigInt(value) });
    }
  }
  for (const { name } of defines) probes.push({ what: name, expression: name, expected: undefined });
  return probes;
}

/** @param {Record<string, Layout>} types */
export function bitFieldsOf(types) {
  return Object.entries(types).flatMap(([type, { fields }]) =>
    fields.flatMap((field) => (field.bitSize === undefined ? [] : [{ type, field }])),
  );
}

/**
 * C with the probes: integers in the section `probes`, and in `bits` one structure a bit-field with only that one set.
 *
 * @param {string[]} includes
 * @param {readonly Probe[]} integers
 * @param {readonly { type: string, field: import("./layouts.js").Field }[]} bitFields
 */
export function probeSource(includes, integers, bitFields) {
  return [
    "#include <stddef.h>",
    ...includes.map((file) => `#include <${file}>`),
    '__attribute__((section("probes"), used)) const unsigned long long probes[] = {',
    ...integers.map(({ expression }) => `  ${expression},`),
    "};",
    ...bitFields.map(
      ({ type, field }, index) =>
        `__attribute__((section("bits"), used, aligned(${BIT_PROBE_STRIDE}))) const ${type} bit${index} = { .${field.name} = -1 };`,
    ),
    // Keeps the length of the section a multiple of the stride.
    `__attribute__((section("bits"), used, aligned(${BIT_PROBE_STRIDE}))) const char end[${BIT_PROBE_STRIDE}] = { 0 };`,
    "",
  ].join("\n");
}

/**
 * Compares what the compiler evaluated with the facts.
 *
 * @param {readonly Probe[]} integers
 * @param {Uint8Array} bytes the section `probes`
 * @returns {{ values: Map<string, bigint>, differences: string[] }}
 */
export function compareIntegers(integers, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Map();
  const differences = [];
  for (const [index, { what, expected }] of integers.entries()) {
    const value = view.getBigUint64(index * 8, true);
    values.set(what, value);
    if (expected !== undefined && value !== expected) differences.push(`${what}: facts ${expected}, compiler ${value}`);
  }
  return { values, differences };
}

/**
 * Compares the bits that the compiler set with the facts.
 *
 * @param {readonly { type: string, field: import("./layouts.js").Field }[]} bitFields
 * @param {Uint8Array} bytes the section `bits`
 * @returns {string[]} what differs
 */
export function compareBits(bitFields, bytes) {
  const differences = [];
  for (const [index, { type, field }] of bitFields.entries()) {
    const from = index * BIT_PROBE_STRIDE;
    const set = [];
    for (let bit = 0; bit < BIT_PROBE_STRIDE * 8; bit++) {
      if ((bytes[from + (bit >> 3)] >> (bit & 7)) & 1) set.push(bit);
    }
    const first = field.offset * 8 + (field.bitOffset ?? 0);
    const expected = Array.from({ length: field.bitSize ?? 0 }, (_, offset) => first + offset);
    if (set.join() !== expected.join()) differences.push(`${type}.${field.name}: facts ${expected}, compiler ${set}`);
  }
  return differences;
}
