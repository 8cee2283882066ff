// Real code to decode: the .text section of an ELF file, by default of the node executable itself.

import { readFileSync } from "node:fs";

/** @param {string} path an ELF file of 32 or 64 bits, little-endian @returns {{ code: Uint8Array<ArrayBuffer>, mode: 32 | 64 }} */
export function textSection(path) {
  const file = readFileSync(path);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, false) !== 0x7f454c46) throw new Error(`${path} is no ELF file`);
  const wide = file[4] === 2;
  const word = (/** @type {number} */ at) => (wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const sections = word(wide ? 40 : 32);
  const entry = view.getUint16(wide ? 58 : 46, true);
  const count = view.getUint16(wide ? 60 : 48, true);
  const names = view.getUint16(wide ? 62 : 50, true);
  const header = (/** @type {number} */ index) => {
    const at = sections + index * entry;
    return { name: view.getUint32(at, true), offset: word(at + (wide ? 24 : 16)), size: word(at + (wide ? 32 : 20)) };
  };
  const strings = header(names).offset;
  for (let i = 0; i < count; i++) {
    const { name, offset, size } = header(i);
    const end = file.indexOf(0, strings + name);
    if (file.toString("latin1", strings + name, end) === ".text")
      return { code: new Uint8Array(file.subarray(offset, offset + size)), mode: wide ? 64 : 32 };
  }
  throw new Error(`${path} has no .text section`);
}
