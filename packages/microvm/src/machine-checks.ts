/** Refuses machines that cannot be: every option checked before anything is made, with what was wrong in the message. */
import { ENTRY_TABLES_END, ENTRY_TABLES_START } from "./entry-state.ts";
import type { GuestImage, MachineLimits, MachineOptions } from "./machine-options.ts";

const PAGE = 4096;
const SMALLEST = 2 ** 20;
const LARGEST = 2 ** 36;
/** Real mode reaches the first MiB. */
const REAL_MODE_END = 0x100000;
/** Mode 32 has no addresses beyond, and what mode 64 finds mapped ends there. */
const MAPPED_END = 2 ** 32;
const VGA_START = 0xa0000;
const VGA_END = 0xc0000;

/** Throws a `RangeError` or `TypeError` that names the option and what it may be. */
export function checkMachineOptions(options: MachineOptions, memorySize: number): void {
  if (!Number.isInteger(memorySize) || memorySize % PAGE !== 0 || memorySize < SMALLEST || memorySize > LARGEST) {
    throw new RangeError(`memorySize is ${memorySize}, not a multiple of 4096 from 1 MiB to 64 GiB`);
  }
  checkImage(options.image, memorySize);
  checkLimits(options.limits ?? {});
  const { clock } = options;
  if (clock !== undefined && clock !== "virtual" && clock !== "host") {
    throw new RangeError(`clock is ${JSON.stringify(clock)}, not "virtual" or "host"`);
  }
}

function checkImage(image: GuestImage, memorySize: number): void {
  const { bytes, mode, load } = image;
  const entry = image.entry ?? load;
  if (!(bytes instanceof Uint8Array)) throw new TypeError("image.bytes is not a Uint8Array");
  if (bytes.length === 0) throw new RangeError("image.bytes is empty");
  if (mode !== 16 && mode !== 32 && mode !== 64)
    throw new RangeError(`image.mode is ${String(mode)}, not 16, 32 or 64`);
  if (!Number.isInteger(load) || load < 0) throw new RangeError(`image.load is ${load}, not a guest-physical address`);
  if (!Number.isInteger(entry) || entry < 0)
    throw new RangeError(`image.entry is ${entry}, not a guest-physical address`);
  const end = load + bytes.length;
  const where = `image of ${bytes.length} bytes at 0x${load.toString(16)}`;
  if (end > Math.min(memorySize, 0xc0000000))
    throw new RangeError(`${where} does not fit in ${memorySize} bytes of RAM`);
  if (load < VGA_END && end > VGA_START)
    throw new RangeError(`${where} reaches into the VGA window 0xa0000 to 0xbffff`);
  if (mode === 16 && entry >= REAL_MODE_END) {
    throw new RangeError(
      `image.entry 0x${entry.toString(16)} is beyond the first MiB, which is all that mode 16 reaches`,
    );
  }
  if (entry >= MAPPED_END) {
    throw new RangeError(`image.entry 0x${entry.toString(16)} is beyond 4 GiB, which is all that mode ${mode} reaches`);
  }
  if (mode !== 16 && load < ENTRY_TABLES_END && end > ENTRY_TABLES_START) {
    throw new RangeError(`${where} overlaps the descriptor and page tables at 0x99000 to 0x9ffff`);
  }
}

function checkLimits({ maxInstructions, timeoutSeconds, until }: MachineLimits): void {
  if (maxInstructions !== undefined && !(Number.isInteger(maxInstructions) && maxInstructions >= 1)) {
    throw new RangeError(`limits.maxInstructions is ${maxInstructions}, not a whole number of at least 1`);
  }
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0)) {
    throw new RangeError(`limits.timeoutSeconds is ${timeoutSeconds}, not above 0`);
  }
  if (until !== undefined && !(until instanceof RegExp)) throw new TypeError("limits.until is not a RegExp");
}
