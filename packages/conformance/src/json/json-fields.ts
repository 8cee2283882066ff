/**
 * Reads the fields of a JSON object that a person or another program wrote, and says what is wrong and where when one
 * cannot be read: `exit.gpa: "0xzz" is not a number`. What the fields mean belongs to the case parsers.
 */

/**
 * A case that cannot be read: what is wrong, and at which field.
 *
 * @example
 * ```ts
 * import { CaseError, readEmulationCase } from "@whvkit/conformance";
 * try {
 *   readEmulationCase({ kind: "mmio", vp: { rip: 0, cs: { attributes: "0xa09b" } }, exit: { instructionBytes: "8b07", accessType: "read", gpa: "0xzz" } });
 * } catch (error) {
 *   if (!(error instanceof CaseError)) throw error;
 *   error.where; // "exit.gpa"
 * }
 * ```
 *
 * @public
 */
export class CaseError extends Error {
  /** Tells this error from others where classes cannot be compared. */
  override readonly name = "CaseError";
  /** Path of the field from the case's root, for instance `memory[2].bytes`; empty for the case itself. */
  readonly where: string;

  constructor(where: string, what: string) {
    super(where === "" ? what : `${where}: ${what}`);
    this.where = where;
  }
}

/** One JSON object whose fields are asked for by name; see {@link JsonFields.finish} for misspelt ones. */
export class JsonFields {
  readonly where: string;
  private readonly fields: Readonly<Record<string, unknown>>;
  private readonly asked: Set<string> = new Set();

  constructor(value: unknown, where: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new CaseError(where, `${shown(value)} is not an object`);
    }
    this.where = where;
    this.fields = value as Record<string, unknown>;
  }

  /** The raw value of a field, `undefined` where it is absent or `null`. */
  value(name: string): unknown {
    this.asked.add(name);
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? undefined) : undefined;
  }

  /** Path of a field of this object. */
  at(name: string): string {
    return this.where === "" ? name : `${this.where}.${name}`;
  }

  names(): string[] {
    return Object.keys(this.fields);
  }

  /** An unsigned integer up to `maximum` (at most 2^53-1); required when no default is given. */
  integer(name: string, maximum: number, absent?: number): number {
    const value = this.value(name);
    if (value === undefined) return absent ?? this.missing(name);
    return Number(unsignedInteger(value, BigInt(maximum), this.at(name)));
  }

  /** An unsigned integer of at most `bits` bits; required when no default is given. */
  wide(name: string, bits: number, absent?: bigint): bigint {
    const value = this.value(name);
    if (value === undefined) return absent ?? this.missing(name);
    return unsignedInteger(value, (1n << BigInt(bits)) - 1n, this.at(name));
  }

  flag(name: string, absent?: boolean): boolean {
    const value = this.value(name);
    if (value === undefined) return absent ?? this.missing(name);
    if (typeof value === "boolean") return value;
    if (value === 0 || value === 1) return value === 1;
    throw new CaseError(this.at(name), `${shown(value)} is not true or false`);
  }

  /** Bytes written as hex digits; required when no default is given. */
  bytes(name: string, absent?: Uint8Array): Uint8Array {
    const value = this.value(name);
    if (value === undefined) return absent ?? this.missing(name);
    return hexBytes(value, this.at(name));
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], absent?: Choice): Choice {
    const value = this.value(name);
    if (value === undefined) return absent ?? this.missing(name);
    if (choices.includes(value as Choice)) return value as Choice;
    throw new CaseError(this.at(name), `${shown(value)} is none of ${choices.map((one) => `"${one}"`).join(", ")}`);
  }

  /** A nested object; required. */
  object(name: string): JsonFields {
    return this.optionalObject(name) ?? this.missing(name);
  }

  optionalObject(name: string): JsonFields | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : new JsonFields(value, this.at(name));
  }

  /** The elements of an array with their paths; none where the field is absent. */
  elements(name: string): readonly { readonly value: unknown; readonly where: string }[] {
    const value = this.value(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw new CaseError(this.at(name), `${shown(value)} is not an array`);
    return value.map((element, index) => ({ value: element, where: `${this.at(name)}[${index}]` }));
  }

  /**
   * Fields nobody asked for are a writer's own notes and are left alone, unless one looks like a misspelling of a field
   * that is absent: that one would otherwise be ignored in silence.
   */
  finish(): void {
    for (const name of this.names()) {
      if (this.asked.has(name)) continue;
      const meant = [...this.asked].find(
        (known) => (this.fields[known] ?? undefined) === undefined && looksLike(name, known),
      );
      if (meant !== undefined) throw new CaseError(this.at(name), `unknown field; did you mean "${meant}"?`);
    }
  }

  private missing(name: string): never {
    throw new CaseError(this.at(name), "is missing");
  }
}

/** Reads an unsigned integer: a JSON number, or a string `"0x…"` (any size) or of decimal digits. */
export function unsignedInteger(value: unknown, maximum: bigint, where: string): bigint {
  let integer: bigint;
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 0) throw new CaseError(where, `${value} is not an unsigned integer`);
    if (!Number.isSafeInteger(value)) throw new CaseError(where, `${value} is not exact; write it as a string "0x…"`);
    integer = BigInt(value);
  } else if (typeof value === "string" && /^(?:0x[0-9a-f]{1,128}|[0-9]{1,128})$/i.test(value)) {
    integer = BigInt(value);
  } else {
    throw new CaseError(where, `${shown(value)} is not a number (write 16 or "0x10")`);
  }
  if (integer > maximum) {
    throw new CaseError(where, `${shown(value)} is too large (at most 0x${maximum.toString(16)})`);
  }
  return integer;
}

/** Reads bytes from pairs of hex digits; blanks between pairs are allowed. */
export function hexBytes(value: unknown, where: string): Uint8Array {
  if (typeof value !== "string") throw new CaseError(where, `${shown(value)} is not a string of hex digits`);
  const digits = value.replaceAll(/\s+/g, "");
  const wrong = /[^0-9a-f]/i.exec(digits);
  if (wrong !== null) throw new CaseError(where, `"${wrong[0]}" at digit ${wrong.index} is not a hex digit`);
  if (digits.length % 2 !== 0) throw new CaseError(where, `${digits.length} hex digits do not make whole bytes`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** `0x…` without leading zeros. */
export function hexNumber(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** Bytes as pairs of lower-case hex digits. */
export function hexString(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** A value as it stands in an error message, cut short. What lies deeper is left out: a line may nest without end. */
export function shown(value: unknown): string {
  const outermost = (key: string, inner: unknown): unknown =>
    key === "" || typeof inner !== "object" || inner === null ? inner : Array.isArray(inner) ? "[…]" : "{…}";
  const text = JSON.stringify(value, outermost) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}

/** Whether two names differ only in case, or by at most two edits where they are long enough for that to be telling. */
function looksLike(written: string, known: string): boolean {
  const a = written.toLowerCase();
  const b = known.toLowerCase();
  if (a === b) return true;
  const tolerance = Math.min(a.length, b.length) >= 5 ? 2 : 0;
  return Math.abs(a.length - b.length) <= tolerance && editDistance(a, b) <= tolerance;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
