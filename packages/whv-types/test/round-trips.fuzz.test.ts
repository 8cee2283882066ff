// Random memory and random objects survive reading and writing. The seed is part of each test's name; FAST_CHECK_SEED
// runs one again.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnyView, enums, filled, type Layout, layouts, membersOf, propertyOf, viewOf } from "./support/facts.ts";

const seed = Number(process.env.FAST_CHECK_SEED ?? Math.floor(Math.random() * 0x7fff_ffff));
const options = { seed, numRuns: 60 };

/** Enums that say which member of a structure counts; half of the memory starts with a value that they know. */
const discriminants: Readonly<Record<string, string>> = {
  WHV_RUN_VP_EXIT_CONTEXT: "WHV_RUN_VP_EXIT_REASON",
  WHV_TRIGGER_PARAMETERS: "WHV_TRIGGER_TYPE",
  WHV_NOTIFICATION_PORT_PARAMETERS: "WHV_NOTIFICATION_PORT_TYPE",
};

function memoryOf(structure: string): fc.Arbitrary<Uint8Array> {
  const { size } = layouts[structure];
  const random = fc.uint8Array({ minLength: size, maxLength: size });
  const known = Object.values(enums[discriminants[structure]]?.values ?? {});
  if (known.length === 0) return random;
  const selected = fc.tuple(random, fc.constantFrom(...known)).map(([bytes, value]) => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(0, value, true);
    return copy;
  });
  return fc.oneof(random, selected);
}

function over(structure: string, bytes: Uint8Array): AnyView {
  const View = viewOf(structure);
  return new View(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Bytes that an object form holds: all but padding, members that do not count, and text behind its NUL. */
function heldBytes(structure: string, object: Record<string, unknown>): Uint8Array {
  const mask = filled(structure, 0).bytes;
  cover(structure, object, mask, 0);
  return mask;
}

function cover(structure: string, object: Record<string, unknown>, mask: Uint8Array, base: number): void {
  const layout: Layout = layouts[structure];
  for (const field of layout.fields) {
    const value = object[propertyOf(field.name.split(".")[0])];
    if (value === undefined || field.name.includes(".")) continue;
    const nested = layouts[field.type] ? (value as Record<string, unknown>) : undefined;
    if (nested) cover(field.type, nested, mask, base + field.offset);
    else if (typeof value === "string") mask.fill(1, base + field.offset, base + field.offset + 2 * value.length);
    else mask.fill(1, base + field.offset, base + field.offset + field.size);
  }
}

describe.each(Object.keys(layouts))(`%s (seed ${seed})`, (structure) => {
  const members = membersOf(structure);
  const forms: (string | undefined)[] = members.length > 0 ? members : [undefined];

  test("any memory can be read, and what was read writes the same memory", () => {
    fc.assert(
      fc.property(memoryOf(structure), fc.constantFrom(...forms), (bytes, member) => {
        const plain = member === undefined ? bytes : booleansOf(structure, member, bytes);
        const object = over(structure, plain).toObject(member);
        const copy = over(structure, plain.slice());
        copy.assign(object);
        if (hasText(structure)) expect(copy.toObject()).toEqual(object);
        else expect(copy.bytes).toEqual(plain);
      }),
      options,
    );
  });

  test("what was read fills new memory with every bit that counts, reserved ones too", () => {
    fc.assert(
      fc.property(memoryOf(structure), fc.constantFrom(...forms), (bytes, member) => {
        const plain = member === undefined ? bytes : booleansOf(structure, member, bytes);
        const object = over(structure, plain).toObject(member);
        const written = viewOf(structure).from(object);
        const held = heldBytes(structure, object);
        for (const [index, counts] of held.entries()) {
          if (counts && written.bytes[index] !== plain[index]) throw new Error(`byte ${index} differs`);
        }
        expect(written.toObject(member)).toEqual(object);
      }),
      options,
    );
  });
});

/** A C BOOL that is neither 0 nor 1 is read as true and written as 1: the one normalisation. */
function booleansOf(structure: string, member: string, bytes: Uint8Array): Uint8Array {
  const field = layouts[structure].fields.find((candidate) => propertyOf(candidate.name) === member);
  if (field?.type !== "WINBOOL") return bytes;
  const plain = bytes.slice();
  const view = new DataView(plain.buffer);
  view.setUint32(field.offset, view.getUint32(field.offset, true) === 0 ? 0 : 1, true);
  return plain;
}

function hasText(structure: string): boolean {
  return layouts[structure].fields.some((field) => field.type.startsWith("WCHAR"));
}
