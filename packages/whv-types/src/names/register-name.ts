/** Names of registers for people and for JSON, from `WHV_REGISTER_NAME`. */
import { WHV_REGISTER_NAME } from "../enums/generated/register-names.ts";

const PREFIXES = ["WHvX64Register", "WHvRegister"];

interface Names {
  readonly full: ReadonlyMap<number, string>;
  readonly byShort: ReadonlyMap<string, WHV_REGISTER_NAME>;
}

let names: Names | undefined;

/** Built when first asked for, so that importing the package does nothing. */
function registerNames(): Names {
  if (names) return names;
  const full = new Map<number, string>();
  const byShort = new Map<string, WHV_REGISTER_NAME>();
  for (const [name, code] of Object.entries(WHV_REGISTER_NAME)) {
    // Two names of one register: the first is the one that the older header has.
    if (!full.has(code)) full.set(code, name);
    byShort.set(withoutPrefix(name), code);
  }
  names = { full, byShort };
  return names;
}

function withoutPrefix(name: string): string {
  const prefix = PREFIXES.find((candidate) => name.startsWith(candidate));
  return prefix ? name.slice(prefix.length) : name;
}

function unknown(code: number): string {
  return `0x${(code >>> 0).toString(16).padStart(8, "0")}`;
}

/**
 * The header's name of a register, or the code in hex for one that has none here.
 *
 * @example
 * ```ts
 * import { registerName } from "@whvkit/whv-types";
 * registerName(0x20); // "WHvX64RegisterCr8"
 * registerName(0x80000002); // "WHvRegisterPendingEvent"
 * ```
 *
 * @public
 */
export function registerName(code: number): string {
  return registerNames().full.get(code >>> 0) ?? unknown(code);
}

/**
 * A register's name without the prefix `WHvX64Register` or `WHvRegister`, or the code in hex for one that has none
 * here.
 *
 * @example
 * ```ts
 * import { shortRegisterName } from "@whvkit/whv-types";
 * shortRegisterName(0x20); // "Cr8"
 * shortRegisterName(0x80000002); // "PendingEvent"
 * ```
 *
 * @public
 */
export function shortRegisterName(code: number): string {
  const name = registerNames().full.get(code >>> 0);
  return name === undefined ? unknown(code) : withoutPrefix(name);
}

/**
 * The register with that short or full name, as the header spells it, or `undefined`.
 *
 * @example
 * ```ts
 * import { registerByShortName } from "@whvkit/whv-types";
 * registerByShortName("Cr8"); // 0x20
 * registerByShortName("WHvX64RegisterCr8"); // 0x20
 * registerByShortName("cr8"); // undefined
 * ```
 *
 * @public
 */
export function registerByShortName(name: string): WHV_REGISTER_NAME | undefined {
  return registerNames().byShort.get(withoutPrefix(name));
}
