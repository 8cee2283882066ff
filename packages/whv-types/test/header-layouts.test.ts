// Every size, offset, bit position and value is what the compiled Windows headers say (tooling/layouts/data/facts.json).
import { describe, expect, test } from "vitest";
import {
  constants,
  enums,
  exported,
  filled,
  functions,
  layouts,
  propertyOf,
  range,
  setBits,
  viewOf,
} from "./support/facts.ts";

/** Writes all ones into a field, through whatever accessor it has. */
function fillField(structure: string, name: string): Uint8Array {
  const view = filled(structure, 0);
  const [outer, inner] = name.split(".").map(propertyOf);
  const holder = inner === undefined ? view : view[outer];
  const property = inner ?? outer;
  const value = holder[property];
  if (typeof value === "boolean") holder[property] = true;
  else if (typeof value === "number") holder[property] = widest(holder, property);
  else if (typeof value === "bigint") holder[property] = widestBigint(holder, property);
  else if (typeof value === "string") holder[property] = "\uffff".repeat(200);
  else if (value instanceof Uint8Array) value.fill(0xff);
  else if (Array.isArray(value)) for (const entry of value) entry.bytes.fill(0xff);
  else if (typeof value.set === "function") {
    for (let index = 0; index < value.length; index++) {
      value.set(index, typeof value.get(0) === "bigint" ? (1n << 64n) - 1n : widestEntry(value));
    }
  } else value.bytes.fill(0xff);
  return view.bytes;
}

/** The largest number that a field takes: the largest of 1 to 32 bits that is not refused. */
function widest(holder: Record<string, unknown>, property: string): number {
  if (`${property}Bits` in holder) {
    holder[`${property}Bits`] = (1n << 64n) - 1n;
    throw new Filled();
  }
  return last(
    range(1, 32).map((bits) => 2 ** bits - 1),
    (value) => {
      holder[property] = value;
    },
  );
}

function widestBigint(holder: Record<string, unknown>, property: string): bigint {
  return last(
    range(1, 64).map((bits) => (1n << BigInt(bits)) - 1n),
    (value) => {
      holder[property] = value;
    },
  );
}

function widestEntry(array: { set(index: number, value: number): void }): number {
  return last([0xffff, 0xffff_ffff], (value) => array.set(0, value));
}

class Filled extends Error {}

function last<T>(values: readonly T[], write: (value: T) => void): T {
  let accepted: T | undefined;
  for (const value of values) {
    try {
      write(value);
      accepted = value;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  if (accepted === undefined) throw new Error("the field takes no value");
  return accepted;
}

/** All ones in a guest-physical address are more than its number takes: its 64 bits are written instead. */
function bitsThatAFieldCovers(structure: string, name: string): number[] {
  try {
    return setBits(fillField(structure, name));
  } catch (error) {
    if (!(error instanceof Filled)) throw error;
    const view = filled(structure, 0);
    view[`${propertyOf(name)}Bits`] = (1n << 64n) - 1n;
    return setBits(view.bytes);
  }
}

describe.each(Object.keys(layouts))("%s", (structure) => {
  const { size, fields } = layouts[structure];

  test("has the size of the header's", () => {
    expect(viewOf(structure).size).toBe(size);
    expect(viewOf(structure).from({}).bytes).toHaveLength(size);
  });

  test.each(fields)("$name lies where the header has it", (field) => {
    const first = field.offset * 8 + (field.bitOffset ?? 0);
    const count = field.bitSize ?? field.size * 8;
    const bits = bitsThatAFieldCovers(structure, field.name);
    // A C BOOL is written as 1.
    expect(bits).toEqual(field.type === "WINBOOL" ? [first] : range(first, count));
  });

  test.each(fields)("$name reads nothing but its own bits", (field) => {
    const [outer, inner] = field.name.split(".").map(propertyOf);
    const read = (byte: number) => {
      const view = filled(structure, byte);
      const first = field.offset * 8 + (field.bitOffset ?? 0);
      for (const bit of range(first, field.bitSize ?? field.size * 8)) {
        if (byte === 0) view.bytes[bit >> 3] |= 1 << (bit & 7);
        else view.bytes[bit >> 3] &= ~(1 << (bit & 7));
      }
      return plain(inner === undefined ? view[outer] : view[outer][inner]);
    };
    expect(read(0)).toEqual(plain(readAll(structure, outer, inner, 0xff)));
    expect(read(0xff)).toEqual(plain(readAll(structure, outer, inner, 0)));
  });
});

function readAll(structure: string, outer: string, inner: string | undefined, byte: number): unknown {
  const view = filled(structure, byte);
  return inner === undefined ? view[outer] : view[outer][inner];
}

/** A field's value without the memory around it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    if ("toArray" in value) return (value as { toArray(): unknown[] }).toArray();
    if ("bytes" in value) return [...(value as { bytes: Uint8Array }).bytes];
  }
  return value;
}

describe.each(Object.keys(enums))("%s", (name) => {
  test("holds the header's values under the header's names", () => {
    expect(exported[name]).toMatchObject(enums[name].values);
  });
});

test("values that the compiled headers lack are the ones listed as newer", () => {
  const newer = Object.entries(enums).flatMap(([name, { values }]) =>
    Object.keys(exported[name] as object).filter((key) => !(key in values)),
  );
  // 29 registers, 1 property, 1 kind of state, 18 capabilities, of SDKs newer than the compiled headers.
  expect(newer).toHaveLength(49);
});

test.each(Object.entries(constants))("%s is %s", (name, text) => {
  expect(BigInt(exported[name] as number | bigint)).toBe(BigInt(text));
});

test("the function tables hold the header's prototypes", () => {
  const tables: Record<string, unknown> = {
    "WinHvPlatform.dll": exported.WIN_HV_PLATFORM_FUNCTIONS,
    "WinHvEmulation.dll": exported.WIN_HV_EMULATION_FUNCTIONS,
  };
  for (const [library, table] of Object.entries(tables)) {
    const expected = Object.entries(functions)
      .filter(([, prototype]) => prototype.library === library)
      .map(([name, { result, parameters }]) => [name, { result, parameters }]);
    expect(table).toEqual(Object.fromEntries(expected));
  }
  expect(Object.keys(functions)).toHaveLength(70);
});
