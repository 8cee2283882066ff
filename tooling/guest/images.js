// Which guests there are, and how their images are made: assembly by nasm, and the TypeScript module that carries the
// bytes to users of the package.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where assembly sources and images lie. */
export const guestFolder = path.join(root, "packages/microvm/guest");
/** The module that carries the images. */
export const moduleFile = path.join(root, "packages/microvm/src/guest/images.generated.ts");
/** Names of the guests: NAME.asm makes NAME.bin. */
export const guests = ["demo", "triple-fault"];

/**
 * What `nasm -v` says, or null where there is no nasm.
 *
 * @returns {string | null}
 */
export function nasmVersion() {
  const { status, stdout } = spawnSync("nasm", ["-v"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Assembles one guest.
 *
 * @param {string} name
 * @returns {Buffer} the flat image
 */
export function assemble(name) {
  const folder = mkdtempSync(path.join(tmpdir(), "guest-"));
  try {
    const image = path.join(folder, "image.bin");
    const { status, stderr, error } = spawnSync("nasm", ["-Werror", "-f", "bin", "-o", image, `${name}.asm`], {
      cwd: guestFolder,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`nasm: ${error?.message ?? stderr}`);
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The TypeScript module for the given images.
 *
 * @param {Readonly<Record<string, Uint8Array>>} images by guest name
 * @returns {string}
 */
export function moduleText(images) {
  const parts = ["// Made by tooling/guest from packages/microvm/guest. Do not edit.\n"];
  parts.push("/** The images of the guests in packages/microvm/guest, as hexadecimal digits. */\n");
  for (const [name, bytes] of Object.entries(images)) {
    const constant = `${name.replaceAll("-", "_").toUpperCase()}_IMAGE`;
    const lines =
      Buffer.from(bytes)
        .toString("hex")
        .match(/.{1,120}/g) ?? [];
    parts.push(`export const ${constant}: string = (\n${lines.map((line) => `  "${line}"`).join(" +\n")}\n);\n`);
  }
  return parts.join("");
}
