/**
 * Which files of the 80286 vectors are run, which flags their instructions leave undefined, and where the vectors are.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Beside the repository; not part of it. */
const VECTOR_FOLDER: string = fileURLToPath(new URL("../../../../../shared/data/sst-80286-dev", import.meta.url));

/** Port instructions exit to the host: `packages/conformance/test/port-vectors.test.ts` runs them on the emulator. */
export const PORT_FILES: readonly string[] = ["6C", "6D", "6E", "6F", "E4", "E5", "E6", "E7", "EC", "ED", "EE", "EF"];

/** x87 arithmetic with a memory operand of four bytes. */
export const X87_FILE = "D8";

const CF = 0x1;
const PF = 0x4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

/** Flags that the manuals leave undefined and in which the 80286 differs from what the simulator defines (as AMD Zen leaves them). */
const UNDEFINED_FLAGS: readonly (readonly [files: readonly string[], mask: number])[] = [
  [["37", "3F"], SF | ZF | PF | OF],
  [["69", "6B", "F6.4", "F6.5", "F7.4", "F7.5"], SF | ZF | AF | PF],
  [["F6.6", "F6.7", "F7.6", "F7.7"], CF | PF | AF | ZF | SF | OF],
  [["C0.4", "C0.6", "C1.4", "C1.6", "D0.4", "D0.6", "D1.4", "D1.6", "D2.4", "D2.6", "D3.4", "D3.6"], AF],
  [["D5"], OF | AF | CF],
];

/** Flags that are not compared for a file. */
export function undefinedFlags(file: string): number {
  return UNDEFINED_FLAGS.find(([files]) => files.includes(file))?.[1] ?? 0;
}

/** Opcodes of the one-byte arithmetic and MOV instructions: these must all be there. */
export const ARITHMETIC_AND_MOV: readonly string[] = [
  ...[0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38].flatMap((base) =>
    [0, 1, 2, 3, 4, 5].map((low) => hex(base + low)),
  ),
  ...range(0x40, 0x4f),
  ...["80", "81", "82", "83"].flatMap((opcode) => [0, 1, 2, 3, 4, 5, 6, 7].map((group) => `${opcode}.${group}`)),
  ...range(0x84, 0x8c),
  "8E",
  ...range(0xa0, 0xa3),
  "A8",
  "A9",
  ...range(0xb0, 0xbf),
  "C6",
  "C7",
  ...["F6", "F7"].flatMap((opcode) => [0, 1, 2, 3, 4, 5, 6, 7].map((group) => `${opcode}.${group}`)),
  "FE.0",
  "FE.1",
  "FF.0",
  "FF.1",
  "27",
  "2F",
  "37",
  "3F",
  "69",
  "6B",
  "98",
  "99",
  "D4",
  "D5",
];

export function hasVectors(): boolean {
  return existsSync(VECTOR_FOLDER);
}

/** Names without `.MOO.gz`, in order. */
export function vectorFiles(): string[] {
  return readdirSync(VECTOR_FOLDER)
    .filter((name) => name.endsWith(".MOO.gz"))
    .map((name) => name.slice(0, -".MOO.gz".length))
    .sort();
}

export function pathOf(file: string): string {
  return join(VECTOR_FOLDER, `${file}.MOO.gz`);
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => hex(first + i));
}
