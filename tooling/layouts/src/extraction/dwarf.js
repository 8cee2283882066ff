// Debugging information of an object file, as entries by their offset: the text of `objdump --dwarf=info`, parsed.
// What the entries mean for the Windows headers is in layouts.js.

/**
 * @typedef {object} Entry
 * @property {number} offset
 * @property {string} tag without `DW_TAG_`
 * @property {Map<string, string>} attributes by name without `DW_AT_`, as objdump prints them
 * @property {Entry[]} children
 */

/**
 * @param {string} text what `objdump --dwarf=info` printed
 * @returns {{ roots: Entry[], byOffset: Map<number, Entry> }}
 */
export function parseDebugInfo(text) {
  /** @type {Map<number, Entry>} */
  const byOffset = new Map();
  /** @type {Entry[]} */
  const roots = [];
  /** @type {Entry[]} */
  const open = [];
  /** @type {Entry | undefined} */
  let entry;
  for (const line of text.split("\n")) {
    const head = /^ *<([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)/.exec(line);
    if (head) {
      const depth = Number.parseInt(head[1], 16);
      entry = { offset: Number.parseInt(head[2], 16), tag: head[3], attributes: new Map(), children: [] };
      byOffset.set(entry.offset, entry);
      open.length = depth;
      if (depth === 0) roots.push(entry);
      else open[depth - 1].children.push(entry);
      open.push(entry);
      continue;
    }
    const attribute = /^ +<[0-9a-f]+> +DW_AT_(\w+) *: (.*)$/.exec(line);
    if (attribute && entry)
      entry.attributes.set(attribute[1], attribute[2].replace(/^\(indirect string, offset: \w+\): /, "").trim());
  }
  return { roots, byOffset };
}

/** A decimal or hexadecimal attribute as a number, or `undefined`. @param {Entry} entry @param {string} name */
export function numberOf(entry, name) {
  const text = entry.attributes.get(name);
  return text === undefined ? undefined : Number(text.split("\t")[0]);
}

/** The entry that `DW_AT_type` names. @param {Entry} entry @param {Map<number, Entry>} byOffset */
export function typeOf(entry, byOffset) {
  const reference = /^<0x([0-9a-f]+)>/.exec(entry.attributes.get("type") ?? "");
  return reference ? byOffset.get(Number.parseInt(reference[1], 16)) : undefined;
}
