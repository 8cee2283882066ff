// What does not fit is refused with a RangeError that names the structure and the field, and memory stays as it was.
import { describe, expect, test } from "vitest";
import {
  EmulatorIoAccessInfoView,
  MemoryAccessContextView,
  MemoryRangeEntryView,
  SriovResourceDescriptorView,
} from "../src/index.ts";
import { type AnyView, type Field, filled, layouts, propertyOf, viewOf } from "./support/facts.ts";

/** One more than a field takes, in the form that the field has; `undefined` where no value is too large. */
function tooLarge(field: Field, value: unknown): unknown {
  const bits = field.bitSize ?? field.size * 8;
  if (typeof value === "bigint") return 1n << BigInt(bits);
  if (typeof value === "number") return bits === 64 ? 2 ** 52 : 2 ** bits;
  if (typeof value === "string") return "x".repeat(201);
  return undefined;
}

describe.each(Object.keys(layouts))("%s", (structure) => {
  const { size, fields } = layouts[structure];

  test("needs all its bytes", () => {
    const View = viewOf(structure);
    const short = () => new View(new DataView(new ArrayBuffer(size - 1)));
    expect(short).toThrow(RangeError);
    expect(short).toThrow(`${structure} needs ${size} bytes at offset 0; the buffer has ${size - 1}`);
    expect(() => new View(new DataView(new ArrayBuffer(size + 8)), 9)).toThrow(RangeError);
    expect(() => new View(new DataView(new ArrayBuffer(size + 8)), -1)).toThrow(RangeError);
    expect(() => new View(new DataView(new ArrayBuffer(size + 8)), 0.5)).toThrow(RangeError);
    expect(new View(new DataView(new ArrayBuffer(size + 8)), 8).bytes.byteOffset).toBe(8);
  });

  test.each(fields.filter((field) => !field.name.includes(".")))("$name refuses what does not fit", (field) => {
    const property = propertyOf(field.name);
    const view = filled(structure, 0x5a);
    const before = view.bytes.slice();
    for (const value of refused(view, field)) {
      const write = () => {
        view[property] = value;
      };
      expect(write, String(value)).toThrow(RangeError);
      expect(write).toThrow(`${structure}.${field.name}`);
    }
    expect(view.bytes).toEqual(before);
  });
});

function refused(view: AnyView, field: Field): unknown[] {
  const value = view[propertyOf(field.name)];
  const large = tooLarge(field, value);
  if (large === undefined) return [];
  if (typeof value === "bigint") return [large, -1n];
  if (typeof value === "number") return [large, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY];
  return [large];
}

test("halves of 64-bit fields refuse what is not 32 bits, by the field's name", () => {
  const view = new MemoryAccessContextView(new DataView(new ArrayBuffer(40)));
  expect(() => {
    view.gvaHigh = 2 ** 32;
  }).toThrow("WHV_MEMORY_ACCESS_CONTEXT.Gva, bits 63..32 must be an integer from 0 to 4294967295; it is 4294967296");
  expect(() => {
    view.gvaLow = -1;
  }).toThrow(RangeError);
  view.gvaLow = 0xffff_fff0;
  view.gvaHigh = 0x8000_0000;
  expect(view.gva).toBe(0x8000_0000_ffff_fff0n);
});

test("a guest-physical address is never clipped: what no address can be is kept beside the number", () => {
  const view = MemoryRangeEntryView.from({ guestAddress: 0xf_ffff_ffff_ffff, sizeInBytes: 4096n });
  expect(view.guestAddressBits).toBe(0xf_ffff_ffff_ffffn);
  expect(view.toObject()).toEqual({ guestAddress: 0xf_ffff_ffff_ffff, sizeInBytes: 4096n });
  view.guestAddressBits = 0xffff_ffff_ffff_ffffn;
  expect(view.guestAddress).toBe(2 ** 64);
  expect(view.toObject()).toMatchObject({ guestAddressBits: 0xffff_ffff_ffff_ffffn });
  expect(MemoryRangeEntryView.from(view.toObject()).bytes).toEqual(view.bytes);
});

test("lists and bytes of another length are refused", () => {
  expect(() => MemoryAccessContextView.from({ instructionBytes: new Uint8Array(15) })).toThrow(
    "WHV_MEMORY_ACCESS_CONTEXT.InstructionBytes holds 16 entries; 15 were given",
  );
  const view = MemoryAccessContextView.from({});
  expect(() => view.assign({ reserved: new Uint8Array(4) })).toThrow(RangeError);
});

test("entries of a list are checked by index and value", () => {
  const { dword } = viewOf("WHV_UINT128").from({});
  expect(() => dword.set(4, 0)).toThrow("WHV_UINT128.Dword has the entries 0 to 3; asked for 4");
  expect(() => dword.get(-1)).toThrow(RangeError);
  expect(() => dword.set(0, 2 ** 32)).toThrow("WHV_UINT128.Dword");
});

test("text ends at the first NUL, and what is shorter is filled with NUL", () => {
  const view = SriovResourceDescriptorView.from({ pnpInstanceId: "PCI\\VEN_8086" });
  expect(view.pnpInstanceId).toBe("PCI\\VEN_8086");
  view.pnpInstanceId = "PCI";
  expect(view.bytes.subarray(6, 400).every((byte) => byte === 0)).toBe(true);
  expect(SriovResourceDescriptorView.from({ pnpInstanceId: "é".repeat(200) }).pnpInstanceId).toHaveLength(200);
});

test("assign leaves what the object leaves out, from makes it 0", () => {
  const access = EmulatorIoAccessInfoView.from({ port: 0x3f8, accessSize: 1, data: 0x41 });
  expect(access.assign({ direction: 1 }).toObject()).toEqual({ direction: 1, port: 0x3f8, accessSize: 1, data: 0x41 });
  expect(EmulatorIoAccessInfoView.from({}).toObject()).toEqual({ direction: 0, port: 0, accessSize: 0, data: 0 });
});
