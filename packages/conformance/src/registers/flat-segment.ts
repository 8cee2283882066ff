/** The segment that a case means when it names none: base 0, limit 4 GiB, present, writable data. */
import type { RegisterWords } from "./register-json.ts";

/** A flat data segment for a privilege level (0 to 3), which is its DPL and its selector's RPL. */
export function flatDataSegment(cpl: number): RegisterWords {
  const attributes = 0xc093 | (cpl << 5);
  const selector = 0x10 | cpl;
  return [0, 0, 0xffff_ffff, ((attributes << 16) | selector) >>> 0];
}
