/** Names of the intervals of the register file. */
import { FlagBit } from "../ir/flag.ts";
import { type RegisterInterval, RegisterOffset } from "../machine/register-file.ts";

const SIZE_NAMES: Readonly<Record<number, readonly string[]>> = {
  8: ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"],
  4: ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"],
  2: ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"],
  1: ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"],
};
const NUMBERED_SUFFIX: Readonly<Record<number, string>> = { 8: "", 4: "d", 2: "w", 1: "b" };
const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"] as const;
const SEGMENT_PARTS: Readonly<Record<number, string>> = { 0: "base", 8: "limit", 12: "selector", 14: "attributes" };

const singles: ReadonlyMap<number, string> = /* @__PURE__ */ new Map(
  Object.entries(RegisterOffset)
    .filter(([name]) => !["general", "segments", "fpu", "mask", "vector"].includes(name))
    .map(([name, offset]) => [offset, name]),
);

/** The name of a segment register by its number. */
export function segmentName(segment: number): string {
  return SEGMENT_NAMES[segment] ?? `segment ${segment}`;
}

/**
 * The name of an interval: "eax", "ah", "xmm3", "cs.limit"; "bytes 12 to 19" for one without a name.
 *
 * @example
 * ```ts
 * import { intervalName } from "@whvkit/x86-semantics";
 * intervalName({ offset: 8, size: 4 }); // "ecx"
 * intervalName({ offset: 1, size: 1 }); // "ah"
 * ```
 *
 * @public
 */
export function intervalName({ offset, size }: RegisterInterval): string {
  if (offset < RegisterOffset.rip) {
    const number = offset >> 3;
    if ((offset & 7) === 1 && size === 1 && number < 4) return ["ah", "ch", "dh", "bh"][number] as string;
    const name = SIZE_NAMES[size]?.[number] ?? `r${number}${NUMBERED_SUFFIX[size] ?? `:${size}`}`;
    return (offset & 7) === 0 ? name : `${name}+${offset & 7}`;
  }
  if (offset >= RegisterOffset.segments && offset < RegisterOffset.gdtr) {
    const at = offset - RegisterOffset.segments;
    const name = segmentName(at >> 4);
    return size === 16 ? name : `${name}.${SEGMENT_PARTS[at & 15] ?? at & 15}`;
  }
  if (offset >= RegisterOffset.vector) {
    const at = offset - RegisterOffset.vector;
    const prefix = size > 32 ? "zmm" : size > 16 ? "ymm" : "xmm";
    return (at & 63) === 0 ? `${prefix}${at >> 6}` : `zmm${at >> 6}+${at & 63}`;
  }
  if (offset >= RegisterOffset.mask && offset < RegisterOffset.pkru) return `k${(offset - RegisterOffset.mask) >> 3}`;
  if (offset >= RegisterOffset.fpu && offset < RegisterOffset.mask) return `mm${(offset - RegisterOffset.fpu) >> 4}`;
  return singles.get(offset) ?? `bytes ${offset} to ${offset + size - 1}`;
}

const FLAG_NAMES: ReadonlyMap<number, string> = /* @__PURE__ */ new Map(
  Object.entries(FlagBit).map(([name, bit]) => [bit, name]),
);

/** The name of a bit of RFLAGS. */
export function flagName(bit: number): string {
  return FLAG_NAMES.get(bit) ?? `bit ${bit}`;
}

/**
 * The names of a mask's bits: "CF PF AF ZF SF OF".
 *
 * @param mask - bits of RFLAGS
 *
 * @example
 * ```ts
 * import { Flag, flagNames, STATUS_FLAGS } from "@whvkit/x86-semantics";
 * flagNames(Flag.CF | Flag.ZF); // "CF ZF"
 * flagNames(STATUS_FLAGS); // "CF PF AF ZF SF OF"
 * ```
 *
 * @public
 */
export function flagNames(mask: number): string {
  const names: string[] = [];
  for (let bit = 0; bit < 22; bit++) if ((mask >>> bit) & 1) names.push(flagName(bit));
  return names.join(" ");
}
