// Reads the strings of the generated columns back into numbers. tooling/x86-tables/src/packing.js writes them.

/** Digits are the printable ASCII characters from "!" without the quotation mark and the backslash, in order. */
function digit(code: number): number {
  return code - 33 - (code > 34 ? 1 : 0) - (code > 92 ? 1 : 0);
}

/** Numbers of a packed column: a last digit in base 60, before it base-31 digits that are 60 or above. */
export function unpackNumbers(text: string): number[] {
  const numbers: number[] = [];
  let high = 0;
  for (let i = 0; i < text.length; i++) {
    const value = digit(text.charCodeAt(i));
    if (value >= 60) high = high * 31 + value - 60;
    else {
      numbers.push(high * 60 + value);
      high = 0;
    }
  }
  return numbers;
}

/** Expands `0, n` to n zeros. */
export function unpackRuns(numbers: readonly number[]): number[] {
  const result: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? 0;
    if (value !== 0) result.push(value);
    else for (let n = numbers[++i] ?? 0; n > 0; n--) result.push(0);
  }
  return result;
}
