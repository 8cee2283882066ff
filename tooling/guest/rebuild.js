#!/usr/bin/env node
// Assembles the guests and writes their images, and the module that carries them, into the tree.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { assemble, guestFolder, guests, moduleFile, moduleText, nasmVersion } from "./images.js";

if (nasmVersion() === null) {
  process.stderr.write("nasm is not installed (Debian: apt-get install nasm)\n");
  process.exit(1);
}
const images = Object.fromEntries(guests.map((name) => [name, assemble(name)]));
for (const [name, bytes] of Object.entries(images)) {
  writeFileSync(path.join(guestFolder, `${name}.bin`), bytes);
  process.stdout.write(`${name}.bin: ${bytes.length} bytes\n`);
}
writeFileSync(moduleFile, moduleText(images));
