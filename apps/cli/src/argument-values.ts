/** Values of command-line arguments: numbers, sizes, ports, patterns. What is none is a usage error that says what is. */
import { InvalidArgumentError } from "commander";

/** An unsigned integer, decimal or `0x…`, at most `maximum`. */
export function integerValue(maximum: bigint): (text: string) => bigint {
  return (text) => {
    if (!/^(?:0x[0-9a-f]+|[0-9]+)$/i.test(text))
      throw new InvalidArgumentError("It must be a number, such as 16 or 0x10.");
    const value = BigInt(text);
    if (value > maximum) throw new InvalidArgumentError(`It may be at most 0x${maximum.toString(16)}.`);
    return value;
  };
}

/** An unsigned integer that a double holds exactly. */
export function numberValue(maximum: number, minimum = 0): (text: string) => number {
  const integer = integerValue(BigInt(maximum));
  return (text) => {
    const value = Number(integer(text));
    if (value < minimum) throw new InvalidArgumentError(`It must be at least ${minimum}.`);
    return value;
  };
}

/** A count of bytes: a number with an optional K, M or G (powers of 1024). */
export function sizeValue(text: string): number {
  const match = /^([0-9]+|0x[0-9a-f]+)([kmg]?)i?b?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be a size, such as 65536, 64K, 256M or 1G.");
  const scale = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match[2] ?? "").toLowerCase()] ?? 1;
  return Number(match[1]) * scale;
}

/** Seconds, fractions allowed, above 0. */
export function secondsValue(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("It must be a number of seconds above 0.");
  }
  return value;
}

/** A regular expression. */
export function patternValue(text: string): RegExp {
  try {
    return new RegExp(text, "m");
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : "It is not a regular expression.");
  }
}

/** Bitness of code. */
export function modeValue(text: string): 16 | 32 | 64 {
  const mode = Number(text);
  if (mode !== 16 && mode !== 32 && mode !== 64) throw new InvalidArgumentError("It must be 16, 32 or 64.");
  return mode;
}

/** Collects the values of an option that may be given several times. */
export function repeated<Value>(parse: (text: string) => Value): (text: string, before?: Value[]) => Value[] {
  return (text, before = []) => [...before, parse(text)];
}
